// A world for the core to live in, all of it from one seed; time is a number. README.md beside this
// file says which faults strike it, what is held true, and what it cannot see.
#ifndef HEADWATER_TESTS_SIM_SIM_WORLD_H_
#define HEADWATER_TESTS_SIM_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"
#include "tests/sim/sim_keyed.h"
#include "tests/sim/sim_source.h"

namespace headwater {

// What readers of the table see of one dataset: pieces with their rows.
struct SimPiece {
  Extent extent;
  int64_t fence = 0;
  std::vector<uint64_t> contents;
};

struct SimOptions {
  unsigned seed = 0;
  int datasets = 3;
  int steps = 150;      // Random happenings before the world is calmed.
  double keyed = 0;     // Share of the datasets that are written by key, or static.
  double fault = 0.06;  // Chance of each kind of fault where it can strike.
  bool trace = false;   // Keeps what happened last, in words.
};

// What a life has seen, so that a test can say that it was worth living.
struct SimCounts {
  int64_t commits = 0, changes = 0, compactions = 0, abandoned = 0, restarts = 0, kept_leases = 0;
  int64_t refused_outcomes = 0, late_puts = 0, planned_runs = 0, gaps = 0, kept_promises = 0;
  int64_t frozen = 0, unreachable = 0, joined = 0, reloads = 0, verified = 0;
  // Of keyed and static datasets:
  int64_t keyed_commits = 0, refused_bases = 0, disturbed = 0, told_counts = 0, spared_reads = 0;
  int64_t archived = 0;      // Runs that the ledger let go.
  int64_t static_reads = 0;  // Of such as need not be read while nothing changes.
};

class SimWorld {
 public:
  explicit SimWorld(const SimOptions& options);
  ~SimWorld();

  // Lives through the random part, then calms down, runs everything to the end and compares the
  // table with the sources. Returns the first broken invariant, or an empty string.
  std::string Live();

  const SimCounts& counts() const { return counts_; }  // Of its whole life.
  uint64_t digest() const { return digest_; }          // Of all events and all that was published.
  const std::vector<std::string>& trace() const { return trace_; }

 private:
  struct Held {
    TaskSpec task;
    std::optional<Outcome> outcome;
    bool stopped = false;
  };
  struct SentReport {
    absl::Time sent;
    std::set<LeaseRef> leases;
  };
  struct Worker {
    std::string name;
    int64_t incarnation = 0;
    SessionId session;  // Empty: not connected.
    bool welcomed = false;
    absl::Time frozen_until = absl::InfinitePast();
    bool deaf_clock = false;  // Its clock stood still as well: it does not know that it was frozen.
    absl::Time proven, hello_sent;
    std::map<LeaseRef, Held> held;
    std::map<int64_t, SentReport> reports;
    int64_t last_report = 0;
    CallId delivering = 0;  // 0: no call is under way.
    bool ticking = false;
  };
  // One gRPC stream: what is sent on it arrives in order, or not at all once it is cut.
  struct Stream {
    std::string worker;
    int64_t incarnation = 0;
    bool cut = false;
    absl::Time last_up, last_down;
  };
  struct Server {
    ServerSpec spec;
    absl::Time down_until = absl::InfinitePast();
    absl::Time last_began = absl::InfinitePast();  // Of this term: rates are kept in memory.
  };
  struct Visible {  // The last version of a table.
    int64_t sequence = 0;
    std::string hash;
    int64_t version = 0;
    int64_t epoch = 0;  // Of the process that put it.
    std::vector<std::pair<DatasetId, Extent>> replaced;
  };
  struct DeliverCall {
    std::string worker;
    int64_t incarnation = 0;
    std::vector<Outcome> outcomes;
  };
  struct Action {
    absl::Time at;
    int64_t order = 0;
    std::function<void()> run;
    bool operator<(const Action& other) const {
      return std::tie(other.at, other.order) < std::tie(at, order);
    }
  };

  bool Chance(double probability) {
    return std::uniform_real_distribution<>(0, 1)(random_) < probability;
  }
  bool Fault(double part = 1) { return !calm_ && Chance(options_.fault * part); }
  int64_t Pick(int64_t below) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(below));
  }
  absl::Duration Millis(int64_t below) { return absl::Milliseconds(Pick(below)); }
  void Fail(const std::string& what);
  template <typename Words>
  void Trace(const Words& words) {
    if (options_.trace) Keep(words());
  }
  void Keep(const std::string& line);
  void Digest(const std::string& bytes);

  // ---- sim_world.cc: time, and the coordinator's process
  void Later(absl::Duration delay, std::function<void()> run);
  // Drops what the process of now was to do, should it have died by then.
  void InProcess(absl::Duration delay, std::function<void()> run);
  absl::Time CoreNow() const { return now_ + core_skew_; }
  void Feed(std::vector<Input> inputs);
  void Step();
  void Take(StepResult result);
  void Crash();
  void StartCoordinator(bool workers_are_dead);
  void Play(const Effect& effect);
  void RunUntil(const std::function<bool()>& done, absl::Duration limit);
  void WakeCore();
  void CalmDown();
  void RunToTheEnd(const std::function<void()>& ask, absl::Duration limit);

  // ---- sim_setup.cc: what is configured, and how it changes
  void AddDatasets();
  void AddDataset(int number);
  void Configure(SimSource& source);
  void Reconfigure();
  void AddRows();
  void AddRow(SimSource& source, absl::Time begun, bool odd);
  void LoseRows();
  absl::Duration OpenFor(const SimSource& source);

  // ---- sim_keyed_source.cc
  void ConfigureKeyed(SimSource& source);
  static bool MovesRows(const SimSource& source);
  void ChangeRows(SimSource& source);
  void BringBack(SimSource& source, int64_t key);

  // ---- sim_worker.cc
  void StartWorker(const std::string& name);
  void KillWorker(const std::string& name);
  void CutStream(const SessionId& session);
  void FreezeWorker(Worker& worker);
  Worker* FindWorker(const std::string& name, int64_t incarnation);
  void OnWorker(const Worker& worker, absl::Duration delay, std::function<void(Worker&)> run);
  void Connect(Worker& worker);
  void ToCore(const SessionId& session, Input input);
  void ToWorker(const SessionId& session, const Effect& frame);
  void OnFrame(Worker& worker, const Effect& frame);
  void OnWelcome(Worker& worker, const SendWelcome& welcome);
  void OnOffer(Worker& worker, const SendOffer& offer);
  void OnAck(Worker& worker, const SendReportAck& ack);
  void Abandon(Worker& worker, const LeaseRef& lease);
  void Tick(Worker& worker);
  void StartTicking(Worker& worker);
  void Report(Worker& worker);
  void Finish(Worker& worker, Outcome outcome);
  void Deliver(Worker& worker);
  void PlayAnswer(const AnswerDeliver& answer);
  void Settle(Worker& worker, const LeaseRef& lease, const absl::Status& verdict);

  // ---- sim_tasks.cc
  using Result = decltype(Outcome::result);
  Outcome OutcomeOf(const TaskSpec& task);
  Result DoMicrobatch(const SimSource& source, const MicrobatchTask& task, int64_t fence);
  Result DoVerification(const SimSource& source, const VerificationTask& task);
  ProbeResult DoProbe(const SimSource& source, const ProbeTask& task);
  Manifest Read(const SimSource& source, const Extent& extent, const std::vector<int64_t>& cuts,
                const std::vector<KnownPiece>& known, int64_t domain_end, int64_t fence);
  void TakeChecksums(const SimSource& source, const MicrobatchTask& task, Manifest& manifest);
  // Stages nothing with fence 0. Fails when files of the base are gone, or a history is broken.
  absl::Status LookUp(const SimKeyedRead& read, const TableBase& base, Manifest& manifest);

  // ---- sim_table.cc, sim_compaction.cc
  std::optional<Schema> ColumnsOf(const std::string& table) const;
  void PlayCheck(const CheckCommit& check);
  void PlayCommit(const Intent& intent);
  void Put(const Intent& intent, int64_t looked, int64_t epoch);
  void Exchange(const Replacement& replacement);
  void Answer(CommitFinished finished, int64_t epoch);
  void PlayAbandon(const Intent& intent);
  void PlayList(const ListFiles& list);
  void CollectGarbage();
  Manifest Compact(const MicrobatchTask& task, int64_t fence);

  // ---- sim_keyed_table.cc
  std::vector<const SimKeyedFile*> LiveFiles(const DatasetId& id) const;
  int64_t LiveRows(const DatasetId& id) const;
  absl::Status CheckBase(const Replacement& replacement);
  bool ChangesTable(const Intent& intent) const;
  void ExchangeFiles(const Replacement& replacement);
  void DisturbTable();
  void Disturb(const DatasetId& id);
  void CollectFiles();
  void DropFiles(int64_t fence);

  // ---- sim_people.cc
  void Happen();
  void Submit();
  void SubmitTick(bool everything, bool by_person);
  void SubmitBackfill(const std::vector<DatasetId>& ids);
  void Ask(RunSubmitted run);
  void PlayAnswer(const AnswerRun& answer);
  void PlayAnswer(const AnswerPlan& answer);
  void PlayAnswer(const AnswerVerify& answer);
  void PlayAnswer(const AnswerCancel& answer);
  void PlayArchive(const ArchiveRuns& archive);
  void Verify();

  // ---- sim_checks.cc, sim_promises.cc
  void NoteEvent(const v1::Event& event);
  void CheckStep();
  void CheckClaims();
  void CheckOffer(const SendOffer& offer);
  void CheckReplacement(const Replacement& replacement);
  void CheckCompaction(const Replacement& replacement);
  void CheckCompacted();
  void CheckTable();
  bool IsAhead(const DatasetId& id, const Extent& extent) const;
  void CheckDurable();
  void CheckPromise(const RunState& run);
  void CheckDemand(const SimSource& source, const DemandState& demand, bool tick, absl::Time asked);
  void CheckGap(const v1::Probed& probed);
  void CheckArchived(const v1::RunsArchived& event);
  void CheckAgainstSources();

  // ---- sim_keyed_checks.cc
  void CheckKeyedOffer(const DatasetId& id, const MicrobatchTask& task);
  void CheckChange(const Replacement& replacement, const SimKeys& before, const SimKeys& after);
  void CheckWritten(const DatasetId& id, const SimKeyedFile& file, absl::Time read);
  void CheckFiles(const DatasetId& id, const DatasetState& dataset);
  void CheckKeyedDemand(const SimSource& source, const std::function<bool(const SimRow&)>& wanted,
                        absl::Time asked);
  void CheckKeysAgainstSource(const SimSource& source);
  void NoteRun(const v1::Event& event);
  void CheckCounts(const RunState& run);
  std::string DescribeLost(const DatasetId& id, const std::vector<uint64_t>& lost) const;

  SimOptions options_;
  std::mt19937_64 random_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);  // True time.
  std::priority_queue<Action> actions_;
  int64_t order_ = 0;
  bool calm_ = false;
  absl::Time calm_since_ = absl::InfiniteFuture();
  std::string broken_;
  std::vector<std::string> trace_;
  uint64_t digest_ = 14695981039346656037ULL;
  SimCounts counts_;

  std::map<std::string, Server> servers_;
  std::map<DatasetId, SimSource> sources_;
  std::map<std::string, DatasetId> by_digest_;
  uint64_t contents_ = 0;
  std::map<uint64_t, std::optional<int64_t>> cursors_;  // Of every row that ever was.

  std::map<std::string, Worker> workers_;  // By name.
  std::map<SessionId, Stream> streams_;
  int64_t incarnations_ = 0;
  int64_t sessions_ = 0;
  CallId calls_ = 0;
  std::map<CallId, DeliverCall> deliveries_;

  // The coordinator's process and its disk.
  std::unique_ptr<Core> core_;  // None: it is down.
  int64_t epoch_ = 0;           // Grows when it dies.
  absl::Duration core_skew_;    // What its clock is ahead of the true time.
  absl::Time frozen_until_ = absl::InfinitePast();
  std::vector<Input> inbox_;
  bool step_due_ = false;
  std::vector<std::string> log_;  // Serialised events; log_[i] is sequence i + 1.
  std::pair<int64_t, std::string> snapshot_;

  // People, and what they were told.
  int64_t runs_ = 0;
  std::map<CallId, std::string> asked_;            // The key that a run was submitted under.
  std::map<std::string, absl::Time> asked_at_;     // By key: when it was first submitted.
  std::map<std::string, std::string> run_of_key_;  // As the log has it.
  std::set<std::string> told_;                     // Runs that somebody was told to be recorded.
  std::map<CallId, std::string> cancels_;
  std::set<std::string> told_cancelled_;
  std::vector<std::string> plans_;
  std::map<std::string, std::string> archived_;  // Runs that are durable outside of the ledger.
  std::vector<std::string> ended_runs_;          // In this step.
  std::set<int64_t> recorded_, over_;  // Fences of the log: staged or confirmed; ended unpublished.

  // The table, as everybody sees it.
  std::map<DatasetId, std::vector<SimPiece>> table_;
  std::map<std::string, Visible> visible_;
  std::map<DatasetId, SimKeyedTable> keyed_;
  std::map<std::string, SimKeyedFile> keyed_files_;  // By path, seen or not.
  std::map<int64_t, SimKeyedAttempt> keyed_attempts_;
  std::map<int64_t, std::pair<DatasetId, KeyedChange>> happened_;  // By fence: counts alone.
  // What has happened since a run started that is the only one alive.
  std::set<std::string> live_runs_;
  int64_t alone_since_ = 0;  // Its event; 0: there is no such run.
  std::map<DatasetId, KeyedChange> alone_;
  // By fence: files, whole or not, seen or not.
  std::map<int64_t, std::vector<std::pair<Extent, std::vector<uint64_t>>>> staged_;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_SIM_SIM_WORLD_H_
