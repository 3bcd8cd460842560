// What a look at histories finds in a table's files, and what mending them leaves there. The files
// are made by hand: Headwater writes no such versions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/data/row_batch.h"
#include "tests/contract/keyed_fixture.h"
#include "tests/support/fake_source.h"
#include "worker/change/history_mender.h"
#include "worker/stage/file_schema.h"
#include "worker/stage/file_sequence.h"

namespace headwater {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Schema kSchema = {{{"id", {TypeKind::kLong}},
                         {"content", {TypeKind::kString}},
                         {"note", {TypeKind::kLong}},
                         {"at", {TypeKind::kDate}}}};
const std::vector<std::string> kTimes = {"id",       "content",    "valid_from",
                                         "valid_to", "is_current", "_hw_confirmed_at"};

// A row of the table; days are those of January 2024, and 0 is NULL.
struct Row {
  int id = 0;
  std::string content;
  int from = 0, to = 0;
  std::optional<bool> current = std::nullopt;  // None: as `to` says.
  std::string confirmed = {};
  int fence = 1;
  int at = -1;  // The cursor, where it is not `from`.
  bool current_is_null = false;
};

std::string Day(int day) {
  return day == 0 ? "null" : absl::StrCat("\"2024-01-", day < 10 ? "0" : "", day, "\"");
}

auto Finds(const std::string& key, const std::string& found, const std::string& remedy) {
  return AllOf(Field(&Difference::key, key), Field(&Difference::found, HasSubstr(found)),
               Field(&Difference::remedy, HasSubstr(remedy)));
}

class HistoriesStaging : public KeyedFixture {
 protected:
  HistoriesStaging() : KeyedFixture(kSchema) {
    options_.dataset.write = WriteMode::kVersions;
    options_.dataset.strategy = Strategy::kScd2;
    options_.dataset.uncompared_columns = {"note"};
    options_.dataset.cursor_modified = true;
    ReadRange("at", CursorType::kDate, {0, 100'000});
  }

  // Makes a live file of these rows.
  void Put(const std::vector<Row>& rows) {
    const Schema schema = FileSchemaOf(options_.dataset, kSchema);
    std::vector<std::string> texts;
    for (const Row& row : rows) {
      std::vector<std::string> values;
      for (const Column& column : schema.columns) values.push_back(ValueOf(row, column.name));
      texts.push_back(absl::StrCat("[", absl::StrJoin(values, ", "), "]"));
    }
    StagedFiles files(root_, ++options_.lease.fence);
    FileSequence output(files, 0, schema, {});
    const auto batch = BatchOf(schema, absl::StrCat("[", absl::StrJoin(texts, ", "), "]"));
    ASSERT_TRUE(output.Add(batch->arrow()).ok());
    const auto written = output.Finish();
    ASSERT_TRUE(written.ok()) << written.status();
    files.Keep();
    for (const StagedFile& file : *written) options_.base->files.push_back(file);
  }

  HistoryOptions Histories() {
    return {options_.dataset,
            {"t", ++options_.lease.fence},
            options_.cursor_type,
            kSchema,
            *options_.base};
  }
  Manifest Check() {
    const auto manifest = CheckHistories(Histories(), {});
    EXPECT_TRUE(manifest.ok()) << manifest.status();
    return manifest.ok() ? *manifest : Manifest();
  }
  // Mends and publishes. Nothing is found afterwards, and a second time nothing is done.
  Manifest Mend() {
    const Manifest found = Check();
    const auto manifest = MendHistories(Histories(), {});
    EXPECT_TRUE(manifest.ok()) << manifest.status();
    if (!manifest.ok()) return {};
    EXPECT_THAT(manifest->pieces, IsEmpty());
    EXPECT_EQ(manifest->rows_different, found.rows_different);
    EXPECT_EQ(CountsOf(*manifest->keyed), CountsOf(*found.keyed));
    Publish(*manifest->keyed);
    EXPECT_THAT(Check().differences, IsEmpty());
    const auto again = MendHistories(Histories(), {});
    EXPECT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE(again->keyed->empty());
    EXPECT_EQ(again->keyed->table_rows, manifest->keyed->table_rows);
    return *manifest;
  }

 private:
  static std::string ValueOf(const Row& row, const std::string& column) {
    if (column == "id") return absl::StrCat(row.id);
    if (column == "content") return absl::StrCat("\"", row.content, "\"");
    if (column == "note") return "7";
    if (column == "at") return Day(row.at < 0 ? row.from : row.at);
    if (column == "valid_from") return Day(row.from);
    if (column == "valid_to") return Day(row.to);
    if (column == "_hw_microbatch") return absl::StrCat("\"planes/ewr@", row.fence, "\"");
    if (column == "is_current" && !row.current_is_null)
      return row.current.value_or(row.to == 0) ? "true" : "false";
    if (column == "_hw_confirmed_at" && !row.confirmed.empty())
      return absl::StrCat("\"", row.confirmed, "\"");
    return "null";
  }
};

TEST_F(HistoriesStaging, SoundOnesAreCountedAndLeftAlone) {
  Put({{1, "A", 1, 5}, {1, "B", 5, 0}, {2, "A", 1, 0}});
  const Manifest found = Check();
  EXPECT_EQ(found.rows_read, 3);
  EXPECT_EQ(found.rows_different, 0);
  EXPECT_EQ(found.keyed->same_rows, 2);
  EXPECT_TRUE(Mend().keyed->empty());
}

TEST_F(HistoriesStaging, AnOverlapIsToldByKeyAndDayAndEnds) {
  Put({{2, "A", 1, 0}});
  Put({{1, "A", 1, 9}, {1, "B", 5, 0}});
  const Manifest found = Check();
  EXPECT_THAT(found.differences,
              ElementsAre(Finds("id = 1",
                                "of 2 versions, the version that begins at 2024-01-01 ends at "
                                "2024-01-09, but another begins at 2024-01-05",
                                "patch the version that begins at 2024-01-01: it ends at "
                                "2024-01-05 (2024-01-09 before)")));
  EXPECT_EQ(found.rows_different, 1);
  const std::string untouched = live()[0].path;
  const Manifest mended = Mend();
  EXPECT_EQ(CountsOf(*mended.keyed), "new 0 changed 1 same 1 deleted 0 duplicate 0");
  EXPECT_THAT(mended.keyed->replaced, SizeIs(1));
  EXPECT_EQ(live()[0].path, untouched);
  EXPECT_THAT(Rows(kTimes), ElementsAre("1|A|2024-01-01|2024-01-05|false|", "1|B|2024-01-05||true|",
                                        "2|A|2024-01-01||true|"));
}

TEST_F(HistoriesStaging, HolesAreClosed) {
  Put({{1, "A", 1, 3}, {1, "B", 5, 0}, {2, "A", 1, 3}});
  EXPECT_THAT(Check().differences,
              ElementsAre(Finds("id = 1", "no version holds from 2024-01-03 to 2024-01-05", ""),
                          Finds("id = 2", "no version holds from 2024-01-03 on", "has no end")));
  Mend();
  EXPECT_THAT(Rows(kTimes), ElementsAre("1|A|2024-01-01|2024-01-05|false|", "1|B|2024-01-05||true|",
                                        "2|A|2024-01-01||true|"));
}

TEST_F(HistoriesStaging, OfTwoCurrentOnesInTwoFilesTheLastStays) {
  Put({{1, "A", 1, 0}});
  Put({{1, "B", 5, 0}});
  EXPECT_THAT(Check().differences,
              ElementsAre(Finds("id = 1", "are both marked current", "it is not current")));
  EXPECT_THAT(Mend().keyed->replaced, SizeIs(1));
  EXPECT_THAT(Rows(kTimes),
              ElementsAre("1|A|2024-01-01|2024-01-05|false|", "1|B|2024-01-05||true|"));
}

TEST_F(HistoriesStaging, WhatIsCurrentAndEndsAndWhatEndsBeforeItBeginsIsMended) {
  Put({{1, "A", 1, 5, true}, {1, "B", 5, 0}, {2, "A", 4, 2}, {3, "A", 1, 0, false}});
  EXPECT_THAT(
      Check().differences,
      ElementsAre(Finds("id = 1", "is marked current, but ends at 2024-01-05", "it is not current"),
                  Finds("id = 2", "ends at 2024-01-02, which is not after its begin", "no end"),
                  Finds("id = 3", "has no end, but is not marked current", "it is current")));
  Mend();
  EXPECT_THAT(Rows(kTimes), ElementsAre("1|A|2024-01-01|2024-01-05|false|", "1|B|2024-01-05||true|",
                                        "2|A|2024-01-04||true|", "3|A|2024-01-01||true|"));
}

TEST_F(HistoriesStaging, OfTwoThatBeginTogetherTheLaterWrittenStays) {
  Put({{1, "A", 1, 0, std::nullopt, "", 8}, {1, "B", 1, 0, std::nullopt, "", 9}});
  Put({{2, "A", 1, 0, std::nullopt, "19728"}, {2, "A", 1, 0, std::nullopt, "19730"}});
  EXPECT_THAT(Check().differences,
              ElementsAre(Finds("id = 1", "begin at 2024-01-01, with different contents",
                                "was written later (fence 9, this one 8)"),
                          Finds("id = 2", "with the same content", "drop: another row begins")));
  EXPECT_EQ(CountsOf(*Mend().keyed), "new 0 changed 1 same 0 deleted 2 duplicate 0");
  EXPECT_THAT(Rows(kTimes),
              ElementsAre("1|B|2024-01-01||true|", "2|A|2024-01-01||true|19728 19730"));
}

TEST_F(HistoriesStaging, ConfirmationsThatCannotBeGo) {
  Put({{1, "A", 1, 0, std::nullopt, "19731 19729"}, {2, "A", 1, 0, std::nullopt, "soon"}});
  EXPECT_THAT(Check().differences,
              ElementsAre(Finds("id = 1", "does not follow the confirmation before it", ""),
                          Finds("id = 2", "cannot be read", "0 (unreadable before)")));
  Mend();
  EXPECT_THAT(Rows(kTimes),
              ElementsAre("1|A|2024-01-01||true|19729 19731", "2|A|2024-01-01||true|"));
}

TEST_F(HistoriesStaging, WhatIsNullThatMustNotBeFollowsFromTheRest) {
  Row lost = {1, "A", 0, 5};
  lost.at = 1;
  Row mute = {2, "A", 1, 0};
  mute.current_is_null = true;
  Put({lost, {1, "B", 5, 0}, mute, {3, "A", 1, 0}});
  EXPECT_THAT(
      Check().differences,
      ElementsAre(Finds("id = 1", "a version has no valid_from; its at is 2024-01-01", "patch"),
                  Finds("id = 2", "is_current of the version that begins at 2024-01-01 is NULL",
                        "it is current")));
  EXPECT_EQ(CountsOf(*Mend().keyed), "new 0 changed 2 same 1 deleted 0 duplicate 0");
  EXPECT_THAT(Rows(kTimes), ElementsAre("1|A|2024-01-01|2024-01-05|false|", "1|B|2024-01-05||true|",
                                        "2|A|2024-01-01||true|", "3|A|2024-01-01||true|"));
}

TEST_F(HistoriesStaging, AVersionWithoutAnyBeginStaysAsItIs) {
  Put({{1, "A", 0, 5}, {1, "B", 5, 9}, {2, "A", 0, 0}});
  EXPECT_THAT(Check().differences,
              ElementsAre(Finds("id = 1",
                                "of 1 version, no version holds from 2024-01-09 on; a "
                                "version has no valid_from",
                                "set it, or remove the row"),
                          Finds("id = 2", "a version has no valid_from", "stays as it is")));
  const auto manifest = MendHistories(Histories(), {});
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(CountsOf(*manifest->keyed), "new 0 changed 1 same 0 deleted 0 duplicate 0");
  Publish(*manifest->keyed);
  EXPECT_THAT(Rows(kTimes),
              ElementsAre("1|A||2024-01-05|false|", "1|B|2024-01-05||true|", "2|A|||true|"));
  EXPECT_EQ(Check().rows_different, 2);
  EXPECT_TRUE(MendHistories(Histories(), {})->keyed->empty());
}

TEST_F(HistoriesStaging, OfWholeReadsHolesAreNothingAndEndsAreBelieved) {
  options_.dataset.cursor.clear();
  options_.cursor_type = CursorType::kNone;
  options_.dataset.on_missing = MissingPolicy::kClose;
  options_.read_at = absl::FromUnixSeconds(1'700'000'000);
  options_.extent = {Range{0, 1}, false};
  Load(R"([[1, "A", 7, null]])");
  options_.read_at += absl::Seconds(1);
  Load("[]");
  options_.read_at += absl::Seconds(1);
  Load(R"([[1, "A", 7, null]])");
  EXPECT_THAT(Check().differences, IsEmpty());
  EXPECT_EQ(Check().rows_read, 2);
  options_.base->files.push_back(options_.base->files.front());  // Somebody put it there twice.
  const Manifest found = Check();
  ASSERT_THAT(found.differences, SizeIs(1));
  EXPECT_THAT(found.differences[0].found, HasSubstr("two versions begin at 2023-11-14T22:13:2"));
  EXPECT_THAT(found.differences[0].found, HasSubstr("Z"));
}

TEST_F(HistoriesStaging, AMendedTableTakesWritesAgain) {
  Load(R"([[1, "A", 7, "2024-01-01"], [1, "B", 7, "2024-01-05"]])");
  Put({{1, "A", 1, 0}});
  EXPECT_EQ(Fails(R"([[1, "C", 7, "2024-01-09"]])").code(), absl::StatusCode::kDataLoss);
  Mend();
  Load(R"([[1, "C", 7, "2024-01-09"]])");
  EXPECT_THAT(Rows(kTimes),
              ElementsAre("1|A|2024-01-01|2024-01-05|false|", "1|B|2024-01-05|2024-01-09|false|",
                          "1|C|2024-01-09||true|"));
}

TEST_F(HistoriesStaging, AtMostAHundredAreTold) {
  std::vector<Row> rows;
  for (int id = 0; id < 250; ++id) rows.push_back({id, "A", 1, 5});
  Put(rows);
  const Manifest found = Check();
  EXPECT_THAT(found.differences, SizeIs(kMaxDifferences));
  EXPECT_EQ(found.differences.back().key, "id = 99");
  EXPECT_EQ(found.rows_different, 250);
  EXPECT_EQ(Mend().keyed->changed_rows, 250);
}

TEST_F(HistoriesStaging, AStopLeavesNoFiles) {
  Put({{1, "A", 1, 5}});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(MendHistories(Histories(), stop.get_token()).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(CountFiles(), 1);
}

}  // namespace
}  // namespace headwater
