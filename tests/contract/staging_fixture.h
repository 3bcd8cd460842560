// What tests of a staging writer start from.
#ifndef HEADWATER_TESTS_CONTRACT_STAGING_FIXTURE_H_
#define HEADWATER_TESTS_CONTRACT_STAGING_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/temp_folder.h"
#include "worker/stage/delta_staging_writer.h"

namespace headwater {

inline constexpr int64_t kHour = 3'600'000'000;
inline constexpr int64_t kDay = 24 * kHour;

// The table `flights` in a folder of its own, partitioned by day of the cursor `at`. What is staged
// for it has two days from 1970-01-01, cut between them, and what is outside of them.
class StagingFixture : public ::testing::Test {
 protected:
  explicit StagingFixture(Schema schema) {
    options_.dataset.id = {"flights", "ewr"};
    options_.dataset.server.name = "ewr";
    options_.dataset.cursor = "at";
    options_.dataset.partition_by = {Unit::Kind::kDay, 1};
    options_.dataset.target_uri = folder_.path() + "/flights";
    options_.lease = {"t", 7};
    options_.cursor_type = CursorType::kInstant;
    options_.extent = {Range{0, 2 * kDay}, true};
    options_.cuts = {kDay};
    options_.domain_end = 2 * kDay;
    options_.source_schema = std::move(schema);
    options_.loaded_at = absl::UnixEpoch();
  }

  std::unique_ptr<StagingWriter> Open() {
    auto writer = OpenParquetStaging(options_);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return *std::move(writer);
  }

  // Files below a folder of ours; all, if none is named.
  int CountFiles(const std::string& below = "") const {
    int files = 0;
    const std::string path = folder_.path() + "/" + below;
    if (!std::filesystem::exists(path)) return 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      files += entry.is_regular_file() ? 1 : 0;
    }
    return files;
  }

  TempFolder folder_;
  StagingOptions options_;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_STAGING_FIXTURE_H_
