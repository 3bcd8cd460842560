#include "worker/microbatch_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

const Schema kSchema = {{{"id", {TypeKind::kLong}}}};
const Extent kExtent = {Range{0, 100}, true};

// What a test wants of its writer, and what the writer met. Outlives it.
struct WriterScript {
  absl::Status open, write, finish;
  std::function<void()> on_write = [] {};
  StagingOptions options;
  int64_t rows = 0;
  int finished = 0;
  bool destroyed = false;
};

class ScriptedWriter final : public StagingWriter {
 public:
  explicit ScriptedWriter(WriterScript& script) : script_(script) {}
  ~ScriptedWriter() override { script_.destroyed = true; }

  absl::Status Write(const RowBatch& batch) override {
    script_.on_write();
    script_.rows += batch.rows();
    return script_.write;
  }
  absl::StatusOr<Manifest> Finish() override {
    ++script_.finished;
    if (!script_.finish.ok()) return script_.finish;
    Manifest manifest;
    manifest.rows_read = script_.rows;
    return manifest;
  }
  absl::Status Remove(const StagedPiece&) override { return absl::OkStatus(); }

 private:
  WriterScript& script_;
};

class MicrobatchRunner : public ::testing::Test {
 protected:
  MicrobatchRunner() {
    dataset_.id = {"flights", "ewr"};
    task_.lease = {"task-1", 7};
    task_.kind = MicrobatchTask{kExtent, {50}, {}, CursorType::kInteger, 100};
    source_.script = {kSchema, {"[[1], [2]]", "[[3]]"}, absl::OkStatus(), false};
  }

  Outcome Run() {
    const StagingFactory open =
        [&](const StagingOptions& options) -> absl::StatusOr<std::unique_ptr<StagingWriter>> {
      writer_.options = options;
      if (!writer_.open.ok()) return writer_.open;
      return std::make_unique<ScriptedWriter>(writer_);
    };
    Outcome outcome = RunTask(dataset_, task_, source_, open, options_, stop_.get_token(),
                              [&](const TaskProgress& progress) {
                                progress_.push_back(progress);
                                on_progress_(progress);
                              });
    EXPECT_EQ(outcome.lease, task_.lease);
    return outcome;
  }

  void ExpectFailure(FailureKind kind, absl::StatusCode code, const std::string& words) {
    const Outcome outcome = Run();
    const auto* failure = std::get_if<Failure>(&outcome.result);
    ASSERT_NE(failure, nullptr);
    EXPECT_EQ(failure->kind, kind);
    EXPECT_EQ(failure->status.code(), code) << failure->status;
    EXPECT_THAT(std::string(failure->status.message()), HasSubstr(words));
    EXPECT_THAT(std::string(failure->status.message()), HasSubstr("flights on server ewr"));
  }

  DatasetSpec dataset_;
  TaskSpec task_;
  FakeSource source_;
  WriterScript writer_;
  RunTaskOptions options_;
  std::stop_source stop_;
  std::vector<TaskProgress> progress_;
  std::function<void(const TaskProgress&)> on_progress_ = [](const TaskProgress&) {};
};

TEST_F(MicrobatchRunner, GivesRowsTheColumnsOfTheirTable) {
  MicrobatchTask microbatch = std::get<MicrobatchTask>(task_.kind);
  microbatch.table_schema = {{{"at", {TypeKind::kDate}}}};
  task_.kind = microbatch;
  Run();
  EXPECT_EQ(writer_.options.source_schema,
            Schema({{{"at", {TypeKind::kDate}}, kSchema.columns[0]}}));
  EXPECT_EQ(writer_.rows, 3);
  dataset_.on_schema_change = SchemaPolicy::kFreeze;
  ExpectFailure(FailureKind::kSource, absl::StatusCode::kInvalidArgument,
                "column id (long) is new");
}

TEST_F(MicrobatchRunner, ComparesRowsInTheColumnsThatWereWritten) {
  VerificationTask verification;
  verification.extent = kExtent;
  verification.cursor_type = CursorType::kInteger;
  verification.domain_end = 100;
  verification.table_schema = {{{"at", {TypeKind::kDate}}}};
  task_.lease.fence = 0;
  task_.kind = verification;
  Run();
  EXPECT_EQ(writer_.options.source_schema, verification.table_schema);
}

TEST_F(MicrobatchRunner, ComparesRowsAsTheyWereHashed) {
  dataset_.hash_algorithm = HashAlgorithm::kSha256;
  VerificationTask verification{kExtent, {}, CursorType::kInteger, 100};
  task_.lease.fence = 0;
  task_.kind = verification;
  Run();
  EXPECT_EQ(writer_.options.dataset.hash_algorithm, HashAlgorithm::kSha256);
  verification.hash_algorithm = HashAlgorithm::kXxh3;
  task_.kind = verification;
  Run();
  EXPECT_EQ(writer_.options.dataset.hash_algorithm, HashAlgorithm::kXxh3);
}

TEST_F(MicrobatchRunner, MovesEveryRowAndFinishesOnce) {
  options_.loaded_at = absl::FromUnixSeconds(5);
  options_.memory_bytes = 123;
  const Outcome outcome = Run();
  const auto* manifest = std::get_if<Manifest>(&outcome.result);
  ASSERT_NE(manifest, nullptr);
  EXPECT_EQ(manifest->rows_read, 3);
  EXPECT_EQ(writer_.finished, 1);
  EXPECT_THAT(source_.reads, ::testing::ElementsAre(kExtent));
  EXPECT_EQ(writer_.options.extent, kExtent);
  EXPECT_THAT(writer_.options.cuts, ::testing::ElementsAre(50));
  EXPECT_EQ(writer_.options.cursor_type, CursorType::kInteger);
  EXPECT_EQ(writer_.options.domain_end, 100);
  EXPECT_EQ(writer_.options.lease, task_.lease);
  EXPECT_EQ(writer_.options.source_schema, kSchema);
  EXPECT_EQ(writer_.options.loaded_at, absl::FromUnixSeconds(5));
  EXPECT_EQ(writer_.options.memory_bytes, 123);
  EXPECT_FALSE(writer_.options.fingerprints_only);
}

TEST_F(MicrobatchRunner, TellsItsProgressByPhasesAndRows) {
  Run();
  ASSERT_GE(progress_.size(), 4u);
  EXPECT_EQ(progress_.front().phase, TaskPhase::kConnecting);
  EXPECT_EQ(progress_[1].phase, TaskPhase::kReading);
  EXPECT_EQ(progress_[1].rows, 0);
  EXPECT_EQ(progress_[2].rows, 2);
  EXPECT_EQ(progress_.back().phase, TaskPhase::kFinishing);
  EXPECT_EQ(progress_.back().rows, 3);
  EXPECT_GT(progress_.back().bytes, 0);
}

TEST_F(MicrobatchRunner, AVerificationStagesNothing) {
  task_.kind = VerificationTask{kExtent, {50}, CursorType::kInteger, 100};
  const Outcome outcome = Run();
  const auto* verification = std::get_if<Verification>(&outcome.result);
  ASSERT_NE(verification, nullptr);
  EXPECT_EQ(verification->manifest.rows_read, 3);
  EXPECT_TRUE(writer_.options.fingerprints_only);
  EXPECT_THAT(writer_.options.cuts, ::testing::ElementsAre(50));
}

TEST_F(MicrobatchRunner, AProbeAnswersAndOpensNoWriter) {
  task_.kind = ProbeTask{};
  source_.probe.minimum = 17;
  writer_.open = absl::InternalError("must not be asked");
  const Outcome outcome = Run();
  const auto* probe = std::get_if<ProbeResult>(&outcome.result);
  ASSERT_NE(probe, nullptr);
  EXPECT_EQ(probe->minimum, 17);
  EXPECT_TRUE(source_.reads.empty());
}

TEST_F(MicrobatchRunner, TheSourceIsToldWhatItIsAskedFor) {
  task_.run_id = "r-12";
  (void)Run();
  task_.kind = MicrobatchTask{{std::nullopt, true}, {}, {}, CursorType::kInteger, 100};
  (void)Run();
  task_.run_id.clear();
  task_.lease.fence = 0;
  task_.kind = ProbeTask{};
  (void)Run();
  EXPECT_THAT(
      source_.query_tags,
      ::testing::ElementsAre("run=r-12 fence=7 dataset=ewr/flights range=[0, 100) and=outside",
                             "run=r-12 fence=7 dataset=ewr/flights and=outside",
                             "run=task-1 dataset=ewr/flights probe"));
}

TEST_F(MicrobatchRunner, AProbesFailureIsTheSources) {
  task_.kind = ProbeTask{};
  source_.open_status = absl::NotFoundError("no such relation");
  ExpectFailure(FailureKind::kSource, absl::StatusCode::kNotFound, "no such relation");
}

TEST_F(MicrobatchRunner, ASourceThatRefusesIsTheSources) {
  source_.open_status = absl::UnavailableError("refused");
  ExpectFailure(FailureKind::kSource, absl::StatusCode::kUnavailable, "refused");
}

TEST_F(MicrobatchRunner, ASourceThatBreaksInTheMiddleIsTheSources) {
  source_.script.end = absl::DataLossError("not a number");
  ExpectFailure(FailureKind::kSource, absl::StatusCode::kDataLoss, "not a number");
  EXPECT_EQ(writer_.rows, 3);
  EXPECT_EQ(writer_.finished, 0);
  EXPECT_TRUE(writer_.destroyed);
}

TEST_F(MicrobatchRunner, AWriterThatCannotBeOpenedIsTheTasks) {
  writer_.open = absl::InvalidArgumentError("not a folder");
  ExpectFailure(FailureKind::kTask, absl::StatusCode::kInvalidArgument, "not a folder");
}

TEST_F(MicrobatchRunner, AWriterThatCannotWriteIsTheTasks) {
  writer_.write = absl::ResourceExhaustedError("disk full");
  ExpectFailure(FailureKind::kTask, absl::StatusCode::kResourceExhausted, "disk full");
  EXPECT_EQ(writer_.finished, 0);
  EXPECT_TRUE(writer_.destroyed);
}

TEST_F(MicrobatchRunner, AWriterThatCannotFinishIsTheTasks) {
  writer_.finish = absl::ResourceExhaustedError("disk full");
  ExpectFailure(FailureKind::kTask, absl::StatusCode::kResourceExhausted, "disk full");
}

TEST_F(MicrobatchRunner, WhatAWriterThrowsIsTheTasks) {
  writer_.on_write = [] { throw std::runtime_error("bug"); };
  ExpectFailure(FailureKind::kTask, absl::StatusCode::kInternal, "bug");
  writer_.on_write = [] { throw std::bad_alloc(); };
  ExpectFailure(FailureKind::kTask, absl::StatusCode::kResourceExhausted, "out of memory");
}

TEST_F(MicrobatchRunner, AStopBeforeItBeginsAsksNobody) {
  stop_.request_stop();
  ExpectFailure(FailureKind::kTask, absl::StatusCode::kCancelled, "stopped before it began");
  EXPECT_TRUE(source_.reads.empty());
}

TEST_F(MicrobatchRunner, AStopWakesABlockedRead) {
  source_.script.blocks_at_end = true;
  std::thread stopper;
  on_progress_ = [&](const TaskProgress& progress) {
    // All rows are written: what follows is the read that blocks.
    if (progress.rows == 3) stopper = std::thread([&] { stop_.request_stop(); });
  };
  ExpectFailure(FailureKind::kTask, absl::StatusCode::kCancelled, "");
  stopper.join();
  EXPECT_EQ(writer_.finished, 0);
  EXPECT_TRUE(writer_.destroyed);
}

TEST_F(MicrobatchRunner, AStopHidesWhateverFailedWithIt) {
  writer_.write = absl::InvalidArgumentError("a row lies outside");
  writer_.on_write = [&] { stop_.request_stop(); };
  ExpectFailure(FailureKind::kTask, absl::StatusCode::kCancelled, "");
}

TEST_F(MicrobatchRunner, AStopAfterTheLastBatchDoesNotFinish) {
  writer_.on_write = [&] {
    if (writer_.rows == 2) stop_.request_stop();
  };
  ExpectFailure(FailureKind::kTask, absl::StatusCode::kCancelled, "");
  EXPECT_EQ(writer_.finished, 0);
}

}  // namespace
}  // namespace headwater
