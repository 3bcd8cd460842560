// A world for the core to live in: sources whose rows appear late, workers that die, a transport
// that loses and repeats, a table that commits without saying so, and a coordinator that is killed
// between any two of its steps. All of it from one seed; time is a number.
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

#include "common/data/fingerprint.h"
#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

struct SimRow {
  int64_t cursor = 0;  // Microseconds: when it was stamped.
  uint64_t content = 0;
  absl::Time visible_at;  // When its transaction committed.
};

// Stands for the hash of a row.
inline Hash128 HashOf(uint64_t content) { return {content * 0x9e3779b97f4a7c15ULL, content}; }

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
  double fault = 0.06;  // Chance of each kind of fault where it can strike.
};

class SimWorld {
 public:
  explicit SimWorld(const SimOptions& options);

  // Lives through the random part, then calms down, runs everything to the end and compares the
  // table with the sources. Returns the first broken invariant, or an empty string.
  std::string Live();
  // Of its whole life.
  int64_t compactions() const { return compactions_; }

 private:
  struct Source {
    DatasetSpec spec;
    std::vector<SimRow> rows;
  };
  struct Worker {
    SessionId session;
    std::string name;
    std::map<LeaseRef, TaskSpec> held;
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
  int64_t Pick(int64_t below) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(below));
  }
  void Later(absl::Duration delay, std::function<void()> run);

  void AddDataset(int number);
  void Configure();
  void AddRows();
  void StartWorker(const std::string& name);
  void KillWorker(const std::string& name);
  void Feed(std::vector<Input> inputs);
  void Take(StepResult result);
  void RestartCoordinator();
  void Play(const Effect& effect);
  void PlayOffer(const SendOffer& offer);
  void RunTask(const std::string& worker, const TaskSpec& task, const std::string& digest);
  Outcome OutcomeOf(const TaskSpec& task, const Source& source);
  Manifest Read(const Source& source, const Extent& extent, const std::vector<int64_t>& cuts,
                const std::vector<KnownPiece>& known, int64_t fence);
  void PlayCommit(const Intent& intent);
  void PlayList(const ListFiles& list);
  Manifest Compact(const MicrobatchTask& task, int64_t fence);
  void PlayAbandon(const Intent& intent);
  void Happen();
  void Submit();
  void RunUntil(const std::function<bool()>& done, absl::Duration limit);
  void Fail(const std::string& what);
  void CheckClaims();
  void CheckCompaction(const Replacement& replacement);
  void CheckCompacted();
  void CheckTableAgainstCoverage();
  void CheckAgainstSources();
  std::string DescribeLost(const DatasetId& id, const std::vector<uint64_t>& lost) const;

  SimOptions options_;
  std::mt19937_64 random_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  std::priority_queue<Action> actions_;
  int64_t order_ = 0;
  bool calm_ = false;
  std::string broken_;

  std::map<DatasetId, Source> sources_;
  std::map<std::string, DatasetId> by_digest_;
  std::map<std::string, Worker> workers_;  // By name.
  int64_t sessions_ = 0;
  int64_t runs_ = 0;
  uint64_t contents_ = 0;
  int64_t compactions_ = 0;  // Committed.

  std::vector<std::string> log_;  // Serialised events; log_[i] is sequence i + 1.
  std::pair<int64_t, std::string> snapshot_;
  std::unique_ptr<Core> core_;

  // The table, as everybody sees it.
  std::map<DatasetId, std::vector<SimPiece>> table_;
  std::map<std::string, std::pair<int64_t, std::string>> last_commit_;  // Table -> sequence, hash.
  std::map<int64_t, std::vector<std::pair<Extent, std::vector<uint64_t>>>>
      staged_;  // By fence: files.
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_SIM_SIM_WORLD_H_
