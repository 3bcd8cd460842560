// A look at a table before a run or a verification relies on it: whose it is, whether it is behind
// its ledger, and whether other writers have removed what was published.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/model_proto.h"
#include "coordinator/core_impl.h"

namespace headwater {

PublishedTable Core::Impl::PublishedOf(const std::string& table) const {
  const auto known = state->tables().find(table);
  if (known == state->tables().end()) return {};
  PublishedTable published{known->second.published_version, known->second.published_sequence};
  if (options.collect_every != absl::InfiniteDuration())
    published.collected_before = known->second.removed_before;
  return published;
}

namespace {

std::vector<Extent> AllExtents(const DatasetState& dataset) {
  std::vector<Extent> extents;
  for (const auto& [from, piece] : dataset.coverage.pieces())
    extents.push_back({piece.range, false});
  if (dataset.outside.has_value()) extents.push_back({std::nullopt, true});
  return extents;
}

}  // namespace

// Every run and every verification asks once. The probes of a run wait for the answer: a run that
// finds nothing new must not end before it is known that what was loaded is still there.
void Core::Impl::AskTables() {
  std::set<std::string> wanted = unasked;
  for (const auto& [call, verify] : verifications) {
    wanted.insert(verify.unasked.begin(), verify.unasked.end());
  }
  for (const std::string& table : wanted) {
    const TableWork& work = tables[table];
    if (!work.stopped.ok()) {
      const absl::Status why = CannotBeWritten(table, work.stopped);
      FailDemandsOf(table, why);
      Unlooked(table, why);
      continue;
    }
    if (work.phase != TableWork::Phase::kIdle || work.retry_at > now) continue;
    const auto known = state->tables().find(table);
    // The table may be ahead by an intent: its outcome comes first.
    if (known != state->tables().end() && known->second.intended.has_value()) continue;
    AskWhose(table);
  }
}

void Core::Impl::AskWhose(const std::string& table) {
  CheckCommit check{table, {}, PublishedOf(table), {}};
  for (auto it = state->datasets().lower_bound({table, ""});
       it != state->datasets().end() && it->first.table == table; ++it) {
    const DatasetId& id = it->first;
    const DatasetState& dataset = it->second;
    const bool keyed = dataset.spec.keyed();
    if (keyed) check.pieces.push_back({id, {}, 0, dataset.table_rows, 0, true});
    // Of a keyed table's pieces only what did not fit is in files of their own.
    const auto add = [&](const Extent& extent, int64_t fence, int64_t rows, int64_t bad_rows) {
      if (rows > 0 && !(keyed && bad_rows == 0))
        check.pieces.push_back({id, extent, fence, keyed ? 0 : rows - bad_rows, bad_rows});
    };
    for (const auto& [from, piece] : dataset.coverage.pieces())
      add({piece.range, false}, piece.fence, piece.fingerprint.rows, piece.bad_rows);
    if (dataset.outside.has_value()) {
      add({std::nullopt, true}, dataset.outside->fence, dataset.outside->fingerprint.rows,
          dataset.outside->bad_rows);
    }
  }
  tables[table].phase = TableWork::Phase::kChecking;
  Send(std::move(check));
}

void Core::Impl::TakeLook(const CommitChecked& input) {
  tables[input.table].failures = 0;
  std::map<DatasetId, std::vector<Extent>> lost;
  for (const PublishedPiece& piece : input.lost) {
    std::vector<Extent>& extents = lost[piece.dataset];
    if (piece.keyed) {  // Nothing says which rows are gone: all of them are read again.
      extents = AllExtents(*state->FindDataset(piece.dataset));
    } else {
      extents.push_back(piece.extent);
    }
  }
  for (auto& [call, verify] : verifications) {
    if (verify.unasked.erase(input.table) == 0) continue;
    for (const auto& [id, extents] : lost) {
      const auto result = verify.results.find(id);
      if (result == verify.results.end()) continue;
      result->second.set_different(result->second.different() +
                                   static_cast<int64_t>(extents.size()));
      for (const Extent& extent : extents) {
        v1::Problem* shown = result->second.add_problems();
        *shown->mutable_dataset() = RefOf(id);
        shown->set_extent(Describe(*state->FindDataset(id), extent));
        shown->set_message("its files are gone from the table");
      }
    }
  }
  unasked.erase(input.table);
  // A verification alone changes nothing: asked again, it says the same.
  const bool wanted =
      std::any_of(state->datasets().lower_bound({input.table, ""}), state->datasets().end(),
                  [&](const auto& entry) {
                    return entry.first.table == input.table && !entry.second.live_runs.empty();
                  });
  if (!wanted) return;
  TakeFoundColumns(input.table, input.columns);
  for (const auto& [id, extents] : lost) {
    bases.erase(id);
    v1::Event event;
    *event.mutable_lost()->mutable_dataset() = RefOf(id);
    for (const Extent& extent : extents) *event.mutable_lost()->add_extents() = ToProto(extent);
    Emit(std::move(event));
  }
  for (auto it = state->datasets().lower_bound({input.table, ""});
       it != state->datasets().end() && it->first.table == input.table; ++it) {
    if (!it->second.live_runs.empty()) agenda.WantProbe(it->first);
  }
}

// The table cannot be looked at; its runs have been told.
void Core::Impl::Unlooked(const std::string& table, const absl::Status& status) {
  unasked.erase(table);
  for (auto& [call, verify] : verifications) {
    if (verify.unasked.erase(table) == 0) continue;
    std::erase_if(verify.queued, [&](const auto& entry) { return entry.first.table == table; });
    for (auto& [id, result] : verify.results) {
      if (id.table != table) continue;
      result.set_failed(true);
      v1::Problem* shown = result.add_problems();
      *shown->mutable_dataset() = RefOf(id);
      shown->set_message(std::string(status.message()));
      shown->set_code(static_cast<int32_t>(status.code()));
    }
  }
}

}  // namespace headwater
