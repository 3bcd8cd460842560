// The coordinator's durable facts, in memory: what the ledger's events add up to. There is one way
// to change it, Apply(), and replaying the same events always gives the same state.
#ifndef HEADWATER_COORDINATOR_STATE_CLUSTER_STATE_H_
#define HEADWATER_COORDINATOR_STATE_CLUSTER_STATE_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/task.h"
#include "coordinator/state/dataset_state.h"
#include "coordinator/state/run_state.h"
#include "coordinator/state/table_state.h"
#include "headwater/v1/ledger.pb.h"

namespace headwater {

inline constexpr size_t kMaxPlans = 50;  // The newest ones.

// Thread-compatible.
class ClusterState {
 public:
  // Requires: `sequence` is last_sequence() + 1, or larger (a raised floor). Trusts its events:
  // they come from Core or from the log.
  void Apply(int64_t sequence, const v1::Event& event);

  // A snapshot of everything, and back. DATA_LOSS: bytes that are not a snapshot.
  std::string Serialize() const;
  static absl::StatusOr<std::unique_ptr<ClusterState>> Restore(int64_t sequence,
                                                               absl::string_view bytes);

  int64_t last_sequence() const { return last_sequence_; }
  // The next event comes after `sequence`: a ledger starts above every fence in its tables.
  void RaiseFloor(int64_t sequence) { last_sequence_ = std::max(last_sequence_, sequence); }
  // A new ledger continues a table's own count of transactions.
  void RaiseTableSequence(const std::string& table, int64_t sequence);

  int64_t term() const { return term_; }
  const std::string& config_digest() const { return config_digest_; }

  const std::map<DatasetId, DatasetState>& datasets() const { return datasets_; }
  const DatasetState* FindDataset(const DatasetId& id) const;
  const std::map<std::string, RunState>& runs() const { return runs_; }
  const RunState* FindRun(const std::string& id) const;
  const std::set<std::string>& live_runs() const { return live_runs_; }
  // Of all runs that have ended and are still here.
  int64_t ended_demands() const { return ended_demands_; }
  // When ended runs last went to the archive, all that were to go; InfinitePast: never.
  absl::Time runs_archived() const { return runs_archived_; }
  const std::map<std::string, TableState>& tables() const { return tables_; }
  const v1::Planned* FindPlan(const std::string& id) const;
  const TableState* FindTable(const std::string& table) const;
  // The columns that rows of a table are given; none: not known.
  const Schema& ColumnsOf(const std::string& table) const;
  // Fences of the claims whose manifest waits to be published, by table; no set is empty.
  const std::map<std::string, std::set<int64_t>>& staged() const { return staged_; }
  // What live backfills of the dataset still read.
  RangeSet BackfilledOf(const DatasetState& dataset) const;
  // The dataset whose live claim has this fence, or null.
  const DatasetState* FindClaim(int64_t fence) const;

 private:
  friend class SnapshotCodec;

  void ApplyTermBegan(const v1::TermBegan& event);
  void ApplyDatasetDefined(const v1::DatasetDefined& event);
  void ApplyRunStarted(const v1::RunStarted& event, absl::Time at);
  void ApplyProbed(int64_t sequence, const v1::Probed& event, absl::Time at);
  void ApplyProgressSet(int64_t sequence, const v1::ProgressSet& event);
  void ApplyTableColumns(const v1::TableColumns& event);
  void ApplyDemandsFailed(const v1::DemandsFailed& event);
  void ApplyGranted(int64_t sequence, const v1::Granted& event, absl::Time at);
  void ApplyStaged(const v1::Staged& event, absl::Time at);
  void ApplyLost(const v1::Lost& event, int64_t sequence);
  void ApplyConfirmed(const v1::Confirmed& event, absl::Time at);
  void ApplyAttemptFailed(const v1::AttemptFailed& event, absl::Time at);
  void ApplyReleased(const v1::Released& event);
  void ApplyIntended(const v1::Intended& event);
  void ApplyPublished(const v1::Published& event, absl::Time at);
  void ApplyAbandoned(const v1::Abandoned& event, absl::Time at);
  void ApplyRunCancelled(const v1::RunCancelled& event);
  void ApplyRunEnded(const v1::RunEnded& event, absl::Time at);
  void ApplyRunsArchived(const v1::RunsArchived& event, absl::Time at);

  DatasetState* DatasetOfClaim(int64_t fence);  // Requires: the claim is live.
  void MeetDemands(DatasetState& dataset, const Extent& extent, int64_t fence);
  void EndClaim(DatasetState& dataset, int64_t fence);
  // cluster_compaction.cc
  void ApplyCompactionDropped(const v1::CompactionDropped& event, absl::Time at);
  void PublishCompaction(DatasetState& dataset, const Claim& claim);
  void DropCompaction(DatasetState& dataset, Range range, const std::string& reason, absl::Time at);
  void ReviewCompactions(DatasetState& dataset);
  // cluster_histories.cc
  void Mend(DatasetState& dataset, const Claim& claim);
  void WithdrawNeeds(DatasetState& dataset, const DemandState& cancelled);

  int64_t last_sequence_ = 0;
  int64_t term_ = 0;
  std::string config_digest_;
  std::map<DatasetId, DatasetState> datasets_;
  std::map<std::string, RunState> runs_;
  std::map<std::string, TableState> tables_;
  std::deque<v1::Planned> plans_;  // The oldest first.
  absl::Time runs_archived_ = absl::InfinitePast();
  // Both follow from the runs.
  std::set<std::string> live_runs_;
  int64_t ended_demands_ = 0;
  // Both follow from the datasets' claims.
  std::map<int64_t, DatasetId> claims_;  // Every live claim's dataset, by fence.
  std::map<std::string, std::set<int64_t>> staged_;
};

DatasetId IdOf(const v1::DatasetRef& ref);
v1::DatasetRef RefOf(const DatasetId& id);
inline absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}
inline google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  google::protobuf::Timestamp out;
  out.set_seconds(absl::ToUnixSeconds(time));
  out.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(out.seconds()))));
  return out;
}

// An extent as people read it, in the dataset's own calendar.
std::string Describe(const DatasetState& dataset, const Extent& extent);

// What a demand must know of others when it begins.
struct Surroundings {
  RangeSet backfilled = {};           // What live backfills read again: a tick leaves it to them.
  const TableState* table = nullptr;  // Of the dataset; null: nothing was published in it.
  int64_t asked_after = 0;            // Of the probe: DatasetState::NotSeen.
  absl::Time at = absl::InfinitePast();  // When it was taken in.
};

// Says what a demand wants after the probe of event `sequence` has been taken in: raises the
// dataset's needs and takes its share of them into `demand.remaining`. Also used on copies, to
// plan.
void ActivateDemand(DatasetState& dataset, DemandState& demand, v1::RunKind kind, int64_t sequence,
                    const Surroundings& around);

// What of `blocked` a demand still wants has failed for it: it is left unfinished, counted and
// told. What remains of the demand is the caller's.
void SetAside(const DatasetState& dataset, const Blocked& blocked, DemandState& demand);

// Lists in `demand` what of the dataset has failed too often: a run that begins clears it.
void ListFailed(const DatasetState& dataset, v1::Demand& demand);

// Adds to `demand` what the end of `claim` means for it, in numbers for the summary. `changed`:
// something was published.
void CountClaim(DemandState& demand, const DatasetState& dataset, const Claim& claim, bool changed);

// The instants that a backfill's window names, cut to the domain. Empty without a domain.
Range BackfillRange(const DatasetState& dataset, const v1::Demand& demand);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_CLUSTER_STATE_H_
