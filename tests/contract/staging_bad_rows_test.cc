// Rows that do not fit, as a staging writer has to take them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/contract/staging_fixture.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const Schema kSchema = {{{"id", {TypeKind::kLong}}, {"at", {TypeKind::kTimestamp}}}};

BadRow Bad(int id, std::optional<int64_t> cursor) {
  const std::string key = absl::StrCat("{\"id\":\"", id, "\"}");
  return {"id", key, absl::StrCat("x", id), "expected a long", key, cursor};
}

class StagingBadRows : public StagingFixture {
 protected:
  StagingBadRows() : StagingFixture(kSchema) {
    options_.dataset.on_bad_row = BadRowPolicy::kQuarantine;
  }

  absl::StatusOr<Manifest> Stage(const std::string& rows, const std::vector<BadRow>& bad) {
    auto writer = OpenParquetStaging(options_);
    if (!writer.ok()) return writer.status();
    const RowBatch batch(BatchOf(kSchema, rows)->arrow(), bad, /*truncated_values=*/2);
    if (absl::Status written = (*writer)->Write(batch); !written.ok()) return written;
    return (*writer)->Finish();
  }
};

constexpr char kRows[] = R"([[1, "1970-01-01 05:00:00"], [2, "1970-01-02 00:00:00"]])";

TEST_F(StagingBadRows, CountInTheirPieceAndAreInAFileOfTheirOwn) {
  const auto manifest =
      Stage(kRows, {Bad(3, kDay - 1), Bad(4, std::nullopt), Bad(5, 2 * kDay), Bad(6, 5)});
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->rows_read, 6);
  EXPECT_EQ(manifest->truncated_values, 2);
  const StagedPiece& first = manifest->pieces[0];
  EXPECT_EQ(first.fingerprint.rows, 3);
  EXPECT_EQ(first.bad_rows, 2);
  EXPECT_EQ(first.max_cursor, kDay - 1);  // As the source counts it.
  ASSERT_EQ(first.bad_files.size(), 1u);
  EXPECT_THAT(first.bad_files[0].path, StartsWith("server_source=ewr/hw-7-p0-"));
  EXPECT_EQ(first.bad_files[0].rows, 2);
  EXPECT_THAT(first.bad_files[0].stats_json, HasSubstr(R"("numRecords":2)"));
  EXPECT_EQ(static_cast<uintmax_t>(first.bad_files[0].size_bytes),
            std::filesystem::file_size(folder_.path() + "/flights__quarantine/" +
                                       first.bad_files[0].path));
  EXPECT_EQ(first.files[0].rows, 1);
  EXPECT_EQ(manifest->pieces[1].bad_rows, 0);
  EXPECT_EQ(manifest->pieces[2].bad_rows, 2);
  EXPECT_EQ(CountFiles("flights__quarantine"), 2);
}

TEST_F(StagingBadRows, ABatchMayHoldNothingElse) {
  const auto manifest = Stage("[]", {Bad(3, 1)});
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->pieces[0].fingerprint.rows, 1);
  EXPECT_TRUE(manifest->pieces[0].files.empty());
}

TEST_F(StagingBadRows, AnEqualPieceIsUnchangedAndHasNoFiles) {
  const auto first = Stage(kRows, {Bad(3, 1)});
  ASSERT_TRUE(first.ok());
  options_.known = {{first->pieces[0].extent, first->pieces[0].fingerprint, first->spec_version}};
  const auto same = Stage(kRows, {Bad(3, 1)});
  ASSERT_TRUE(same.ok());
  EXPECT_TRUE(same->pieces[0].unchanged);
  EXPECT_TRUE(same->pieces[0].bad_files.empty());
  EXPECT_EQ(same->pieces[0].bad_rows, 1);
  EXPECT_EQ(CountFiles("flights__quarantine"), 1);
  EXPECT_FALSE(Stage(kRows, {Bad(4, 1)})->pieces[0].unchanged);
  EXPECT_FALSE(Stage(kRows, {})->pieces[0].unchanged);
}

TEST_F(StagingBadRows, FingerprintsOnlyCountsThemAndWritesNothing) {
  const auto staged = Stage(kRows, {Bad(3, 1)});
  const int files = CountFiles("flights__quarantine");
  options_.fingerprints_only = true;
  const auto verified = Stage(kRows, {Bad(3, 1)});
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(verified->pieces[0].fingerprint, staged->pieces[0].fingerprint);
  EXPECT_EQ(CountFiles("flights__quarantine"), files);
}

TEST_F(StagingBadRows, MoreThanTheLimitAreAnErrorThatNamesTheFirst) {
  options_.dataset.max_bad_rows = {.rows = 2};
  EXPECT_TRUE(Stage(kRows, {Bad(3, 1), Bad(4, 1)}).ok());
  const int files = CountFiles("flights__quarantine");
  const absl::Status status = Stage(kRows, {Bad(3, 1), Bad(4, 1), Bad(5, 1)}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("max_bad_rows: 2"), HasSubstr("'x3'"), HasSubstr("'x5'")));
  EXPECT_EQ(CountFiles("flights__quarantine"), files);
}

TEST_F(StagingBadRows, AShareIsOfAllRowsThatWereRead) {
  options_.dataset.max_bad_rows = {.rows = 0, .percent = 50};
  EXPECT_TRUE(Stage(kRows, {Bad(3, 1), Bad(4, 1)}).ok());
  const absl::Status status = Stage(kRows, {Bad(3, 1), Bad(4, 1), Bad(5, 1)}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("3 of 5 rows do not fit"));
}

TEST_F(StagingBadRows, OneOutsideTheExtentIsAnError) {
  options_.extent.outside = false;
  EXPECT_EQ(Stage(kRows, {Bad(3, std::nullopt)}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Stage(kRows, {Bad(3, -1)}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CountFiles("flights__quarantine"), 0);
}

}  // namespace
}  // namespace headwater
