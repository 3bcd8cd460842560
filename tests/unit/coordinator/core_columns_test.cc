// What the core makes of columns that a probe or a look at the table shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/data/hash_algorithm.h"
#include "coordinator/core.h"
#include "coordinator/plan/planner.h"
#include "coordinator/plan/verification_plan.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Column Col(const std::string& name, absl::string_view type) {
  return {name, *ParseType(type), true};
}

// One table of one server, read whole; the test says which columns the source and the table have.
class CoreColumnsTest : public ::testing::Test {
 protected:
  CoreColumnsTest() : core_(std::make_unique<ClusterState>(), CoreOptions()) {
    Keep(core_.Begin(/*workers_are_dead=*/true, "digest", now_));
    spec_.id = {.table = "deals", .server = "p1"};
    spec_.server.name = "p1";
    spec_.server.url = "test:";
    spec_.server.timezone = "UTC";
    spec_.relation = "deals";
    spec_.strategy = Strategy::kFull;
    spec_.key_columns = {"id"};
    spec_.target_uri = "/nowhere/deals";
    SessionOpened opened;
    opened.session = "s";
    opened.hello.name = "w";
    Step({DatasetsConfigured{{spec_}}, opened, CreditChanged{"s", 100}});
  }

  // The run's problems and notices.
  std::vector<std::string> Run(const Schema& source) {
    source_ = source;
    RunSubmitted run;
    run.run_id = run.idempotency_key = "run" + std::to_string(++runs_);
    run.demands.emplace_back().dataset = spec_.id;
    Step({run});
    while (!effects_.empty()) {
      const Effect effect = std::move(effects_.front());
      effects_.erase(effects_.begin());
      Play(effect);
    }
    std::vector<std::string> told;
    const auto shown = core_.DescribeRun(run.run_id, now_);
    EXPECT_TRUE(shown->ended());
    for (const v1::Problem& problem : shown->problems())
      told.push_back(problem.message() + problem.warning());
    return told;
  }

  void Play(const Effect& effect) {
    if (const auto* offer = std::get_if<SendOffer>(&effect)) {
      Step({OfferReplied{"s", offer->task.lease, true, ""}});
      Step({Delivered{1, "s", {{offer->task.lease, ResultOf(offer->task)}}}});
    } else if (const auto* commit = std::get_if<Commit>(&effect)) {
      CommitFinished finished{"deals", commit->intent.sequence, CommitResult{}};
      finished.result->version = commit->intent.sequence;
      table_ = commit->intent.replacements.front().manifest.schema;
      Step({finished});
    } else if (const auto* check = std::get_if<CheckCommit>(&effect)) {
      CommitChecked checked{"deals", absl::OkStatus(), {}, {}};
      checked.statuses.resize(check->replacements.size());
      if (check->replacements.empty()) checked.columns = table_;
      Step({checked});
    }
  }

  decltype(Outcome::result) ResultOf(const TaskSpec& task) {
    if (const auto* microbatch = std::get_if<MicrobatchTask>(&task.kind)) {
      given_ = microbatch->table_schema;
      Manifest read;
      read.spec_version = SpecVersionOf(given_, HashAlgorithm::kXxh3);
      read.schema = given_;
      read.pieces.push_back({microbatch->extent, {1, {1, ++rows_}}, std::nullopt, false, {}});
      return read;
    }
    ProbeResult probe;
    probe.source_clock = now_;
    probe.transactions_known = true;
    probe.schema = source_;
    return probe;
  }

  void Step(const std::vector<Input>& inputs) { Keep(core_.Step(inputs, now_)); }

  void Keep(StepResult step) {
    for (v1::Event& event : step.events) log_.push_back(std::move(event));
    for (Effect& effect : step.effects) effects_.push_back(std::move(effect));
  }

  const Schema& Known() const { return core_.state().ColumnsOf("deals"); }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  Core core_;
  DatasetSpec spec_;
  std::vector<v1::Event> log_;
  std::vector<Effect> effects_;
  Schema source_;
  std::optional<Schema> table_;
  Schema given_;  // What the last read was to give its rows.
  int runs_ = 0;
  uint64_t rows_ = 0;
};

TEST_F(CoreColumnsTest, RowsGetTheTablesColumnsAndANoticeComesOnce) {
  const Schema narrow{{Col("id", "integer"), Col("name", "string")}};
  const Schema wide{{Col("note", "string"), Col("id", "long")}};
  const Schema both{{Col("id", "long"), Col("name", "string"), Col("note", "string")}};
  EXPECT_THAT(Run(narrow), IsEmpty());
  EXPECT_EQ(given_, narrow);
  EXPECT_THAT(Run(wide), ElementsAre(HasSubstr("integer widens to long"),
                                     HasSubstr("column name is not in the source"),
                                     HasSubstr("column note (string) is new")));
  EXPECT_EQ(given_, both);
  EXPECT_EQ(Known(), both);
  EXPECT_THAT(Run(wide), IsEmpty());
  EXPECT_EQ(given_, both);
}

TEST_F(CoreColumnsTest, WhatDoesNotFitStopsTheDatasetBeforeAnythingIsRead) {
  Run({{Col("id", "long"), Col("at", "date")}});
  const uint64_t rows = rows_;
  EXPECT_THAT(Run({{Col("id", "long"), Col("at", "timestamp")}}),
              ElementsAre(HasSubstr("column at is date in the table and timestamp in the source")));
  EXPECT_THAT(Run({{Col("at", "date")}}), ElementsAre(HasSubstr("column id, the cursor or a key")));
  EXPECT_EQ(rows_, rows);
  EXPECT_EQ(Known(), Schema({{Col("id", "long"), Col("at", "date")}}));
}

TEST_F(CoreColumnsTest, TheTableHasTheLastWord) {
  Run({{Col("id", "long")}});
  table_->columns.push_back(Col("theirs", "date"));
  EXPECT_THAT(Run({{Col("id", "long")}}), IsEmpty());  // The source is as it was.
  EXPECT_EQ(given_, *table_);
  table_.reset();
  Run({{Col("other", "long"), Col("id", "long")}});
  EXPECT_EQ(given_, source_);
}

TEST_F(CoreColumnsTest, ReplayAndASnapshotGiveTheSameColumns) {
  Run({{Col("id", "integer"), Col("name", "string")}});
  Run({{Col("note", "string"), Col("id", "long")}});
  ClusterState replayed;
  for (size_t i = 0; i < log_.size(); ++i) replayed.Apply(static_cast<int64_t>(i) + 1, log_[i]);
  EXPECT_EQ(replayed.ColumnsOf("deals"), Known());
  const auto restored = ClusterState::Restore(replayed.last_sequence(), replayed.Serialize());
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ((*restored)->ColumnsOf("deals"), Known());
  const auto& written = (*restored)->tables().at("deals").written;
  EXPECT_EQ(written, core_.state().tables().at("deals").written);
  EXPECT_EQ(written.size(), 2u);
  EXPECT_EQ((*restored)->Serialize(), core_.state().Serialize());
}

TEST_F(CoreColumnsTest, PiecesAreVerifiedInTheColumnsTheyWereWrittenWith) {
  const Schema before{{Col("id", "long")}};
  Run(before);
  const DatasetState dataset = *core_.state().FindDataset(spec_.id);
  const TableState& table = core_.state().tables().at("deals");
  const auto tasks = PlanVerification(dataset, table, {}).tasks;
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].table_schema, before);
  EXPECT_EQ(PlanVerification(dataset, {}, {}).tasks[0].table_schema, Schema());
}

}  // namespace
}  // namespace headwater
