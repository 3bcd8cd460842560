// Histories beside reads of the same server: neither waits for the other's connections, nor fails
// with it.
#include <gmock/gmock.h>

#include "tests/unit/coordinator/histories_world.h"

namespace headwater {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class CoreHistoriesServerTest : public CoreHistoriesTest {
 protected:
  // Another table of the server, which has one connection.
  void LoadBoth() {
    configured_.datasets.back().server.max_connections = 1;
    DatasetSpec& flights = Configure("p1", "flights");
    flights.retries = 3;  // So that the whole server is given up.
    flights.server.max_connections = 1;
    Begin(8);
    Run("load");
    while (!lists_.empty() || !tasks_.empty()) {
      AnswerLists();
      if (tasks_.empty()) continue;
      const OfferedTask task = Next();
      const auto* read = std::get_if<MicrobatchTask>(&task.spec.kind);
      if (read == nullptr) {
        Answer(task, Days(3));
      } else {
        Answer(task, read->base.has_value() ? Read(task) : Rows(task.spec));
      }
    }
    ASSERT_THAT(ended_, ElementsAre("load"));
    columns_ = core_.state().ColumnsOf("planes");
    now_ += absl::Hours(1);
  }
  void RunFlights(const std::string& id) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = id;
    run.demands.emplace_back().dataset = {"flights", "p1"};
    Step({run});
  }
};

TEST_F(CoreHistoriesServerTest, AServerThatIsGivenUpFailsNeitherAVerificationNorARepair) {
  LoadBoth();
  SubmitRepair("mend");  // Waits for the list of files, as the verification does.
  Verify();
  verified_.reset();
  ASSERT_THAT(lists_, SizeIs(1));
  RunFlights("run");
  for (int i = 0; i < 100 && ended_.back() != "run"; ++i) {
    while (!tasks_.empty())
      Answer(Next(), Failure{FailureKind::kSource, absl::UnavailableError("no route")});
    if (core_.NextDeadline() < absl::InfiniteFuture()) now_ = std::max(now_, core_.NextDeadline());
    Step({Ticked{}});
  }
  ASSERT_EQ(ended_.back(), "run");
  EXPECT_FALSE(verified_.has_value());
  EXPECT_EQ(Demand("mend").phase, DemandPhase::kActive);
  for (int i = 0; i < 10 && (!lists_.empty() || !tasks_.empty()); ++i) {
    AnswerLists();
    if (tasks_.empty()) continue;
    const OfferedTask task = Next();
    if (std::holds_alternative<VerificationTask>(task.spec.kind)) {
      Answer(task, Broken(0));
    } else {
      Answer(task, Mend(true));
    }
  }
  EXPECT_EQ(Demand("mend").phase, DemandPhase::kDone);
  ASSERT_TRUE(verified_.has_value());
  EXPECT_FALSE(verified_->datasets(0).failed());
}

TEST_F(CoreHistoriesServerTest, NeitherTakesTheServersOnlyConnection) {
  LoadBoth();
  SubmitRepair("mend");
  AnswerLists();
  const OfferedTask mend = Next();
  Verify();
  AnswerLists();
  const OfferedTask check = Next();
  RunFlights("run");
  ASSERT_THAT(tasks_, SizeIs(1));  // Its probe has the connection.
  EXPECT_TRUE(IsProbe(tasks_.front()));
  Answer(check, Broken(0));
  Answer(mend, Mend(true));
  EXPECT_THAT(ended_, Contains("mend"));
}

TEST_F(CoreHistoriesServerTest, ARepairIsRightWhateverWasReadSinceItsVerification) {
  Load();
  Verify();
  AnswerLists();
  Answer(Next(), Broken(1));
  now_ += absl::Hours(30);
  Run("run");
  Serve();
  ASSERT_THAT(ended_, Contains("run"));
  Submit("mend");
  AnswerLists();
  ASSERT_THAT(tasks_, Not(IsEmpty()));
  Answer(Next(), Mend(true));
  EXPECT_EQ(Demand("mend").phase, DemandPhase::kDone);
}

}  // namespace
}  // namespace headwater
