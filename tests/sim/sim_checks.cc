// What SimWorld holds true at every step and every version of the table.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "tests/sim/sim_world.h"

namespace headwater {

void SimWorld::NoteEvent(const v1::Event& event) {
  NoteRun(event);
  switch (event.kind_case()) {
    case v1::Event::kStaged:
      recorded_.insert(event.staged().fence());
      break;
    case v1::Event::kConfirmed:
      recorded_.insert(event.confirmed().fence());
      break;
    case v1::Event::kAttemptFailed:
      over_.insert(event.attempt_failed().fence());
      break;
    case v1::Event::kReleased:
      over_.insert(event.released().fence());
      break;
    case v1::Event::kRunStarted:
      if (std::string& run = run_of_key_[event.run_started().idempotency_key()];
          run.empty() || archived_.contains(run)) {  // One that the ledger has let go is forgotten.
        run = event.run_started().run_id();
      } else {
        Fail("two runs were started under one key");
      }
      counts_.planned_runs += event.run_started().kind() == v1::RUN_KIND_BACKFILL &&
                              event.run_started().demands_size() > 0 &&
                              event.run_started().demands(0).mode() == v1::BACKFILL_MODE_LISTED;
      break;
    case v1::Event::kRunEnded:
      ended_runs_.push_back(event.run_ended().run_id());
      break;
    case v1::Event::kProbed:
      CheckGap(event.probed());
      break;
    case v1::Event::kRunsArchived:
      CheckArchived(event.runs_archived());
      break;
    default:
      break;
  }
}

void SimWorld::CheckStep() {
  CheckClaims();
  for (const std::string& id : ended_runs_) {
    if (const RunState* run = core_->state().FindRun(id)) CheckPromise(*run);
  }
  ended_runs_.clear();
}

void SimWorld::CheckClaims() {
  std::map<std::string, int> connections;
  for (const auto& [id, dataset] : core_->state().datasets()) {  // I11
    if (dataset.spec.keyed() && dataset.claims.size() > 1)
      Fail(absl::StrCat(ToString(id), " is written by key, and has two claims at once"));
    for (auto a = dataset.claims.begin(); a != dataset.claims.end(); ++a) {
      if (!a->second.manifest.has_value()) connections[id.server] += a->second.connections;
      for (auto b = std::next(a); b != dataset.claims.end(); ++b) {
        if (Overlaps(a->second.extent, b->second.extent)) Fail("two live claims cover one instant");
      }
    }
  }
  for (const auto& [server, count] : connections) {
    if (count > servers_.at(server).spec.max_connections)
      Fail(absl::StrCat("server ", server, " is read over ", count, " connections"));
  }
}

// What is begun on a server keeps to its gate.
void SimWorld::CheckOffer(const SendOffer& offer) {
  const auto* microbatch = std::get_if<MicrobatchTask>(&offer.task.kind);
  if (microbatch != nullptr && !microbatch->inputs.empty()) return;  // Asks no source.
  const DatasetId& id = by_digest_.at(offer.task.dataset_digest);
  if (microbatch != nullptr) CheckKeyedOffer(id, *microbatch);
  Server& server = servers_.at(id.server);
  const absl::Time now = CoreNow();
  for (const QuietWindow& window : server.spec.quiet_windows) {
    const absl::CivilMinute at = absl::ToCivilMinute(now, absl::UTCTimeZone());
    const int minute = at.hour() * 60 + at.minute();
    const bool quiet = window.from_minute < window.to_minute
                           ? minute >= window.from_minute && minute < window.to_minute
                           : minute >= window.from_minute || minute < window.to_minute;
    if (quiet) Fail("a task was begun in quiet hours");
  }
  if (server.spec.max_tasks_per_minute == 0) return;
  const absl::Duration apart = absl::Minutes(1) / server.spec.max_tasks_per_minute;
  if (now < server.last_began + apart) Fail("tasks were begun faster than their server takes them");
  server.last_began = now;
}

// I2, I6: only a live attempt is published, over older ones, and nothing but what it has read.
void SimWorld::CheckReplacement(const Replacement& replacement) {
  if (over_.contains(replacement.fence)) return Fail("an attempt was published that had failed");
  if (!staged_.contains(replacement.fence))
    return Fail(absl::StrCat("files are named that were removed: ", replacement.fence));  // I7
  counts_.joined += replacement.extent.range.has_value() && replacement.extent.outside;
  for (const SimPiece& old : table_[replacement.dataset]) {
    if (!Overlaps(old.extent, replacement.extent)) continue;
    if (old.fence >= replacement.fence) Fail("an older attempt replaces a newer one");
    const bool whole = !old.extent.range.has_value() ||
                       (replacement.extent.range.has_value() &&
                        old.extent.range->from >= replacement.extent.range->from &&
                        old.extent.range->to <= replacement.extent.range->to);
    if (!whole) Fail("a piece was replaced in part");
  }
}

// Between a version and the event that says so, the table is ahead of the ledger.
bool SimWorld::IsAhead(const DatasetId& id, const Extent& extent) const {
  const auto seen = visible_.find(id.table);
  if (seen == visible_.end()) return false;
  const TableState* known = core_->state().FindTable(id.table);
  if (known != nullptr && known->published_sequence >= seen->second.sequence) return false;
  return std::any_of(
      seen->second.replaced.begin(), seen->second.replaced.end(),
      [&](const auto& entry) { return entry.first == id && Overlaps(entry.second, extent); });
}

// I4: what the ledger calls covered is in the table, with the very same rows; I2, I3: nothing else
// is, and every piece whole.
void SimWorld::CheckTable() {
  for (const auto& entry : core_->state().datasets()) {
    const DatasetId& id = entry.first;
    const DatasetState& dataset = entry.second;
    if (dataset.spec.keyed()) {
      CheckFiles(id, dataset);
      continue;
    }
    const std::vector<SimPiece>& pieces = table_[id];
    size_t known = 0;
    const auto check = [&](const Extent& extent, int64_t fence, const Fingerprint& fingerprint) {
      // What has no rows has no files, wherever it is cut.
      if (fingerprint.rows == 0 || IsAhead(id, extent)) return;
      const auto found = std::find_if(pieces.begin(), pieces.end(), [&](const SimPiece& visible) {
        return visible.extent == extent && visible.fence == fence;
      });
      if (found == pieces.end())
        return Fail(absl::StrCat("recorded progress is not in the table: ", ToString(id), " fence ",
                                 fence));
      ++known;
      Fingerprint visible;
      for (uint64_t content : found->contents) visible.Add(HashOf(content));
      if (!(visible == fingerprint)) Fail("a piece's rows are not those of its attempt");
    };
    for (const auto& [from, piece] : dataset.coverage.pieces())
      check({piece.range, false}, piece.fence, piece.fingerprint);
    if (dataset.outside.has_value())
      check({std::nullopt, true}, dataset.outside->fence, dataset.outside->fingerprint);
    const auto unknown = std::count_if(pieces.begin(), pieces.end(), [&](const SimPiece& visible) {
      return !IsAhead(id, visible.extent);
    });
    if (broken_.empty() && static_cast<size_t>(unknown) != known)
      Fail(absl::StrCat("the table has rows that the ledger knows nothing of: ", ToString(id)));
  }
}

// What the ledger lets go is kept elsewhere, and is not needed: neither live nor what `status`
// shows.
void SimWorld::CheckArchived(const v1::RunsArchived& event) {
  counts_.archived += event.run_ids_size();
  for (const std::string& id : event.run_ids()) {
    if (!archived_.contains(id)) Fail(absl::StrCat("run ", id, " is let go and kept nowhere"));
    for (const auto& [dataset, state] : core_->state().datasets()) {
      if (state.live_runs.contains(id)) Fail(absl::StrCat("run ", id, " is let go and lives"));
    }
  }
}

// I8: what somebody was told, the next coordinator knows.
void SimWorld::CheckDurable() {
  const ClusterState& state = core_->state();
  for (const std::string& id : told_) {
    if (state.FindRun(id) == nullptr && !archived_.contains(id))
      Fail(absl::StrCat("run ", id, " was acknowledged and is forgotten"));
  }
  for (const std::string& id : told_cancelled_) {
    const RunState* run = state.FindRun(id);
    if (run != nullptr && !run->cancelled && !run->ended.has_value())
      Fail(absl::StrCat("run ", id, " was cancelled and goes on"));
  }
}

}  // namespace headwater
