// What every staging writer must do, run on the Parquet writer for Delta.
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>

#include <filesystem>

#include "tests/contract/staging_fixture.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const Schema kSchema = {
    {{"id", {TypeKind::kLong}}, {"name", {TypeKind::kString}}, {"at", {TypeKind::kTimestamp}}}};

class StagingContract : public StagingFixture {
 protected:
  StagingContract() : StagingFixture(kSchema) {}

  Manifest Stage(const std::string& rows) {
    auto writer = Open();
    EXPECT_TRUE(writer->Write(*BatchOf(kSchema, rows)).ok());
    auto manifest = writer->Finish();
    EXPECT_TRUE(manifest.ok()) << manifest.status();
    return *std::move(manifest);
  }
};

constexpr char kRows[] = R"([[1, "a", "1970-01-01 05:00:00"], [2, null, "1970-01-02 00:00:00"],
                             [3, "c", null], [4, "d", "1970-01-03 00:00:00"],
                             [5, "e", "1970-01-01 06:00:00.000001"]])";

TEST_F(StagingContract, EachRowGoesToItsPieceAndPartition) {
  const Manifest manifest = Stage(kRows);
  ASSERT_EQ(manifest.pieces.size(), 3);
  EXPECT_EQ(manifest.pieces[0].fingerprint.rows, 2);
  EXPECT_EQ(manifest.pieces[0].max_cursor, 6 * kHour + 1);
  ASSERT_EQ(manifest.pieces[0].files.size(), 1);
  const StagedFile& file = manifest.pieces[0].files[0];
  EXPECT_THAT(file.path, StartsWith("server_source=ewr/cursor_day=1970-01-01/hw-7-p0-"));
  EXPECT_EQ(file.rows, 2);
  EXPECT_EQ(static_cast<uintmax_t>(file.size_bytes),
            std::filesystem::file_size(folder_.path() + "/flights/" + file.path));
  EXPECT_THAT(file.stats_json, HasSubstr(R"("numRecords":2)"));
  EXPECT_THAT(file.stats_json, HasSubstr(R"("at":"1970-01-01T06:00:00.001Z")"));
  EXPECT_EQ(manifest.pieces[1].fingerprint.rows, 1);
  EXPECT_TRUE(manifest.pieces[2].extent.outside);
  EXPECT_EQ(manifest.pieces[2].fingerprint.rows, 2);
  ASSERT_EQ(manifest.pieces[2].files.size(), 2);
  EXPECT_EQ(manifest.pieces[2].files[0].partition_values[1].second, std::nullopt);
  EXPECT_EQ(manifest.schema.columns.size(), 5);
  EXPECT_EQ(CountFiles(), 4);
}

TEST_F(StagingContract, PiecesWithoutRowsAreInTheManifest) {
  const Manifest manifest = Stage(R"([[1, "a", "1970-01-01 05:00:00"]])");
  ASSERT_EQ(manifest.pieces.size(), 3);
  EXPECT_EQ(manifest.pieces[1].fingerprint, Fingerprint());
  EXPECT_TRUE(manifest.pieces[1].files.empty());
}

TEST_F(StagingContract, ARowOutsideTheExtentIsRefusedByItsCursor) {
  options_.extent.outside = false;
  for (const char* rows : {R"([[1, "a", "1970-01-05 00:00:00"]])", R"([[1, "a", null]])"}) {
    auto writer = Open();
    const absl::Status status = writer->Write(*BatchOf(kSchema, rows));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_EQ(writer->Finish().status(), status);
  }
}

TEST_F(StagingContract, AnEqualKnownPieceIsUnchangedAndHasNoFiles) {
  const Manifest first = Stage(kRows);
  options_.known = {{first.pieces[0].extent, first.pieces[0].fingerprint, first.spec_version},
                    {first.pieces[1].extent, first.pieces[1].fingerprint, "another"}};
  const int before = CountFiles();
  const Manifest second = Stage(kRows);
  EXPECT_TRUE(second.pieces[0].unchanged);
  EXPECT_TRUE(second.pieces[0].files.empty());
  EXPECT_FALSE(second.pieces[1].unchanged);
  EXPECT_EQ(CountFiles(), before + 3);
}

// Readers skip by the bounds of row groups and pages, which are narrow where rows are in order.
TEST_F(StagingContract, RowsAreInTheOrderOfTheirCursor) {
  options_.dataset.partition_by = {};
  options_.extent = {Range{0, 2 * kDay}, false};
  options_.cuts = {};
  auto writer = Open();
  ASSERT_TRUE(writer
                  ->Write(*BatchOf(kSchema, R"([[1, "a", "1970-01-02 05:00:00"],
                                                  [2, "b", "1970-01-01 05:00:00"]])"))
                  .ok());
  ASSERT_TRUE(writer
                  ->Write(*BatchOf(kSchema, R"([[3, "c", "1970-01-01 04:00:00"],
                                                  [4, "d", "1970-01-01 05:00:00"]])"))
                  .ok());
  const auto manifest = writer->Finish();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  ASSERT_EQ(manifest->pieces.at(0).files.size(), 1);
  const std::string path = folder_.path() + "/flights/" + manifest->pieces[0].files[0].path;
  auto file = arrow::io::ReadableFile::Open(path).ValueOrDie();
  auto reader = parquet::arrow::OpenFile(file, arrow::default_memory_pool()).ValueOrDie();
  const std::shared_ptr<arrow::Table> table = reader->ReadTable().ValueOrDie();
  const auto ids = std::static_pointer_cast<arrow::Int64Array>(table->column(0)->chunk(0));
  EXPECT_THAT(std::vector<int64_t>(ids->raw_values(), ids->raw_values() + ids->length()),
              ElementsAre(3, 2, 4, 1));
}

TEST_F(StagingContract, AnUnfinishedWriterLeavesNoFiles) {
  options_.memory_bytes = 1;  // Every batch reaches the disk at once.
  {
    auto writer = Open();
    ASSERT_TRUE(writer->Write(*BatchOf(kSchema, kRows)).ok());
    EXPECT_EQ(CountFiles(), 4);
  }
  EXPECT_EQ(CountFiles(), 0);
}

TEST_F(StagingContract, FingerprintsOnlyWritesNothing) {
  const Manifest staged = Stage(kRows);
  options_.fingerprints_only = true;
  options_.dataset.target_uri = "file://" + folder_.path() + "/other";
  const Manifest verified = Stage(kRows);
  EXPECT_EQ(verified.pieces[0].fingerprint, staged.pieces[0].fingerprint);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/other"));
}

}  // namespace
}  // namespace headwater
