// How long `headwater plan` takes for a million missing microbatches, and what memory: from the
// request to the answer, with the probes that the workers hand in, all through the core.
//
//   scale_plan_bench [SERVERS [DAYS]]
//
// Twice: nothing was ever loaded; and every second day is loaded, so that each missing one lies
// between two that are there (with as many days more).
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "bench/scale_cluster.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

constexpr double kMaxSeconds = 2, kMaxMegabytes = 150;

// One worker that answers every probe at once.
class Planned {
 public:
  Planned(std::unique_ptr<ClusterState> state, const std::vector<DatasetSpec>& datasets, int days)
      : datasets_(datasets), days_(days), core_(std::move(state), CoreOptions()) {
    core_.Begin(true, "", ScaleNow());
    Step({DatasetsConfigured{datasets}});
    const int slots = static_cast<int>(datasets.size());
    WorkerHello hello;
    hello.name = "w";
    hello.slots = slots;
    Step({SessionOpened{"w", hello}, CreditChanged{"w", slots}});
    Calm();
  }

  // Returns how many microbatches there are.
  int64_t Plan() {
    PlanRequested request;
    request.call = 1;
    for (const DatasetSpec& spec : datasets_) request.demands.emplace_back().dataset = spec.id;
    seconds_ = cpu_seconds_ = 0;
    Step({std::move(request)});
    Calm();
    HW_CHECK(answer_.datasets_size() == static_cast<int>(datasets_.size()));
    int64_t microbatches = 0;
    for (const v1::PlannedDataset& planned : answer_.datasets())
      microbatches += planned.microbatches();
    return microbatches;
  }
  // Of the core, for the plan.
  double seconds() const { return seconds_; }
  double cpu_seconds() const { return cpu_seconds_; }

 private:
  void Step(std::vector<Input> inputs) {
    const absl::Time began = Clock::Real().Now();
    const double cpu = ThreadCpuSeconds();
    StepResult result = core_.Step(inputs, ScaleNow());
    cpu_seconds_ += ThreadCpuSeconds() - cpu;
    seconds_ += absl::ToDoubleSeconds(Clock::Real().Now() - began);
    for (Effect& effect : result.effects) {
      if (AnswerPlan* plan = std::get_if<AnswerPlan>(&effect)) answer_ = std::move(plan->plan);
      if (SendOffer* offer = std::get_if<SendOffer>(&effect)) offers_.push_back(std::move(*offer));
    }
  }

  // Answers offered probes until there are no more; other tasks stay where they are.
  void Calm() {
    while (!offers_.empty()) {
      std::vector<Input> inputs;
      Delivered delivered;
      delivered.session = "w";
      for (const SendOffer& offer : std::exchange(offers_, {})) {
        if (offer.spec.has_value()) specs_[offer.task.dataset_digest] = *offer.spec;
        inputs.push_back(OfferReplied{"w", offer.task.lease, true, ""});
        if (!std::holds_alternative<ProbeTask>(offer.task.kind)) continue;
        Outcome& outcome = delivered.outcomes.emplace_back();
        outcome.lease = offer.task.lease;
        outcome.result = ScaleProbe(specs_.at(offer.task.dataset_digest), days_, ScaleNow());
      }
      inputs.push_back(std::move(delivered));
      Step(std::move(inputs));
    }
  }

  const std::vector<DatasetSpec> datasets_;
  const int days_;
  Core core_;
  double seconds_ = 0, cpu_seconds_ = 0;
  v1::PlanResponse answer_;
  std::vector<SendOffer> offers_;
  std::map<std::string, DatasetSpec> specs_;
};

void Report(Planned& planned, const char* what, bool memory_is_bound) {
  const double before = ResidentMegabytes();
  const int64_t microbatches = planned.Plan();
  absl::PrintF("%s: %d microbatches, %.2f s of CPU, %.0f MB before, %.0f MB at the peak\n", what,
               microbatches, planned.cpu_seconds(), before, PeakMegabytes());
  PrintBar("time of the plan", planned.seconds(), "s", kMaxSeconds);
  if (memory_is_bound)
    PrintBar("memory of the whole process", PeakMegabytes(), "MB", kMaxMegabytes);
}

void Main(int servers, int days) {
  const std::vector<DatasetSpec> datasets = ScaleDatasets(servers, 4);
  {
    Planned planned(std::make_unique<ClusterState>(), datasets, days);
    Report(planned, "nothing loaded", true);
  }
  ScaleState half(datasets, 2 * days);
  Planned planned(half.Take(), datasets, 2 * days);
  Report(planned, "every second day loaded", false);
}

}  // namespace
}  // namespace headwater

int main(int argc, char** argv) {
  const char* const usage = "scale_plan_bench [SERVERS [DAYS]]";
  const int servers = argc > 1 ? headwater::PositiveArgument(argv[1], usage) : 500;
  const int days = argc > 2 ? headwater::PositiveArgument(argv[2], usage) : 2'000;
  headwater::Main(servers, days);
  return 0;
}
