#include "worker/source/summed_extents.h"

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/source/dialect.h"

namespace headwater {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// Answers every question alike and remembers what it was told.
class ScriptedSession final : public SourceSession {
 public:
  ScriptedSession(DialectKind kind, std::vector<std::optional<std::string>> answer)
      : kind_(kind), answer_(std::move(answer)) {}

  const Dialect& dialect() const override { return DialectOf(kind_); }
  bool sound() const override { return true; }
  absl::StatusOr<std::vector<SourceColumn>> Describe(const std::string&) override {
    std::vector<SourceColumn> columns(2);
    columns[0].column = Column{"id", {TypeKind::kLong}, true};
    columns[0].type_name = "bigint";
    columns[1].column = Column{"ratio", {TypeKind::kDouble}, true};
    columns[1].type_name = "double";
    return columns;
  }
  absl::StatusOr<std::vector<TextRow>> Query(const std::string& sql) override {
    told.push_back(sql);
    return std::vector<TextRow>{answer_};
  }
  absl::Status Execute(const std::string& sql) override {
    told.push_back(sql);
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<SourceReader>> OpenReader(const DatasetSpec&, const Extent&,
                                                           const ReadOptions&) override {
    return absl::UnimplementedError("no reader");
  }
  void Cancel() override {}

  std::vector<std::string> told;

 private:
  const DialectKind kind_;
  const TextRow answer_;
};

DatasetSpec Events() {
  DatasetSpec dataset;
  dataset.relation = "events";
  dataset.cursor = "id";
  return dataset;
}

ReadOptions Options() {
  ReadOptions options;
  options.cursor_type = CursorType::kInteger;
  options.domain_end = kMax;
  options.query_tag = "run=r-1";
  options.within = "shard = 3";
  return options;
}

const std::vector<Extent> kTwo = {Extent{Range{0, 10}, false}, Extent{Range{10, 20}, false}};

TEST(SummedExtents, AreAskedForInOneSnapshotUnderTheTagOfTheRead) {
  ScriptedSession session(DialectKind::kPostgres, {"2", "2", "-1"});
  const auto sums = SumExtents(session, Events(), kTwo, Options(), ChecksumOptions{});
  ASSERT_TRUE(sums.ok()) << sums.status();
  EXPECT_THAT(sums->extents,
              ElementsAre(RowChecksum{2, ~uint64_t{0}}, RowChecksum{2, ~uint64_t{0}}));
  EXPECT_THAT(sums->differing, ElementsAre("ratio")) << "a double of MariaDB's name";
  EXPECT_THAT(session.told,
              ElementsAre("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
                          AllOf(HasSubstr("/* headwater run=r-1 */"), HasSubstr("shard = 3"),
                                HasSubstr("\"id\" >= 0 AND \"id\" < 10")),
                          HasSubstr("\"id\" >= 10 AND \"id\" < 20"), "ROLLBACK"));
}

TEST(SummedExtents, ASnapshotEndsAlsoWhenAnAnswerIsNone) {
  ScriptedSession session(DialectKind::kPostgres, {"2", "1", "7"});
  const auto sums = SumExtents(session, Events(), kTwo, Options(), ChecksumOptions{});
  EXPECT_EQ(sums.status().code(), absl::StatusCode::kDataLoss) << sums.status();
  ASSERT_EQ(session.told.size(), 3U);
  EXPECT_EQ(session.told.back(), "ROLLBACK");
}

TEST(SummedExtents, CountsAreOfTheSameRows) {
  ScriptedSession session(DialectKind::kMariaDb, {"5", "17"});
  const auto counts = CountExtents(session, Events(), kTwo, Options());
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_THAT(*counts, ElementsAre(ExtentCount{5, 17}, ExtentCount{5, 17}));
  EXPECT_THAT(session.told, ElementsAre(HasSubstr("START TRANSACTION WITH CONSISTENT SNAPSHOT"),
                                        AllOf(HasSubstr("run=r-1"), HasSubstr("shard = 3")),
                                        HasSubstr("`id` >= 10"), "ROLLBACK"));
}

TEST(SummedExtents, TheFastOneSumsOnSqlServerOnlyAndIsLikeNoOther) {
  ScriptedSession session(DialectKind::kSqlServer, {"2", "2", "-7"});
  const ChecksumOptions fast{.kind = ChecksumKind::kFast};
  const auto sums = SumExtents(session, Events(), kTwo, Options(), fast);
  ASSERT_TRUE(sums.ok()) << sums.status();
  EXPECT_THAT(sums->differing, ElementsAre("id", "ratio"));
  EXPECT_EQ(sums->extents[0], (RowChecksum{2, static_cast<uint64_t>(-7)}));
  EXPECT_THAT(session.told[0], HasSubstr("CHECKSUM_AGG(BINARY_CHECKSUM([id], [ratio]))"));
  ScriptedSession other(DialectKind::kPostgres, {"2", "2", "-7"});
  EXPECT_EQ(SumExtents(other, Events(), kTwo, Options(), fast).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(SummedExtents, ATablesColumnsAreSummedInItsOrderWithNullForThoseThatTheSourceLacks) {
  ScriptedSession session(DialectKind::kPostgres, {"0", "0", "0"});
  ChecksumOptions options;
  options.table = Schema{{{"gone", {TypeKind::kString}}, {"ratio", {TypeKind::kDouble}}}};
  auto sums = SumExtents(session, Events(), kTwo, Options(), options);
  ASSERT_TRUE(sums.ok()) << sums.status();
  ASSERT_EQ(sums->columns.columns.size(), 3U);
  EXPECT_EQ(sums->columns.columns[0].name, "gone");
  EXPECT_EQ(sums->columns.columns[2].name, "id") << "a new one comes last";
  EXPECT_THAT(session.told[1],
              HasSubstr("COALESCE('~', '~') || ',' || COALESCE(CASE WHEN \"ratio\""));
  options.table.columns.push_back({"id", {TypeKind::kLong}});
  options.table.columns.erase(options.table.columns.begin() + 1);
  options.policy = SchemaPolicy::kIgnore;
  sums = SumExtents(session, Events(), kTwo, Options(), options);
  ASSERT_TRUE(sums.ok()) << sums.status();
  EXPECT_EQ(sums->columns.columns.size(), 2U) << "what the table does not take is not summed";
}

}  // namespace
}  // namespace headwater
