// Which ended runs leave the ledger for the archive, when, and that none is lost on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/model_proto.h"
#include "tests/unit/coordinator/core_world.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kADay = absl::Hours(24);

CoreOptions Options() {
  CoreOptions options;
  options.keep_runs = 30 * kADay;
  options.run_limits = {.runs = 20, .demands = 30};
  return options;
}

// Datasets a/t and b/t, which have nothing to read.
class CoreArchiveTest : public CoreWorldTest {
 protected:
  CoreArchiveTest() : CoreWorldTest(Options()) {
    Configure("a", "t").id = {"t", "a"};
    Configure("b", "t").id = {"t", "b"};
    Begin(/*credit=*/1);
  }

  // A run of these servers, which ends at once; `fails`: no probe of it succeeds.
  void RunOf(const std::vector<std::string>& servers, const std::string& id, bool fails = false,
             v1::RunKind kind = v1::RUN_KIND_INCREMENTAL, const std::string& retry_of = "") {
    now_ += absl::Seconds(1);
    Submit(servers, id, kind, retry_of);
    while (!tasks_.empty()) {
      const OfferedTask task = tasks_.front();
      tasks_.pop_front();
      if (!IsProbe(task)) {
        Answer(task, Rows(task.spec));
      } else if (fails) {
        Answer(task, Failure{FailureKind::kTask, absl::InvalidArgumentError("no such column")});
      } else {
        Answer(task, Days(1));
      }
    }
    ASSERT_NE(core_.state().FindRun(id), nullptr) << answer_;
    ASSERT_TRUE(core_.state().FindRun(id)->ended.has_value());
  }
  void Submit(const std::vector<std::string>& servers, const std::string& id,
              v1::RunKind kind = v1::RUN_KIND_INCREMENTAL, const std::string& retry_of = "") {
    RunSubmitted run;
    run.run_id = run.idempotency_key = id;
    run.kind = kind;
    run.retry_of = retry_of;
    for (const std::string& server : servers) {
      run.demands.emplace_back().dataset = {"t", server};
      if (kind == v1::RUN_KIND_BACKFILL) run.demands.back().mode = v1::BACKFILL_MODE_ALL;
    }
    Step({run});
  }
  void After(absl::Duration pause) {
    now_ += pause;
    Step({Ticked{}});
  }

  static std::vector<std::string> IdsOf(const ArchiveRuns& archive) {
    std::vector<std::string> ids;
    for (const v1::EndedRun& run : archive.runs) ids.push_back(run.run_id());
    return ids;
  }
  // Those that are to be written now, which are.
  std::vector<std::string> Written(const absl::Status& status = absl::OkStatus()) {
    if (archives_.empty()) return {};
    const ArchiveRuns archive = archives_.front();
    archives_.pop_front();
    Step({RunsWritten{status}});
    return IdsOf(archive);
  }
  std::vector<std::string> Kept() const {
    std::vector<std::string> ids;
    for (const auto& [id, run] : core_.state().runs()) ids.push_back(id);
    return ids;
  }
};

TEST_F(CoreArchiveTest, WhatEndedLongAgoGoesButTheNewestRunOfEachDataset) {
  RunOf({"a", "b"}, "r-1");
  RunOf({"b"}, "r-2");
  RunOf({"a"}, "r-3");
  RunOf({"a"}, "r-4");
  After(30 * kADay - absl::Minutes(1));
  EXPECT_THAT(archives_, IsEmpty());
  After(kADay);
  EXPECT_THAT(Written(), ElementsAre("r-1", "r-3"));
  EXPECT_THAT(Kept(), ElementsAre("r-2", "r-4"));
  EXPECT_EQ(core_.state().ended_demands(), 2);
}

TEST_F(CoreArchiveTest, NothingGoesBeforeItIsWritten) {
  RunOf({"a"}, "r-1");
  RunOf({"a"}, "r-2");
  After(31 * kADay);
  ASSERT_THAT(archives_, SizeIs(1));
  EXPECT_THAT(Kept(), ElementsAre("r-1", "r-2"));
  After(kADay);
  EXPECT_THAT(archives_, SizeIs(1)) << "one file at a time";
  EXPECT_TRUE(core_.WantsToCollect());
  EXPECT_THAT(Written(), ElementsAre("r-1"));
  EXPECT_THAT(Kept(), ElementsAre("r-2"));
  EXPECT_FALSE(core_.WantsToCollect());
}

TEST_F(CoreArchiveTest, TellsOfARunWhatItDid) {
  RunOf({"a"}, "r-1", true);
  RunOf({"a"}, "r-2");
  After(31 * kADay);
  ASSERT_THAT(archives_, SizeIs(1));
  const v1::EndedRun& run = archives_.front().runs.at(0);
  EXPECT_EQ(run.kind(), "incremental");
  EXPECT_EQ(run.result(), "failed");
  EXPECT_TRUE(run.by_person());
  EXPECT_EQ(run.idempotency_key(), "r-1");
  EXPECT_EQ(TimeOf(run.started()), kNow + absl::Seconds(1));
  EXPECT_FALSE(run.archived());
  ASSERT_EQ(run.datasets_size(), 1);
  EXPECT_EQ(run.datasets(0).dataset().server(), "a");
  EXPECT_EQ(run.datasets(0).result(), "failed");
  ASSERT_EQ(run.datasets(0).problems_size(), 1);
  EXPECT_EQ(run.datasets(0).problems(0).message(), "no such column");
}

TEST_F(CoreArchiveTest, NotWhileARunLivesUnlessThatTakesLong) {
  RunOf({"a"}, "r-1");
  RunOf({"a"}, "r-2");
  Submit({"a"}, "r-3");
  After(31 * kADay);
  EXPECT_THAT(archives_, SizeIs(1)) << "it has been due for a month";
  Written();
  EXPECT_THAT(Kept(), ElementsAre("r-2", "r-3"));
}

TEST_F(CoreArchiveTest, AtAMomentWhenNobodyWaits) {
  RunOf({"a"}, "r-1");
  RunOf({"a"}, "r-2");
  After(29 * kADay + absl::Hours(1));  // It has looked, and found nothing.
  now_ += kADay - absl::Minutes(1);
  Submit({"a"}, "r-3");
  After(absl::Hours(1));
  EXPECT_THAT(archives_, IsEmpty());
  Step({RunCancelRequested{1, "r-3"}});
  EXPECT_THAT(Written(), ElementsAre("r-1", "r-2"));
}

TEST_F(CoreArchiveTest, OnceADayAtMost) {
  RunOf({"a"}, "r-1");
  now_ += absl::Hours(6);
  RunOf({"a"}, "r-2");
  RunOf({"a"}, "r-3");
  now_ = kNow + 30 * kADay + absl::Minutes(1);
  Step({Ticked{}});
  EXPECT_THAT(Written(), ElementsAre("r-1"));
  After(absl::Hours(23));
  EXPECT_THAT(archives_, IsEmpty());
  EXPECT_EQ(core_.NextDeadline(), now_ + absl::Hours(1));
  After(absl::Hours(1));
  EXPECT_THAT(Written(), ElementsAre("r-2"));
}

TEST_F(CoreArchiveTest, WhatCouldNotBeWrittenStaysAndIsTriedAgainInAnHour) {
  RunOf({"a"}, "r-1");
  RunOf({"a"}, "r-2");
  After(31 * kADay);
  EXPECT_THAT(Written(absl::ResourceExhaustedError("no space")), ElementsAre("r-1"));
  EXPECT_THAT(Kept(), ElementsAre("r-1", "r-2"));
  EXPECT_THAT(archives_, IsEmpty());
  EXPECT_FALSE(core_.WantsToCollect()) << "nobody waits for it";
  EXPECT_EQ(core_.NextDeadline(), now_ + absl::Hours(1));
  After(absl::Hours(1));
  EXPECT_THAT(Written(), ElementsAre("r-1"));
  EXPECT_THAT(Kept(), ElementsAre("r-2"));
}

TEST_F(CoreArchiveTest, AHostThatEndsIsAskedForNoMore) {
  RunOf({"a"}, "r-1");
  RunOf({"a"}, "r-2");
  After(31 * kADay);
  Written(absl::CancelledError());
  EXPECT_FALSE(core_.WantsToCollect());
  After(2 * kADay);
  EXPECT_THAT(archives_, IsEmpty());
  EXPECT_THAT(Kept(), ElementsAre("r-1", "r-2"));
}

TEST_F(CoreArchiveTest, AHostThatIsAboutToLeaveIsAskedAtOnce) {
  RunOf({"a"}, "r-1");
  RunOf({"a"}, "r-2");
  const absl::Time later = now_ + 31 * kADay;
  Core core(*ClusterState::Restore(core_.state().last_sequence(), core_.state().Serialize()),
            Options());
  core.Begin(/*workers_are_dead=*/true, "digest", later);
  EXPECT_FALSE(core.WantsToCollect());
  const StepResult step = core.Step({CollectionsWanted{}}, later);
  ASSERT_THAT(step.effects, SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<ArchiveRuns>(step.effects[0]));
}

TEST_F(CoreArchiveTest, ACrashBetweenFileAndEventAsksForTheSameRunsAsTheyWere) {
  RunOf({"a", "b"}, "r-1", true);
  RunOf({"a", "b"}, "r-2");
  After(31 * kADay);
  ASSERT_THAT(archives_, SizeIs(1));
  Core core(*ClusterState::Restore(core_.state().last_sequence(), core_.state().Serialize()),
            Options());
  core.Begin(/*workers_are_dead=*/true, "digest", now_);
  const StepResult step = core.Step({CollectionsWanted{}}, now_);
  ASSERT_THAT(step.effects, SizeIs(1));
  const auto& again = std::get<ArchiveRuns>(step.effects[0]);
  ASSERT_EQ(IdsOf(again), IdsOf(archives_.front()));
  for (size_t i = 0; i < again.runs.size(); ++i)
    EXPECT_EQ(again.runs[i].SerializeAsString(), archives_.front().runs[i].SerializeAsString());
}

TEST_F(CoreArchiveTest, ReplayLetsTheSameRunsGo) {
  RunOf({"a"}, "r-1");
  RunOf({"a"}, "r-2");
  const int64_t before = core_.state().last_sequence();
  auto replayed = *ClusterState::Restore(before, core_.state().Serialize());
  now_ += 31 * kADay;
  const StepResult asked = core_.Step({Ticked{}}, now_);
  ASSERT_TRUE(asked.events.empty());
  const StepResult written = core_.Step({RunsWritten{}}, now_);
  ASSERT_EQ(written.events.size(), 1);
  EXPECT_THAT(written.events[0].runs_archived().run_ids(), ElementsAre("r-1"));
  replayed->Apply(before + 1, written.events[0]);
  EXPECT_EQ(replayed->Serialize(), core_.state().Serialize());
  EXPECT_EQ(replayed->runs_archived(), now_);
  const auto restored = *ClusterState::Restore(before + 1, core_.state().Serialize());
  EXPECT_EQ(restored->Serialize(), core_.state().Serialize());
  EXPECT_EQ(restored->runs_archived(), now_);
  EXPECT_EQ(restored->ended_demands(), 1);
}

TEST_F(CoreArchiveTest, WhatABackfillLeftStaysUntilARetryTakesItOn) {
  RunOf({"a"}, "r-1", true, v1::RUN_KIND_BACKFILL);
  RunOf({"a"}, "r-2");
  RunOf({"a"}, "r-3");
  After(31 * kADay);
  EXPECT_THAT(Written(), ElementsAre("r-2")) << "a tick does not want what a backfill wanted";
  EXPECT_THAT(Kept(), ElementsAre("r-1", "r-3"));
  RunOf({"a"}, "r-4", false, v1::RUN_KIND_RETRY, "r-1");
  After(kADay);
  EXPECT_THAT(Written(), ElementsAre("r-1", "r-3"));
}

TEST_F(CoreArchiveTest, ALaterTickTakesOnWhatATickLeft) {
  RunOf({"a", "b"}, "r-1", true);
  RunOf({"a"}, "r-2");
  RunOf({"a"}, "r-3");
  RunOf({"b"}, "r-4", false, v1::RUN_KIND_BACKFILL);
  After(31 * kADay);
  EXPECT_THAT(Written(), ElementsAre("r-2")) << "nobody has tried b since";
  RunOf({"b"}, "r-5");
  After(kADay);
  EXPECT_THAT(Written(), ElementsAre("r-1", "r-4"));
}

TEST_F(CoreArchiveTest, NoMoreThanSomeAreKeptForRetry) {
  CoreOptions options = Options();
  options.run_limits = {};
  auto state = std::make_unique<ClusterState>();
  int64_t sequence = 0;
  v1::Event defined;
  *defined.mutable_dataset_defined()->mutable_spec() = ToProto(configured_.datasets[0]);
  state->Apply(++sequence, defined);
  for (int i = 0; i < 70; ++i) {
    const std::string id = absl::StrCat("r-", 100 + i);
    v1::Event started, cancelled, ended;
    started.mutable_run_started()->set_run_id(id);
    started.mutable_run_started()->set_kind(v1::RUN_KIND_BACKFILL);
    v1::Demand* demand = started.mutable_run_started()->add_demands();
    *demand->mutable_dataset() = RefOf({"t", "a"});
    demand->set_mode(v1::BACKFILL_MODE_ALL);
    cancelled.mutable_run_cancelled()->set_run_id(id);
    ended.mutable_run_ended()->set_run_id(id);
    for (v1::Event* event : {&started, &cancelled, &ended}) {
      *event->mutable_at() = ToTimestamp(kNow + absl::Seconds(i));
      state->Apply(++sequence, *event);
    }
  }
  const OldRuns old = FindOldRuns(*state, kNow + kADay, {});
  EXPECT_THAT(old.ids, SizeIs(70 - kMaxKeptForRetry));
  EXPECT_EQ(old.ids.front(), "r-100");
  EXPECT_FALSE(old.more);
}

TEST_F(CoreArchiveTest, WhatIsTooMuchGoesEarlierAndWaitsForNobody) {
  for (int i = 0; i < 20; ++i) {
    RunOf({"a"}, absl::StrCat("r-", 100 + i));
  }
  now_ += absl::Minutes(1);
  Submit({"b"}, "r-200");
  Submit({"b"}, "r-201");  // It goes on.
  EXPECT_THAT(archives_, IsEmpty());
  tasks_.clear();
  Step({RunCancelRequested{1, "r-200"}});
  ASSERT_THAT(archives_, SizeIs(1));
  EXPECT_THAT(Written(), SizeIs(6)) << "until three quarters are left";
  EXPECT_EQ(core_.state().runs().size(), 15 + 1);
  EXPECT_EQ(core_.state().FindRun("r-105"), nullptr);
  EXPECT_NE(core_.state().FindRun("r-106"), nullptr);
}

TEST_F(CoreArchiveTest, ManyGoInFilesOfBoundedSizeOneAfterTheOther) {
  auto state = std::make_unique<ClusterState>();
  int64_t sequence = 0;
  constexpr int kDatasets = 2'000, kRuns = 6;
  v1::Event event;
  for (int i = 0; i < kDatasets; ++i) {
    configured_.datasets[0].id.server = absl::StrCat("s", i);
    *event.mutable_dataset_defined()->mutable_spec() = ToProto(configured_.datasets[0]);
    event.mutable_dataset_defined()->mutable_spec()->mutable_server()->set_name(
        absl::StrCat("s", i));
    state->Apply(++sequence, event);
  }
  for (int i = 0; i < kRuns; ++i) {
    event.Clear();
    *event.mutable_at() = ToTimestamp(kNow + absl::Hours(i));
    event.mutable_run_started()->set_run_id(absl::StrCat("r-", i));
    for (int server = 0; server < kDatasets; ++server)
      *event.mutable_run_started()->add_demands()->mutable_dataset() =
          RefOf({"t", absl::StrCat("s", server)});
    event.mutable_run_started()->set_kind(v1::RUN_KIND_INCREMENTAL);
    state->Apply(++sequence, event);
    event.mutable_run_ended()->set_run_id(absl::StrCat("r-", i));
    state->Apply(++sequence, event);
  }
  CoreOptions options = Options();
  options.run_limits = {};
  Core core(std::move(state), options);
  now_ += 31 * kADay;
  core.Begin(/*workers_are_dead=*/true, "digest", now_);
  std::vector<std::vector<std::string>> files;
  StepResult step = core.Step({CollectionsWanted{}}, now_);
  while (!step.effects.empty()) {
    files.push_back(IdsOf(std::get<ArchiveRuns>(step.effects.at(0))));
    step = core.Step({RunsWritten{}}, now_);
  }
  EXPECT_THAT(
      files, ElementsAre(ElementsAre("r-0", "r-1"), ElementsAre("r-2", "r-3"), ElementsAre("r-4")));
}

}  // namespace
}  // namespace headwater
