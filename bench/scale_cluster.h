// Clusters of the size that the scale benchmarks ask for: one table that hundreds of servers have,
// by a wall clock of their own zones, with days as units. States are made by applying events, as
// everywhere.
#ifndef HEADWATER_BENCH_SCALE_CLUSTER_H_
#define HEADWATER_BENCH_SCALE_CLUSTER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/model/task.h"
#include "coordinator/plan/planner.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

// What every source's clock says at first.
absl::Time ScaleNow();

DatasetSpec ScaleDataset(const std::string& table, int server, int max_connections);
std::vector<DatasetSpec> ScaleDatasets(int servers, int max_connections);  // Of table `deals`.

// What a probe of a server finds that has `days` days of rows, the last one begun at `now`.
ProbeResult ScaleProbe(const DatasetSpec& spec, int days, absl::Time now);

// What a worker stages for a microbatch: a piece between each two cuts, each with one row.
Manifest ScaleManifest(const MicrobatchTask& task);

// A state with those datasets, in which all are probed for a run named `r-0`, which has read every
// second one of their `days` days and is still live.
class ScaleState {
 public:
  ScaleState(const std::vector<DatasetSpec>& datasets, int days);

  ClusterState& state() { return *state_; }
  std::unique_ptr<ClusterState> Take() { return std::move(state_); }
  // Applies an event; returns its sequence.
  int64_t Apply(v1::Event event);
  // The next piece of the run, as it goes on: three events, applied and appended to `payloads`.
  // Requires: something is left of it.
  void LoadMore(const DatasetSpec& spec, std::vector<std::string>& payloads);

 private:
  void Load(const DatasetSpec& spec, const PlannedClaim& claim, std::vector<std::string>* payloads);

  std::unique_ptr<ClusterState> state_;
  int64_t version_ = 0;
};

// The most memory that this process has had at any time, in MB of a million bytes.
double PeakMegabytes();
// What it has now.
double ResidentMegabytes();

// CPU time of the calling thread: what a figure would be if nothing else ran on the machine.
double ThreadCpuSeconds();

// Prints whether a figure is at most its limit, in a line like those of bench/measure.py.
void PrintBar(const std::string& what, double value, const std::string& unit, double limit);

// A positive number, or the program ends and says how it is used.
int PositiveArgument(const char* text, const char* usage);

}  // namespace headwater

#endif  // HEADWATER_BENCH_SCALE_CLUSTER_H_
