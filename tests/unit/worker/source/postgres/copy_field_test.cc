// Every wire shape on literal bytes, as PostgreSQL 15 sends them: SELECT int2send(…) and so on.
#include "worker/source/postgres/copy_field.h"

#include <arrow/api.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/source/decoded_field.h"

namespace headwater {
namespace {

std::string Decoded(WireShape shape, const ColumnType& type, absl::string_view hex) {
  return Decoded(AppenderOf(shape), type, hex);
}

std::string Text(WireShape shape, absl::string_view hex) {
  return Decoded(shape, {TypeKind::kString}, hex);
}

TEST(CopyField, BooleansAreOneByteOfZeroOrOne) {
  const ColumnType type{TypeKind::kBoolean};
  EXPECT_EQ(Decoded(WireShape::kBool, type, "00"), "false");
  EXPECT_EQ(Decoded(WireShape::kBool, type, "01"), "true");
  EXPECT_EQ(Decoded(WireShape::kBool, type, "02"), "malformed");
  EXPECT_EQ(Decoded(WireShape::kBool, type, ""), "malformed");
}

TEST(CopyField, IntegersReachBothEnds) {
  const ColumnType int2{TypeKind::kShort}, int4{TypeKind::kInteger}, int8{TypeKind::kLong};
  EXPECT_EQ(Decoded(WireShape::kInt2, int2, "8000"), "-32768");
  EXPECT_EQ(Decoded(WireShape::kInt2, int2, "7fff"), "32767");
  EXPECT_EQ(Decoded(WireShape::kInt2, int2, "00007fff"), "malformed");
  EXPECT_EQ(Decoded(WireShape::kInt4, int4, "80000000"), "-2147483648");
  EXPECT_EQ(Decoded(WireShape::kInt4, int4, "7fffffff"), "2147483647");
  EXPECT_EQ(Decoded(WireShape::kInt4, int4, "7fff"), "malformed");
  EXPECT_EQ(Decoded(WireShape::kInt8, int8, "8000000000000000"), "-9223372036854775808");
  EXPECT_EQ(Decoded(WireShape::kInt8, int8, "7fffffffffffffff"), "9223372036854775807");
  EXPECT_EQ(Decoded(WireShape::kInt8, int8, "7fffffff"), "malformed");
}

TEST(CopyField, AnOidHasNoSign) {
  const ColumnType type{TypeKind::kLong};
  EXPECT_EQ(Decoded(WireShape::kOid, type, "ffffffff"), "4294967295");
  EXPECT_EQ(Decoded(WireShape::kOid, type, "00000000"), "0");
  EXPECT_EQ(Decoded(WireShape::kOid, type, "ffffffffff"), "malformed");
}

TEST(CopyField, FloatsKeepEveryBit) {
  const auto bits = [](WireShape shape, TypeKind kind, absl::string_view hex) -> uint64_t {
    BatchBuilder batch(Schema{{{"v", {kind}, true}}});
    EXPECT_EQ(AppenderOf(shape)(batch, 0, {kind}, Bytes(hex)), FieldResult::kAppended);
    batch.EndRow();
    const auto rows = *batch.Finish();
    const arrow::Array& array = *rows->arrow()->column(0);
    return kind == TypeKind::kFloat ? array.data()->GetValues<uint32_t>(1)[0]
                                    : array.data()->GetValues<uint64_t>(1)[0];
  };
  for (const absl::string_view hex : {"80000000", "00000001", "7f7fffff", "7f800000", "7fc00000"}) {
    EXPECT_EQ(
        absl::StrCat(absl::Hex(bits(WireShape::kFloat4, TypeKind::kFloat, hex), absl::kZeroPad8)),
        hex);
  }
  for (const absl::string_view hex : {"8000000000000000", "0000000000000001", "7fefffffffffffff",
                                      "fff0000000000000", "7ff8000000000000"}) {
    EXPECT_EQ(
        absl::StrCat(absl::Hex(bits(WireShape::kFloat8, TypeKind::kDouble, hex), absl::kZeroPad16)),
        hex);
  }
  EXPECT_EQ(Decoded(WireShape::kFloat8, {TypeKind::kDouble}, "80000000"), "malformed");
  EXPECT_EQ(Decoded(WireShape::kFloat4, {TypeKind::kFloat}, "8000000000000000"), "malformed");
}

TEST(CopyField, TextIsTakenAsItIsWhenItIsUtf8) {
  EXPECT_EQ(Text(WireShape::kText, ""), "");
  EXPECT_EQ(Text(WireShape::kText, "61 09 22 c3b8 f09f9880"), "a\t\"ø😀");
  EXPECT_EQ(Text(WireShape::kText, "ff"), "unfit");
  EXPECT_EQ(Text(WireShape::kText, "c0af"), "unfit");
  EXPECT_EQ(Text(WireShape::kText, "eda080"), "unfit");  // A surrogate.
}

TEST(CopyField, TheOneByteTypeIsEmptyOrOneAsciiCharacter) {
  EXPECT_EQ(Text(WireShape::kChar, "00"), "");
  EXPECT_EQ(Text(WireShape::kChar, "72"), "r");
  EXPECT_EQ(Text(WireShape::kChar, "ff"), "unfit");
  EXPECT_EQ(Text(WireShape::kChar, ""), "malformed");
  EXPECT_EQ(Text(WireShape::kChar, "7272"), "malformed");
}

TEST(CopyField, JsonbHasAVersionBeforeItsText) {
  EXPECT_EQ(Text(WireShape::kJsonb, "01 7b2261223a205c22317d"), "{\"a\": \\\"1}");
  EXPECT_EQ(Text(WireShape::kJsonb, "02 7b7d"), "malformed");
  EXPECT_EQ(Text(WireShape::kJsonb, ""), "malformed");
}

TEST(CopyField, AUuidIsLowerCaseWithHyphens) {
  EXPECT_EQ(Text(WireShape::kUuid, "a0eebc999c0b4ef8bb6d6bb9bd380a11"),
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  EXPECT_EQ(Text(WireShape::kUuid, "a0eebc999c0b4ef8bb6d6bb9bd380a"), "malformed");
}

TEST(CopyField, ByteaIsAnyBytes) {
  EXPECT_EQ(Decoded(WireShape::kBytea, {TypeKind::kBinary}, "00ff80"), Bytes("00ff80"));
  EXPECT_EQ(Decoded(WireShape::kBytea, {TypeKind::kBinary}, ""), "");
}

TEST(CopyField, DatesAreDaysSince2000AndExactInEveryYear) {
  const ColumnType type{TypeKind::kDate};
  EXPECT_EQ(Decoded(WireShape::kDate, type, "00000000"), "2000-01-01");
  EXPECT_EQ(Decoded(WireShape::kDate, type, "fff4dbf9"), "0001-01-01");
  EXPECT_EQ(Decoded(WireShape::kDate, type, "002c95d3"), "9999-12-31");
  EXPECT_EQ(Decoded(WireShape::kDate, type, "ffda97cd"), "-4712-01-01");
  EXPECT_EQ(Decoded(WireShape::kDate, type, "7fffffff"), "unfit");  // infinity
  EXPECT_EQ(Decoded(WireShape::kDate, type, "80000000"), "unfit");  // -infinity
  EXPECT_EQ(Decoded(WireShape::kDate, type, "000000"), "malformed");
}

TEST(CopyField, TimestampsAreMicrosecondsSince2000) {
  const ColumnType wall{TypeKind::kTimestampNtz}, instant{TypeKind::kTimestamp};
  EXPECT_EQ(Decoded(WireShape::kTimestamp, wall, "0000000000000001"), "2000-01-01 00:00:00.000001");
  EXPECT_EQ(Decoded(WireShape::kTimestamp, instant, "ffffffffffffffff"),
            "1999-12-31 23:59:59.999999Z");
  EXPECT_EQ(Decoded(WireShape::kTimestamp, wall, "ff1fe2ffc59c6000"), "0001-01-01 00:00:00.000000");
  EXPECT_EQ(Decoded(WireShape::kTimestamp, wall, "0380e70b913b7fff"), "9999-12-31 23:59:59.999999");
  EXPECT_EQ(Decoded(WireShape::kTimestamp, wall, "7fffffffffffffff"), "unfit");     // infinity
  EXPECT_EQ(Decoded(WireShape::kTimestamp, wall, "8000000000000000"), "unfit");     // -infinity
  EXPECT_EQ(Decoded(WireShape::kTimestamp, instant, "7fffff5a8fc92fff"), "unfit");  // Year 294276.
  EXPECT_EQ(Decoded(WireShape::kTimestamp, instant, "00000000"), "malformed");
}

TEST(CopyField, NumericIsExactToThirtyEightDigits) {
  const auto numeric = [](absl::string_view hex, int precision, int scale) -> std::string {
    return Decoded(WireShape::kNumeric, {TypeKind::kDecimal, precision, scale}, hex);
  };
  EXPECT_EQ(numeric("0000 0000 0000 0000", 4, 2), "0.00");
  EXPECT_EQ(numeric("0003 0001 0000 0003 0001 0929 1a7c", 10, 3), "12345.678");
  EXPECT_EQ(numeric("0003 0001 4000 0003 0001 0929 1a7c", 10, 4), "-12345.6780");
  EXPECT_EQ(numeric("0001 ffff 0000 0004 0001", 6, 4), "0.0001");
  EXPECT_EQ(numeric("0001 0002 0000 0000 0001", 10, 0), "100000000");        // 10000^2
  EXPECT_EQ(numeric("0003 0001 0000 0003 0001 0929 1a7c", 10, 2), "unfit");  // Would be rounded.
  EXPECT_EQ(numeric("0001 0001 0000 0000 0001", 4, 0), "unfit");             // Too large.
  EXPECT_EQ(numeric("000a 0009 0000 0000 0063 270f 270f 270f 270f 270f 270f 270f 270f 270f", 38, 0),
            std::string(38, '9'));
  EXPECT_EQ(numeric("000a 0009 4000 0000 0063 270f 270f 270f 270f 270f 270f 270f 270f 270f", 38, 0),
            "-" + std::string(38, '9'));
  EXPECT_EQ(numeric("0000 0000 c000 0000", 10, 2), "unfit");  // NaN
  EXPECT_EQ(numeric("0000 0000 d000 0020", 10, 2), "unfit");  // Infinity
  EXPECT_EQ(numeric("0002 0000 0000 0000 0001", 10, 2), "malformed");
  EXPECT_EQ(numeric("0001 0000 0000 0000 2710", 10, 2), "malformed");  // A digit of 10000.
  EXPECT_EQ(numeric("0001 0000 1234 0000 0001", 10, 2), "malformed");  // No such sign.
}

TEST(CopyField, ANumericOfAnyLengthIsTheTextThatTheServerPrints) {
  const auto text = [](absl::string_view hex) { return Text(WireShape::kNumericText, hex); };
  EXPECT_EQ(text("0000 0000 0000 0000"), "0");
  EXPECT_EQ(text("0000 0000 0000 0003"), "0.000");
  EXPECT_EQ(text("0003 0001 0000 0003 0001 0929 1a7c"), "12345.678");
  EXPECT_EQ(text("0003 0001 4000 0006 0001 0929 1a7c"), "-12345.678000");
  EXPECT_EQ(text("0001 ffff 4000 0002 1388"), "-0.50");
  EXPECT_EQ(text("0001 fffe 0000 0005 03e8"), "0.00001");
  EXPECT_EQ(text("0001 0002 0000 0000 0001"), "100000000");
  EXPECT_EQ(text("0001 00f9 0000 0000 03e7"), "999" + std::string(996, '0'));
  EXPECT_EQ(text("0000 0000 c000 0000"), "NaN");
  EXPECT_EQ(text("0000 0000 d000 0020"), "Infinity");
  EXPECT_EQ(text("0000 0000 f000 0020"), "-Infinity");
  EXPECT_EQ(text("0001 0000 0000 0000 2710"), "malformed");
  EXPECT_EQ(text("0001 ffff 0000 0003 0001"), "malformed");  // A digit below its scale.
  EXPECT_EQ(text("0001 fffe 0000 0000 0001"), "malformed");
  EXPECT_EQ(text("0000 0000 0000 4000"), "malformed");
  EXPECT_EQ(text("0000 0000 0000"), "malformed");
}

TEST(CopyField, AMessageShowsTheValueAsAPersonWouldWriteIt) {
  const auto shown = [](WireShape shape, TypeKind kind, absl::string_view hex) {
    return FieldText(shape, {kind, 10, 2}, Bytes(hex));
  };
  EXPECT_EQ(shown(WireShape::kInt4, TypeKind::kInteger, "ffffffff"), "-1");
  EXPECT_EQ(shown(WireShape::kOid, TypeKind::kLong, "ffffffff"), "4294967295");
  EXPECT_EQ(shown(WireShape::kText, TypeKind::kString, "6162ff"), "ab\\xff");
  EXPECT_EQ(shown(WireShape::kNumeric, TypeKind::kDecimal, "0000 0000 c000 0000"), "NaN");
  EXPECT_EQ(shown(WireShape::kNumeric, TypeKind::kDecimal, "0001 ffff 4000 0003 04d2"),
            "x0001ffff4000000304d2");
  EXPECT_EQ(shown(WireShape::kNumeric, TypeKind::kDecimal, "0001 ffff 4000 0004 04d2"), "-0.1234");
  EXPECT_EQ(shown(WireShape::kDate, TypeKind::kDate, "7fffffff"), "infinity");
  EXPECT_EQ(shown(WireShape::kDate, TypeKind::kDate, "80000000"), "-infinity");
  EXPECT_EQ(shown(WireShape::kDate, TypeKind::kDate, "00000001"), "2000-01-02");
  EXPECT_EQ(shown(WireShape::kTimestamp, TypeKind::kTimestamp, "7fffffffffffffff"), "infinity");
  EXPECT_EQ(shown(WireShape::kTimestamp, TypeKind::kTimestamp, "8000000000000000"), "-infinity");
  EXPECT_EQ(shown(WireShape::kTimestamp, TypeKind::kTimestampNtz, "7fffff5a8fc92fff"),
            "a time after the year 294246");
  EXPECT_EQ(shown(WireShape::kUuid, TypeKind::kString, "a0eebc999c0b4ef8bb6d6bb9bd380a11"),
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  EXPECT_EQ(shown(WireShape::kInt4, TypeKind::kInteger, "ffff"), "xffff");
  // The lowest timestamp that is no infinity.
  EXPECT_NE(shown(WireShape::kTimestamp, TypeKind::kTimestamp, "8000000000000001"), "-infinity");
}

}  // namespace
}  // namespace headwater
