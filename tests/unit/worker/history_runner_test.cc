// A task about histories from offer to outcome, with work that a test's script does.
#include "worker/history_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>
#include <vector>

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class HistoryRunner : public ::testing::Test {
 protected:
  HistoryRunner() {
    dataset_.id = {"planes", "ewr"};
    task_.lease = {"task-1", 7};
  }

  template <typename Task>
  void Give(bool with_files = true) {
    Task task;
    task.histories = true;
    task.cursor_type = CursorType::kDate;
    task.table_schema.columns = {{"id", {TypeKind::kLong}}};
    if (with_files) task.base.emplace().files.emplace_back().path = "a.parquet";
    task_.kind = std::move(task);
  }

  Outcome Run() {
    const auto script = [this](const char* what) {
      return [this, what](const HistoryOptions& options, const std::stop_token&) {
        called_.emplace_back(what);
        given_ = options;
        return work_(options);
      };
    };
    Outcome outcome =
        RunHistories(dataset_, task_, {script("check"), script("mend")}, stop_.get_token(),
                     [this](const TaskProgress& progress) { progress_.push_back(progress); });
    EXPECT_EQ(outcome.lease, task_.lease);
    return outcome;
  }

  DatasetSpec dataset_;
  TaskSpec task_;
  HistoryOptions given_;
  std::vector<std::string> called_;
  std::function<absl::StatusOr<Manifest>(const HistoryOptions&)> work_ =
      [](const HistoryOptions& options) -> absl::StatusOr<Manifest> {
    options.progress(3);
    Manifest manifest;
    manifest.rows_read = 3;
    return manifest;
  };
  std::stop_source stop_;
  std::vector<TaskProgress> progress_;
};

TEST_F(HistoryRunner, OfAVerificationChecks) {
  Give<VerificationTask>();
  const Outcome outcome = Run();
  ASSERT_TRUE(std::holds_alternative<Verification>(outcome.result));
  EXPECT_EQ(std::get<Verification>(outcome.result).manifest.rows_read, 3);
  EXPECT_THAT(called_, testing::ElementsAre("check"));
  EXPECT_EQ(given_.lease, task_.lease);
  EXPECT_EQ(given_.cursor_type, CursorType::kDate);
  EXPECT_THAT(given_.table_schema.columns, SizeIs(1));
  ASSERT_THAT(given_.base.files, SizeIs(1));
  ASSERT_THAT(progress_, SizeIs(1));
  EXPECT_EQ(progress_[0].rows, 3);
}

TEST_F(HistoryRunner, OfAMicrobatchMends) {
  Give<MicrobatchTask>();
  EXPECT_TRUE(std::holds_alternative<Manifest>(Run().result));
  EXPECT_THAT(called_, testing::ElementsAre("mend"));
}

TEST_F(HistoryRunner, WithoutFilesToLookAtFails) {
  Give<MicrobatchTask>(false);
  const Outcome outcome = Run();
  EXPECT_EQ(std::get<Failure>(outcome.result).status.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(called_.empty());
}

TEST_F(HistoryRunner, AnErrorIsOfTheTaskAndNamesTheDataset) {
  Give<MicrobatchTask>();
  work_ = [](const HistoryOptions&) { return absl::ResourceExhaustedError("disk full"); };
  const Outcome outcome = Run();
  const auto* failure = std::get_if<Failure>(&outcome.result);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->kind, FailureKind::kTask);
  EXPECT_THAT(std::string(failure->status.message()), HasSubstr("planes on server ewr"));
}

TEST_F(HistoryRunner, WhatThrowsIsAFailure) {
  Give<VerificationTask>();
  work_ = [](const HistoryOptions&) -> absl::StatusOr<Manifest> {
    throw std::runtime_error("oops");
  };
  EXPECT_EQ(std::get<Failure>(Run().result).status.code(), absl::StatusCode::kInternal);
}

TEST_F(HistoryRunner, AStopComesFirst) {
  Give<MicrobatchTask>();
  stop_.request_stop();
  EXPECT_EQ(std::get<Failure>(Run().result).status.code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(called_.empty());
}

}  // namespace
}  // namespace headwater
