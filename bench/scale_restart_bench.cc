// How long a coordinator takes to start again where much is known: opening the SQLite ledger,
// replaying its snapshot and the events since, and the core's first steps.
//
//   scale_restart_bench [DATASETS [HOLES [EVENTS]]]
//
// Every dataset has so many published pieces, with a hole before each, in the middle of a run that
// fills them. EVENTS come after the snapshot: a coordinator keeps one every 50,000.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "bench/scale_cluster.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "coordinator/core.h"
#include "coordinator/ledger/sqlite_event_log.h"
#include "coordinator/startup.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

constexpr double kMaxSeconds = 2;
constexpr size_t kAppended = 1'000;  // Events in one transaction.
constexpr int kRounds = 3;

// A ledger of which only the last events are there: replay does not look at those before its
// snapshot.
void WriteLedger(const std::string& path, const std::vector<DatasetSpec>& datasets, int holes,
                 int events) {
  ScaleState cluster(datasets, 2 * holes);
  absl::StatusOr<std::unique_ptr<EventLog>> log = OpenSqliteEventLog(path);
  HW_CHECK(log.ok());
  const int64_t sequence = cluster.state().last_sequence();
  HW_CHECK((*log)->RaiseFloor(sequence).ok());
  const std::string snapshot = cluster.state().Serialize();
  HW_CHECK((*log)->SaveSnapshot(sequence, snapshot).ok());
  std::vector<std::string> payloads;
  int64_t bytes = 0;
  for (int i = 0; i < events / 3; ++i) {
    cluster.LoadMore(datasets[static_cast<size_t>(i) % datasets.size()], payloads);
    if (payloads.size() < kAppended && i + 1 < events / 3) continue;
    for (const std::string& payload : payloads) bytes += static_cast<int64_t>(payload.size());
    HW_CHECK((*log)->Append((*log)->last_sequence() + 1, payloads).ok());
    payloads.clear();
  }
  absl::PrintF("%d datasets of %d holes: a snapshot of %.1f MB, %d events since of %.1f MB\n",
               datasets.size(), holes, static_cast<double>(snapshot.size()) / 1e6,
               (*log)->last_sequence() - sequence, static_cast<double>(bytes) / 1e6);
}

double Restart(const std::string& path, const std::vector<DatasetSpec>& datasets) {
  const absl::Time began = Clock::Real().Now();
  const double cpu = ThreadCpuSeconds();
  const auto seconds = [&] { return absl::ToDoubleSeconds(Clock::Real().Now() - began); };
  absl::StatusOr<std::unique_ptr<EventLog>> log = OpenSqliteEventLog(path);
  HW_CHECK(log.ok());
  absl::StatusOr<ReplayedState> replayed = ReplayLog(**log);
  HW_CHECK(replayed.ok());
  const double replay = seconds();
  Core core(std::move(replayed->state), CoreOptions());
  core.Begin(true, "", ScaleNow());
  const Input configured = DatasetsConfigured{datasets};
  core.Step({&configured, 1}, ScaleNow());
  const double all = seconds();
  absl::PrintF("  %.2f s (%.2f of CPU): replay %.2f, first steps %.2f; %.0f MB\n", all,
               ThreadCpuSeconds() - cpu, replay, all - replay, PeakMegabytes());
  return all;
}

void Main(int count, int holes, int events) {
  const TempFolder folder;
  const std::string path = folder.path() + "/ledger.sqlite";
  const std::vector<DatasetSpec> datasets = ScaleDatasets(count, 4);
  WriteLedger(path, datasets, holes, events);
  std::vector<double> seconds;
  for (int round = 0; round < kRounds; ++round) seconds.push_back(Restart(path, datasets));
  std::sort(seconds.begin(), seconds.end());
  PrintBar("time to start again, the median", seconds[kRounds / 2], "s", kMaxSeconds);
}

}  // namespace
}  // namespace headwater

int main(int argc, char** argv) {
  const char* const usage = "scale_restart_bench [DATASETS [HOLES [EVENTS]]]";
  const int datasets = argc > 1 ? headwater::PositiveArgument(argv[1], usage) : 500;
  const int holes = argc > 2 ? headwater::PositiveArgument(argv[2], usage) : 1'000;
  const int events = argc > 3 ? headwater::PositiveArgument(argv[3], usage) : 50'000;
  headwater::Main(datasets, holes, events);
  return 0;
}
