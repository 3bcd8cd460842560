// The coordinator as a running thing: threads and wiring around Core. Decides nothing.
//
//   services ─ Post / Call ─► [inputs] ─► core thread: Step → append → effects ─► sessions, calls,
//   commit threads ───────────►                                               watchers, commits
//
// One core thread takes inputs in batches; a batch's events are one durable transaction, and only
// then do its effects leave. When the append fails the memory is ahead of the log and cannot be
// trusted: the process ends.
#ifndef HEADWATER_COORDINATOR_COORDINATOR_H_
#define HEADWATER_COORDINATOR_COORDINATOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/model/dataset_spec.h"
#include "coordinator/archive_thread.h"
#include "coordinator/commit/committer.h"
#include "coordinator/commit/garbage.h"
#include "coordinator/core.h"
#include "coordinator/ledger/event_log.h"
#include "coordinator/run_query.h"

namespace headwater {

using SessionEffect = std::variant<SendWelcome, SendOffer, SendReportAck, SendCancel, SendDrain>;

// Where a session's frames go. Send() is called on the core thread, in order, and must not block.
class SessionSink {
 public:
  virtual ~SessionSink() = default;
  virtual void Send(SessionEffect effect) = 0;
};

struct CoordinatorOptions {
  std::vector<DatasetSpec> datasets;  // All that are configured.
  std::string config_digest;
  std::unique_ptr<EventLog> log;
  CommitterFactory* committers = nullptr;         // Outlives the coordinator.
  GarbageCollectorFactory* collectors = nullptr;  // Likewise; null: nothing is collected.
  std::map<std::string, Retention> retention;     // Of tables that have not the default.
  PutRuns archive;  // Where runs go after core.keep_runs; empty: nowhere, and they stay.
  const Clock* clock = &Clock::Real();
  CoreOptions core;
  // A lock proves that the workers of the last term are gone: their leases end at once.
  bool workers_are_dead = false;
  int64_t snapshot_every = 50'000;  // Events; replaying that many takes about 0.1 s.
  // What ends the process after a failed append; must not come back, except in a test. Empty: says
  // why on stderr and exits with 1 at once, without destructors.
  std::function<void(const absl::Status&)> die;
};

// Thread-safe. Callbacks run on the core thread and must not block or call Shutdown(); each call's
// callback runs exactly once, with UNAVAILABLE when the coordinator ends first.
class Coordinator {
 public:
  // Replays the log, opens a term and starts the threads. In a new ledger it first reads all tables
  // and starts above every fence and sequence in them; a table that cannot be read is only warned
  // about: nothing is published there before a check has passed.
  // DATA_LOSS: the log is damaged. Other errors are the log's.
  static absl::StatusOr<std::unique_ptr<Coordinator>> Start(CoordinatorOptions options);
  ~Coordinator();  // Shutdown().

  // Frames of `hello.session` go to `sink` from here on, until CloseSession().
  void OpenSession(SessionOpened hello, std::shared_ptr<SessionSink> sink);
  // The stream has ended. Drops the sink. Repeatable.
  void CloseSession(const SessionId& session);

  // Blocks while too much is waiting. False after Shutdown().
  bool Post(Input input);

  // Calls that wait for an answer; the CallId is filled in here.
  template <typename Answer>
  using Callback = std::function<void(absl::StatusOr<Answer>)>;
  void Deliver(Delivered request, Callback<AnswerDeliver> done);
  void SubmitRun(RunSubmitted request, Callback<AnswerRun> done);
  void Plan(PlanRequested request, Callback<AnswerPlan> done);
  void Verify(VerifyRequested request, Callback<AnswerVerify> done);
  void Collect(GarbageRequested request, Callback<AnswerGarbage> done);
  void CancelRun(RunCancelRequested request, Callback<AnswerCancel> done);
  void ChangeState(StateChangeRequested request, Callback<AnswerStateChange> done);
  void GetStatus(Callback<v1::GetStatusResponse> done);
  // What the ledger has of it.
  void GetHistory(RunQuery query, Callback<v1::GetHistoryResponse> done);
  void GetState(std::vector<DatasetId> datasets, Callback<v1::GetStateResponse> done);
  void Explain(std::vector<DatasetId> datasets, std::string id, Callback<v1::ExplainResponse> done);

  // Calls `changed` with the run's progress now, whenever it changed (at most ten times a second),
  // and when it has ended; after that, or after an error (NOT_FOUND), never again. Returns a number
  // for Unwatch(), after which `changed` is not called any more (a call under way is waited for).
  using WatchId = int64_t;
  WatchId WatchRun(const std::string& run_id, Callback<v1::WatchRunResponse> changed);
  void Unwatch(WatchId watch);

  // Blocks until no run is live and nothing waits for publication, seen after everything that was
  // posted before this call. UNAVAILABLE: the coordinator ended first.
  absl::Status WaitIdle();

  // After WaitIdle(), before Shutdown(): blocks while garbage that is due is collected, and runs
  // that are archived, and nobody wants anything else, at most `limit`; then what is under way is
  // ended. Nothing is collected or archived after that.
  void FinishCollections(absl::Duration limit);

  // Takes no more inputs, handles those inside, ends the threads. What was under way goes on with
  // the next start. Repeatable, from one thread at a time.
  void Shutdown();

  const std::string& ledger_id() const;

 private:
  struct Impl;
  explicit Coordinator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COORDINATOR_H_
