#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

// What a step offered: tasks by server.
std::map<std::string, int> Offered(const StepResult& step,
                                   const std::map<std::string, std::string>& server_of_digest) {
  std::map<std::string, int> offered;
  for (const Effect& effect : step.effects) {
    const auto* offer = std::get_if<SendOffer>(&effect);
    if (offer != nullptr) ++offered[server_of_digest.at(offer->task.dataset_digest)];
  }
  return offered;
}

class CoreDispatchTest : public ::testing::Test {
 protected:
  // Its tasks are probes, many of each server at once.
  static CoreOptions Options() {
    CoreOptions options;
    options.probes_together = absl::ZeroDuration();
    return options;
  }
  CoreDispatchTest() : core_(std::make_unique<ClusterState>(), Options()) {
    core_.Begin(/*workers_are_dead=*/true, "digest", kNow);
  }

  void Configure(const std::string& server, int tables, int max_connections) {
    for (int i = 0; i < tables; ++i) {
      DatasetSpec spec;
      spec.id = {.table = absl::StrCat("table", i), .server = server};
      spec.server.name = server;
      spec.server.url = "test:" + server;
      spec.cursor_timezone = "UTC";
      spec.server.max_connections = max_connections;
      spec.read_connections = read_connections_;
      spec.relation = spec.id.table;
      spec.target_uri = "/nowhere/" + spec.id.table;
      server_of_digest_[DigestOf(spec)] = server;
      run_.demands.emplace_back().dataset = spec.id;
      configured_.datasets.push_back(std::move(spec));
    }
  }

  // All datasets are wanted, and one worker is ready for `credit` tasks.
  std::map<std::string, int> Run(int credit) {
    run_.run_id = run_.idempotency_key = "r-1";
    SessionOpened opened;
    opened.session = "s";
    opened.hello.name = "w";
    return Offered(Look({configured_, run_, opened, CreditChanged{"s", credit}}),
                   server_of_digest_);
  }

  // A step, and the next one with the good answers of all tables that it looks at.
  StepResult Look(const std::vector<Input>& inputs) {
    StepResult asked = core_.Step(inputs, kNow);
    std::vector<Input> answers;
    for (const Effect& effect : asked.effects) {
      if (const auto* check = std::get_if<CheckCommit>(&effect))
        answers.push_back(CommitChecked{check->table, absl::OkStatus(), {}, {}});
    }
    return Keep(core_.Step(answers, kNow));
  }

  // The worker's answer to what it was offered last.
  StepResult Deliver(absl::Time now, decltype(Outcome::result) result) {
    Delivered delivered;
    delivered.session = "s";
    delivered.outcomes.push_back({last_, std::move(result)});
    const Input input = std::move(delivered);
    return Keep(core_.Step({&input, 1}, now));
  }

  StepResult Keep(StepResult step) {
    for (const Effect& effect : step.effects) {
      if (const auto* offer = std::get_if<SendOffer>(&effect)) last_ = offer->task.lease;
    }
    return step;
  }

  static std::vector<std::string> Changed(const StepResult& step) {
    std::vector<std::string> runs;
    for (const Effect& effect : step.effects) {
      if (const auto* run = std::get_if<RunChanged>(&effect)) runs.push_back(run->run_id);
    }
    return runs;
  }

  int read_connections_ = 0;
  Core core_;
  DatasetsConfigured configured_;
  RunSubmitted run_;
  std::map<std::string, std::string> server_of_digest_;
  LeaseRef last_;
};

TEST_F(CoreDispatchTest, ServersTakeTurnsByTheirLoad) {
  Configure("a", /*tables=*/9, /*max_connections=*/9);
  Configure("b", /*tables=*/9, /*max_connections=*/9);
  Configure("c", /*tables=*/1, /*max_connections=*/9);
  EXPECT_THAT(Run(/*credit=*/7), ElementsAre(Pair("a", 3), Pair("b", 3), Pair("c", 1)));
}

TEST_F(CoreDispatchTest, NoServerGetsMoreTasksThanConnections) {
  Configure("a", /*tables=*/5, /*max_connections=*/2);
  Configure("b", /*tables=*/5, /*max_connections=*/3);
  EXPECT_THAT(Run(/*credit=*/100), ElementsAre(Pair("a", 2), Pair("b", 3)));
}

TEST_F(CoreDispatchTest, CreditThatComesLaterFindsWhatWasLeft) {
  Configure("a", /*tables=*/3, /*max_connections=*/9);
  EXPECT_THAT(Run(/*credit=*/1), ElementsAre(Pair("a", 1)));
  const Input more = CreditChanged{"s", 9};
  EXPECT_THAT(Offered(core_.Step({&more, 1}, kNow), server_of_digest_), ElementsAre(Pair("a", 2)));
  EXPECT_THAT(Offered(core_.Step({&more, 1}, kNow), server_of_digest_), IsEmpty());
}

TEST_F(CoreDispatchTest, AServerThatIsConfiguredLaterIsServed) {
  Configure("a", /*tables=*/1, /*max_connections=*/9);
  EXPECT_THAT(Run(/*credit=*/9), ElementsAre(Pair("a", 1)));
  run_.demands.clear();
  Configure("b", /*tables=*/2, /*max_connections=*/9);
  run_.run_id = run_.idempotency_key = "r-2";
  const std::vector<Input> inputs = {configured_, run_};
  EXPECT_THAT(Offered(Look(inputs), server_of_digest_), ElementsAre(Pair("b", 2)));
}

TEST_F(CoreDispatchTest, ARetryThatFindsNobodyFreeIsNotWaitedFor) {
  Configure("a", /*tables=*/1, /*max_connections=*/1);
  Run(/*credit=*/1);
  ProbeResult probe;
  probe.source_clock = kNow;
  probe.transactions_known = true;
  Deliver(kNow, probe);
  Deliver(kNow, Failure{FailureKind::kSource, absl::UnavailableError("the server is away")});
  const absl::Time retry = core_.NextDeadline();
  EXPECT_GT(retry, kNow);
  EXPECT_LT(retry, kNow + absl::Seconds(2));
  const std::vector<Input> inputs = {SessionClosed{"s"}, Ticked{}};
  core_.Step(inputs, retry);
  EXPECT_EQ(core_.NextDeadline(), absl::InfiniteFuture());  // A past one would be polled for.
  const std::vector<Input> back = {SessionOpened{"s2", {}}, CreditChanged{"s2", 1}};
  EXPECT_THAT(Offered(core_.Step(back, retry), server_of_digest_), ElementsAre(Pair("a", 1)));
}

TEST_F(CoreDispatchTest, OnlyTheRunsOfADatasetHearOfItsEvents) {
  Configure("a", /*tables=*/1, /*max_connections=*/1);
  Run(/*credit=*/1);
  Configure("b", /*tables=*/1, /*max_connections=*/1);
  RunSubmitted other;
  other.run_id = other.idempotency_key = "r-2";
  other.demands = {run_.demands.back()};
  const std::vector<Input> inputs = {configured_, other};
  EXPECT_THAT(Changed(core_.Step(inputs, kNow)), ElementsAre("r-2"));
  const Input seen = CommitChecked{"table0", absl::OkStatus(), {}, {}};
  core_.Step({&seen, 1}, kNow);
  ProbeResult probe;
  probe.source_clock = kNow;
  probe.transactions_known = true;
  EXPECT_THAT(Changed(Deliver(kNow, probe)), ElementsAre("r-1"));
}

// Connections of the microbatches that a step offered, in order.
std::vector<int> Connections(const StepResult& step) {
  std::vector<int> connections;
  for (const Effect& effect : step.effects) {
    const auto* offer = std::get_if<SendOffer>(&effect);
    if (offer == nullptr) continue;
    const auto* microbatch = std::get_if<MicrobatchTask>(&offer->task.kind);
    if (microbatch != nullptr) connections.push_back(microbatch->connections);
  }
  return connections;
}

ProbeResult WholeOf(int64_t rows, bool divisible) {
  ProbeResult probe;
  probe.source_clock = kNow;
  probe.transactions_known = true;
  probe.estimated_rows = rows;
  probe.divisible = divisible;
  return probe;
}

struct WantedCase {
  const char* name;
  int max_connections, read_connections;
  int64_t rows;
  bool divisible;
  int granted;
};

class CoreDispatchWantedTest : public CoreDispatchTest,
                               public ::testing::WithParamInterface<WantedCase> {};

TEST_P(CoreDispatchWantedTest, AFullReadGetsItsConnections) {
  const WantedCase& wanted = GetParam();
  read_connections_ = wanted.read_connections;
  Configure("a", /*tables=*/1, wanted.max_connections);
  Run(/*credit=*/9);
  EXPECT_THAT(Connections(Deliver(kNow, WholeOf(wanted.rows, wanted.divisible))),
              ElementsAre(wanted.granted));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, CoreDispatchWantedTest,
    ::testing::Values(WantedCase{"Configured", 4, 3, -1, true, 3},
                      WantedCase{"ConfiguredBeyondTheServer", 4, 9, 7, true, 4},
                      WantedCase{"NotDivisible", 4, 3, 9'000'000, false, 1},
                      WantedCase{"FewRows", 4, 0, 900'000, true, 1},
                      WantedCase{"SomeRows", 4, 0, 1'000'000, true, 2},
                      WantedCase{"ManyRowsLeaveOneConnection", 4, 0, 90'000'000, true, 3},
                      WantedCase{"OneConnection", 1, 0, 90'000'000, true, 1},
                      WantedCase{"Unknown", 4, 0, -1, true, 1}),
    [](const auto& info) { return info.param.name; });

TEST_F(CoreDispatchTest, FullReadsNeverHaveMoreConnectionsThanTheServerHasLeft) {
  read_connections_ = 3;
  Configure("a", /*tables=*/3, /*max_connections=*/4);
  Run(/*credit=*/9);
  // Two probes of the three are still under way and have a connection each.
  EXPECT_THAT(Connections(Deliver(kNow, WholeOf(-1, true))), ElementsAre(2));
}

TEST_F(CoreDispatchTest, AFullBackfillLeavesOneConnection) {
  read_connections_ = 9;
  Configure("a", /*tables=*/1, /*max_connections=*/3);
  run_.kind = v1::RUN_KIND_BACKFILL;
  run_.demands.front().mode = v1::BACKFILL_MODE_ALL;
  Run(/*credit=*/9);
  EXPECT_THAT(Connections(Deliver(kNow, WholeOf(-1, true))), ElementsAre(2));
}

}  // namespace
}  // namespace headwater
