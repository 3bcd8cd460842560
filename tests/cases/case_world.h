// A small world for one case at a time: servers with rows that a test scripts, workers that read
// what is visible, a table that readers see, and the core between them. No chance, no wall clock:
// time moves when the test moves it. Faults and random orders are tests/sim's.
#ifndef HEADWATER_TESTS_CASES_CASE_WORLD_H_
#define HEADWATER_TESTS_CASES_CASE_WORLD_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

struct CaseRow {
  std::optional<int64_t> cursor;
  uint64_t content = 0;  // Unique.
  absl::Time visible_at = absl::InfinitePast();
};

struct CaseServer {
  DatasetSpec spec;
  CursorType type = CursorType::kInstant;
  std::vector<CaseRow> rows;
  bool reachable = true;
  bool transactions_known = true;
  std::optional<absl::Time> oldest_transaction;
  std::optional<absl::Duration> behind;  // Of a replica: nothing newer is visible.
};

// A microbatch that was read, as the worker was told.
struct CaseRead {
  std::string server;
  Extent extent;
  std::vector<int64_t> cuts;
};

// What readers of the table see: one published piece of one server.
struct CasePiece {
  Extent extent;
  int64_t fence = 0;
  std::vector<uint64_t> contents;
};

// Confined to one thread.
class CaseWorld {
 public:
  explicit CaseWorld(absl::Time now);

  // A dataset of table `deals`: incremental, cursor `at`, unit 1h, all in UTC. Change its spec,
  // then Configure().
  CaseServer& Add(const std::string& server, CursorType type = CursorType::kInstant);
  CaseServer& At(const std::string& server) { return servers_.at(server); }
  // Tells the core of every server as it is now, as a coordinator does that starts.
  void Configure();

  absl::Time now() const { return now_; }
  // Workers go on reporting what they hold.
  void Pass(absl::Duration time) { PassTo(now_ + time); }
  void PassTo(absl::Time time);

  // A row whose cursor is `value`, now or from `visible_at` on. Returns its content.
  uint64_t Insert(const std::string& server, std::optional<int64_t> value,
                  absl::Time visible_at = absl::InfinitePast());
  // A row stamped `at`, in the server's own calendar.
  uint64_t InsertAt(const std::string& server, absl::Time at,
                    absl::Time visible_at = absl::InfinitePast());
  int64_t CursorOf(const std::string& server, absl::Time at);

  // Starts a run of those servers, or of all. Nothing but what needs no time happens yet.
  std::string Submit(v1::RunKind kind, const std::vector<DemandRequest>& demands);
  void Submit(const RunSubmitted& run) { Feed(run); }
  std::string SubmitTick(const std::vector<std::string>& servers = {});
  // Every microbatch that is offered from now on waits for Release().
  void HoldReads(bool hold) { hold_ = hold; }
  int held() const { return static_cast<int>(held_.size()); }
  const Extent& NextHeld() const { return std::get<MicrobatchTask>(held_.front().kind).extent; }
  // Lets the oldest of those that wait, or all, read what is there now.
  void Release();
  void ReleaseAll();
  // Lets the oldest of those that wait read what is there now. It is delivered by Deliver().
  void ReadOnly();
  void Deliver();
  int undelivered() const { return static_cast<int>(undelivered_.size()); }
  void Cancel(const std::string& run);
  // Goes on, and lets time pass where something waits for it, until nothing is left to do. Then
  // the table must be what the ledger calls covered. Fails a test that never ends.
  void Finish();
  // SubmitTick() and Finish(); the run as people are told of it.
  v1::WatchRunResponse Tick(const std::vector<std::string>& servers = {});
  v1::WatchRunResponse Describe(const std::string& run) const;
  // Another coordinator takes over from the ledger.
  void Restart();

  DemandRequest Backfill(const std::string& server, std::optional<absl::Time> from = {},
                         std::optional<absl::Time> to = {}) const;
  const DatasetState& Dataset(const std::string& server) const;
  const ClusterState& state() const { return core_->state(); }

  // What readers of the table see of a server, ascending; and what is visible at its source now.
  std::vector<uint64_t> Published(const std::string& server) const;
  std::vector<uint64_t> Visible(const std::string& server) const;
  std::vector<Range> Pieces(const std::string& server) const;
  const std::vector<CasePiece>& Files(const std::string& server) const;
  // Of the table, that changed what it says: not those that only put its files together.
  int versions() const { return versions_; }
  // Of those since the last call.
  std::vector<CaseRead> TakeReads() { return std::exchange(reads_, {}); }
  int TakeProbes() { return std::exchange(probes_, 0); }
  // Called after each version of the table, whatever it changed.
  std::function<void()> on_version;

 private:
  void Feed(Input input);
  void Play(const Effect& effect);
  void RunTask(const TaskSpec& task);
  Outcome OutcomeOf(const TaskSpec& task);
  ProbeResult Probe(const CaseServer& server, const ProbeTask& task);
  Manifest Read(const CaseServer& server, const MicrobatchTask& task, int64_t fence);
  Range EmptyAround(const CaseServer& server, const Range& range) const;
  Manifest Compact(const CaseServer& server, const MicrobatchTask& task, int64_t fence);
  void Publish(const Intent& intent);
  void CheckCoverage() const;
  bool IsVisible(const CaseServer& server, const CaseRow& row) const;

  absl::Time now_;
  std::map<std::string, CaseServer> servers_;
  std::map<std::string, std::string> by_digest_;  // Server.
  std::unique_ptr<Core> core_;
  std::deque<Input> inputs_;
  bool feeding_ = false;
  bool hold_ = false;
  std::deque<TaskSpec> held_;
  std::deque<Outcome> undelivered_;
  std::map<int64_t, std::vector<CasePiece>> staged_;  // By fence.
  std::map<DatasetId, std::vector<CasePiece>> table_;
  std::vector<CaseRead> reads_;
  int probes_ = 0;
  int versions_ = 0, commits_ = 0;
  int runs_ = 0;
  int sessions_ = 0;
  uint64_t contents_ = 0;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_CASES_CASE_WORLD_H_
