#include "worker/source/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace headwater {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A table of one timestamp column that nobody has written to, and what it was asked.
class AskedSession : public SourceSession {
 public:
  const Dialect& dialect() const override { return DialectOf(DialectKind::kSqlite); }
  bool sound() const override { return true; }
  absl::StatusOr<std::vector<SourceColumn>> Describe(const std::string&) override {
    std::vector<SourceColumn> columns(2);
    columns[0].column = {"at", {.kind = cursor}, true};
    columns[1].column = {"shape", {.kind = TypeKind::kString}, true};
    columns[1].notice = "'shape' is read as text";
    return columns;
  }
  absl::StatusOr<std::vector<TextRow>> Query(const std::string& sql) override {
    asked.push_back(sql);
    if (absl::StrContains(sql, "headwater probe")) {
      clock = clock_after;
      return std::vector<TextRow>{{bound, bound, "2", "0"}};
    }
    if (absl::StrContains(sql, "rowid")) return std::vector<TextRow>{{"41"}};
    if (absl::StrContains(sql, "IS NOT NULL LIMIT 1")) return std::vector<TextRow>{{std::nullopt}};
    return std::vector<TextRow>{{clock}};
  }
  absl::Status Execute(const std::string&) override { return absl::OkStatus(); }
  absl::StatusOr<std::unique_ptr<SourceReader>> OpenReader(const DatasetSpec&, const Extent&,
                                                           const ReadOptions&) override {
    return absl::UnimplementedError("only probed");
  }
  void Cancel() override {}

  std::vector<std::string> asked;
  std::optional<std::string> bound;
  TypeKind cursor = TypeKind::kTimestampNtz;
  std::string clock = "2013-07-01 12:00:00";
  std::string clock_after = "2013-07-01 12:00:03";  // Once rows have been seen.
};

DatasetSpec Deals() {
  DatasetSpec dataset;
  dataset.relation = "deals";
  dataset.strategy = Strategy::kIncremental;
  dataset.cursor = "at";
  dataset.cursor_timezone = "UTC";
  dataset.unit = {.kind = Unit::Kind::kDay, .count = 1};
  return dataset;
}

TEST(Probe, ABoundByTheClockAsksForNoMinimumAndNoMaximum) {
  AskedSession session;
  DatasetSpec dataset = Deals();
  dataset.clock_bound = true;
  const auto probed = RunProbe(session, dataset, ProbeTask());
  ASSERT_TRUE(probed.ok()) << probed.status();
  ASSERT_TRUE(probed->bound.has_value());
  EXPECT_EQ(absl::FromUnixMicros(*probed->bound), probed->source_clock);
  EXPECT_FALSE(probed->minimum.has_value());
  EXPECT_EQ(probed->null_rows, 2);
  EXPECT_THAT(session.asked,
              Each(AllOf(Not(HasSubstr("MIN(\"at\")")), Not(HasSubstr("MAX(\"at\")")))));
}

TEST(Probe, SaysWhatThereIsToKnowOfSelectedColumns) {
  AskedSession session;
  DatasetSpec dataset = Deals();
  const auto probed = RunProbe(session, dataset, ProbeTask());
  ASSERT_TRUE(probed.ok()) << probed.status();
  EXPECT_THAT(probed->notices, ElementsAre("'shape' is read as text"));
  dataset.exclude_columns = {"shape"};
  EXPECT_THAT(RunProbe(session, dataset, ProbeTask())->notices, IsEmpty());
}

TEST(Probe, AClockMayHaveMoreDigitsThanMicroseconds) {
  AskedSession session;
  session.clock = "2013-07-01T12:00:00.1234567";  // SQL Server's.
  const auto probed = RunProbe(session, Deals(), ProbeTask());
  ASSERT_TRUE(probed.ok()) << probed.status();
  EXPECT_EQ(absl::ToUnixMicros(probed->source_clock) % 1'000'000, 123'456);
}

// A transaction may begin and take a number between the clock and the rows. It was open when the
// rows were seen, so the clock that later ones are compared with must not be older than it.
TEST(Probe, AnIntegerCursorGetsTheClockThatWasReadAfterItsRows) {
  AskedSession session;
  session.cursor = TypeKind::kLong;
  const auto probed = RunProbe(session, Deals(), ProbeTask());
  ASSERT_TRUE(probed.ok()) << probed.status();
  EXPECT_EQ(absl::ToCivilSecond(probed->source_clock, absl::UTCTimeZone()),
            absl::CivilSecond(2013, 7, 1, 12, 0, 3));
}

TEST(Probe, ATimestampGetsTheClockThatItsBoundWasAskedWith) {
  AskedSession session;
  const auto probed = RunProbe(session, Deals(), ProbeTask());
  ASSERT_TRUE(probed.ok()) << probed.status();
  EXPECT_EQ(absl::ToCivilSecond(probed->source_clock, absl::UTCTimeZone()),
            absl::CivilSecond(2013, 7, 1, 12, 0, 0));
}

TEST(Probe, ABoundFinerThanAMicrosecondIsCutOrRefused) {
  AskedSession session;
  session.bound = "2013-07-01 00:00:00.9999999";
  DatasetSpec dataset = Deals();
  const absl::Status refused = RunProbe(session, dataset, ProbeTask()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("on_fine_time: truncate"));
  dataset.truncate_fine_time = true;
  const auto probed = RunProbe(session, dataset, ProbeTask());
  ASSERT_TRUE(probed.ok()) << probed.status();
  EXPECT_EQ(*probed->bound % 1'000'000, 999'999);
}

TEST(Probe, WithoutRowsThereIsNoBound) {
  AskedSession session;
  const auto probed = RunProbe(session, Deals(), ProbeTask());
  ASSERT_TRUE(probed.ok()) << probed.status();
  EXPECT_FALSE(probed->bound.has_value());
}

TEST(Probe, EstimatesAreMadeForPlansOnly) {
  AskedSession session;
  const auto tick = RunProbe(session, Deals(), ProbeTask());
  ASSERT_TRUE(tick.ok()) << tick.status();
  EXPECT_EQ(tick->estimated_rows, -1);
  EXPECT_THAT(session.asked, Each(Not(HasSubstr("rowid"))));
  ProbeTask plan;
  plan.estimates = true;
  const auto planned = RunProbe(session, Deals(), plan);
  ASSERT_TRUE(planned.ok()) << planned.status();
  EXPECT_EQ(planned->estimated_rows, 41);
}

}  // namespace
}  // namespace headwater
