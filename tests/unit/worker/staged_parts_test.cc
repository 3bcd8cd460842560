#include "worker/staged_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kVersion = "columns 1";
const Schema kSchema = {{{"id", {TypeKind::kLong}}}};
const Extent kWhole = {Range{0, 1}, false};

// Files as the writers leave them: one for each, named by its number.
class Files {
 public:
  void Add(const std::string& file) {
    absl::MutexLock lock(&mutex_);
    files_.insert(file);
  }
  void Remove(const std::string& file) {
    absl::MutexLock lock(&mutex_);
    files_.erase(file);
  }
  void Finish() {
    absl::MutexLock lock(&mutex_);
    ++finished_;
  }
  void AwaitTwoFinished() const {
    const absl::MutexLock lock(&mutex_, absl::Condition(this, &Files::TwoFinished));
  }
  std::set<std::string> all() const {
    absl::MutexLock lock(&mutex_);
    return files_;
  }

 private:
  bool TwoFinished() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return finished_ == 2; }

  mutable absl::Mutex mutex_;
  std::set<std::string> files_ ABSL_GUARDED_BY(mutex_);
  int finished_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Breaks when two writers have described what they staged.
class LateReader final : public SourceReader {
 public:
  explicit LateReader(const Files& files) : files_(files) {}
  const Schema& schema() const override { return kSchema; }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override {
    files_.AwaitTwoFinished();
    return absl::DataLossError("not a number");
  }
  void Cancel() override {}

 private:
  const Files& files_;
};

class CountingWriter final : public StagingWriter {
 public:
  CountingWriter(Files& files, std::string name, absl::Status write)
      : files_(files), name_(std::move(name)), write_(std::move(write)) {}
  ~CountingWriter() override {
    if (!finished_) files_.Remove(name_);
  }
  absl::Status Write(const RowBatch& batch) override {
    files_.Add(name_);
    rows_ += batch.rows();
    return write_;
  }
  absl::StatusOr<Manifest> Finish() override {
    finished_ = true;
    files_.Finish();
    StagedFile file;
    file.path = name_;
    file.size_bytes = 10;
    StagedPiece piece;
    piece.extent = kWhole;
    piece.fingerprint.rows = rows_;
    piece.files.push_back(file);
    Manifest manifest;
    manifest.pieces.push_back(std::move(piece));
    manifest.rows_read = rows_;
    manifest.spec_version = kVersion;
    return manifest;
  }
  absl::Status Remove(const StagedPiece& piece) override {
    EXPECT_TRUE(finished_);
    for (const StagedFile& file : piece.files) files_.Remove(file.path);
    return absl::OkStatus();
  }

 private:
  Files& files_;
  const std::string name_;
  const absl::Status write_;
  int64_t rows_ = 0;
  bool finished_ = false;
};

class StagedParts : public ::testing::Test {
 protected:
  StagedParts() {
    scripts_ = {{kSchema, {"[[1], [2]]", "[[3]]"}, absl::OkStatus(), false},
                {kSchema, {"[[4]]"}, absl::OkStatus(), false},
                {kSchema, {}, absl::OkStatus(), false}};
    staging_.extent = kWhole;
    staging_.memory_bytes = 300;
    staging_.known = {{kWhole, Fingerprint(), kVersion}};
  }

  std::variant<Manifest, SidedError> Run() {
    std::vector<std::unique_ptr<SourceReader>> readers;
    for (const FakeScript& script : scripts_) {
      readers.push_back(std::make_unique<FakeReader>(script));
    }
    if (breaks_late_) readers.push_back(std::make_unique<LateReader>(files_));
    const StagingFactory open =
        [&](const StagingOptions& options) -> absl::StatusOr<std::unique_ptr<StagingWriter>> {
      EXPECT_EQ(options.memory_bytes, 100);
      EXPECT_THAT(options.known, IsEmpty());
      EXPECT_EQ(options.source_schema, kSchema);
      absl::MutexLock lock(&mutex_);
      return std::make_unique<CountingWriter>(files_, absl::StrCat("file", ++opened_), write_);
    };
    return StageParts(std::move(readers), staging_, open, stop_.get_token(), progress_);
  }

  // Whose failure a stop is depends on where it finds the part.
  void ExpectFailure(std::optional<FailureKind> kind, absl::StatusCode code,
                     const std::string& words) {
    const auto result = Run();
    const auto* error = std::get_if<SidedError>(&result);
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->kind, kind.value_or(error->kind));
    EXPECT_EQ(error->status.code(), code) << error->status;
    EXPECT_THAT(std::string(error->status.message()), HasSubstr(words));
    EXPECT_THAT(files_.all(), IsEmpty());
  }

  std::vector<FakeScript> scripts_;
  StagingOptions staging_;
  bool breaks_late_ = false;
  absl::Status write_;
  std::stop_source stop_;
  ProgressCallback progress_;
  Files files_;
  absl::Mutex mutex_;
  int opened_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST_F(StagedParts, TogetherHaveEveryRowAndEveryFile) {
  std::vector<TaskProgress> seen;
  progress_ = [&](const TaskProgress& now) { seen.push_back(now); };
  const auto result = Run();
  const auto* manifest = std::get_if<Manifest>(&result);
  ASSERT_NE(manifest, nullptr);
  EXPECT_EQ(manifest->rows_read, 4);
  ASSERT_EQ(manifest->pieces.size(), 1U);
  EXPECT_EQ(manifest->pieces[0].fingerprint.rows, 4);
  EXPECT_EQ(manifest->pieces[0].files.size(), 3U);
  EXPECT_FALSE(manifest->pieces[0].unchanged);
  EXPECT_EQ(seen.back().rows, 4);
  EXPECT_EQ(seen.back().phase, TaskPhase::kFinishing);
}

TEST_F(StagedParts, AWholeThatIsUnchangedLeavesNoFile) {
  staging_.known[0].fingerprint.rows = 4;
  const auto result = Run();
  const auto* manifest = std::get_if<Manifest>(&result);
  ASSERT_NE(manifest, nullptr);
  EXPECT_TRUE(manifest->pieces[0].unchanged);
  EXPECT_THAT(files_.all(), IsEmpty());
}

TEST_F(StagedParts, TheFirstFailureStopsTheOthersAndIsTheAnswer) {
  scripts_[0].blocks_at_end = true;
  scripts_[1].end = absl::UnavailableError("terminating connection");
  scripts_[2].blocks_at_end = true;
  ExpectFailure(FailureKind::kSource, absl::StatusCode::kUnavailable, "terminating connection");
}

TEST_F(StagedParts, FilesOfPartsThatHaveFinishedGoToo) {
  scripts_.pop_back();
  breaks_late_ = true;
  ExpectFailure(FailureKind::kSource, absl::StatusCode::kDataLoss, "not a number");
}

TEST_F(StagedParts, AWriterThatCannotWriteIsTheTasks) {
  write_ = absl::ResourceExhaustedError("disk full");
  scripts_[2].blocks_at_end = true;
  ExpectFailure(FailureKind::kTask, absl::StatusCode::kResourceExhausted, "disk full");
}

TEST_F(StagedParts, WhatAPartThrowsIsTheTasks) {
  progress_ = [](const TaskProgress&) { throw std::runtime_error("bug"); };
  ExpectFailure(FailureKind::kTask, absl::StatusCode::kInternal, "bug");
}

TEST_F(StagedParts, AStopWakesEveryBlockedPart) {
  for (FakeScript& script : scripts_) script.blocks_at_end = true;
  progress_ = [&](const TaskProgress& now) {
    if (now.rows == 4) stop_.request_stop();
  };
  ExpectFailure(std::nullopt, absl::StatusCode::kCancelled, "");
}

}  // namespace
}  // namespace headwater
