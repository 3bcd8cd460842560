// The search against a source that sums what it holds: random rows, random differences.
#include "worker/compare/difference_search.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/data/row_checksum.h"
#include "tests/support/fake_source.h"
#include "tests/support/temp_folder.h"
#include "worker/stage/parquet_writer.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Schema kSchema{{{"id", {TypeKind::kLong}}, {"value", {TypeKind::kLong}}}};
using Rows = std::map<int64_t, int64_t>;

std::unique_ptr<RowBatch> BatchOfRows(const Rows& rows) {
  std::string json = "[";
  for (const auto& [id, value] : rows)
    absl::StrAppend(&json, json.size() > 1 ? ", " : "", "[", id, ", ", value, "]");
  return BatchOf(kSchema, json + "]");
}

// Conditions are "from:to" of the key, either of them perhaps empty.
class SummingSource final : public Source {
 public:
  explicit SummingSource(Rows rows) : rows_(std::move(rows)) {}

  absl::StatusOr<ProbeResult> Probe(const DatasetSpec&, const ProbeTask&,
                                    std::stop_token) override {
    return absl::UnimplementedError("no probe");
  }
  absl::StatusOr<std::unique_ptr<SourceReader>> Read(const DatasetSpec&, const Extent&,
                                                     const ReadOptions&, std::stop_token) override {
    return absl::UnimplementedError("nothing is read");
  }
  absl::StatusOr<ExtentChecksums> Checksums(const DatasetSpec&, const std::vector<Extent>&,
                                            const ReadOptions&, const ChecksumOptions&,
                                            std::stop_token) override {
    return ExtentChecksums{kSchema, differing, {}};
  }
  absl::StatusOr<DividingKey> KeyToDivideBy(const DatasetSpec&, const ReadOptions&,
                                            std::stop_token) override {
    return key;
  }
  absl::StatusOr<PartChecksums> ChecksumParts(const DatasetSpec&, const Extent&,
                                              const ReadOptions& options, const ChecksumOptions&,
                                              const std::string& column,
                                              const std::vector<std::string>& borders,
                                              std::stop_token) override {
    EXPECT_EQ(column, "id");
    ++questions;
    if (questions > answers) return absl::DataLossError("the text of a row is too long");
    std::vector<std::string> ends = absl::StrSplit(options.within, ':');
    if (options.within.empty()) ends = {"", ""};
    PartChecksums sums{kSchema, differing, borders, {}, {}};
    for (size_t i = 0; i <= borders.size(); ++i) {
      sums.within.push_back(absl::StrCat(i == 0 ? ends[0] : borders[i - 1], ":",
                                         i == borders.size() ? ends[1] : borders[i]));
      sums.parts.push_back(SumOf(Within(sums.within.back())));
    }
    return sums;
  }

  Rows Within(const std::string& condition) const {
    const std::vector<std::string> ends = absl::StrSplit(condition, ':');
    int64_t from = INT64_MIN, to = INT64_MAX;
    EXPECT_TRUE(ends[0].empty() || absl::SimpleAtoi(ends[0], &from));
    EXPECT_TRUE(ends[1].empty() || absl::SimpleAtoi(ends[1], &to));
    return {rows_.lower_bound(from), rows_.lower_bound(to)};
  }

  std::vector<std::string> differing;
  DividingKey key{"id", {"id"}};
  int questions = 0;
  int answers = 1000;  // To so many of them.

 private:
  static RowChecksum SumOf(const Rows& rows) {
    RowChecksum sum;
    if (rows.empty()) return sum;
    EXPECT_TRUE((*RowChecksummer::Create(kSchema))->Add(*BatchOfRows(rows), sum).ok());
    return sum;
  }

  const Rows rows_;
};

class DifferenceSearchTest : public ::testing::Test {
 protected:
  void Write(const Rows& rows) {
    table_.dataset.target_uri = folder_.path();
    if (rows.empty()) return;
    const auto batch = BatchOfRows(rows);
    const auto whole = *arrow::Table::FromRecordBatches({batch->arrow()});
    // Two files, so that none of them says all.
    const int64_t half = whole->num_rows() / 2;
    for (const auto& part : {whole->Slice(0, half), whole->Slice(half)}) {
      if (part->num_rows() == 0) continue;
      const std::string name = absl::StrCat("part", table_.files.size(), ".parquet");
      auto writer = *ParquetWriter::Create(folder_.path() + "/" + name, kSchema, *part);
      ASSERT_TRUE(writer->WriteRowGroup(*part).ok());
      ASSERT_TRUE(writer->Close().ok());
      StagedFile& file = table_.files.emplace_back();
      file.path = name;
      file.rows = part->num_rows();
    }
  }

  DifferingRows Search(Source& source) {
    auto found = FindDifferingRows({.source = source,
                                    .dataset = table_.dataset,
                                    .extent = {Range{0, 1}, false},
                                    .read = {},
                                    .checksum = {},
                                    .table = table_,
                                    .stop = {}});
    EXPECT_TRUE(found.ok()) << found.status();
    return found.value_or(DifferingRows());
  }

  // The rows of the table that the search left.
  Rows Left(const Rows& rows, const DifferingRows& found) {
    auto index = *KeyRangeIndex::Create(kSchema, found.ranges);
    std::vector<int> parts;
    EXPECT_TRUE(rows.empty() || index.Take(*BatchOfRows(rows), parts).ok());
    Rows left;
    size_t i = 0;
    for (const auto& row : rows) {
      if (parts[i++] >= 0) left.insert(row);
    }
    return left;
  }

  TempFolder folder_;
  TableRows table_;
};

Rows RandomRows(int count, std::mt19937_64& random) {
  Rows rows;
  for (int i = 0; i < count; ++i)
    rows[static_cast<int64_t>(random() % 1'000'000)] = static_cast<int64_t>(random() % 100);
  return rows;
}

TEST_F(DifferenceSearchTest, EveryRowThatDiffersIsLeftOnBothSidesAndFewOthersAre) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  const Rows before = RandomRows(20'000, random);
  Rows after = before;
  std::set<int64_t> differ;
  for (int i = 0; i < 5; ++i) {
    const auto id =
        std::next(before.begin(), static_cast<int64_t>(random() % before.size()))->first;
    differ.insert(id);
    if (i < 2) {
      after.erase(id);
    } else if (after.contains(id)) {
      after[id] += 1000;
    }
    after[static_cast<int64_t>(2'000'000 + random() % 100)] = 1;  // Beyond all borders.
  }
  Write(before);
  SummingSource source(after);
  const DifferingRows found = Search(source);
  ASSERT_TRUE(found.narrowed) << found.why;
  EXPECT_EQ(found.source_rows, static_cast<int64_t>(after.size()));
  const Rows table_left = Left(before, found);
  Rows source_left;
  for (const std::string& within : found.within) source_left.merge(source.Within(within));
  for (const int64_t id : differ) EXPECT_TRUE(table_left.contains(id)) << id;
  for (const auto& [id, value] : after) {
    const auto old = before.find(id);
    const bool is_same = old != before.end() && old->second == value;
    EXPECT_TRUE(is_same || source_left.contains(id)) << id;
  }
  // The ranges are the same on both sides.
  for (const auto& [id, value] : table_left)
    EXPECT_EQ(source_left.contains(id), after.contains(id)) << id;
  EXPECT_LT(source_left.size(), after.size() / 8);
  EXPECT_LT(source.questions, 12);
}

TEST_F(DifferenceSearchTest, EqualRowsCostOneQuestion) {
  std::mt19937_64 random(1);
  const Rows rows = RandomRows(3000, random);
  Write(rows);
  SummingSource source(rows);
  const DifferingRows found = Search(source);
  EXPECT_TRUE(found.narrowed);
  EXPECT_THAT(found.within, IsEmpty());
  EXPECT_EQ(source.questions, 1);
}

TEST_F(DifferenceSearchTest, ATableWithoutRowsLeavesAll) {
  Write({});
  SummingSource source(Rows{{1, 1}, {2, 2}});
  const DifferingRows found = Search(source);
  EXPECT_FALSE(found.narrowed) << "all rows differ: there is nothing to divide";
}

TEST_F(DifferenceSearchTest, WhereAQuarterDiffersAllAreToBeRead) {
  std::mt19937_64 random(2);
  const Rows rows = RandomRows(3000, random);
  Write(rows);
  Rows others = rows;
  for (auto& [id, value] : others) value += 1000;
  SummingSource source(others);
  const DifferingRows found = Search(source);
  EXPECT_FALSE(found.narrowed);
  EXPECT_THAT(found.why, HasSubstr("quarter"));
  EXPECT_EQ(source.questions, 1);
}

TEST_F(DifferenceSearchTest, ASourceWhoseSumsAreOfOtherTextsTellsNothing) {
  Write({{1, 1}});
  SummingSource source(Rows{{1, 1}});
  source.differing = {"value"};
  const DifferingRows found = Search(source);
  EXPECT_FALSE(found.narrowed);
  EXPECT_THAT(found.why, HasSubstr("'value'"));
  EXPECT_EQ(source.questions, 0);
}

TEST_F(DifferenceSearchTest, WhereTheSourceCannotSumSomeRowAllAreToBeRead) {
  std::mt19937_64 random(3);
  const Rows rows = RandomRows(100'000, random);
  Write(rows);
  Rows others = rows;
  others.begin()->second += 1000;
  for (const int answers : {0, 1}) {
    SummingSource source(others);
    source.answers = answers;
    const DifferingRows found = Search(source);
    EXPECT_FALSE(found.narrowed);
    EXPECT_THAT(found.why, HasSubstr("checksum of a row"));
    EXPECT_EQ(source.questions, answers + 1);
  }
}

TEST_F(DifferenceSearchTest, WithoutAKeyThatDividesNothingIsTold) {
  Write({{1, 1}});
  SummingSource source(Rows{{1, 1}});
  source.key = {};
  EXPECT_FALSE(Search(source).narrowed);
  EXPECT_EQ(source.questions, 0);
}

TEST(JoinConditions, OneThatSelectsAllIsAlone) {
  EXPECT_THAT(JoinConditions({"a < 1", "a >= 2"}), ::testing::ElementsAre("(a < 1) OR (a >= 2)"));
  EXPECT_THAT(JoinConditions({"a < 1", ""}), ::testing::ElementsAre(""));
  EXPECT_THAT(JoinConditions(std::vector<std::string>(45, "b")), ::testing::SizeIs(3));
  EXPECT_THAT(JoinConditions({}), IsEmpty());
}

}  // namespace
}  // namespace headwater
