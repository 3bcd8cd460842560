#include "worker/source/mariadb/row_decoder.h"

#include <arrow/api.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/source/decoded_field.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;

// Takes and appends the row with which `bytes` begin. They lie alone on the heap, so that a
// sanitizer sees a decoder that reads beyond them.
absl::StatusOr<size_t> Feed(RowDecoder& decoder, absl::string_view bytes) {
  const std::unique_ptr<char[]> alone(new char[bytes.size()]);
  if (!bytes.empty()) std::memcpy(alone.get(), bytes.data(), bytes.size());
  ASSIGN_OR_RETURN(const size_t taken, decoder.Take(absl::string_view(alone.get(), bytes.size())));
  RETURN_IF_ERROR(decoder.Append());
  return taken;
}

// The rows since the last call, as Arrow prints their values.
std::vector<std::string> RowsOf(RowDecoder& decoder) {
  std::vector<std::string> rows;
  const auto batch = decoder.batch().Finish();
  EXPECT_TRUE(batch.ok()) << batch.status();
  const auto& arrow = *(*batch)->arrow();
  for (int64_t row = 0; row < arrow.num_rows(); ++row) {
    std::vector<std::string> values;
    for (const auto& column : arrow.columns()) {
      values.push_back((*column->GetScalar(row))->ToString());
    }
    rows.push_back(absl::StrJoin(values, " "));
  }
  return rows;
}

// id, name, born and flag.
RowDecoder NewDecoder(BadRowRules rules = {.key = {0}}) {
  return RowDecoder(Schema{{{"id", {TypeKind::kInteger}, true},
                            {"name", {TypeKind::kString}, true},
                            {"born", {TypeKind::kTimestampNtz}, true},
                            {"flag", {TypeKind::kBoolean}, true}}},
                    {RowShape::kInt4, RowShape::kText, RowShape::kMoment, RowShape::kInt1},
                    std::move(rules));
}

// SELECT 7, 'ab', '2013-01-31 05:06:07.000001', true
const std::string& Row() {
  static const std::string row = Bytes("00 00 07000000 02 6162 0b dd07 01 1f 05 06 07 01000000 01");
  return row;
}

// `count` columns of a byte each: c0, c1 …
RowDecoder OfBytes(size_t count) {
  Schema schema;
  for (size_t i = 0; i < count; ++i) {
    schema.columns.push_back({absl::StrCat("c", i), {TypeKind::kShort}, true});
  }
  return RowDecoder(schema, std::vector<RowShape>(count, RowShape::kInt1), {.key = {0}});
}

RowDecoder OfText() {
  return RowDecoder(Schema{{{"v", {TypeKind::kString}, true}}}, {RowShape::kText}, {.key = {0}});
}

TEST(RowDecoder, ARowIsTakenAndWhatLiesBehindItIsNotLookedAt) {
  RowDecoder decoder = NewDecoder();
  for (const std::string& rest : {std::string(), std::string("\xff\xff"), Row()}) {
    const auto taken = Feed(decoder, Row() + rest);
    ASSERT_TRUE(taken.ok()) << taken.status();
    EXPECT_EQ(*taken, Row().size());
  }
  const std::string expected = "7 ab 2013-01-31 05:06:07.000001 true";
  EXPECT_THAT(RowsOf(decoder), ElementsAre(expected, expected, expected));
}

TEST(RowDecoder, ARowCutAnywhereIsDataLoss) {
  for (size_t size = 0; size < Row().size(); ++size) {
    RowDecoder decoder = NewDecoder();
    const auto taken = Feed(decoder, Row().substr(0, size));
    EXPECT_EQ(taken.status().code(), absl::StatusCode::kDataLoss) << size << taken.status();
    EXPECT_TRUE(decoder.batch().empty()) << size;
  }
}

TEST(RowDecoder, BytesThatAreNoRowSayWhichRowItWas) {
  RowDecoder decoder = NewDecoder();
  ASSERT_TRUE(Feed(decoder, Row()).ok());
  EXPECT_EQ(decoder.Take(Bytes("fe 00 07000000")).status().message(),
            "MariaDB: row 2 does not begin as a row of 4 columns");
  EXPECT_EQ(decoder.Take("").status().message(),
            "MariaDB: row 2 does not begin as a row of 4 columns");
  EXPECT_EQ(decoder.Take(Bytes("00 00 07000000 02 61")).status().message(),
            "MariaDB: row 2 ends in column 'name'");
  const auto moment = Feed(decoder, Bytes("00 00 07000000 00 03 dd0701 01"));
  EXPECT_EQ(moment.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(moment.status().message(),
            "MariaDB: row 2, column 'born': 3 bytes are not a timestamp_ntz");
}

TEST(RowDecoder, TheBitsOfNullBeginBehindTwoThatNoColumnUses) {
  RowDecoder decoder = OfBytes(16);
  // Columns 0, 5 | 6, 7, 13 | 14. The two bits before mean nothing.
  for (const absl::string_view bits : {"84 83 01", "87 83 01"}) {
    const std::string row = Bytes(absl::StrCat("00", bits, "01020304 08090a0b0c 0f"));
    ASSERT_TRUE(Feed(decoder, row).ok());
  }
  const std::string expected = "null 1 2 3 4 null null null 8 9 10 11 12 null null 15";
  EXPECT_THAT(RowsOf(decoder), ElementsAre(expected, expected));
}

TEST(RowDecoder, EachColumnHasItsOwnBitInRowsOfAnyWidth) {
  for (size_t count = 1; count <= 24; ++count) {
    RowDecoder decoder = OfBytes(count);
    std::vector<std::string> expected;
    for (size_t null = 0; null <= count; ++null) {  // The last row has none.
      std::string bits((count + 9) / 8, '\0');
      if (null < count) bits[(null + 2) / 8] = static_cast<char>(1 << ((null + 2) % 8));
      std::string row = std::string(1, '\0') + bits;
      std::vector<std::string> values;
      for (size_t i = 0; i < count; ++i) {
        values.push_back(i == null ? "null" : absl::StrCat(i));
        if (i != null) row += static_cast<char>(i);
      }
      expected.push_back(absl::StrJoin(values, " "));
      const auto taken = Feed(decoder, row);
      ASSERT_TRUE(taken.ok()) << count << " columns, NULL in " << null << ": " << taken.status();
      EXPECT_EQ(*taken, row.size());
    }
    EXPECT_EQ(RowsOf(decoder), expected) << count;
  }
}

TEST(RowDecoder, LengthsHaveFourForms) {
  struct Case {
    absl::string_view length;  // In hex.
    size_t size;
  };
  for (const Case& one : std::vector<Case>{{"00", 0},
                                           {"01", 1},
                                           {"fa", 250},
                                           {"fc fb00", 251},
                                           {"fc ffff", 65'535},
                                           {"fd 000001", 65'536},
                                           {"fd 010001", 65'537},
                                           {"fe 0000000100000000", 16'777'216},
                                           // Longer than need be.
                                           {"fc 0000", 0},
                                           {"fd 010000", 1},
                                           {"fe 0200000000000000", 2}}) {
    RowDecoder decoder = OfText();
    const std::string row = Bytes(absl::StrCat("00 00", one.length)) + std::string(one.size, 'a');
    const auto taken = Feed(decoder, row + "b");
    ASSERT_TRUE(taken.ok()) << one.length << taken.status();
    EXPECT_EQ(*taken, row.size());
    EXPECT_EQ(RowsOf(decoder), std::vector<std::string>{std::string(one.size, 'a')}) << one.length;
    if (one.size == 0) continue;
    RowDecoder cut = OfText();
    EXPECT_EQ(Feed(cut, row.substr(0, row.size() - 1)).status().code(), absl::StatusCode::kDataLoss)
        << one.length;
  }
}

TEST(RowDecoder, WhatIsNoLengthOrTooLongIsDataLoss) {
  for (const absl::string_view field : {"fb",
                                        "ff",
                                        "fb 61",
                                        "ff 61",
                                        "fb 00000000000000000000",
                                        "ff 00000000000000000000",  //
                                        "",
                                        "fc",
                                        "fc 01",
                                        "fd",
                                        "fd 0100",
                                        "fe",
                                        "fe 01000000000000",  //
                                        "02 61",
                                        "fc 0200 61",
                                        "fd 020000 61",
                                        "fe 0200000000000000 61",
                                        "fe ffffffffffffffff 61",
                                        "fe 0000000000000080 61",
                                        "fe f7ffffffffffffff 61"}) {
    RowDecoder decoder = OfText();
    const auto taken = Feed(decoder, Bytes(absl::StrCat("00 00", field)));
    EXPECT_EQ(taken.status().code(), absl::StatusCode::kDataLoss) << field;
    EXPECT_EQ(taken.status().message(), "MariaDB: row 1 ends in column 'v'") << field;
  }
}

TEST(RowDecoder, NoLengthBeginsWithTheBytesOfNullAndOfErrors) {
  for (const unsigned first : {0xFBU, 0xFFU}) {
    RowDecoder decoder = OfText();
    const std::string row = Bytes("00 00") + static_cast<char>(first) + std::string(300, '\0');
    EXPECT_EQ(Feed(decoder, row).status().code(), absl::StatusCode::kDataLoss) << first;
  }
}

TEST(RowDecoder, AnEmptyTextIsNotNull) {
  RowDecoder decoder = OfText();
  ASSERT_TRUE(Feed(decoder, Bytes("00 00 00")).ok());
  ASSERT_TRUE(Feed(decoder, Bytes("00 04")).ok());
  EXPECT_THAT(RowsOf(decoder), ElementsAre("", "null"));
}

TEST(RowDecoder, AValueThatDoesNotFitNamesColumnAndKey) {
  const auto refusal = [](absl::string_view hex) {
    RowDecoder decoder = NewDecoder();
    const absl::Status status = Feed(decoder, Bytes(hex)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << hex;
    return std::string(status.message());
  };
  const std::string advice =
      " in the row with id=17; expected a timestamp_ntz; columns: {cast: {born: string}} reads it "
      "as text";
  EXPECT_EQ(refusal("00 00 11000000 00 00 01"),
            "column 'born' holds '0000-00-00 00:00:00'" + advice);
  EXPECT_EQ(refusal("00 00 11000000 00 04 dd07 00 00 01"),
            "column 'born' holds '2013-00-00 00:00:00'" + advice);
  EXPECT_EQ(refusal("00 00 11000000 00 07 dd07 01 00 05 06 07 01"),
            "column 'born' holds '2013-01-00 05:06:07'" + advice);
  EXPECT_EQ(refusal("00 10 11000000 02 61ff 01"),
            "column 'name' holds 'a\\xff' in the row with id=17; expected a string in UTF-8");
  EXPECT_EQ(refusal("00 18 11000000 02"),
            "column 'flag' holds '2' in the row with id=17; expected a boolean; columns: {cast: "
            "{flag: string}} reads it as text");
  EXPECT_EQ(refusal("00 18 11000000 ff"),
            "column 'flag' holds '-1' in the row with id=17; expected a boolean; columns: {cast: "
            "{flag: string}} reads it as text");
  EXPECT_EQ(refusal("00 04 02 61ff 00 01"),
            "column 'name' holds 'a\\xff' in the row with id=NULL; expected a string in UTF-8");
}

TEST(RowDecoder, AZeroDateNamesItsColumn) {
  RowDecoder decoder(
      Schema{{{"id", {TypeKind::kDecimal, 20, 0}, true}, {"day", {TypeKind::kDate}, true}}},
      {RowShape::kUint8, RowShape::kDate}, {.key = {0}});
  EXPECT_EQ(Feed(decoder, Bytes("00 00 ffffffffffffffff 00")).status().message(),
            "column 'day' holds '0000-00-00' in the row with id=18446744073709551615; expected a "
            "date; columns: {cast: {day: string}} reads it as text");
}

BadRowRules SettingAside() {
  return {.set_aside = true, .key = {0}, .cursor = 0, .cursor_type = CursorType::kInteger};
}

TEST(RowDecoder, ARowThatDoesNotFitIsSetAsideWholeAndItsNeighboursStay) {
  RowDecoder decoder = NewDecoder(SettingAside());
  for (const absl::string_view row : {"00 00 07000000 01 61 04 dd07 01 1f 01",  //
                                      "00 00 08000000 02 61ff 00 00",           // name
                                      "00 04 01 62 04 dd07 00 1f 01",           // born
                                      "00 10 09000000 00 02",                   // flag
                                      "00 38 0a000000"}) {
    const auto taken = Feed(decoder, Bytes(row));
    ASSERT_TRUE(taken.ok()) << row << ": " << taken.status();
    EXPECT_EQ(*taken, Bytes(row).size());
  }
  EXPECT_EQ(decoder.batch().rows(), 2);
  const auto batch = decoder.batch().Finish();
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ((*batch)->bad_rows().size(), 3u);
  const BadRow& name = (*batch)->bad_rows()[0];
  EXPECT_EQ(name.column, "name");
  EXPECT_EQ(name.value, "x'61ff'");
  EXPECT_EQ(name.reason, "expected a string in UTF-8");
  EXPECT_EQ(name.key, R"({"id":"8"})");
  EXPECT_EQ(name.row,
            R"({"id":"8","name":{"hex":"61ff"},"born":"0000-00-00 00:00:00","flag":"0"})");
  EXPECT_EQ(name.cursor, 8);
  const BadRow& born = (*batch)->bad_rows()[1];
  EXPECT_EQ(born.column, "born");
  EXPECT_EQ(born.value, "2013-00-31 00:00:00");
  EXPECT_EQ(born.reason, "expected a timestamp_ntz");
  EXPECT_EQ(born.key, R"({"id":null})");
  EXPECT_EQ(born.row, R"({"id":null,"name":"b","born":"2013-00-31 00:00:00","flag":"1"})");
  EXPECT_EQ(born.cursor, std::nullopt);
  const BadRow& flag = (*batch)->bad_rows()[2];
  EXPECT_EQ(flag.column, "flag");
  EXPECT_EQ(flag.value, "2");
  EXPECT_EQ(flag.row, R"({"id":"9","name":"","born":null,"flag":"2"})");
  EXPECT_EQ(flag.cursor, 9);
  EXPECT_TRUE(decoder.batch().empty());
}

TEST(RowDecoder, ARowThatIsSetAsideKeepsItsPlaceInTime) {
  for (const CursorType type : {CursorType::kWallClock, CursorType::kInstant}) {
    BadRowRules rules = SettingAside();
    rules.cursor = 2;
    rules.cursor_type = type;
    RowDecoder decoder = NewDecoder(rules);
    ASSERT_TRUE(
        Feed(decoder, Bytes("00 00 07000000 01 ff 0b b107 0c 1f 17 3b 3b 3f420f00 01")).ok());
    ASSERT_TRUE(Feed(decoder, Bytes("00 00 07000000 01 ff 04 b207 01 02 01")).ok());
    const auto batch = decoder.batch().Finish();
    ASSERT_TRUE(batch.ok()) << batch.status();
    ASSERT_EQ((*batch)->bad_rows().size(), 2u);
    EXPECT_EQ((*batch)->bad_rows()[0].cursor, -1);
    EXPECT_EQ((*batch)->bad_rows()[1].cursor, 86'400'000'000);
  }
}

TEST(RowDecoder, ACursorThatDoesNotFitHasNoPlaceAndIsAnError) {
  BadRowRules rules = SettingAside();
  rules.cursor = 2;
  rules.cursor_type = CursorType::kWallClock;
  // Whether it is the first that does not fit or not.
  for (const absl::string_view row : {"00 00 07000000 00 00 01", "00 00 07000000 01 ff 00 01"}) {
    RowDecoder decoder = NewDecoder(rules);
    const absl::Status status = Feed(decoder, Bytes(row)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  }
}

TEST(RowDecoder, BytesThatAreNoFieldAreAnErrorAlsoInARowThatDoesNotFit) {
  RowDecoder decoder = NewDecoder(SettingAside());
  const absl::Status status = Feed(decoder, Bytes("00 00 08000000 01 ff 03 dd0701 01")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

}  // namespace
}  // namespace headwater
