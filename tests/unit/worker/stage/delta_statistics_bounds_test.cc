// Statistics of files as the staging writer makes them: one file a test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/fake_source.h"
#include "tests/support/temp_folder.h"
#include "worker/stage/delta_staging_writer.h"
#include "worker/stage/delta_statistics.h"

namespace headwater {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DeltaStatisticsTest : public ::testing::Test {
 protected:
  // The statistics of a file whose column `v` has these values, as JSON.
  std::string Of(const ColumnType& type, const std::vector<std::string>& values) {
    const Schema schema = {{{"at", {TypeKind::kTimestamp}}, {"v", type}}};
    StagingOptions options;
    options.dataset.id = {"table", "server"};
    options.dataset.server.name = "server";
    options.dataset.cursor = "at";
    options.dataset.target_uri = folder_.path() + "/table";
    options.lease = {"task", ++fence_};
    options.cursor_type = CursorType::kInstant;
    options.extent = {Range{0, 1}, false};
    options.domain_end = 1;
    options.source_schema = schema;
    options.loaded_at = absl::UnixEpoch();
    std::string rows;
    for (const std::string& value : values) {
      absl::StrAppend(&rows, rows.empty() ? "[" : ",", R"(["1970-01-01 00:00:00",)", value, "]");
    }
    auto writer = OpenParquetStaging(options);
    EXPECT_TRUE(writer.ok()) << writer.status();
    EXPECT_TRUE((*writer)->Write(*BatchOf(schema, rows + "]")).ok());
    const auto manifest = (*writer)->Finish();
    EXPECT_TRUE(manifest.ok()) << manifest.status();
    return manifest->pieces.at(0).files.at(0).stats_json;
  }

  TempFolder folder_;
  int64_t fence_ = 0;
};

// Matches statistics that hold this minimum and maximum of `v`.
auto Bounds(const std::string& min, const std::string& max) {
  return AllOf(
      HasSubstr(absl::StrCat(R"("minValues":{"at":"1970-01-01T00:00:00.000Z","v":)", min)),
      HasSubstr(absl::StrCat(R"("maxValues":{"at":"1970-01-01T00:00:00.000Z","v":)", max)));
}

// Matches statistics that have no bounds of any column, but counts.
auto NoBounds() {
  return AllOf(Not(HasSubstr("minValues")), Not(HasSubstr("maxValues")), HasSubstr("numRecords"),
               HasSubstr(R"("nullCount":{"at":0,"v":)"));
}

TEST_F(DeltaStatisticsTest, BooleansHaveBounds) {
  EXPECT_THAT(Of({TypeKind::kBoolean}, {"true", "null", "false"}), Bounds("false,", "true,"));
  EXPECT_THAT(Of({TypeKind::kBoolean}, {"true"}), Bounds("true,", "true,"));
}

TEST_F(DeltaStatisticsTest, DecimalsNeverHaveAnExponent) {
  const ColumnType type{TypeKind::kDecimal, 38, 10};
  EXPECT_THAT(Of(type, {R"("-0.0000000001")", R"("0.0000000001")"}),
              Bounds("-0.0000000001,", "0.0000000001,"));
  EXPECT_THAT(Of(type, {R"("-1.5")", R"("9999999999999999999999999999.9999999999")"}),
              Bounds("-1.5000000000,", "9999999999999999999999999999.9999999999,"));
  EXPECT_THAT(Of({TypeKind::kDecimal, 20, 0}, {R"("-7")", R"("0")"}), Bounds("-7,", "0,"));
}

TEST_F(DeltaStatisticsTest, OneColumnWithoutABoundLeavesOutAllBounds) {
  EXPECT_THAT(Of({TypeKind::kDouble}, {R"("nan")", "1"}), NoBounds());
  EXPECT_THAT(Of({TypeKind::kDouble}, {R"("inf")", "1"}), NoBounds());
  EXPECT_THAT(Of({TypeKind::kFloat}, {R"("-inf")", "1"}), NoBounds());
}

TEST_F(DeltaStatisticsTest, ColumnsWithoutValuesAndBinaryOnesNeedNoBounds) {
  EXPECT_THAT(Of({TypeKind::kDouble}, {"null"}), HasSubstr(R"("minValues":{"at":)"));
  EXPECT_THAT(Of({TypeKind::kBinary}, {R"("bytes")"}), HasSubstr(R"("minValues":{"at":)"));
}

TEST_F(DeltaStatisticsTest, ATextTooLongForParquetHasTheWidestBounds) {
  const std::string large = absl::StrCat("\"", std::string(1 << 16, 'm'), "\"");
  EXPECT_THAT(Of({TypeKind::kString}, {R"("a")", large}),
              Bounds("\"\",", absl::StrCat("\"", kTextCeiling, "\",")));
  const std::string above = absl::StrCat("\"", kTextCeiling, "x\"");
  EXPECT_THAT(Of({TypeKind::kString}, {above, large}), NoBounds());
  EXPECT_THAT(Of({TypeKind::kString}, {above}), Bounds(above, above));
}

TEST_F(DeltaStatisticsTest, TheLastMicrosecondOfTheYear9999IsABound) {
  EXPECT_THAT(Of({TypeKind::kTimestamp}, {R"("9999-12-31 23:59:59.999001")"}),
              Bounds(R"("9999-12-31T23:59:59.999Z")", R"("9999-12-31T23:59:59.999999Z")"));
  EXPECT_EQ(MillisUpperBound(1), "1970-01-01T00:00:00.001");
}

}  // namespace
}  // namespace headwater
