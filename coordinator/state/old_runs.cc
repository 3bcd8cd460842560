#include "coordinator/state/old_runs.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

using Runs = std::vector<const RunState*>;

Runs EndedRuns(const ClusterState& state) {
  Runs ended;
  for (const auto& [id, run] : state.runs()) {
    if (run.ended.has_value()) ended.push_back(&run);
  }
  std::sort(ended.begin(), ended.end(), [](const RunState* a, const RunState* b) {
    return std::tie(*a->ended, a->id) < std::tie(*b->ended, b->id);
  });
  return ended;
}

// What the runs of a dataset say of each other. It hashes, since a step waits for it.
class Neighbours {
 public:
  explicit Neighbours(const ClusterState& state) {
    for (const auto& [id, run] : state.runs()) {
      for (const auto& [dataset, demand] : run.demands) {
        Last& last = last_[NameOf(dataset)];
        if (IsTick(run.kind, demand.demand)) last.tick = std::max(last.tick, run.started);
        if (run.ended.has_value() &&
            (last.ended == nullptr ||
             std::tie(last.ended->started, last.ended->id) < std::tie(run.started, run.id))) {
          last.ended = &run;
        }
        if (!run.retry_of.empty()) retried_[run.retry_of].insert(NameOf(dataset));
      }
    }
  }

  // Of some dataset it is the newest, by start as `status` has it.
  bool IsNewest(const RunState& run) const {
    return std::any_of(run.demands.begin(), run.demands.end(), [&](const auto& entry) {
      return last_.at(NameOf(entry.first)).ended == &run;
    });
  }

  // It has left something, and no later run has taken that on: a tick wants all that an earlier one
  // has left, and `retry` all that its run has.
  bool LeftSomething(const RunState& run) const {
    const auto retried = retried_.find(run.id);
    return std::any_of(run.demands.begin(), run.demands.end(), [&](const auto& entry) {
      const auto& [dataset, demand] = entry;
      if (!demand.left_unfinished()) return false;
      if (retried != retried_.end() && retried->second.contains(NameOf(dataset))) return false;
      return !IsTick(run.kind, demand.demand) || last_.at(NameOf(dataset)).tick <= run.started;
    });
  }

 private:
  using Name = std::pair<absl::string_view, absl::string_view>;
  static Name NameOf(const DatasetId& id) { return {id.table, id.server}; }
  struct Last {
    const RunState* ended = nullptr;
    absl::Time tick = absl::InfinitePast();
  };
  absl::flat_hash_map<Name, Last> last_;
  absl::flat_hash_map<absl::string_view, absl::flat_hash_set<Name>> retried_;
};

// Those to which `retry` has something to do, the newest of them.
absl::flat_hash_set<const RunState*> ForRetry(const Neighbours& neighbours, const Runs& ended) {
  absl::flat_hash_set<const RunState*> kept;
  for (auto it = ended.rbegin(); it != ended.rend() && kept.size() < kMaxKeptForRetry; ++it) {
    if (neighbours.LeftSomething(**it)) kept.insert(*it);
  }
  return kept;
}

}  // namespace

bool HasTooManyRuns(const ClusterState& state, const RunLimits& limits) {
  const auto ended = static_cast<int64_t>(state.runs().size() - state.live_runs().size());
  return ended > limits.runs || state.ended_demands() > limits.demands;
}

OldRuns FindOldRuns(const ClusterState& state, absl::Time before, const RunLimits& limits) {
  const Runs ended = EndedRuns(state);
  const bool too_many = HasTooManyRuns(state, limits);
  auto runs = static_cast<int64_t>(ended.size());
  int64_t demands = state.ended_demands(), taken = 0;
  // With room for those to come, so that they do not go one by one.
  const auto room = [&] {
    return runs <= limits.runs / 4 * 3 && demands <= limits.demands / 4 * 3;
  };
  const Neighbours neighbours(state);
  const absl::flat_hash_set<const RunState*> retry = ForRetry(neighbours, ended);
  OldRuns old;
  for (const RunState* run : ended) {
    if (*run->ended >= before && (!too_many || room())) break;
    if (retry.contains(run) || neighbours.IsNewest(*run)) continue;
    const auto size = static_cast<int64_t>(run->demands.size());
    if (taken > 0 && taken + size > kMaxDemandsAtOnce) {
      old.more = true;
      break;
    }
    old.ids.push_back(run->id);
    taken += std::max<int64_t>(size, 1);
    demands -= size;
    --runs;
  }
  return old;
}

}  // namespace headwater
