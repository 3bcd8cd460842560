// A thousand workers and ten thousand queued microbatches: whether the shares that are promised are
// kept, and how long one step of the core takes.
//
//   scale_dispatch_bench [WORKERS [SERVERS [DAYS]]]
//
// The core is real; workers, sources and tables are simulated, and so is the time between steps.
// Each server has two tables of DAYS missing days, one wanted by a schedule and one by a backfill.
// One more server has 10,000 microbatches that fail whenever they are tried. Leases are counted
// here, by the effects and not by the core's own numbers.
#include <cstdio>
#include <functional>
#include <map>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/scale_cluster.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/model/model_proto.h"
#include "coordinator/core.h"

namespace headwater {
namespace {

constexpr int kConnections = 4;  // That each server takes.
constexpr int kFailing = 10'000;
constexpr absl::Duration kStep = absl::Milliseconds(5);  // Inputs of so long are one step.
constexpr absl::Duration kHeartbeat = absl::Seconds(3);
constexpr double kMaxStepMs = 50;

struct Percentiles {
  std::vector<double> values;
  double At(double share) {
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
  }
};

class World {
 public:
  World(int workers, int servers, int days) : days_(days) {
    failing_ = ScaleDataset("failing", servers, kConnections);
    failing_.retries = 1'000'000;
    datasets_.push_back(failing_);
    for (const char* table : {"recent", "history"}) {
      for (int i = 0; i < servers; ++i) datasets_.push_back(ScaleDataset(table, i, kConnections));
    }
    for (const DatasetSpec& spec : datasets_) by_digest_.emplace(DigestOf(spec), &spec);
    core_ = std::make_unique<Core>(FailedBefore(), CoreOptions());
    Take(core_->Begin(true, "", now_));
    Put(DatasetsConfigured{datasets_});
    for (int i = 0; i < workers; ++i) {
      WorkerHello hello;
      hello.name = absl::StrCat("w", i);
      Put(SessionOpened{hello.name, hello});
      Put(CreditChanged{hello.name, 1});
      const absl::Duration first = kHeartbeat * (i + 1) / workers;
      Later(first, [this, name = hello.name] { Report(name); });
    }
  }

  void Live() {
    Submit("r-history", v1::RUN_KIND_BACKFILL, "history");
    Submit("r-recent", v1::RUN_KIND_INCREMENTAL, "recent");
    while (!Ended("r-history") || !Ended("r-recent")) {
      HW_CHECK(now_ < ScaleNow() + absl::Hours(1));
      now_ = std::max(now_ + kStep, std::min(events_.top().at, core_->NextDeadline()));
      while (!events_.empty() && events_.top().at <= now_) {
        const std::function<void()> run = events_.top().run;
        events_.pop();
        run();
      }
      if (inputs_.empty() && core_->NextDeadline() > now_) continue;
      const std::vector<Input> inputs = std::exchange(inputs_, {});
      const absl::Time began = Clock::Real().Now();
      const double cpu = ThreadCpuSeconds();
      StepResult result = core_->Step(inputs, now_);
      cpu_ms_.values.push_back((ThreadCpuSeconds() - cpu) * 1e3);
      wall_ms_.values.push_back(absl::ToDoubleMilliseconds(Clock::Real().Now() - began));
      Take(std::move(result));
    }
  }

  void Report() {
    absl::PrintF("%d steps, %d microbatches of the two runs and %d of the failing server in %s\n",
                 wall_ms_.values.size(), bands_.size(), failed_,
                 absl::FormatDuration(now_ - ScaleNow()));
    absl::PrintF("  a step's ms: p50 %.2f, p99 %.2f, longest %.2f; of CPU %.2f, %.2f, %.2f\n",
                 wall_ms_.At(0.5), wall_ms_.At(0.99), wall_ms_.At(1), cpu_ms_.At(0.5),
                 cpu_ms_.At(0.99), cpu_ms_.At(1));
    PrintBar("longest step, beside 10,000 blocked microbatches", wall_ms_.At(1), "ms", kMaxStepMs);
    PrintBar("connections to one server, at most", most_, "  ", kConnections);
    PrintBar("those of backfills", most_backfills_, "  ", kConnections - 1);
    const size_t both = std::min(last_backfill_, last_recent_) + 1;
    const auto backfills = std::count(bands_.begin(), bands_.begin() + both, true);
    PrintBar("dispatches for one of a backfill, while both have work",
             static_cast<double>(both) / static_cast<double>(backfills), "  ", 10);
  }

 private:
  struct Event {
    absl::Time at;
    int64_t order = 0;
    std::function<void()> run;
    bool operator<(const Event& other) const {
      return std::tie(other.at, other.order) < std::tie(at, order);
    }
  };
  struct Server {
    int connections = 0;
    int backfills = 0;
  };

  // A state with a live run, of which each microbatch was tried and has failed.
  std::unique_ptr<ClusterState> FailedBefore() {
    auto state = std::make_unique<ClusterState>();
    const auto apply = [&](v1::Event event) {
      *event.mutable_at() = ToTimestamp(now_);
      state->Apply(state->last_sequence() + 1, event);
      return state->last_sequence();
    };
    v1::Event defined, run, probed;
    *defined.mutable_dataset_defined()->mutable_spec() = ToProto(failing_);
    defined.mutable_dataset_defined()->set_digest(DigestOf(failing_));
    apply(defined);
    run.mutable_run_started()->set_run_id("r-failing");
    run.mutable_run_started()->set_kind(v1::RUN_KIND_INCREMENTAL);
    *run.mutable_run_started()->add_demands()->mutable_dataset() = RefOf(failing_.id);
    apply(run);
    *probed.mutable_probed()->mutable_dataset() = RefOf(failing_.id);
    *probed.mutable_probed()->mutable_result() = ToProto(ScaleProbe(failing_, kFailing, now_));
    probed.mutable_probed()->add_run_ids("r-failing");
    apply(probed);
    const DatasetState& dataset = *state->FindDataset(failing_.id);
    const DemandState& demand = state->FindRun("r-failing")->demands.at(failing_.id);
    for (int i = 0; i < kFailing; ++i) {
      const int64_t at = i == 0 ? dataset.domain->from : dataset.blocked.back().extent.range->to;
      DemandState rest = demand;
      rest.remaining.DropUpTo({dataset.domain->from, at}, INT64_MAX);
      const NextClaimResult next = NextClaim(dataset, rest, absl::InfiniteFuture());
      if (!next.claim.has_value()) break;
      v1::Event granted, failed;
      *granted.mutable_granted()->mutable_dataset() = RefOf(failing_.id);
      *granted.mutable_granted()->mutable_extent() = ToProto(next.claim->extent);
      granted.mutable_granted()->set_task_id("microbatch-0-1");
      failed.mutable_attempt_failed()->set_fence(apply(granted));
      failed.mutable_attempt_failed()->set_attempts(1);
      *failed.mutable_attempt_failed()->mutable_failure() =
          ToProto(Failure{FailureKind::kTask, absl::UnavailableError("it fails")});
      *failed.mutable_attempt_failed()->mutable_not_before() =
          ToTimestamp(now_ + absl::Milliseconds(i % 30'000));
      apply(failed);
    }
    return state;
  }

  void Put(Input input) { inputs_.push_back(std::move(input)); }
  void Later(absl::Duration delay, std::function<void()> run) {
    events_.push({now_ + delay, ++order_, std::move(run)});
  }
  absl::Duration Between(absl::Duration least, absl::Duration most) {
    return least + (most - least) * std::uniform_real_distribution<>(0, 1)(random_);
  }

  void Submit(const std::string& id, v1::RunKind kind, const std::string& table) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = id;
    run.kind = kind;
    run.by_person = false;
    for (const DatasetSpec& spec : datasets_) {
      if (spec.id.table != table) continue;
      DemandRequest& demand = run.demands.emplace_back();
      demand.dataset = spec.id;
      if (kind == v1::RUN_KIND_BACKFILL) demand.mode = v1::BACKFILL_MODE_ALL;
    }
    Put(std::move(run));
  }

  bool Ended(const std::string& run_id) const {
    const RunState* run = core_->state().FindRun(run_id);
    return run != nullptr && run->ended.has_value();
  }

  void Report(const std::string& worker) {
    Reported report;
    report.session = worker;
    for (const LeaseRef& lease : held_[worker])
      report.leases.push_back({lease, LeasePhase::kReading, 0, 0});
    Put(std::move(report));
    Later(kHeartbeat, [this, worker] { Report(worker); });
  }

  void Take(StepResult result) {
    for (Effect& effect : result.effects) {
      if (auto* offer = std::get_if<SendOffer>(&effect)) Run(*offer);
      if (auto* check = std::get_if<CheckCommit>(&effect)) {
        CommitChecked checked;
        checked.table = check->table;
        checked.statuses.resize(check->replacements.size());
        Later(absl::Milliseconds(10), [this, checked] { Put(checked); });
      }
      if (auto* commit = std::get_if<Commit>(&effect)) {
        CommitFinished finished;
        finished.table = commit->intent.table;
        finished.sequence = commit->intent.sequence;
        finished.result = CommitResult{.version = ++version_};
        Later(absl::Milliseconds(10), [this, finished] { Put(finished); });
      }
    }
  }

  void Run(const SendOffer& offer) {
    const DatasetSpec& spec = *by_digest_.at(offer.task.dataset_digest);
    const std::string& worker = offer.session;
    const LeaseRef lease = offer.task.lease;
    const bool backfill = offer.task.run_id == "r-history";
    const auto* microbatch = std::get_if<MicrobatchTask>(&offer.task.kind);
    const bool fails = microbatch != nullptr && spec.id.table == "failing";
    Outcome outcome;
    outcome.lease = lease;
    if (microbatch == nullptr) {
      outcome.result = ScaleProbe(spec, spec.id.table == "failing" ? kFailing : days_, ScaleNow());
    } else if (fails) {
      ++failed_;
      outcome.result = Failure{FailureKind::kTask, absl::UnavailableError("it fails")};
    } else {
      outcome.result = ScaleManifest(*microbatch);
      (backfill ? last_backfill_ : last_recent_) = bands_.size();
      bands_.push_back(backfill);
    }
    Server& server = servers_[spec.id.server];
    ++server.connections;
    server.backfills += backfill && microbatch != nullptr ? 1 : 0;
    most_ = std::max(most_, server.connections);
    most_backfills_ = std::max(most_backfills_, server.backfills);
    Later(absl::Milliseconds(2), [this, worker, lease] {
      held_[worker].insert(lease);
      Put(OfferReplied{worker, lease, true, ""});
    });
    const absl::Duration takes = microbatch == nullptr || fails
                                     ? Between(absl::Milliseconds(5), absl::Milliseconds(100))
                                     : Between(absl::Seconds(1), absl::Seconds(5));
    Later(takes, [=, this, &server] {
      --server.connections;
      server.backfills -= backfill && microbatch != nullptr ? 1 : 0;
      held_[worker].erase(lease);
      Put(Delivered{0, worker, {outcome}});
    });
  }

  const int days_;
  DatasetSpec failing_;
  std::vector<DatasetSpec> datasets_;
  std::map<std::string, const DatasetSpec*> by_digest_;
  std::unique_ptr<Core> core_;
  absl::Time now_ = ScaleNow();
  std::mt19937_64 random_{1};
  std::priority_queue<Event> events_;
  int64_t order_ = 0, version_ = 0;
  std::vector<Input> inputs_;
  std::map<std::string, std::set<LeaseRef>> held_;
  std::map<std::string, Server> servers_;
  std::vector<bool> bands_;  // Of microbatches in the order of their offers: of the backfill?
  size_t last_backfill_ = 0, last_recent_ = 0;
  int failed_ = 0, most_ = 0, most_backfills_ = 0;
  Percentiles wall_ms_, cpu_ms_;
};

}  // namespace
}  // namespace headwater

int main(int argc, char** argv) {
  const char* const usage = "scale_dispatch_bench [WORKERS [SERVERS [DAYS]]]";
  const int workers = argc > 1 ? headwater::PositiveArgument(argv[1], usage) : 1'000;
  const int servers = argc > 2 ? headwater::PositiveArgument(argv[2], usage) : 250;
  const int days = argc > 3 ? headwater::PositiveArgument(argv[3], usage) : 20;
  headwater::World world(workers, servers, days);
  world.Live();
  world.Report();
  return 0;
}
