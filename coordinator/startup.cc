#include "coordinator/startup.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status.h"

namespace headwater {
namespace {

absl::StatusOr<TableContents> Inspect(const TableLocation& location, CommitterFactory& committers) {
  ASSIGN_OR_RETURN(std::unique_ptr<TableCommitter> committer, committers.Open(location));
  return committer->Inspect();
}

// A new state when there is no snapshot.
absl::StatusOr<ReplayedState> Restore(
    const absl::StatusOr<std::optional<EventLog::Snapshot>>& snapshot) {
  RETURN_IF_ERROR(snapshot.status());
  ReplayedState begun{.state = std::make_unique<ClusterState>()};
  if (!snapshot->has_value()) return begun;
  ASSIGN_OR_RETURN(begun.state, ClusterState::Restore((*snapshot)->sequence, (*snapshot)->state));
  begun.snapshot_sequence = (*snapshot)->sequence;
  return begun;
}

}  // namespace

absl::StatusOr<ReplayedState> ReplayLog(EventLog& log) {
  absl::StatusOr<ReplayedState> begun = Restore(log.LoadSnapshot());
  if (!begun.ok()) {  // Events stay in the log until two snapshots have what they say.
    Log(LogLevel::kWarning, "the ledger's snapshot is damaged; replaying from an earlier one",
        {{"why", begun.status().ToString()}});
    begun = Restore(log.LoadEarlierSnapshot());
  }
  ReplayedState replayed;
  if (begun.ok()) {
    replayed = *std::move(begun);
  } else {
    replayed.state = std::make_unique<ClusterState>();
  }
  RETURN_IF_ERROR(
      log.Replay(replayed.snapshot_sequence, [&](int64_t sequence, absl::string_view payload) {
        return ApplyEvent(sequence, payload, *replayed.state);
      }));
  replayed.state->RaiseFloor(log.last_sequence());
  return replayed;
}

absl::Status ApplyEvent(int64_t sequence, absl::string_view payload, ClusterState& state) {
  v1::Event event;
  if (!event.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
      event.kind_case() == v1::Event::KIND_NOT_SET) {
    return absl::DataLossError(absl::StrCat("ledger: event ", sequence,
                                            " is not one that this version knows (a newer "
                                            "headwater wrote it, or the file is damaged)"));
  }
  state.Apply(sequence, event);
  return absl::OkStatus();
}

absl::Status StartAboveTables(const std::vector<DatasetSpec>& datasets,
                              CommitterFactory& committers, EventLog& log, ClusterState& state) {
  std::map<std::string, std::string> uris;
  for (const DatasetSpec& spec : datasets) uris.emplace(spec.id.table, spec.target_uri);
  int64_t floor = 0;
  for (const auto& [table, uri] : uris) {
    const auto known = state.tables().find(table);
    if (known != state.tables().end() && known->second.last_sequence > 0) continue;
    const TableLocation location{.table = table, .uri = uri, .ledger_id = log.ledger_id()};
    absl::StatusOr<TableContents> contents = Inspect(location, committers);
    if (absl::IsAlreadyExists(contents.status())) continue;  // A run that wants it is told.
    if (!contents.ok()) {
      Log(LogLevel::kWarning, "cannot read the table",
          {{"table", table}, {"why", contents.status().ToString()}});
      continue;
    }
    if (!contents->exists) continue;
    state.RaiseTableSequence(table, contents->last_sequence);
    floor = std::max({floor, contents->max_fence, contents->last_sequence});
  }
  if (log.last_sequence() > 0 || floor == 0) return absl::OkStatus();
  RETURN_IF_ERROR(log.RaiseFloor(floor));
  state.RaiseFloor(floor);
  return absl::OkStatus();
}

}  // namespace headwater
