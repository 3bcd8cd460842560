// The simulated table: a log whose next version is put only if nobody else has put it, and commits
// that fail before or after they are done, or land when their process is long dead.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/sim_world.h"

namespace headwater {

// Those of the datasets that have rows there.
std::optional<Schema> SimWorld::ColumnsOf(const std::string& table) const {
  std::optional<Schema> columns;
  std::set<DatasetId> loaded;
  for (const auto& [id, pieces] : table_) {
    if (!pieces.empty()) loaded.insert(id);
  }
  for (const auto& [id, files] : keyed_) {
    if (!files.live.empty()) loaded.insert(id);
  }
  for (const DatasetId& id : loaded) {
    if (id.table != table) continue;
    if (!columns.has_value()) columns.emplace();
    for (const Column& column : sources_.at(id).Columns().columns) {
      const bool known = std::any_of(columns->columns.begin(), columns->columns.end(),
                                     [&](const Column& one) { return one.name == column.name; });
      if (!known) columns->columns.push_back(column);
    }
  }
  return columns;
}

void SimWorld::PlayCheck(const CheckCommit& check) {
  CommitChecked checked{check.table, absl::OkStatus(), {}};
  if (check.replacements.empty()) checked.columns = ColumnsOf(check.table);
  if (Fault()) checked.table_status = absl::UnavailableError("the table cannot be read");
  for (const Replacement& replacement : check.replacements) {
    if (replacement.manifest.keyed.has_value() && Fault(0.5)) Disturb(replacement.dataset);
    const bool gone = !staged_.contains(replacement.fence);
    if (gone) Fail(absl::StrCat("files of a live attempt were removed: ", replacement.fence));
    checked.statuses.push_back(Fault(0.5) ? absl::NotFoundError("files are gone")
                                          : CheckBase(replacement));
  }
  for (const PublishedPiece& piece : check.pieces) {
    if (piece.keyed && piece.rows > 0 && LiveRows(piece.dataset) != piece.rows)
      checked.lost.push_back(piece);
  }
  InProcess(Millis(200), [this, checked] { Feed({checked}); });
}

void SimWorld::PlayCommit(const Intent& intent) {
  const Visible& seen = visible_[intent.table];
  if (seen.sequence > intent.sequence) return Fail("an older sequence was committed again");
  CommitFinished finished{intent.table, intent.sequence, CommitResult{}};
  if (seen.sequence == intent.sequence) {
    if (seen.hash == "abandoned") {
      finished.result = absl::CancelledError("abandoned before");
    } else if (seen.hash != intent.hash) {
      return Fail("another intent under one sequence");
    } else {
      finished.result = CommitResult{seen.version};
    }
    return Answer(finished, epoch_);
  }
  if (Fault(0.3)) {
    finished.result = absl::InvalidArgumentError("the table has changed");
    return Answer(finished, epoch_);
  }
  if (Fault()) {
    finished.result = absl::UnavailableError("not written");
    return Answer(finished, epoch_);
  }
  for (const Replacement& replacement : intent.replacements) {
    if (replacement.manifest.keyed.has_value() && Fault(0.3)) Disturb(replacement.dataset);
    const absl::Status fits = CheckBase(replacement);
    if (fits.ok()) continue;
    finished.result = fits;
    return Answer(finished, epoch_);
  }
  if (!ChangesTable(intent)) return Answer(finished, epoch_);
  // What is put may land after its process has died: the next one may have been faster.
  const bool lands = Chance(0.5);
  const auto put = [this, intent, looked = seen.version, epoch = epoch_, lands] {
    if (epoch == epoch_ || lands) Put(intent, looked, epoch);
  };
  Later(Fault() ? Millis(20'000) : Millis(200), put);
}

void SimWorld::Put(const Intent& intent, int64_t looked, int64_t epoch) {
  Visible& seen = visible_[intent.table];
  if (seen.version != looked) {  // Somebody was faster: look again.
    if (epoch == epoch_) PlayCommit(intent);
    return;
  }
  if (epoch != epoch_) ++counts_.late_puts;
  Trace([&] {
    return absl::StrCat("version ", looked + 1, " of ", intent.table, ", sequence ",
                        intent.sequence);
  });
  ++counts_.commits;
  counts_.changes += std::any_of(intent.replacements.begin(), intent.replacements.end(),
                                 [](const Replacement& one) { return one.compacted.empty(); });
  seen = {intent.sequence, intent.hash, looked + 1, epoch, {}};
  Digest(intent.hash);
  for (const Replacement& replacement : intent.replacements) {
    CheckReplacement(replacement);
    CheckCompaction(replacement);
    if (!broken_.empty()) return;
    seen.replaced.emplace_back(replacement.dataset, replacement.extent);
    Exchange(replacement);
  }
  if (core_ != nullptr) CheckTable();
  CommitFinished finished{intent.table, intent.sequence, CommitResult{seen.version}};
  if (Fault()) finished.result = absl::UnknownError("no answer");
  Answer(finished, epoch);
}

void SimWorld::Exchange(const Replacement& replacement) {
  if (replacement.manifest.keyed.has_value()) return ExchangeFiles(replacement);
  std::vector<SimPiece>& pieces = table_[replacement.dataset];
  const std::vector<StagedPiece>& manifest = replacement.manifest.pieces;
  const auto& files = staged_.at(replacement.fence);
  // As the committer does: all live files inside of the extent go, but those of unchanged pieces.
  std::erase_if(pieces, [&](const SimPiece& old) {
    const bool stays = std::any_of(manifest.begin(), manifest.end(), [&](const StagedPiece& piece) {
      return piece.unchanged && piece.extent == old.extent;
    });
    return !stays && Overlaps(old.extent, replacement.extent);
  });
  for (size_t i = 0; i < manifest.size(); ++i) {
    if (manifest[i].unchanged) continue;
    if (static_cast<int64_t>(files[i].second.size()) != manifest[i].fingerprint.rows)
      Fail("a commit of files that a later attempt wrote over");  // I2
    if (!files[i].second.empty())
      pieces.push_back({manifest[i].extent, replacement.fence, files[i].second});
  }
}

void SimWorld::Answer(CommitFinished finished, int64_t epoch) {
  if (epoch != epoch_) return;
  InProcess(Millis(300), [this, finished = std::move(finished)] { Feed({finished}); });
}

void SimWorld::PlayAbandon(const Intent& intent) {
  Visible& seen = visible_[intent.table];
  CommitFinished finished{intent.table, intent.sequence, absl::CancelledError("abandoned")};
  if (seen.sequence > intent.sequence) return Fail("an older sequence was abandoned");
  if (seen.sequence == intent.sequence && seen.hash != "abandoned") {
    if (seen.epoch == epoch_) return Fail("a published intent was abandoned");
    // What the last process had put has landed meanwhile.
    finished.result = absl::FailedPreconditionError("it was published");
  } else if (Fault()) {
    finished.result = absl::UnavailableError("not written");
  } else if (seen.sequence != intent.sequence) {
    ++counts_.abandoned;
    seen = {intent.sequence, "abandoned", seen.version + 1, epoch_, {}};
  }
  Answer(finished, epoch_);
}

// Files that no version names, and of whose attempt nothing will come any more (I7).
void SimWorld::CollectGarbage() {
  if (core_ == nullptr) return;
  for (auto it = staged_.begin(); it != staged_.end();) {
    const int64_t fence = it->first;
    bool named = core_->state().FindClaim(fence) != nullptr;
    for (const auto& [id, pieces] : table_) {
      named |= std::any_of(pieces.begin(), pieces.end(),
                           [&](const SimPiece& piece) { return piece.fence == fence; });
    }
    it = named ? std::next(it) : staged_.erase(it);
  }
  CollectFiles();
}

}  // namespace headwater
