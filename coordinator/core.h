// The coordinator's mind: one deterministic state machine. Step() takes what happened and the time,
// and returns the events that make it durable and the effects that follow; it touches no disk, no
// wire and no clock. Coordinator (coordinator.h) drives it in production, tests/sim in simulation.
//
// Everything that must survive lives in ClusterState and changes only by applying events. Sessions,
// leases, offers, probes and watchers live here, in memory: a restart loses them and nothing else.
#ifndef HEADWATER_COORDINATOR_CORE_H_
#define HEADWATER_COORDINATOR_CORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/model/task.h"
#include "coordinator/commit/committer.h"
#include "coordinator/commit/garbage.h"
#include "coordinator/commit/takeover.h"
#include "coordinator/state/lease_table.h"
#include "coordinator/state/old_runs.h"
#include "coordinator/state/run_state.h"
#include "headwater/v1/admin.pb.h"
#include "headwater/v1/history.pb.h"
#include "headwater/v1/ledger.pb.h"

namespace headwater {

using SessionId = std::string;
using CallId = int64_t;  // Chosen by the caller; names the unary call that waits for an answer.

// ---- Inputs -------------------------------------------------------------------------------------

struct WorkerHello {
  std::string name;
  std::string boot_id;
  int slots = 1;
  std::vector<std::string> reachable_servers;  // Globs; empty: all.
  std::vector<std::string> drivers = {};       // As DriverOf() of connection_string.h; empty: all.
  std::vector<LeaseRef> held;
};
struct SessionOpened {
  SessionId session;
  WorkerHello hello;
};
struct SessionClosed {
  SessionId session;
};
struct CreditChanged {
  SessionId session;
  int tasks = 0;
};
struct OfferReplied {
  SessionId session;
  LeaseRef lease;
  bool accepted = false;
  std::string reason;
};

struct LeaseReport {
  LeaseRef lease;
  LeasePhase phase = LeasePhase::kWaiting;
  int64_t rows = 0;
  int64_t bytes = 0;
};
struct Reported {
  SessionId session;
  int64_t number = 0;
  std::vector<LeaseReport> leases;
};
struct DrainRequested {
  SessionId session;
};
struct Delivered {
  CallId call = 0;
  SessionId session;
  std::vector<Outcome> outcomes;
};

// A demand as resolved by the service: a dataset and what is wanted of it.
struct DemandRequest {
  DatasetId dataset;
  v1::BackfillMode mode = v1::BACKFILL_MODE_UNSPECIFIED;
  std::optional<absl::Time> from, to;           // Timed backfill: both set, or neither.
  std::optional<int64_t> from_value, to_value;  // Backfill by integer cursor.
  std::vector<std::string> columns = {};        // For BACKFILL_MODE_OUTDATED.
  bool force = false;  // Of a run: what is static is read whatever its checksum says.
};
struct RunSubmitted {
  CallId call = 0;
  std::string run_id;  // Chosen by the service; used when a new run starts.
  std::string idempotency_key;
  v1::RunKind kind = v1::RUN_KIND_INCREMENTAL;
  bool by_person = true;
  std::vector<DemandRequest> demands;
  Pace pace = {};
  std::string retry_of = {};  // For RUN_KIND_RETRY: of its demands those of `demands` that did not
                              // come to their end.
  std::string plan_id = {};   // Of kind BACKFILL or REPAIR: what this plan has found, all of which
                              // must be of datasets in `demands`.
};
struct PlanRequested {  // Like a run, but only looked at.
  CallId call = 0;
  v1::RunKind kind = v1::RUN_KIND_INCREMENTAL;
  std::vector<DemandRequest> demands;
  Pace pace = {};
  std::string plan_id = {};  // Chosen by the service; empty: nobody will want to run it.
};
struct VerifyRequested {
  CallId call = 0;
  std::vector<DatasetId> datasets;
  bool counts_only = false;  // As VerificationOptions has them.
  int sample = 0;
  uint64_t seed = 0;
  std::string plan_id = {};  // Of what differs; empty: nobody will want to run it.
  bool histories = false;    // Whether versions go together, of the datasets that have any.
};
struct GarbageRequested {  // By a person: at once.
  CallId call = 0;
  std::vector<std::string> tables;
  bool dry_run = false;
};
struct RunCancelRequested {
  CallId call = 0;
  std::string run_id;
};
struct StateChangeRequested {  // Of what is recorded; no table is touched.
  enum class Kind { kStale, kFresh, kReset, kImport };
  CallId call = 0;
  Kind kind = Kind::kStale;
  std::vector<DemandRequest> datasets;  // kStale, kFresh: with the window's ends, as of a backfill.
  bool dry_run = false;
  std::string basis = {};  // As a dry run told; empty: whatever the state is.
  // kImport: what is to be, and what the tables had just now, by name.
  std::map<DatasetId, v1::DatasetProgress> imported = {};
  std::map<std::string, TableSurvey> surveys = {};
};

struct CommitChecked {  // Answers effect CheckCommit.
  std::string table;
  absl::Status table_status;              // Not OK: none of them can be published now.
  std::vector<absl::Status> statuses;     // One per fence asked, when table_status is OK.
  std::vector<PublishedPiece> lost = {};  // Of the pieces asked.
  std::optional<Schema> columns = {};     // When no fence was asked: the table's; none: no table.
};
struct CommitFinished {  // Answers effect Commit.
  std::string table;
  int64_t sequence = 0;
  absl::StatusOr<CommitResult> result = CommitResult{};
};
struct FilesListed {  // Answers effect ListFiles.
  std::string table;
  absl::Status status;
  std::vector<std::vector<StagedFile>> files;  // One list per piece asked, when status is OK,
  std::vector<absl::StatusOr<std::vector<StagedFile>>> keyed = {};  // and per dataset.
};
struct GarbageCollected {  // Answers effect CollectGarbage.
  std::string table;
  CallId call = 0;
  bool dry_run = false;
  GarbageReport report;
};
struct RunsWritten {  // Answers effect ArchiveRuns. CANCELLED: the host is about to end.
  absl::Status status;
};
struct CollectionsWanted {};  // The host is about to leave: what is due is not put off any longer.
struct DatasetsConfigured {
  std::vector<DatasetSpec> datasets;
};
struct Ticked {};  // Time has passed: leases, offers and backoffs are looked at.

using Input = std::variant<SessionOpened, SessionClosed, CreditChanged, OfferReplied, Reported,
                           DrainRequested, Delivered, RunSubmitted, PlanRequested, VerifyRequested,
                           GarbageRequested, RunCancelRequested, StateChangeRequested,
                           CommitChecked, CommitFinished, FilesListed, GarbageCollected,
                           RunsWritten, CollectionsWanted, DatasetsConfigured, Ticked>;

// ---- Effects ------------------------------------------------------------------------------------

enum class LeaseVerdict { kKeep, kCancel, kAbandon };

struct SendWelcome {
  SessionId session;
  int64_t term = 0;
  absl::Duration heartbeat, lease_ttl, self_fence_after;
  std::vector<std::pair<LeaseRef, LeaseVerdict>> held;
};
struct SendOffer {  // `spec` is set the first time this session meets the dataset's digest.
  SessionId session;
  TaskSpec task;
  std::optional<DatasetSpec> spec;
  absl::Duration accept_within;
};
struct SendReportAck {
  SessionId session;
  int64_t number = 0;
  std::vector<std::pair<LeaseRef, LeaseVerdict>> verdicts;
};
struct SendCancel {
  SessionId session;
  std::vector<LeaseRef> leases;
};
struct SendDrain {
  SessionId session;
};
struct AnswerDeliver {
  CallId call = 0;
  std::vector<absl::Status> verdicts;
};
struct AnswerRun {
  CallId call = 0;
  absl::Status status;
  std::string run_id;
  bool attached = false;
};
struct AnswerPlan {
  CallId call = 0;
  v1::PlanResponse plan;
};
struct AnswerVerify {
  CallId call = 0;
  v1::VerifyResponse result;
};
struct AnswerGarbage {
  CallId call = 0;
  v1::CollectGarbageResponse result;
};
struct AnswerCancel {
  CallId call = 0;
  absl::Status status;
};
struct AnswerStateChange {
  CallId call = 0;
  absl::Status status;
  v1::ChangeStateResponse result;
};
struct CheckCommit {  // Without replacements: whose the table is, and which pieces are gone from
                      // it.
  std::string table;
  std::vector<Replacement> replacements;
  PublishedTable published = {};
  std::vector<PublishedPiece> pieces = {};  // All that the ledger has there.
};
struct Commit {
  Intent intent;
  PublishedTable published = {};
};
struct ListFiles {  // The live files of these pieces, for compactions, and of these datasets.
  std::string table;
  PublishedTable published = {};
  std::vector<PublishedPiece> pieces = {};
  std::vector<DatasetId> keyed = {};
};
struct AbandonIntent {
  Intent intent;
  PublishedTable published = {};
};
// Beside the table's commits. Whoever carries it out knows the table's retention.
struct CollectGarbage {
  std::string table;
  CallId call = 0;  // Of a person; 0: nobody waits for it.
  GarbageRequest request;
};
// Beside everything else: once all of them are durable outside of the ledger, it lets them go.
struct ArchiveRuns {
  std::vector<v1::EndedRun> runs;  // The one that ended first comes first.
};
struct RunChanged {
  std::string run_id;
};  // Watchers should look (Core::DescribeRun).

using Effect = std::variant<SendWelcome, SendOffer, SendReportAck, SendCancel, SendDrain,
                            AnswerDeliver, AnswerRun, AnswerPlan, AnswerVerify, AnswerGarbage,
                            AnswerCancel, AnswerStateChange, CheckCommit, Commit, AbandonIntent,
                            ListFiles, CollectGarbage, ArchiveRuns, RunChanged>;

struct StepResult {
  std::vector<v1::Event> events;  // To append, in order, before any effect leaves.
  std::vector<Effect> effects;
};

struct CoreOptions {
  absl::Duration heartbeat = absl::Seconds(3);
  absl::Duration lease_ttl = absl::Seconds(15);
  absl::Duration self_fence_after = absl::Seconds(12);
  absl::Duration accept_within = absl::Seconds(2);
  // For which other workers leave a connection alone whose lease has ended: longer than a worker
  // keeps one that it does not use (WorkerOptions::source_idle).
  absl::Duration connection_kept = absl::Seconds(2);
  // Probes of one server go one after the other, over one connection; those that take longer than
  // that do not hold up others.
  absl::Duration probes_together = absl::Seconds(1);
  absl::Duration backoff_base = absl::Seconds(1);  // Doubles per attempt, ± 50 %.
  int deaths_to_quarantine = 3;
  // Each table is gone through for garbage so often, when nothing else is done; after twice as long
  // whatever is done. Infinite: only when a person asks.
  absl::Duration collect_every = absl::InfiniteDuration();
  // Runs that ended longer ago leave the ledger for the archive, once a day at most (more often
  // when this is shorter), when nothing else is done. Infinite: never.
  absl::Duration keep_runs = absl::InfiniteDuration();
  RunLimits run_limits = {};  // What is more than that goes earlier, and waits for nobody.
  // But none of both at once after a start: somebody is about to ask for what it was started for.
  absl::Duration collect_after_start = absl::Seconds(10);
};

class ClusterState;

// Confined to one thread.
class Core {
 public:
  // `state` has been replayed up to the last event of the log. Begin() comes first.
  Core(std::unique_ptr<ClusterState> state, const CoreOptions& options);
  ~Core();

  // Opens a term. With `workers_are_dead` the claims of earlier terms end at once.
  StepResult Begin(bool workers_are_dead, const std::string& config_digest, absl::Time now);

  // Checks the inputs in order and applies what they cause. Events are already applied to state()
  // on return: the caller must append them or end the process.
  StepResult Step(absl::Span<const Input> inputs, absl::Time now);

  // The next instant at which Ticked would do something; InfiniteFuture when nothing waits.
  absl::Time NextDeadline() const;

  const ClusterState& state() const;

  // Progress and, when ended, the summary of a run. NOT_FOUND: no such run.
  absl::StatusOr<v1::WatchRunResponse> DescribeRun(const std::string& run_id, absl::Time now) const;

  // Everything people ask about, as of now.
  v1::GetStatusResponse DescribeStatus(absl::Time now) const;

  // What is recorded of these datasets, range by range.
  v1::GetStateResponse DescribeState(const std::vector<DatasetId>& datasets) const;

  // Why what is selected runs, waits, has failed or is missing. NOT_FOUND: `id` is no run, task or
  // fence.
  absl::StatusOr<v1::ExplainResponse> Explain(const std::vector<DatasetId>& datasets,
                                              const std::string& id, absl::Time now) const;

  // True when no run is live, no commit is under way and nothing staged waits.
  bool Idle() const;

  // True while garbage is collected or runs are archived, or will be as soon as Idle().
  bool WantsToCollect() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_CORE_H_
