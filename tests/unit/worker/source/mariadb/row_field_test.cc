// Every shape on literal bytes, written by the grammar of row_field.h.
#include "worker/source/mariadb/row_field.h"

#include <arrow/api.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/source/decoded_field.h"

namespace headwater {
namespace {

std::string Decoded(RowShape shape, const ColumnType& type, absl::string_view hex) {
  return Decoded(AppenderOf(shape, type), type, hex);
}

struct Case {
  absl::string_view hex;
  absl::string_view value;
};

void ExpectAll(RowShape shape, const ColumnType& type, std::initializer_list<Case> cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(Decoded(shape, type, one.hex), one.value) << TypeToString(type) << " " << one.hex;
  }
}

const ColumnType kShort{TypeKind::kShort}, kInteger{TypeKind::kInteger}, kLong{TypeKind::kLong};
const ColumnType kText{TypeKind::kString};

TEST(RowField, IntegersReachBothEnds) {
  ExpectAll(RowShape::kInt1, {TypeKind::kByte}, {{"80", "-128"}, {"7f", "127"}, {"ff", "-1"}});
  ExpectAll(RowShape::kInt1, kShort, {{"80", "-128"}, {"7f", "127"}, {"", "malformed"}});
  ExpectAll(RowShape::kInt2, kShort, {{"0080", "-32768"}, {"ff7f", "32767"}, {"0001", "256"}});
  ExpectAll(RowShape::kInt2, kShort, {{"00", "malformed"}, {"000000", "malformed"}});
  ExpectAll(RowShape::kInt4, kInteger, {{"00000080", "-2147483648"}, {"ffffff7f", "2147483647"}});
  ExpectAll(RowShape::kInt4, kInteger, {{"01000000", "1"}, {"0000", "malformed"}});
  ExpectAll(RowShape::kInt8, kLong, {{"0000000000000080", "-9223372036854775808"}});
  ExpectAll(RowShape::kInt8, kLong, {{"ffffffffffffff7f", "9223372036854775807"}});
  ExpectAll(RowShape::kInt8, kLong, {{"0100000000000000", "1"}, {"01000000", "malformed"}});
}

TEST(RowField, UnsignedIntegersHaveNoSign) {
  ExpectAll(RowShape::kUint1, kShort, {{"ff", "255"}, {"80", "128"}, {"00", "0"}});
  ExpectAll(RowShape::kUint2, kInteger, {{"ffff", "65535"}, {"0080", "32768"}, {"", "malformed"}});
  ExpectAll(RowShape::kUint4, kLong, {{"ffffffff", "4294967295"}, {"ffff", "malformed"}});
  const ColumnType decimal{TypeKind::kDecimal, 20, 0};
  ExpectAll(RowShape::kUint8, decimal,
            {{"ffffffffffffffff", "18446744073709551615"},
             {"0000000000000080", "9223372036854775808"},
             {"0000000000000000", "0"},
             {"ffffffff", "malformed"}});
}

TEST(RowField, BooleansAreZeroOrOneOfWhateverWidth) {
  const ColumnType type{TypeKind::kBoolean};
  for (const RowShape shape : {RowShape::kInt1, RowShape::kUint1}) {
    ExpectAll(shape, type, {{"00", "false"}, {"01", "true"}, {"02", "unfit"}, {"ff", "unfit"}});
    ExpectAll(shape, type, {{"", "malformed"}, {"0001", "malformed"}});
  }
  ExpectAll(RowShape::kInt2, type, {{"0100", "true"}, {"0001", "unfit"}, {"01", "malformed"}});
  ExpectAll(RowShape::kInt8, type, {{"0100000000000000", "true"}, {"0100000000000001", "unfit"}});
  ExpectAll(RowShape::kText, type,
            {{"31", "true"}, {"30", "false"}, {"32", "unfit"}, {"", "unfit"}});
}

TEST(RowField, FloatsKeepEveryBit) {
  const auto bits = [](RowShape shape, TypeKind kind, absl::string_view hex) {
    BatchBuilder batch(Schema{{{"v", {kind}, true}}});
    EXPECT_EQ(AppenderOf(shape, {kind})(batch, 0, {kind}, Bytes(hex)), FieldResult::kAppended);
    batch.EndRow();
    const auto rows = *batch.Finish();
    const size_t width = kind == TypeKind::kFloat ? 4 : 8;
    const auto* values = rows->arrow()->column(0)->data()->GetValues<char>(1);
    return absl::BytesToHexString(absl::string_view(values, width));
  };
  for (const absl::string_view hex : {"00000080", "01000000", "ffff7f7f", "ffff7fff"}) {
    EXPECT_EQ(bits(RowShape::kFloat, TypeKind::kFloat, hex), hex);
  }
  for (const absl::string_view hex :
       {"0000000000000080", "0100000000000000", "ffffffffffffef7f", "ffffffffffffefff"}) {
    EXPECT_EQ(bits(RowShape::kDouble, TypeKind::kDouble, hex), hex);
  }
  ExpectAll(RowShape::kFloat, {TypeKind::kDouble}, {{"0000c03f", "1.5"}});
  ExpectAll(RowShape::kFloat, {TypeKind::kFloat}, {{"0000000000000000", "malformed"}});
  ExpectAll(RowShape::kDouble, {TypeKind::kDouble}, {{"00000000", "malformed"}});
}

TEST(RowField, DatesAreExactInEveryYear) {
  ExpectAll(RowShape::kDate, {TypeKind::kDate},
            {{"dd07 01 1f", "2013-01-31"},
             {"0100 01 01", "0001-01-01"},
             {"0f27 0c 1f", "9999-12-31"},
             {"d007 02 1d", "2000-02-29"},
             {"6c07 02 1d", "unfit"},   // 1900 had no such day.
             {"", "unfit"},             // 0000-00-00
             {"0000 00 00", "unfit"},   // The same, spelt out.
             {"dd07 00 00", "unfit"},   // 2013-00-00
             {"dd07 01 00", "unfit"},   // 2013-01-00
             {"dd07 00 1f", "unfit"},   // 2013-00-31
             {"0000 01 1f", "unfit"},   // 0000-01-31
             {"dd07 02 1f", "unfit"},   // Servers with ALLOW_INVALID_DATES have it.
             {"1027 01 01", "unfit"},   // The year 10000.
             {"ffff ff ff", "unfit"},   // As large as it can be written.
             {"dd07 01", "malformed"},  //
             {"dd07 01 1f 000000", "malformed"}});
}

TEST(RowField, MomentsLeaveZerosAtTheirEndOut) {
  for (const TypeKind kind : {TypeKind::kTimestampNtz, TypeKind::kTimestamp}) {
    const std::string zone = kind == TypeKind::kTimestamp ? "Z" : "";
    const auto value = [&](absl::string_view hex) {
      return Decoded(RowShape::kMoment, {kind}, hex);
    };
    EXPECT_EQ(value("dd07 01 1f"), "2013-01-31 00:00:00.000000" + zone);
    EXPECT_EQ(value("dd07 01 1f 05 06 07"), "2013-01-31 05:06:07.000000" + zone);
    EXPECT_EQ(value("dd07 01 1f 05 06 07 01000000"), "2013-01-31 05:06:07.000001" + zone);
    EXPECT_EQ(value("dd07 01 1f 05 06 07 40e20100"), "2013-01-31 05:06:07.123456" + zone);
    EXPECT_EQ(value("b107 0c 1f 17 3b 3b 3f420f00"), "1969-12-31 23:59:59.999999" + zone);
    EXPECT_EQ(value("0100 01 01"), "0001-01-01 00:00:00.000000" + zone);
    EXPECT_EQ(value("0f27 0c 1f 17 3b 3b 3f420f00"), "9999-12-31 23:59:59.999999" + zone);
    for (const absl::string_view hex :
         {"", "0000 00 00", "dd07 00 00", "dd07 01 00 05 06 07", "dd07 02 1e 00 00 00 01000000"}) {
      EXPECT_EQ(value(hex), "unfit") << hex;
    }
    for (const absl::string_view hex :
         {"dd", "dd07 01", "dd07 01 1f 05", "dd07 01 1f 05 06 07 010000", "dd07 01 1f 18 00 00",
          "dd07 01 1f 00 3c 00", "dd07 01 1f 00 00 3c", "dd07 01 1f 05 06 07 40420f00",
          "dd07 01 1f 05 06 07 ffffffff", "dd07 01 1f 05 06 07 01000000 00"}) {
      EXPECT_EQ(value(hex), "malformed") << hex;
    }
  }
}

TEST(RowField, TextIsTakenAsItIsWhenItIsUtf8) {
  ExpectAll(RowShape::kText, kText,
            {{"", ""}, {"61 09 22 c3b8 f09f9880", "a\t\"ø😀"}, {"ff", "unfit"}, {"c0af", "unfit"}});
  ExpectAll(RowShape::kText, kText, {{"eda080", "unfit"}, {"c3", "unfit"}});  // A surrogate; half.
  ExpectAll(RowShape::kText, {TypeKind::kBinary}, {{"00ff80", Bytes("00ff80")}});
  ExpectAll(RowShape::kBytes, {TypeKind::kBinary}, {{"00ff80", Bytes("00ff80")}, {"", ""}});
  ExpectAll(RowShape::kBytes, kText, {{"c3b8", "ø"}, {"ff", "unfit"}});
}

TEST(RowField, DecimalsArePrinted) {
  const auto decoded = [](absl::string_view text, int precision, int scale) {
    return Decoded(RowShape::kText, {TypeKind::kDecimal, precision, scale},
                   absl::BytesToHexString(text));
  };
  const std::string nines(38, '9');
  EXPECT_EQ(decoded("-12.50", 10, 2), "-12.50");
  EXPECT_EQ(decoded("0.00", 10, 2), "0.00");
  EXPECT_EQ(decoded(nines, 38, 0), nines);
  EXPECT_EQ(decoded("-" + nines, 38, 0), "-" + nines);
  EXPECT_EQ(decoded("0." + nines, 38, 38), "0." + nines);
  for (const absl::string_view text :
       {"", "-", "1.234", "123456789.00", "1,5", "NaN", " 1", "1\n"}) {
    EXPECT_EQ(decoded(text, 10, 2), "unfit") << text;
  }
}

TEST(RowField, WhatIsPrintedIsParsedAsItsColumn) {
  const auto decoded = [](TypeKind kind, absl::string_view text) {
    return Decoded(RowShape::kText, {kind}, absl::BytesToHexString(text));
  };
  EXPECT_EQ(decoded(TypeKind::kLong, "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(decoded(TypeKind::kLong, "9223372036854775808"), "unfit");
  EXPECT_EQ(decoded(TypeKind::kDate, "2013-01-31"), "2013-01-31");
  EXPECT_EQ(decoded(TypeKind::kDate, "0000-00-00"), "unfit");
  EXPECT_EQ(decoded(TypeKind::kTimestampNtz, "2013-01-31 05:00:00.5"),
            "2013-01-31 05:00:00.500000");
}

TEST(RowField, AShapeHasAnAppenderForTheTypesThatHoldAllOfItOnly) {
  const auto types = [](RowShape shape) {
    std::string names;
    for (const TypeKind kind :
         {TypeKind::kBoolean, TypeKind::kByte, TypeKind::kShort, TypeKind::kInteger,
          TypeKind::kLong, TypeKind::kFloat, TypeKind::kDouble, TypeKind::kDecimal, TypeKind::kDate,
          TypeKind::kTimestamp, TypeKind::kTimestampNtz, TypeKind::kString, TypeKind::kBinary}) {
      ColumnType type{kind};
      if (kind == TypeKind::kDecimal) type = {kind, 20, 0};
      if (AppenderOf(shape, type) == nullptr) continue;
      absl::StrAppend(&names, names.empty() ? "" : " ", TypeToString(type));
    }
    return names;
  };
  EXPECT_EQ(types(RowShape::kInt1), "boolean byte short integer long");
  EXPECT_EQ(types(RowShape::kUint1), "boolean short integer long");
  EXPECT_EQ(types(RowShape::kInt2), "boolean short integer long");
  EXPECT_EQ(types(RowShape::kUint2), "boolean integer long");
  EXPECT_EQ(types(RowShape::kInt4), "boolean integer long");
  EXPECT_EQ(types(RowShape::kUint4), "boolean long");
  EXPECT_EQ(types(RowShape::kInt8), "boolean long");
  EXPECT_EQ(types(RowShape::kUint8), "boolean decimal(20,0)");
  EXPECT_EQ(types(RowShape::kFloat), "float double");
  EXPECT_EQ(types(RowShape::kDouble), "double");
  EXPECT_EQ(types(RowShape::kDate), "date");
  EXPECT_EQ(types(RowShape::kMoment), "timestamp timestamp_ntz");
  EXPECT_EQ(types(RowShape::kText),
            "boolean byte short integer long float double decimal(20,0) date timestamp "
            "timestamp_ntz string binary");
  EXPECT_EQ(types(RowShape::kBytes), "string binary");
}

TEST(RowField, AnUnsignedLongNeedsTwentyDigitsBeforeThePoint) {
  const auto takes = [](int precision, int scale) {
    return AppenderOf(RowShape::kUint8, {TypeKind::kDecimal, precision, scale}) != nullptr;
  };
  EXPECT_TRUE(takes(20, 0));
  EXPECT_TRUE(takes(38, 0));
  EXPECT_FALSE(takes(19, 0));
  EXPECT_FALSE(takes(21, 1));
}

TEST(RowField, AValueIsWhatTheServerPrints) {
  const auto value = [](RowShape shape, absl::string_view hex) {
    return RowFieldValue(shape, Bytes(hex));
  };
  EXPECT_EQ(value(RowShape::kInt1, "80"), "-128");
  EXPECT_EQ(value(RowShape::kUint1, "80"), "128");
  EXPECT_EQ(value(RowShape::kInt2, "0080"), "-32768");
  EXPECT_EQ(value(RowShape::kUint2, "0080"), "32768");
  EXPECT_EQ(value(RowShape::kInt4, "ffffffff"), "-1");
  EXPECT_EQ(value(RowShape::kUint4, "ffffffff"), "4294967295");
  EXPECT_EQ(value(RowShape::kInt8, "ffffffffffffffff"), "-1");
  EXPECT_EQ(value(RowShape::kUint8, "ffffffffffffffff"), "18446744073709551615");
  EXPECT_EQ(value(RowShape::kFloat, "0000c03f"), "1.5");
  EXPECT_EQ(value(RowShape::kDouble, "000000000000f8bf"), "-1.5");
  EXPECT_EQ(value(RowShape::kDate, ""), "0000-00-00");
  EXPECT_EQ(value(RowShape::kDate, "dd07 00 1f"), "2013-00-31");
  EXPECT_EQ(value(RowShape::kMoment, ""), "0000-00-00 00:00:00");
  EXPECT_EQ(value(RowShape::kMoment, "dd07 01 00 05 06 07"), "2013-01-00 05:06:07");
  EXPECT_EQ(value(RowShape::kMoment, "dd07 01 1f 05 06 07 01000000"), "2013-01-31 05:06:07.000001");
  EXPECT_EQ(value(RowShape::kText, "61ff"), "a\xff");
  EXPECT_EQ(value(RowShape::kBytes, "61ff"), "x61ff");
  // Of the wrong length.
  EXPECT_EQ(value(RowShape::kInt4, "0102"), "x0102");
  EXPECT_EQ(value(RowShape::kMoment, "dd07"), "xdd07");
}

TEST(RowField, ATextForAMessageIsShortAndPrintable) {
  EXPECT_EQ(RowFieldText(RowShape::kText, "a\xff\n"), "a\\xff\\x0a");
  EXPECT_EQ(RowFieldText(RowShape::kText, std::string(100, 'a')),
            std::string(80, 'a') + "… (100 bytes)");
  EXPECT_EQ(RowFieldText(RowShape::kBytes, std::string(100, '\xff')), "x" + std::string(80, 'f'));
  EXPECT_EQ(RowFieldText(RowShape::kDate, ""), "0000-00-00");
  EXPECT_LT(RowFieldText(RowShape::kMoment, std::string(1000, 'a')).size(), 120u);
  EXPECT_LT(RowFieldText(RowShape::kInt8, std::string(1000, 'a')).size(), 120u);
}

}  // namespace
}  // namespace headwater
