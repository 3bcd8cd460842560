// What SimWorld holds true of keyed datasets.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/sim_world.h"

namespace headwater {
namespace {

const SimRow* RowOf(const SimSource& source, uint64_t content) {
  // They come in this order.
  const auto row =
      std::lower_bound(source.rows.begin(), source.rows.end(), content,
                       [](const SimRow& one, uint64_t wanted) { return one.content < wanted; });
  return row != source.rows.end() && row->content == content ? &*row : nullptr;
}

std::string CountsOf(const KeyedChange& change) {
  return absl::StrCat(change.new_rows, " new, ", change.changed_rows, " changed, ",
                      change.deleted_rows, " deleted");
}

}  // namespace

// An attempt starts from what the table has, but for what others do meanwhile.
void SimWorld::CheckKeyedOffer(const DatasetId& id, const MicrobatchTask& task) {
  const SimSource& source = sources_.at(id);
  counts_.static_reads += source.sums && source.spec.strategy == Strategy::kStatic &&
                          source.spec.force_after == absl::InfiniteDuration();
  if (!source.spec.keyed()) return;
  if (!task.base.has_value()) return Fail("a keyed write was offered without the table's files");
  const SimKeyedTable& table = keyed_[id];
  std::set<std::string> base;
  for (const StagedFile& file : task.base->files) base.insert(file.path);
  if ((!table.disturbed || table.missed) &&
      base != std::set<std::string>(table.live.begin(), table.live.end()))
    Fail(absl::StrCat(ToString(id), " was offered to start from files that the table had before"));
}

// A commit did what its counts say, and let go only what it may.
void SimWorld::CheckChange(const Replacement& replacement, const SimKeys& before,
                           const SimKeys& after) {
  const DatasetSpec& spec = sources_.at(replacement.dataset).spec;
  const std::string who = absl::StrCat(ToString(spec.id), ", fence ", replacement.fence, ": ");
  const KeyedChange& told = *replacement.manifest.keyed;
  const KeyedChange happened = Difference(spec, before, after);
  happened_[replacement.fence] = {spec.id, happened};
  if (CountsOf(told) != CountsOf(happened)) {
    Fail(absl::StrCat(who, "it was to be ", CountsOf(told), ", and it was ", CountsOf(happened)));
  }
  if (told.new_rows + told.changed_rows + told.same_rows != replacement.manifest.rows_read &&
      replacement.manifest.rows_skipped == 0) {
    Fail(absl::StrCat(who, "its counts are not those of the rows it read"));
  }
  for (const auto& [key, state] : after) {
    const std::string wrong = WrongWith(spec, state);
    if (!wrong.empty()) Fail(absl::StrCat(who, "key ", key, ": ", wrong));
  }
  if (spec.on_missing == MissingPolicy::kRemove) return;
  for (const auto& [key, state] : before) {
    if (!after.contains(key)) Fail(absl::StrCat(who, "key ", key, " is gone from the table"));
  }
}

// The rows are such as the source had by then.
void SimWorld::CheckWritten(const DatasetId& id, const SimKeyedFile& file, absl::Time read) {
  const SimSource& source = sources_.at(id);
  for (const SimKeyedRow& row : file.rows) {
    const SimRow* from = RowOf(source, row.content);
    if (from == nullptr || from->key != row.key || from->value != row.value ||
        from->visible_at > read) {
      Fail(absl::StrCat(ToString(id), ": row ", row.content, " is not one of the source"));
    }
  }
}

// I4, and nothing of a failed attempt.
void SimWorld::CheckFiles(const DatasetId& id, const DatasetState& dataset) {
  for (const SimKeyedFile* file : LiveFiles(id)) {
    if (over_.contains(file->fence)) Fail("an attempt that failed is in the table");
  }
  const auto seen = visible_.find(id.table);
  const TableState* known = core_->state().FindTable(id.table);
  const bool is_ahead = seen != visible_.end() &&
                        (known == nullptr || known->published_sequence < seen->second.sequence);
  if (is_ahead || keyed_[id].disturbed || LiveRows(id) == dataset.table_rows) return;
  Fail(absl::StrCat(ToString(id), ": the ledger has ", dataset.table_rows, " rows, the table ",
                    LiveRows(id)));
}

// A run that says done has what was there when it was asked for, or what came since.
void SimWorld::CheckKeyedDemand(const SimSource& source,
                                const std::function<bool(const SimRow&)>& wanted,
                                absl::Time asked) {
  const DatasetSpec& spec = source.spec;
  // What goes while a run is under way the next one finds.
  if (keyed_[spec.id].disturbed_at >= asked) return;
  const SimKeys keys = KeysOf(spec, LiveFiles(spec.id));
  for (const SimRow& row : source.rows) {
    if (!wanted(row)) continue;
    const auto found = keys.find(row.key);
    const SimKeyedRow* now = found == keys.end() ? nullptr : found->second.now;
    if (row.visible_at <= asked && row.gone_at > now_ &&
        (now == nullptr || Compared(spec, *now) != Compared(spec, row))) {
      return Fail(absl::StrCat(ToString(spec.id), ": a run is done and ",
                               now == nullptr ? "lacks" : "has another", " row of key ", row.key,
                               DescribeLost(spec.id, {row.content})));
    }
    const bool goes = spec.write == WriteMode::kMerge && spec.on_missing != MissingPolicy::kKeep;
    if (goes && row.gone_at <= asked && now != nullptr && now->content == row.content) {
      return Fail(absl::StrCat(ToString(spec.id), ": a run is done and left row ", row.content,
                               DescribeLost(spec.id, {row.content})));
    }
  }
}

// I1, by key, and by what the dataset does of keys that are gone.
void SimWorld::CheckKeysAgainstSource(const SimSource& source) {
  const DatasetSpec& spec = source.spec;
  const SimKeys keys = KeysOf(spec, LiveFiles(spec.id));
  const std::string who =
      absl::StrCat(ToString(spec.id), " (", StrategyToString(spec.strategy), " by key): ");
  std::set<int64_t> live;
  for (const SimRow& row : source.rows) {
    if (!row.IsVisible(now_)) continue;
    live.insert(row.key);
    const auto found = keys.find(row.key);
    if (found == keys.end() || found->second.now == nullptr) {
      return Fail(
          absl::StrCat(who, "key ", row.key, " is lost", DescribeLost(spec.id, {row.content})));
    }
    if (Compared(spec, *found->second.now) != Compared(spec, row)) {
      return Fail(absl::StrCat(who, "key ", row.key, " has row ", found->second.now->content,
                               " instead of ", row.content, DescribeLost(spec.id, {row.content})));
    }
  }
  for (const auto& [key, state] : keys) {
    const std::string wrong = WrongWith(spec, state);
    if (!wrong.empty()) Fail(absl::StrCat(who, "key ", key, ": ", wrong));
    if (live.contains(key) || spec.on_missing == MissingPolicy::kKeep) continue;
    if (state.now != nullptr)
      Fail(absl::StrCat(who, "key ", key, " is gone, and the table does not say so",
                        DescribeLost(spec.id, {state.now->content})));
    if (spec.on_missing == MissingPolicy::kRemove)
      Fail(absl::StrCat(who, "key ", key, " is gone, and its row is there"));
  }
}

// What is published while a run is the only one alive is what that run has done.
void SimWorld::NoteRun(const v1::Event& event) {
  if (event.has_run_started()) {
    live_runs_.insert(event.run_started().run_id());
    alone_since_ = live_runs_.size() == 1 ? static_cast<int64_t>(log_.size()) : 0;
    alone_.clear();
  }
  if (event.has_lost()) {
    SimKeyedTable& table = keyed_[IdOf(event.lost().dataset())];
    // A look may take as long as the coordinator is frozen.
    table.missed = table.disturbed_at < now_ - absl::Minutes(2);
  }
  if (event.has_published()) {
    for (const int64_t fence : event.published().fences()) {
      const auto happened = happened_.find(fence);
      if (fence < alone_since_) alone_since_ = 0;  // Begun for another.
      if (happened == happened_.end()) continue;
      const auto& [id, change] = happened->second;
      KeyedChange& sum = alone_[id];
      sum.new_rows += change.new_rows;
      sum.changed_rows += change.changed_rows;
      sum.deleted_rows += change.deleted_rows;
    }
  }
  if (!event.has_run_ended()) return;
  const RunState* run = core_->state().FindRun(event.run_ended().run_id());
  if (run != nullptr && alone_since_ > 0) CheckCounts(*run);
  live_runs_.erase(event.run_ended().run_id());
}

void SimWorld::CheckCounts(const RunState& run) {
  for (const auto& [id, demand] : run.demands) {
    if (!sources_.at(id).spec.keyed() || demand.phase != DemandPhase::kDone) continue;
    ++counts_.told_counts;
    KeyedChange told;
    told.new_rows = demand.rows_new;
    told.changed_rows = demand.rows_changed;
    told.deleted_rows = demand.rows_deleted;
    if (CountsOf(told) == CountsOf(alone_[id])) continue;
    Fail(absl::StrCat("run ", run.id, " says ", CountsOf(told), " of ", ToString(id), ", it was ",
                      CountsOf(alone_[id])));
  }
}

}  // namespace headwater
