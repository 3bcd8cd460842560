// Staging where there is little room: a full disk, a limit on files, and many partitions at once.
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <random>

#include "common/base/failpoint.h"
#include "common/data/arrow_schema.h"
#include "tests/contract/staging_fixture.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

const Schema kSchema = {{{"at", {TypeKind::kDate}}, {"text", {TypeKind::kString}}}};
constexpr int64_t kMiB = 1 << 20;

class StagingDisk : public StagingFixture {
 protected:
  StagingDisk() : StagingFixture(kSchema) {
    options_.cursor_type = CursorType::kDate;
    options_.domain_end = 100'000;
    options_.extent = {Range{0, options_.domain_end}, false};
    options_.cuts.clear();
  }

  // `rows` rows with `text_bytes` random bytes each, that no codec makes much smaller; row i is of
  // day i % days.
  RowBatch Batch(int rows, int text_bytes, int days) {
    arrow::Date32Builder at(ArrowPool());
    arrow::StringBuilder text(ArrowPool());
    std::string value(text_bytes, 'x');
    for (int row = 0; row < rows; ++row) {
      for (char& c : value) c = static_cast<char>(' ' + random_() % 95);
      EXPECT_TRUE(at.Append(row % days).ok());
      EXPECT_TRUE(text.Append(value).ok());
    }
    return RowBatch(
        arrow::RecordBatch::Make(ToArrow(kSchema), rows, {*at.Finish(), *text.Finish()}));
  }

  void ExpectFull(const absl::Status& status) const {
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("make room in folder '" + folder_.path()));
  }

  // Fills what there is at Write(), then at Finish(); both must leave nothing, and be forgotten as
  // soon as less is wanted.
  void ExpectThatFullIsSurvived() {
    for (const int64_t memory_bytes : {int64_t{1}, 64 * kMiB}) {
      options_.memory_bytes = memory_bytes;
      {
        auto writer = Open();
        const absl::Status written = writer->Write(Batch(64, 64 << 10, /*days=*/4));
        EXPECT_EQ(written.ok(), memory_bytes != 1) << written;
        const absl::Status finished = writer->Finish().status();
        ExpectFull(finished);
        if (!written.ok()) {
          EXPECT_EQ(finished, written);
        }
      }
      EXPECT_EQ(CountFiles(), 0);
      auto writer = Open();
      EXPECT_TRUE(writer->Write(Batch(8, 1024, /*days=*/4)).ok());
      const auto manifest = writer->Finish();
      ASSERT_TRUE(manifest.ok()) << manifest.status();
      EXPECT_EQ(CountFiles(), 4);
      writer.reset();
      std::filesystem::remove_all(folder_.path() + "/flights");
    }
  }

  std::mt19937 random_{1};
};

// A file system of its own over a folder, while it lives.
class SmallDisk {
 public:
  SmallDisk(std::string folder, const char* options) : folder_(std::move(folder)) {
    error_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, options) == 0 ? 0 : errno;
  }
  ~SmallDisk() {
    if (error_ == 0) umount2(folder_.c_str(), MNT_DETACH);
  }
  int error() const { return error_; }

 private:
  const std::string folder_;
  int error_;
};

// Without the right to mount the case cannot run. That is no reason to fail, except for root on a
// CI machine, which is expected to have it. The limit on files below runs everywhere.
#define MOUNT_OR_SKIP(disk)                                                                \
  if (disk.error() != 0) {                                                                 \
    if (geteuid() == 0 && std::getenv("CI") != nullptr) {                                  \
      FAIL() << "root cannot mount a tmpfs: " << std::strerror(disk.error());              \
    }                                                                                      \
    GTEST_SKIP() << "NOT RUN: cannot mount a tmpfs here: " << std::strerror(disk.error()); \
  }

TEST_F(StagingDisk, FoldersThatAnotherAttemptMadeAreMadeDurableAsWell) {
  const auto stage = [this] {
    auto writer = Open();
    EXPECT_TRUE(writer->Write(Batch(1, 8, /*days=*/1)).ok());
    return writer->Finish().status();
  };
  // That attempt has not come to syncing their names, and never will.
  std::filesystem::create_directories(options_.dataset.target_uri +
                                      "/server_source=ewr/cursor_day=1970-01-01");
  const char kSecond[] = "stage.before_folder_sync=2:error:UNAVAILABLE";
  ASSERT_TRUE(ArmFailpoints(kSecond).ok());
  EXPECT_EQ(stage().code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(ArmFailpoints("").ok());
  EXPECT_TRUE(stage().ok());
  // Once is enough: from now on only the files' own folder is synced.
  ASSERT_TRUE(ArmFailpoints(kSecond).ok());
  EXPECT_TRUE(stage().ok());
  ASSERT_TRUE(ArmFailpoints("").ok());
}

TEST_F(StagingDisk, FoldersThatWereRemovedAndMadeAgainAreMadeDurableOnceMore) {
  const auto stage = [this] {
    auto writer = Open();
    EXPECT_TRUE(writer->Write(Batch(1, 8, /*days=*/1)).ok());
    return writer->Finish().status();
  };
  ASSERT_TRUE(stage().ok());
  std::filesystem::remove_all(options_.dataset.target_uri);
  std::filesystem::create_directory(folder_.path() + "/takes-its-place");  // Also as an inode.
  ASSERT_TRUE(ArmFailpoints("stage.before_folder_sync=2:error:UNAVAILABLE").ok());
  EXPECT_EQ(stage().code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(ArmFailpoints("").ok());
}

TEST_F(StagingDisk, TheFolderAboveTheTableMayBeSomebodyElses) {
  std::filesystem::create_directories(options_.dataset.target_uri);
  for (const auto& [failpoint, code] :
       {std::pair("stage.before_folder_sync=1:error:PERMISSION_DENIED", absl::StatusCode::kOk),
        std::pair("stage.before_folder_sync=2:error:PERMISSION_DENIED",
                  absl::StatusCode::kPermissionDenied)}) {
    options_.dataset.target_uri += "x";  // Of which this process knows nothing.
    std::filesystem::create_directories(options_.dataset.target_uri);
    auto writer = Open();
    EXPECT_TRUE(writer->Write(Batch(1, 8, /*days=*/1)).ok());
    ASSERT_TRUE(ArmFailpoints(failpoint).ok());
    EXPECT_EQ(writer->Finish().status().code(), code) << failpoint;
    ASSERT_TRUE(ArmFailpoints("").ok());
  }
}

TEST_F(StagingDisk, AFullDiskIsSaidAndLeavesNoFiles) {
  const SmallDisk disk(folder_.path(), "size=1m");
  MOUNT_OR_SKIP(disk);
  ExpectThatFullIsSurvived();
}

TEST_F(StagingDisk, ADiskWithoutRoomForFoldersIsSaidToo) {
  const SmallDisk disk(folder_.path(), "size=1m,nr_inodes=3");
  MOUNT_OR_SKIP(disk);
  options_.memory_bytes = 1;
  auto writer = Open();
  ExpectFull(writer->Write(Batch(8, 10, /*days=*/4)));
  writer.reset();
  EXPECT_EQ(CountFiles(), 0);
}

TEST_F(StagingDisk, ALimitOnTheSizeOfFilesIsAFullDisk) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {static_cast<rlim_t>(kMiB) / 8, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  ExpectThatFullIsSurvived();
  EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
}

TEST_F(StagingDisk, MemoryStaysWithinItsBudgetWithFourHundredPartitions) {
  constexpr int kPartitions = 400, kBatches = 18, kRows = 8192, kTextBytes = 120;
  // Beside the budget: two batches on their way, and what 128 open files remember.
  constexpr int64_t kBeside = 8 * kMiB;
  options_.memory_bytes = 4 * kMiB;
  const int64_t before = ArrowPool()->bytes_allocated();
  auto writer = Open();
  int64_t most = 0, sent = 0;
  for (int i = 0; i < kBatches; ++i) {
    {
      const RowBatch batch = Batch(kRows, kTextBytes, kPartitions);
      sent += batch.size_bytes();
      ASSERT_TRUE(writer->Write(batch).ok());
    }
    most = std::max(most, ArrowPool()->bytes_allocated() - before);
  }
  RecordProperty("most_bytes", std::to_string(most));
  EXPECT_LE(most, options_.memory_bytes + kBeside);
  EXPECT_GT(sent, 1.3 * (options_.memory_bytes + kBeside)) << "too few rows to prove anything";
  const auto manifest = writer->Finish();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  int64_t rows = 0;
  for (const StagedFile& file : manifest->pieces.at(0).files) rows += file.rows;
  EXPECT_EQ(rows, kBatches * kRows);
  EXPECT_GE(manifest->pieces[0].files.size(), static_cast<size_t>(kPartitions));
  writer.reset();
  EXPECT_LE(ArrowPool()->bytes_allocated(), before);
}

}  // namespace
}  // namespace headwater
