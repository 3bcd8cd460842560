// Inside of Core, shared by its .cc files: sessions (core_sessions.cc), dispatch
// (core_dispatch.cc), publication (core_commit.cc), people's requests (core_admin.cc).
#ifndef HEADWATER_COORDINATOR_CORE_IMPL_H_
#define HEADWATER_COORDINATOR_CORE_IMPL_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/data/schema_drift.h"
#include "coordinator/agenda.h"
#include "coordinator/core.h"
#include "coordinator/core_work.h"
#include "coordinator/explain.h"
#include "coordinator/plan/planner.h"
#include "coordinator/plan/server_gate.h"
#include "coordinator/plan/state_change.h"
#include "coordinator/server_choice.h"
#include "coordinator/state/cluster_state.h"
#include "coordinator/state/lease_table.h"

namespace headwater {

v1::Demand DemandProto(const DemandRequest& request);
// For just these ranges, and perhaps the outside rows.
v1::Demand ListedDemand(const DatasetId& id, const RangeSet& ranges, bool outside);

// The published pieces of `range`, or in `extent`, that have files.
std::vector<PublishedPiece> PiecesWithRows(const DatasetState& dataset, Range range);
std::vector<PublishedPiece> PiecesWithRows(const DatasetState& dataset, const Extent& extent);
// What a verification found goes to what is answered, as far as there is room.
void AddDifferences(const Manifest& manifest, v1::VerifiedDataset& result);
// Each with the same attempt's.
bool AreSame(const std::vector<PublishedPiece>& a, const std::vector<PublishedPiece>& b);

// Whether a worker can reach a server, and has what it takes to read there.
bool Reaches(const WorkerHello& hello, const std::string& server);
bool HasDriver(const WorkerHello& hello, const ServerSpec& server);

// What runs are told of a table that takes no commits.
absl::Status CannotBeWritten(const std::string& table, const absl::Status& status);

struct Core::Impl {
  Impl(std::unique_ptr<ClusterState> state, const CoreOptions& options)
      : state(std::move(state)), options(options), leases(options.connection_kept) {}

  // ---- core.cc: events and effects of the step under way
  int64_t Emit(v1::Event event);    // Stamps, applies and records it; returns its sequence.
  void Touch(const DatasetId& id);  // It has changed: what depends on it is looked at again.
  void Send(Effect effect) { step.effects.push_back(std::move(effect)); }
  StepResult TakeStep();
  void Handle(const Input& input);
  void Advance();  // Everything that time and changed facts cause.
  bool Idle() const;

  // ---- core_sessions.cc
  void On(const SessionOpened& input);
  void On(const SessionClosed& input);
  void On(const CreditChanged& input);
  void On(const OfferReplied& input);
  void On(const Reported& input);
  void On(const DrainRequested& input);
  void On(const Delivered& input);
  absl::Status Take(const Outcome& outcome);
  absl::Status TakeManifest(const DatasetState& dataset, const Claim& claim,
                            const Manifest& manifest);
  absl::Status TakeProbe(const Lease& lease, const ProbeResult& result);
  void TakeProbeFailure(const DatasetId& id, const Failure& failure);
  void FailAttempt(int64_t fence, const Failure& failure);
  void Release(int64_t fence, const std::string& reason);
  void EndLease(const Lease& lease, const Failure& failure);
  void ExpireLeases();

  // ---- core_dispatch.cc
  void On(const DatasetsConfigured& input);
  void Dispatch();
  void FindFreeSessions();
  std::vector<ServerChoice> ServersByLoad();
  bool OfferOne(std::vector<ServerChoice>& servers);
  void Served(std::vector<ServerChoice>& servers, size_t index);
  // Another probe of the server is under way, and may leave its connection to the next one.
  bool IsProbedNow(const std::string& server);
  bool OfferProbe(const ServerChoice& choice);
  bool OfferMicrobatch(const ServerChoice& choice, Band band);
  // Connections that the next microbatch there may have.
  int FreeConnections(const ServerChoice& choice, Band band) const;
  bool OfferClaim(const ServerChoice& choice, const DatasetState& dataset,
                  const std::string& run_id, const PlannedClaim& claim, Band band);
  bool OfferVerification(const ServerChoice& choice);
  void OfferQueued(const SessionId& session_id, Session& session, VerifyCall& verify,
                   VerifyCall::Queue::iterator queued);
  // The session with the most credit left that may have a connection to that server.
  Session* PickSession(const ServerChoice& choice, SessionId& id);
  void Offer(const SessionId& session_id, Session& session, const DatasetState& dataset,
             TaskKind kind, const LeaseRef& ref, TaskSpec task, bool backfill);
  std::string NewTaskId(const char* prefix);
  void CancelUnwanted();

  // ---- core_gates.cc
  void End(const Lease& lease);      // And what it took of its server is known.
  void EndWell(const Lease& lease);  // Its server was reached.
  ServerGate& GateOf(const std::string& server);
  // Whether a task may begin there; else room_at knows when to ask again.
  bool Admits(const ServerSpec& server);
  // A run has as many microbatches under way as it may.
  bool IsPaced(const RunState& run, const std::string& server) const;
  void TakeSourceFailure(const Lease& lease, const absl::Status& status);
  // Its failure was that of a server that cannot be reached by anybody.
  bool IsOfServer(const DatasetId& id, const Failure& failure);
  // Tells all who wait for a server that it cannot be reached, once it has been tried often enough.
  void GiveUpServer(const DatasetId& id);

  // ---- core_explain.cc
  Reason WhyWaits(const DatasetState& dataset, const RunState& run,
                  const DemandState& demand) const;
  // Why no task of a demand, whatever it is, can begin on its server.
  std::optional<Reason> WhyNotServer(const DatasetState& dataset, Band band) const;
  std::optional<Reason> WhyNoWorker(const DatasetState& dataset) const;
  Reason WhyStaged(const std::string& table) const;
  // Empty: none yet, after a restart.
  std::string WorkerOf(const SessionId& session) const;
  ExplainSources Sources() const;
  // The datasets that a run, a task or a fence is about.
  absl::StatusOr<std::vector<DatasetId>> DatasetsOf(const std::string& id) const;

  // ---- core_state.cc
  void On(const StateChangeRequested& input);
  // How far the dataset would be after it. FAILED_PRECONDITION: it cannot be changed now.
  absl::StatusOr<ChangedProgress> ChangeOf(const StateChangeRequested& input,
                                           const DemandRequest& request) const;

  // ---- core_look.cc
  void AskTables();
  void AskWhose(const std::string& table);
  void TakeLook(const CommitChecked& input);
  void Unlooked(const std::string& table, const absl::Status& status);
  PublishedTable PublishedOf(const std::string& table) const;

  // ---- core_compaction.cc
  void NoteCompactions(const DatasetId& id);
  // Whether the table's committer can be asked for live files now: it is idle, and nothing is to
  // be known of the table first.
  bool MayListFiles(const std::string& table);
  void AskFiles();
  void On(const FilesListed& input);
  bool OfferCompaction();
  bool OfferCompaction(const CompactionInput& input);
  absl::Status CheckCompacted(const DatasetState& dataset, const Claim& claim,
                              const Manifest& manifest) const;
  void DropCompaction(const CompactionInput& input, const std::string& reason);
  void FailCompaction(int64_t fence, const Failure& failure);
  // Ends the claim with its attempt when it is a compaction that cannot be published: what the
  // committer checked is not so, or pieces of it have been lost since it was staged.
  bool CompactionNoLongerFits(int64_t fence, const absl::Status& checked);

  // ---- core_bases.cc
  // Whether a task of the dataset that starts from what the table has in `extent` can be offered:
  // that is known. Else it is asked for.
  bool HasBase(const DatasetState& dataset, const Extent& extent);
  // Requires: HasBase(), and nothing has happened since.
  std::optional<TableBase> TakeBase(const DatasetId& id);
  std::vector<std::string> RunsThatNeedBase(const DatasetId& id) const;
  void AskBases();
  void TakeBases(const FilesListed& input);

  // ---- core_histories.cc
  void NoteHistories(const DatasetId& id);
  void QueueHistories(const DatasetState& dataset, VerifyCall& verify);
  bool OfferHistories();
  void OfferMending(const DatasetState& dataset, const std::string& run_id);
  bool OfferHistoryCheck();
  void TakeHistories(const DatasetState& dataset, const Manifest& manifest, VerifyCall& verify);
  void FailMending(int64_t fence, const Failure& failure);
  Reason WhyMendingWaits(const DatasetState& dataset) const;
  // The runs that want the dataset's histories mended.
  std::vector<std::string> RunsMending(const DatasetState& dataset) const;

  // ---- core_garbage.cc
  void On(const GarbageRequested& input);
  void On(const GarbageCollected& input);
  void On(const CollectionsWanted& input);
  const NextCollection& FindNextCollection();
  bool CollectionIsDue();
  void StartCollections();
  void Collect(const std::string& table, CallId call, bool dry_run);
  void FinishGarbageCalls();
  absl::Time NextCollectionWake() const;

  // ---- core_archive.cc
  void On(const RunsWritten& input);
  void StartArchiving();
  bool ArchivingIsDue() const;
  absl::Time NextArchiving() const;  // By age.
  absl::Time NextArchivingWake() const;
  absl::Duration ArchiveEvery() const;

  // ---- core_columns.cc
  absl::StatusOr<SchemaPlan> PlanColumns(const DatasetState& dataset,
                                         const ProbeResult& result) const;
  std::vector<std::string> NewNotices(const DatasetState& dataset, const SchemaPlan& plan) const;
  void TakeColumns(const std::string& table, const Schema& columns);
  void TakeFoundColumns(const std::string& table, const std::optional<Schema>& found);
  bool Compares(const DatasetState& dataset, const std::string& spec_version,
                const Manifest& manifest) const;

  // ---- core_commit.cc
  void On(const CommitChecked& input);
  void On(const CommitFinished& input);
  void StartCommits();
  void TryTableLater(const std::string& table, int64_t seed, const absl::Status& status);
  void RefuseTable(const std::string& table, const absl::Status& status);
  void RefuseClaim(int64_t fence, const absl::Status& status);
  Replacement ReplacementOf(const DatasetState& dataset, const Claim& claim) const;
  Intent IntentOf(const v1::Intended& intended) const;
  void StopTable(const std::string& table, const absl::Status& status);
  void FailDemandsOf(const std::string& table, const absl::Status& status);
  std::vector<std::string> RunsWaitingFor(const DatasetState& dataset) const;

  // ---- core_admin.cc
  void On(const RunSubmitted& input);
  void On(const PlanRequested& input);
  void On(const VerifyRequested& input);
  void On(const RunCancelRequested& input);
  void On(const Ticked&) {}
  // The demands of a run: as they were asked for, or for what another run left unfinished.
  absl::Status FillDemands(const RunSubmitted& input, v1::RunStarted* started) const;
  absl::Status FillRetry(const RunSubmitted& input, v1::RunStarted* started) const;
  void EndRuns();
  void FailDemands(const DatasetId& id, const std::vector<std::string>& run_ids,
                   const Failure& failure);
  absl::Status CheckPolicies(const DatasetState& dataset, const ProbeResult& result) const;
  void AnswerPlanned(const DatasetId& id, const ProbeResult& result,
                     const std::vector<std::string>& notices, const ProbeWork& work);
  void AnswerPlanFailed(const DatasetId& id, const Failure& failure, const std::set<CallId>& calls);
  void RecordPlan(const PlanCall& plan);
  // The demands of a plan. FAILED_PRECONDITION: what it was made from has changed since.
  absl::Status FillPlanned(const RunSubmitted& input, v1::RunStarted* started) const;
  void FinishPlans();
  void TakeVerified(const std::string& task_id, const Manifest* manifest, const Failure* failure);
  void ComparePiece(const DatasetState& dataset, const VerificationTask& task,
                    const StagedPiece& read, const Manifest& manifest,
                    v1::VerifiedDataset& result) const;
  // Whether the task can be offered: what rows are compared with is known, and it has it now.
  bool TakeVerificationBase(const DatasetState& dataset, VerificationTask& task);
  // What of a dataset is still to be verified cannot be.
  void FailVerifications(const DatasetId& id, const absl::Status& status);
  // What of a server's pieces is still to be verified cannot be.
  void FailVerifications(const std::string& server, const Failure& failure);
  void FinishVerifications();
  // Records what differs as a plan to read it again. Empty: nothing does.
  std::string PlanOfDifferences(const VerifyCall& verify);

  std::unique_ptr<ClusterState> state;
  CoreOptions options;
  absl::Time now = absl::InfinitePast();
  StepResult step;
  std::set<std::string> changed_runs;  // In this step.
  std::set<std::string> runs_to_end;   // Touched since EndRuns() last looked.
  // By live run: all its demands before this one have ended.
  std::map<std::string, DatasetId> open_demands;

  std::map<SessionId, Session> sessions;
  // While tasks are handed out: sessions that may have more, those with the most credit left first.
  std::set<std::pair<int, SessionId>> free_sessions;  // By what is left, negative.
  LeaseTable leases;
  // When somebody gets room who found none in the last dispatch: connections that others keep are
  // closed, or a server may be used again.
  absl::Time room_at = absl::InfiniteFuture();
  std::map<DatasetId, ProbeWork> probes;
  std::set<int64_t> taken;  // Fences whose manifest was taken in this term.
  // Tables that nobody has looked at since a run came that is still to be probed.
  std::set<std::string> unasked;
  int64_t task_count = 0;
  int64_t dispatch_count = 0;
  Agenda agenda;
  std::map<std::string, ServerGate> gates;  // By server.
  std::map<std::string, TableWork> tables;
  // Datasets of which live demands may want compactions whose files nobody has listed.
  std::set<DatasetId> to_list;
  // Compactions that may be offered, by the first cursor of each.
  std::map<DatasetId, std::map<int64_t, CompactionInput>> to_compact;
  // What tasks that wait to be offered start from: what is to be listed, and what has been.
  std::map<DatasetId, BaseWanted> bases_wanted;
  std::map<DatasetId, ListedBase> bases;
  std::map<DatasetId, Mending> mending;  // Of all datasets that live demands want mended.
  std::map<CallId, PlanCall> plans;
  std::map<CallId, VerifyCall> verifications;
  std::map<CallId, GarbageCall> garbage_calls;
  std::optional<std::string> collecting;           // The table that is gone through now.
  std::optional<NextCollection> next_collection;   // Absent: to be found again.
  bool collections_end = false;                    // Nothing more is collected in this term.
  absl::Time collect_from = absl::InfinitePast();  // Not before.
  std::set<std::string> configured_tables;
  bool archiving = false;  // A file is being written, of these runs:
  OldRuns to_archive;
  bool archives_end = false;                         // No runs are archived any more in this term.
  absl::Time archive_from = absl::InfinitePast();    // By age, not before;
  absl::Time archive_looked = absl::InfinitePast();  // nothing was old enough then.
  absl::Time archive_retry = absl::InfinitePast();   // Not before, however many there are.
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_CORE_IMPL_H_
