// A compaction from offer to outcome, with files that a test's script compacts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "worker/microbatch_runner.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

class CompactionRunner : public ::testing::Test {
 protected:
  CompactionRunner() {
    dataset_.id = {"flights", "ewr"};
    task_.lease = {"task-1", 7};
    MicrobatchTask compaction;
    compaction.extent.range = Range{0, 10};
    compaction.inputs.emplace_back().path = "a.parquet";
    task_.kind = std::move(compaction);
  }

  Outcome Run() {
    Outcome outcome = RunCompaction(
        dataset_, task_,
        [this](const CompactionOptions& options, std::stop_token) {
          given_ = options;
          return compact_(options);
        },
        stop_.get_token(), [this](const TaskProgress& progress) { progress_.push_back(progress); });
    EXPECT_EQ(outcome.lease, task_.lease);
    return outcome;
  }

  void ExpectFailure(absl::StatusCode code, const std::string& words) {
    const Outcome outcome = Run();
    const auto* failure = std::get_if<Failure>(&outcome.result);
    ASSERT_NE(failure, nullptr);
    EXPECT_EQ(failure->kind,
              FailureKind::kTask);  // The source is not asked: it is never its fault.
    EXPECT_EQ(failure->status.code(), code) << failure->status;
    EXPECT_THAT(std::string(failure->status.message()), HasSubstr(words));
    EXPECT_THAT(std::string(failure->status.message()), HasSubstr("flights on server ewr"));
  }

  DatasetSpec dataset_;
  TaskSpec task_;
  CompactionOptions given_;
  std::function<absl::StatusOr<Manifest>(const CompactionOptions&)> compact_ =
      [](const CompactionOptions& options) -> absl::StatusOr<Manifest> {
    options.progress(3, 30);
    Manifest manifest;
    manifest.rows_read = 3;
    return manifest;
  };
  std::stop_source stop_;
  std::vector<TaskProgress> progress_;
};

TEST_F(CompactionRunner, RowsAreHashedAsThoseOfThePiecesWere) {
  dataset_.hash_algorithm = HashAlgorithm::kSha256;
  Run();
  EXPECT_EQ(given_.dataset.hash_algorithm, HashAlgorithm::kSha256);
  std::get<MicrobatchTask>(task_.kind).hash_algorithm = HashAlgorithm::kMd5;
  Run();
  EXPECT_EQ(given_.dataset.hash_algorithm, HashAlgorithm::kMd5);
}

TEST_F(CompactionRunner, HandsInWhatTheFilesBecame) {
  const Outcome outcome = Run();
  const auto* manifest = std::get_if<Manifest>(&outcome.result);
  ASSERT_NE(manifest, nullptr);
  EXPECT_EQ(manifest->rows_read, 3);
  EXPECT_EQ(given_.dataset.id, dataset_.id);
  EXPECT_EQ(given_.lease, task_.lease);
  EXPECT_EQ(given_.extent, (Extent{Range{0, 10}, false}));
  ASSERT_EQ(given_.inputs.size(), 1u);
  EXPECT_EQ(given_.inputs[0].path, "a.parquet");
  ASSERT_EQ(progress_.size(), 1u);
  EXPECT_EQ(progress_[0].phase, TaskPhase::kReading);
  EXPECT_EQ(progress_[0].rows, 3);
  EXPECT_EQ(progress_[0].bytes, 30);
}

TEST_F(CompactionRunner, KeepsTheCodeOfAFailure) {
  compact_ = [](const CompactionOptions&) { return absl::ResourceExhaustedError("disk is full"); };
  ExpectFailure(absl::StatusCode::kResourceExhausted, "disk is full");
}

TEST_F(CompactionRunner, NoExceptionLeavesIt) {
  compact_ = [](const CompactionOptions&) -> absl::StatusOr<Manifest> {
    throw std::runtime_error("a page is broken");
  };
  ExpectFailure(absl::StatusCode::kInternal, "a page is broken");
}

TEST_F(CompactionRunner, AStopHidesWhateverFailedWithIt) {
  compact_ = [this](const CompactionOptions&) {
    stop_.request_stop();
    return absl::InternalError("a file is gone");
  };
  ExpectFailure(absl::StatusCode::kCancelled, "");
}

}  // namespace
}  // namespace headwater
