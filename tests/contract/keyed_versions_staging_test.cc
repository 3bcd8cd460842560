// What a keyed write of versions must do to a table, read back from its files.
// HEADWATER_HISTORY_SEEDS sets how many random histories there are, HEADWATER_HISTORY_SEED repeats
// one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/contract/keyed_fixture.h"
#include "tests/unit/worker/change/history_oracle.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Schema kSchema = {{{"id", {TypeKind::kLong}},
                         {"content", {TypeKind::kString}},
                         {"note", {TypeKind::kLong}},
                         {"at", {TypeKind::kLong}}}};
const std::vector<std::string> kTimes = {"id",       "content",    "valid_from",
                                         "valid_to", "is_current", "_hw_confirmed_at"};

class KeyedVersionsStaging : public KeyedFixture {
 protected:
  KeyedVersionsStaging() : KeyedFixture(kSchema) {
    options_.dataset.write = WriteMode::kVersions;
    options_.dataset.strategy = Strategy::kScd2;
    options_.dataset.uncompared_columns = {"note"};
  }

  void ReadAt(int64_t from, int64_t to) {
    ReadRange("at", CursorType::kInteger, {from, to});
    options_.dataset.cursor_modified = true;
  }
  void ReadWhole(MissingPolicy missing) {
    options_.dataset.on_missing = missing;
    options_.read_at = absl::UnixEpoch();
  }
  // What a whole read at `seconds` does.
  KeyedChange LoadAt(int64_t seconds, const std::string& rows) {
    options_.read_at = absl::UnixEpoch() + absl::Seconds(seconds);
    return Load(rows);
  }

  // The table in the words of Oracle(), by key; every row's cursor is where it begins.
  std::map<std::string, std::string> Histories() {
    std::map<std::string, std::map<int64_t, std::string>> versions;
    for (const std::string& row : Rows({"id", "content", "valid_from", "valid_to", "is_current",
                                        "_hw_confirmed_at", "at", "_hw_row_hash"})) {
      const std::vector<std::string> values = absl::StrSplit(row, '|');
      EXPECT_EQ(values[6], values[2]) << row;
      EXPECT_EQ(values[4], values[3].empty() ? "true" : "false") << row;
      EXPECT_FALSE(values[7].empty()) << row;
      std::string text = absl::StrCat(values[1], " ", values[2], "-", values[3]);
      for (const auto at : absl::StrSplit(values[5], ' ', absl::SkipEmpty()))
        absl::StrAppend(&text, " +", at);
      int64_t from = 0;
      EXPECT_TRUE(absl::SimpleAtoi(values[2], &from)) << row;
      EXPECT_TRUE(versions[values[0]].emplace(from, text).second) << row;
    }
    std::map<std::string, std::string> histories;
    for (const auto& [key, texts] : versions) {
      histories[key] = absl::StrJoin(texts, " | ", [](std::string* out, const auto& version) {
        absl::StrAppend(out, version.second);
      });
    }
    return histories;
  }
};

TEST_F(KeyedVersionsStaging, OfRangesEachChangeOpensAVersion) {
  ReadAt(0, 100);
  EXPECT_EQ(CountsOf(Load(R"([[1, "A", 0, 10], [2, "B", 0, 10]])")),
            "new 2 changed 0 same 0 deleted 0 duplicate 0");
  EXPECT_EQ(CountsOf(Load(R"([[1, "C", 0, 20]])")), "new 0 changed 1 same 0 deleted 0 duplicate 0");
  EXPECT_THAT(Rows(kTimes), ElementsAre("1|A|10|20|false|", "1|C|20||true|", "2|B|10||true|"));
}

TEST_F(KeyedVersionsStaging, WhatWasReadBeforeChangesNothing) {
  ReadAt(0, 100);
  Load(R"([[1, "A", 0, 10], [1, "B", 0, 20], [2, "B", 0, 10]])");
  EXPECT_TRUE(Load(R"([[1, "A", 0, 10], [1, "B", 0, 20], [2, "B", 0, 10]])").empty());
  EXPECT_EQ(CountsOf(Load(R"([[1, "B", 0, 20]])")), "new 0 changed 0 same 1 deleted 0 duplicate 0");
  EXPECT_TRUE(Load("[]").empty());
}

TEST_F(KeyedVersionsStaging, ALateVersionSplitsOneThatWasConfirmed) {
  ReadAt(0, 100);
  Load(R"([[1, "A", 7, 10], [1, "A", 8, 50], [1, "A", 9, 90]])");
  EXPECT_THAT(Rows(kTimes), ElementsAre("1|A|10||true|50 90"));
  Load(R"([[1, "B", 1, 30]])");
  EXPECT_THAT(Rows({"content", "note", "at", "valid_from", "valid_to", "_hw_confirmed_at"}),
              ElementsAre("A|7|10|10|30|", "A|7|50|50||90", "B|1|30|30|50|"));
}

// The row of 30 shows A again, which the late B of 20 has just cut off: that version began at 25,
// as the table knows, and the one row of A that it had stays with 10.
TEST_F(KeyedVersionsStaging, AVersionThatBeginsBeforeTheRowItIsMadeOfHasItsCursorThere) {
  ReadAt(0, 100);
  Load(R"([[1, "A", 7, 10], [1, "A", 8, 25]])");
  Load(R"([[1, "B", 1, 20], [1, "A", 9, 30]])");
  EXPECT_THAT(Rows({"content", "at", "valid_from", "valid_to", "_hw_confirmed_at"}),
              ElementsAre("A|10|10|20|", "A|25|25||30", "B|20|20|25|"));
}

TEST_F(KeyedVersionsStaging, OneInstantTwiceInOneReadIsAnErrorUnlessDedupChooses) {
  ReadAt(0, 100);
  const absl::Status status = Fails(R"([[1, "A", 0, 10], [1, "B", 1, 10]])");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("id = 1"));
  options_.dataset.dedup_by = "note";
  EXPECT_EQ(Load(R"([[1, "A", 0, 10], [1, "B", 1, 10], [1, "C", 0, 20]])").duplicate_rows, 1);
  EXPECT_EQ(Histories()["1"], "B 10-20 | C 20-");
}

TEST_F(KeyedVersionsStaging, ARowWithoutACursorIsAnError) {
  ReadAt(0, 100);
  options_.extent.outside = true;
  const absl::Status status = Fails(R"([[5, "A", 0, null]])");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("id = 5"));
}

TEST_F(KeyedVersionsStaging, OfWholeReadsWhatIsAwayIsClosedAndComesBackWithAHole) {
  ReadWhole(MissingPolicy::kClose);
  LoadAt(1, R"([[1, "A", 0, 0], [2, "B", 0, 0]])");
  EXPECT_TRUE(LoadAt(2, R"([[1, "A", 5, 0], [2, "B", 0, 0]])").empty());
  EXPECT_EQ(CountsOf(LoadAt(3, R"([[2, "B", 0, 0]])")),
            "new 0 changed 0 same 1 deleted 1 duplicate 0");
  EXPECT_TRUE(LoadAt(4, R"([[2, "B", 0, 0]])").empty());
  EXPECT_EQ(CountsOf(LoadAt(5, R"([[1, "A", 0, 0], [2, "C", 0, 0]])")),
            "new 1 changed 1 same 0 deleted 0 duplicate 0");
  const std::string epoch = "1970-01-01 00:00:0";
  const auto at = [&](int second) { return absl::StrCat(epoch, second, ".000000Z"); };
  EXPECT_THAT(Rows({"id", "content", "valid_from", "valid_to", "is_current"}),
              ElementsAre(absl::StrCat("1|A|", at(1), "|", at(3), "|false"),
                          absl::StrCat("1|A|", at(5), "||true"),
                          absl::StrCat("2|B|", at(1), "|", at(5), "|false"),
                          absl::StrCat("2|C|", at(5), "||true")));
}

TEST_F(KeyedVersionsStaging, OfWholeReadsWhatIsAwayMayBeKept) {
  ReadWhole(MissingPolicy::kKeep);
  LoadAt(1, R"([[1, "A", 0, 0], [2, "B", 0, 0]])");
  EXPECT_TRUE(LoadAt(2, R"([[2, "B", 0, 0]])").empty());
  EXPECT_TRUE(LoadAt(3, "[]").empty());
}

TEST_F(KeyedVersionsStaging, AClockThatIsSetBackGivesNoEmptyVersion) {
  ReadWhole(MissingPolicy::kClose);
  LoadAt(5, R"([[1, "A", 0, 0]])");
  LoadAt(2, R"([[1, "B", 0, 0]])");
  EXPECT_THAT(Rows({"content", "valid_from", "valid_to"}),
              ElementsAre("A|1970-01-01 00:00:05.000000Z|1970-01-01 00:00:05.000001Z",
                          "B|1970-01-01 00:00:05.000001Z|"));
}

TEST_F(KeyedVersionsStaging, TheirColumnsMayHaveOtherNames) {
  ReadAt(0, 100);
  SystemColumns& names = options_.dataset.system_columns;
  names.valid_from = "since";
  names.valid_to = "until";
  names.is_current = "now";
  names.confirmed_at = "seen";
  names.row_hash = "";
  Load(R"([[1, "A", 0, 10], [1, "A", 0, 20], [1, "B", 0, 30]])");
  Load(R"([[1, "C", 0, 40]])");
  EXPECT_THAT(Rows({"content", "since", "until", "now", "seen", "valid_from"}),
              ElementsAre("A|10|30|false|20|-", "B|30|40|false||-", "C|40||true||-"));
}

TEST_F(KeyedVersionsStaging, ATableWithoutSoundTimesIsRefused) {
  ReadAt(0, 100);
  Load(R"([[1, "A", 0, 10]])");
  const std::vector<StagedFile> first = live();
  // As if somebody had put the file there twice.
  options_.base->files.clear();
  const auto again = Stage({R"([[1, "B", 0, 20]])"});
  ASSERT_TRUE(again.ok());
  options_.base->files = {first[0], again->keyed->files[0]};
  const absl::Status status = Fails(R"([[1, "C", 0, 30]])");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("verify --scd2"));
  EXPECT_TRUE(Stage({R"([[2, "C", 0, 30]])"}).ok());  // Other keys are sound.
}

TEST_F(KeyedVersionsStaging, ATableOfAMergeIsRefused) {
  ReadAt(0, 100);
  options_.dataset.write = WriteMode::kMerge;
  Load(R"([[1, "A", 0, 10]])");
  options_.dataset.write = WriteMode::kVersions;
  EXPECT_EQ(Fails(R"([[1, "B", 0, 20]])").code(), absl::StatusCode::kDataLoss);
}

TEST_F(KeyedVersionsStaging, IsTheSameForEveryOrderAndCutOfWhatIsRead) {
  const auto [first, end] = HistorySeeds(150);
  for (int64_t seed = first; seed < end; ++seed) {
    SCOPED_TRACE(absl::StrCat("HEADWATER_HISTORY_SEED=", seed));
    std::mt19937 random(static_cast<unsigned>(seed));
    const auto below = [&](int limit) {
      return static_cast<int>(random() % static_cast<unsigned>(limit));
    };
    options_.base->files.clear();
    std::filesystem::remove_all(root_);
    ReadAt(0, 100);
    options_.memory_bytes = below(3) == 0 ? 0 : 1 << 20;
    options_.dataset.system_columns.row_hash = "_hw_row_hash";
    std::map<std::string, Contents> contents;
    std::vector<std::string> rows;
    std::set<std::string> known;  // Content and note of each row of a key.
    for (int left = 1 + below(30); left > 0; --left) {
      const int key = below(4), at = below(12);
      const auto [it, is_new] =
          contents[absl::StrCat(key)].emplace(at, static_cast<char>('A' + below(3)));
      if (!is_new) continue;
      const std::string content(1, it->second);
      rows.push_back(absl::StrCat("[", key, ", \"", content, "\", ", left, ", ", at, "]"));
      known.insert(absl::StrCat(key, "|", content, "|", left));
      if (below(4) == 0) rows.push_back(rows.back());  // Read twice.
    }
    std::shuffle(rows.begin(), rows.end(), random);
    for (size_t next = 0; next < rows.size();) {
      std::set<std::string> call;
      for (int left = 1 + below(6); left > 0 && next < rows.size(); --left)
        call.insert(rows[next++]);
      std::vector<std::string> batches;
      for (const std::string& row : call) batches.push_back("[" + row + "]");
      if (below(4) == 0) options_.dataset.hash_algorithm = kHashAlgorithms[below(3)];
      LoadBatches(batches);
      if (HasFailure()) return;
    }
    std::map<std::string, std::string> expected;
    for (const auto& [key, history] : contents) expected[key] = Oracle(history);
    ASSERT_EQ(Histories(), expected);
    for (const std::string& row : Rows({"id", "content", "note"}))
      ASSERT_TRUE(known.contains(row)) << row << " is no row of the source";
  }
}

TEST_F(KeyedVersionsStaging, OfWholeReadsAtRandomTheyAreWhatEachReadHad) {
  struct Held {
    std::string content;
    int from = 0, to = 0;  // 0: still holds.
  };
  const auto at = [](int second) {
    return second == 0 ? "" : absl::StrCat("1970-01-01 00:00:", second, ".000000Z");
  };
  const auto [first, end] = HistorySeeds(60);
  for (int64_t seed = first; seed < end; ++seed) {
    SCOPED_TRACE(absl::StrCat("HEADWATER_HISTORY_SEED=", seed));
    std::mt19937 random(static_cast<unsigned>(seed));
    options_.base->files.clear();
    std::filesystem::remove_all(root_);
    const bool closes = random() % 2 == 0;
    ReadWhole(closes ? MissingPolicy::kClose : MissingPolicy::kKeep);
    std::map<int, std::vector<Held>> expected;
    for (int second = 10; second < 22; ++second) {
      std::string rows;
      for (int key = 0; key < 6; ++key) {
        std::vector<Held>& held = expected[key];
        const bool current = !held.empty() && held.back().to == 0;
        const auto draw = static_cast<char>(random() % 4);
        if (draw == 3) {
          if (current && closes) held.back().to = second;
          continue;
        }
        const std::string content(1, static_cast<char>('A' + draw));
        absl::StrAppend(&rows, rows.empty() ? "" : ", ", "[", key, ", \"", content, "\", ", second,
                        ", 0]");
        if (current && held.back().content == content) continue;
        if (current) held.back().to = second;
        held.push_back({content, second, 0});
      }
      if (random() % 4 == 0) options_.dataset.hash_algorithm = kHashAlgorithms[random() % 3];
      LoadAt(second, "[" + rows + "]");
      std::vector<std::string> texts;
      for (const auto& [key, held] : expected) {
        for (const Held& one : held) {
          texts.push_back(absl::StrCat(key, "|", one.content, "|", at(one.from), "|", at(one.to),
                                       "|", one.to == 0 ? "true" : "false"));
        }
      }
      std::sort(texts.begin(), texts.end());
      ASSERT_EQ(Rows({"id", "content", "valid_from", "valid_to", "is_current"}), texts);
    }
  }
}

}  // namespace
}  // namespace headwater
