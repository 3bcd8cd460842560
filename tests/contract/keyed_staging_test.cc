// What a merge by key must do to a table: which rows, which files, which counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/contract/keyed_fixture.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const Schema kSchema = {
    {{"id", {TypeKind::kLong}}, {"name", {TypeKind::kString}}, {"at", {TypeKind::kLong}}}};

class KeyedStaging : public KeyedFixture {
 protected:
  KeyedStaging() : KeyedFixture(kSchema) {}

  std::vector<std::string> Table() const { return Rows({"id", "name"}); }
  // What is read is [from, to) of `at`.
  void ReadAt(int64_t from, int64_t to, bool outside = false) {
    ReadRange("at", CursorType::kInteger, {from, to}, outside);
  }
  // A live file of its own for each row, as so many loads have left them.
  void LoadEach(const std::vector<std::string>& rows) {
    for (const std::string& row : rows) Load("[" + row + "]");
    ASSERT_EQ(live().size(), rows.size());
  }
  // No reader can open it any more.
  void MakeUnreadable(const StagedFile& file) const {
    std::ofstream(PathOf(file), std::ios::trunc) << "no Parquet";
  }
};

// What the error says.
std::string IsInvalid(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST_F(KeyedStaging, AFirstLoadIsAllNew) {
  const KeyedChange change = Load(R"([[1, "a", 0], [2, null, 0], [3, "c", null]])");
  EXPECT_EQ(CountsOf(change), "new 3 changed 0 same 0 deleted 0 duplicate 0");
  EXPECT_EQ(change.table_rows, 3);
  EXPECT_THAT(change.replaced, IsEmpty());
  ASSERT_EQ(change.files.size(), 1u);
  EXPECT_THAT(change.files[0].path, StartsWith("server_source=ewr/hw-1-"));
  EXPECT_THAT(change.files[0].stats_json, HasSubstr("\"numRecords\":3"));
  EXPECT_FALSE(change.files[0].spec_version.empty());
  EXPECT_THAT(Table(), ElementsAre("1|a", "2|", "3|c"));
}

TEST_F(KeyedStaging, AReadWithoutRowsOfAnEmptyTableWritesNothing) {
  const KeyedChange change = Load("[]");
  EXPECT_TRUE(change.empty());
  EXPECT_EQ(CountsOf(change), "new 0 changed 0 same 0 deleted 0 duplicate 0");
}

TEST_F(KeyedStaging, WhenNothingChangedNoFileIsWritten) {
  Load(R"([[1, "a", 0], [2, null, 0]])");
  const KeyedChange change = Load(R"([[2, null, 0], [1, "a", 0]])");
  EXPECT_TRUE(change.empty());
  EXPECT_EQ(CountsOf(change), "new 0 changed 0 same 2 deleted 0 duplicate 0");
  EXPECT_EQ(change.table_rows, 2);
}

TEST_F(KeyedStaging, APieceThatTheTaskKnowsIsUnchanged) {
  const auto first = Stage({R"([[1, "a", 0]])"});
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->pieces.size(), 1u);
  EXPECT_FALSE(first->pieces[0].unchanged);
  EXPECT_THAT(first->pieces[0].files, IsEmpty());
  EXPECT_GT(first->bytes_staged, 0);
  options_.base->files = first->keyed->files;
  options_.known = {{first->pieces[0].extent, first->pieces[0].fingerprint, first->spec_version}};
  const auto second = Stage({R"([[1, "a", 0]])"});
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(second->pieces[0].unchanged);
  EXPECT_EQ(second->bytes_staged, 0);
}

TEST_F(KeyedStaging, JustTheFilesWithChangedKeysAreReplaced) {
  LoadEach({R"([1, "a", 0])", R"([2, "b", 0])", R"([3, "c", 0])"});
  const std::string changed = live()[1].path;
  const KeyedChange change = Load(R"([[3, "c", 0], [2, "B", 0], [4, "d", 0]])");
  EXPECT_THAT(change.replaced, ElementsAre(changed));
  EXPECT_EQ(CountsOf(change), "new 1 changed 1 same 1 deleted 0 duplicate 0");
  EXPECT_THAT(Table(), ElementsAre("1|a", "2|B", "3|c", "4|d"));
}

TEST_F(KeyedStaging, RowsBesideAChangedOneAreWrittenAgainAsTheyWere) {
  Load(R"([[1, "a", 0], [2, "b", 0], [3, "c", 0]])");
  const std::vector<std::string> before = Rows({"id", "_hw_loaded_at", "_hw_microbatch"});
  options_.loaded_at += absl::Hours(1);
  Load(R"([[2, "B", 0]])");
  const std::vector<std::string> after = Rows({"id", "_hw_loaded_at", "_hw_microbatch"});
  EXPECT_EQ(after[0], before[0]);
  EXPECT_EQ(after[2], before[2]);
  EXPECT_THAT(after[1], AllOf(HasSubstr("01:00:00"), HasSubstr("planes/ewr@2")));
}

TEST_F(KeyedStaging, ValuesThatBecomeNullAndBackAreChanges) {
  Load(R"([[1, "a", 0]])");
  EXPECT_EQ(Load(R"([[1, null, 0]])").changed_rows, 1);
  EXPECT_THAT(Table(), ElementsAre("1|"));
  EXPECT_EQ(Load(R"([[1, "", 0]])").changed_rows, 1);
}

TEST_F(KeyedStaging, AMissingRowStaysUnlessPolicySaysOtherwise) {
  Load(R"([[1, "a", 0], [2, "b", 0]])");
  EXPECT_TRUE(Load(R"([[1, "a", 0]])").empty());
  EXPECT_THAT(Table(), ElementsAre("1|a", "2|b"));
}

TEST_F(KeyedStaging, RemovesOfAWholeReadWhatIsMissing) {
  Load(R"([[1, "a", 0], [2, "b", 0], [3, "c", null]])");
  options_.dataset.on_missing = MissingPolicy::kRemove;
  const KeyedChange change = Load(R"([[1, "a", 0]])");
  EXPECT_EQ(CountsOf(change), "new 0 changed 0 same 1 deleted 2 duplicate 0");
  EXPECT_THAT(Table(), ElementsAre("1|a"));
  // The last row takes the file along.
  EXPECT_EQ(Load("[]").deleted_rows, 1);
  EXPECT_THAT(live(), IsEmpty());
}

TEST_F(KeyedStaging, RemovesOfARangeOnlyWhatLiesInIt) {
  ReadAt(0, 100, /*outside=*/true);
  Load(R"([[1, "a", 5], [2, "b", 10], [3, "c", 19], [4, "d", 20], [5, "e", null], [6, "f", 200]])");
  options_.dataset.on_missing = MissingPolicy::kRemove;
  ReadAt(10, 20);
  options_.domain_end = 100;
  const KeyedChange change = Load("[]");
  EXPECT_EQ(change.deleted_rows, 2);
  EXPECT_THAT(Table(), ElementsAre("1|a", "4|d", "5|e", "6|f"));
}

TEST_F(KeyedStaging, RemovesOfTheOutsideRowsOnlyThose) {
  ReadAt(0, 100, /*outside=*/true);
  Load(R"([[1, "a", 5], [5, "e", null], [6, "f", 200]])");
  options_.dataset.on_missing = MissingPolicy::kRemove;
  options_.extent = {std::nullopt, true};
  EXPECT_EQ(Load(R"([[6, "f", 200]])").deleted_rows, 1);
  EXPECT_THAT(Table(), ElementsAre("1|a", "6|f"));
}

TEST_F(KeyedStaging, ARowThatMovedToAnotherRangeIsChangedThereAndNotDeletedHere) {
  options_.dataset.on_missing = MissingPolicy::kRemove;
  ReadAt(0, 10);
  Load(R"([[1, "a", 5]])");
  ReadAt(10, 20);
  EXPECT_EQ(Load(R"([[1, "a", 15]])").changed_rows, 1);
  ReadAt(0, 10);
  EXPECT_EQ(Load("[]").deleted_rows, 0);
  EXPECT_THAT(Rows({"id", "at"}), ElementsAre("1|15"));
}

TEST_F(KeyedStaging, MarksOnceWhatIsMissing) {
  options_.dataset.on_missing = MissingPolicy::kMark;
  Load(R"([[1, "a", 0], [2, "b", 0]])");
  EXPECT_THAT(Rows({"id", "_hw_deleted_at"}), ElementsAre("1|", "2|"));
  options_.loaded_at += absl::Hours(1);
  EXPECT_EQ(CountsOf(Load(R"([[1, "a", 0]])")), "new 0 changed 0 same 1 deleted 1 duplicate 0");
  EXPECT_THAT(Rows({"id", "name", "_hw_deleted_at"}),
              ElementsAre("1|a|", "2|b|1970-01-01 01:00:00.000000Z"));
  options_.loaded_at += absl::Hours(1);
  EXPECT_TRUE(Load(R"([[1, "a", 0]])").empty());
}

TEST_F(KeyedStaging, AMarkedRowThatComesBackIsUnmarked) {
  options_.dataset.on_missing = MissingPolicy::kMark;
  Load(R"([[1, "a", 0], [2, "b", 0]])");
  Load(R"([[1, "a", 0]])");
  EXPECT_EQ(CountsOf(Load(R"([[1, "a", 0], [2, "b", 0]])")),
            "new 0 changed 1 same 1 deleted 0 duplicate 0");
  EXPECT_THAT(Rows({"id", "name", "_hw_deleted_at"}), ElementsAre("1|a|", "2|b|"));
}

TEST_F(KeyedStaging, AMarkIsKeptWhereOtherRowsOfTheFileChange) {
  options_.dataset.on_missing = MissingPolicy::kMark;
  Load(R"([[1, "a", 0], [2, "b", 0]])");
  options_.loaded_at += absl::Hours(1);
  Load(R"([[1, "a", 0]])");
  options_.loaded_at += absl::Hours(1);
  Load(R"([[1, "A", 0]])");
  EXPECT_THAT(Rows({"id", "name", "_hw_deleted_at"}),
              ElementsAre("1|A|", "2|b|1970-01-01 01:00:00.000000Z"));
}

TEST_F(KeyedStaging, MarksAreNotLostWhereTheyAreNoLongerMade) {
  options_.dataset.on_missing = MissingPolicy::kMark;
  Load(R"([[1, "a", 0], [2, "b", 0]])");
  options_.dataset.on_missing = MissingPolicy::kKeep;
  const absl::Status status = Fails(R"([[1, "A", 0]])");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("marked as gone in column '_hw_deleted_at'"));
}

TEST_F(KeyedStaging, ExceptedColumnsAreNotCompared) {
  options_.dataset.uncompared_columns = {"at"};
  Load(R"([[1, "a", 1]])");
  EXPECT_TRUE(Load(R"([[1, "a", 2]])").empty());
  EXPECT_THAT(Rows({"id", "at"}), ElementsAre("1|1"));
  Load(R"([[1, "b", 3]])");
  EXPECT_THAT(Rows({"id", "name", "at"}), ElementsAre("1|b|3"));
  options_.dataset.uncompared_columns = {"nobody"};
  IsInvalid(Fails("[]"));
  options_.dataset.uncompared_columns = {"id", "name", "at"};
  EXPECT_THAT(IsInvalid(Fails("[]")), HasSubstr("no column is left"));
}

TEST_F(KeyedStaging, AFileThatCannotHoldTheKeysIsNotOpened) {
  LoadEach({R"([1, "a", 0])", R"([5, "e", 0])", R"([9, "i", 0])"});
  const StagedFile low = live()[0], high = live()[2];
  MakeUnreadable(low);
  MakeUnreadable(high);
  options_.base->files[0].size_bytes = options_.base->files[2].size_bytes = 10;
  const auto inside = Stage({R"([[5, "E", 0], [8, "h", 0], [2, "b", 0]])"});
  ASSERT_TRUE(inside.ok()) << inside.status();
  EXPECT_EQ(CountsOf(*inside->keyed), "new 2 changed 1 same 0 deleted 0 duplicate 0");
  EXPECT_EQ(inside->keyed->table_rows, 5);
  // The bounds themselves are inside.
  for (const char* rows : {R"([[1, "a", 0]])", R"([[9, "i", 0]])"}) {
    const absl::Status status = Fails(rows);
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("server_source=ewr/"));
  }
}

TEST_F(KeyedStaging, AFileWithoutStatisticsIsOpened) {
  Load(R"([[1, "a", 0]])");
  for (const char* stats : {"", "{}", "no json", R"({"minValues":3,"maxValues":{"id":1}})"}) {
    options_.base->files[0].stats_json = stats;
    EXPECT_EQ(Stage({R"([[1, "a", 0]])"})->keyed->same_rows, 1) << stats;
  }
}

TEST_F(KeyedStaging, ManySmallFilesAreJoinedByAWriteThatChangesSomething) {
  std::vector<std::string> rows;
  for (int i = 0; i < 9; ++i) rows.push_back(absl::StrCat("[", i, ", \"a\", 0]"));
  LoadEach(rows);
  EXPECT_TRUE(Load(R"([[3, "a", 0]])").empty());  // None of its own accord.
  const KeyedChange change = Load(R"([[9, "a", 0]])");
  EXPECT_EQ(CountsOf(change), "new 1 changed 0 same 0 deleted 0 duplicate 0");
  EXPECT_EQ(change.replaced.size(), 9u);
  EXPECT_EQ(live().size(), 1u);
  EXPECT_EQ(change.table_rows, 10);
}

TEST_F(KeyedStaging, RowsBeyondTheBudgetGoToTheDiskAndComeBack) {
  for (const int64_t budget : {int64_t{0}, int64_t{1}, int64_t{400}, int64_t{1} << 20}) {
    SCOPED_TRACE(budget);
    options_.memory_bytes = budget;
    options_.base->files.clear();
    std::filesystem::remove_all(root_);
    std::vector<std::string> batches, expected;
    for (int i = 10; i < 40; ++i) {
      batches.push_back(absl::StrCat("[[", i, ", \"n", i, "\", null], [", i + 100, ", null, 1]]"));
      expected.push_back(absl::StrCat(i, "|n", i));
    }
    for (int i = 110; i < 140; ++i) expected.push_back(absl::StrCat(i, "|"));
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(LoadBatches(batches).new_rows, 60);
    EXPECT_EQ(Table(), expected);
    // Rows are found by their number: the first, one between, the last.
    EXPECT_EQ(
        LoadBatches({R"([[10, "x", 0], [11, "n11", null]])", R"([[12, "x", 0], [13, "n13", null]])",
                     R"([[14, "n14", null], [139, "x", 1]])"})
            .changed_rows,
        3);
    EXPECT_THAT(Table(), AllOf(Contains("10|x"), Contains("12|x"), Contains("139|x"),
                               Contains("14|n14"), Contains("138|")));
  }
}

TEST_F(KeyedStaging, IsStoppedBeforeItReadsOrWrites) {
  Load(R"([[1, "a", 0]])");
  std::stop_source stop;
  options_.stop = stop.get_token();
  stop.request_stop();
  const absl::Status status = Fails(R"([[1, "b", 0]])");
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  EXPECT_EQ(CountFiles(), 1);
  options_.base->files.clear();  // Nothing to read: it would only write.
  EXPECT_EQ(Fails(R"([[1, "b", 0]])").code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(CountFiles(), 1);
}

TEST_F(KeyedStaging, AnUnfinishedOrFailedAttemptLeavesNoFiles) {
  options_.memory_bytes = 0;
  IsInvalid(Fails(R"([[1, "a", 0], [1, "b", 0]])"));
  EXPECT_EQ(CountFiles(), 0);
  auto writer = OpenKeyedStaging(options_);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Write(*BatchOf(kSchema, R"([[1, "a", 0]])")).ok());
  writer->reset();
  EXPECT_EQ(CountFiles(), 0);
}

TEST_F(KeyedStaging, TheFirstErrorIsFinal) {
  auto writer = OpenKeyedStaging(options_);
  ASSERT_TRUE(writer.ok());
  const absl::Status first = (*writer)->Write(*BatchOf(kSchema, R"([[null, "a", 0]])"));
  IsInvalid(first);
  EXPECT_EQ((*writer)->Write(*BatchOf(kSchema, R"([[1, "a", 0]])")), first);
  EXPECT_EQ((*writer)->Finish().status(), first);
}

TEST_F(KeyedStaging, BadRowsAreInTheQuarantineAndNotInTheTable) {
  options_.dataset.on_bad_row = BadRowPolicy::kQuarantine;
  const BadRow bad{"name", R"({"id":"3"})", "x", "expected text", R"({"id":"3"})", std::nullopt};
  auto writer = OpenKeyedStaging(options_);
  ASSERT_TRUE(writer.ok());
  const RowBatch batch(BatchOf(kSchema, R"([[1, "a", 0]])")->arrow(), {bad}, 0);
  ASSERT_TRUE((*writer)->Write(batch).ok());
  const auto manifest = (*writer)->Finish();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->rows_read, 2);
  EXPECT_EQ(manifest->pieces.at(0).fingerprint.rows, 2);
  EXPECT_EQ(manifest->pieces[0].bad_rows, 1);
  ASSERT_EQ(manifest->pieces[0].bad_files.size(), 1u);
  EXPECT_TRUE(
      std::filesystem::exists(root_ + "__quarantine/" + manifest->pieces[0].bad_files[0].path));
  EXPECT_EQ(manifest->keyed->new_rows, 1);
  EXPECT_EQ(manifest->keyed->table_rows, 1);
}

TEST_F(KeyedStaging, ASecondRowOfAKeyInTheTableGoesWithTheFirstChange) {
  Load(R"([[1, "a", 0], [2, "b", 0]])");
  const std::vector<StagedFile> first = live();
  options_.base->files.clear();
  const auto again = Stage({R"([[1, "a", 0]])"});
  ASSERT_TRUE(again.ok());
  options_.base->files = first;
  options_.base->files.push_back(again->keyed->files[0]);
  Load(R"([[1, "c", 0]])");
  EXPECT_THAT(Table(), ElementsAre("1|c", "2|b"));
}

}  // namespace
}  // namespace headwater
