#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "common/data/field_text_arrow.h"
#include "tests/support/fake_source.h"
#include "worker/source/batch_builder.h"

namespace headwater {
namespace {

constexpr int64_t kDay = 86'400'000'000;

std::string TextAt(const Schema& schema, const RowBatch& batch, int column = 0, int64_t row = 0) {
  ColumnViews views(schema);
  EXPECT_TRUE(views.Take(*batch.arrow(), "test").ok());
  const ColumnView& view = views.all().at(static_cast<size_t>(column));
  std::string text(static_cast<size_t>(MaxTextOf(view, row)), '#');
  const char* const end = PutField(view, row, text.data());
  EXPECT_LE(end - text.data(), MaxTextOf(view, row));
  text.resize(static_cast<size_t>(end - text.data()));
  return text;
}

// Of a value as BatchOf() takes it.
std::string TextOf(const std::string& type, const std::string& value) {
  const Schema schema{{{"c", *ParseType(type)}}};
  return TextAt(schema, *BatchOf(schema, absl::StrCat("[[", value, "]]")));
}

std::string TextOfInteger(TypeKind kind, int64_t value) {
  const Schema schema{{{"c", {kind}}}};
  BatchBuilder builder(schema);
  builder.AppendInteger(0, value);
  builder.EndRow();
  return TextAt(schema, **builder.Finish());
}

std::string TextOfDouble(double value) {
  const Schema schema{{{"c", {TypeKind::kDouble}}}};
  BatchBuilder builder(schema);
  builder.AppendDouble(0, value);
  builder.EndRow();
  return TextAt(schema, **builder.Finish());
}

std::string TextOfDecimal(__int128 unscaled, int scale) {
  const Schema schema{{{"c", {TypeKind::kDecimal, 38, scale}}}};
  BatchBuilder builder(schema);
  builder.AppendDecimal(0, unscaled);
  builder.EndRow();
  return TextAt(schema, **builder.Finish());
}

TEST(FieldText, BooleansAndIntegersAreDigits) {
  EXPECT_EQ(TextOf("boolean", "true"), "1");
  EXPECT_EQ(TextOf("boolean", "false"), "0");
  EXPECT_EQ(TextOf("byte", "-128"), "-128");
  EXPECT_EQ(TextOf("short", "-32768"), "-32768");
  EXPECT_EQ(TextOf("integer", "2147483647"), "2147483647");
  EXPECT_EQ(TextOf("long", "0"), "0");
  EXPECT_EQ(TextOf("long", "-42"), "-42");
  EXPECT_EQ(TextOfInteger(TypeKind::kLong, std::numeric_limits<int64_t>::min()),
            "-9223372036854775808");
}

TEST(FieldText, DecimalsHaveADigitBeforeThePointAndAllOfTheirScale) {
  EXPECT_EQ(TextOf("decimal(9,2)", R"("0.50")"), "0.50");
  EXPECT_EQ(TextOf("decimal(9,2)", R"("-0.05")"), "-0.05");
  EXPECT_EQ(TextOf("decimal(9,2)", R"("-12.00")"), "-12.00");
  EXPECT_EQ(TextOf("decimal(9,2)", R"("0.00")"), "0.00");
  EXPECT_EQ(TextOf("decimal(9,0)", R"("-7")"), "-7");
  EXPECT_EQ(TextOf("decimal(4,4)", R"("-0.0012")"), "-0.0012");
}

TEST(FieldText, DecimalsOf38DigitsAreWhole) {
  const std::string nines(38, '9');
  __int128 number = 0;
  for (int i = 0; i < 38; ++i) number = number * 10 + 9;
  EXPECT_EQ(TextOfDecimal(number, 0), nines);
  EXPECT_EQ(TextOfDecimal(-number, 10), absl::StrCat("-", nines.substr(10), ".", nines.substr(28)));
  EXPECT_EQ(TextOfDecimal(-number, 38), absl::StrCat("-0.", nines));
  EXPECT_EQ(TextOfDecimal(1, 38), absl::StrCat("0.", std::string(37, '0'), "1"));
  // Around the border of 64 bits, and with zeros behind it.
  const __int128 chunk = 10'000'000'000'000'000'000U;
  EXPECT_EQ(TextOfDecimal(chunk, 0), "10000000000000000000");
  EXPECT_EQ(TextOfDecimal(chunk * 2 + 7, 0), "20000000000000000007");
  EXPECT_EQ(TextOfDecimal(static_cast<__int128>(UINT64_MAX), 1), "1844674407370955161.5");
  EXPECT_EQ(TextOfDecimal(static_cast<__int128>(UINT64_MAX) + 1, 1), "1844674407370955161.6");
}

TEST(FieldText, FloatingPointIsItsBitsWithOneZeroAndOneNan) {
  EXPECT_EQ(TextOfDouble(0.1), "3fb999999999999a");
  EXPECT_EQ(TextOfDouble(-1), "bff0000000000000");
  EXPECT_EQ(TextOfDouble(0), "0000000000000000");
  EXPECT_EQ(TextOfDouble(-0.0), "0000000000000000");
  EXPECT_EQ(TextOfDouble(-std::numeric_limits<double>::infinity()), "fff0000000000000");
  for (const uint64_t bits : {0x7ff8000000000000U, 0xfff8000000000000U, 0x7ff0000000000001U}) {
    EXPECT_EQ(TextOfDouble(std::bit_cast<double>(uint64_t{bits})), "7ff8000000000000");
  }
  EXPECT_EQ(TextOf("float", "0.5"), TextOf("double", "0.5"));
  EXPECT_EQ(TextOf("float", "0.1"), TextOfDouble(0.1F));
}

TEST(FieldText, TextSaysHowLongItIsAndBytesAreHex) {
  EXPECT_EQ(TextOf("string", R"("Zoë")"), "4:Zoë");
  EXPECT_EQ(TextOf("string", R"("")"), "0:");
  EXPECT_EQ(TextOf("string", R"("a,~\u0000")"), std::string("4:a,~\0", 6));
  EXPECT_EQ(TextOf("string", absl::StrCat("\"", std::string(70'000, 'x'), "\"")),
            absl::StrCat("70000:", std::string(70'000, 'x')));
  EXPECT_EQ(TextOf("binary", R"("\u0000Az")"), "00417a");
  EXPECT_EQ(TextOf("binary", R"("")"), "");
}

TEST(FieldText, MomentsHaveSixDigitsAndInstantsAZ) {
  EXPECT_EQ(TextOf("timestamp", R"("2013-01-31 05:00:00.250000")"), "2013-01-31 05:00:00.250000Z");
  EXPECT_EQ(TextOf("timestamp_ntz", R"("2013-01-31 05:00:00")"), "2013-01-31 05:00:00.000000");
  EXPECT_EQ(TextOfInteger(TypeKind::kTimestampNtz, -1), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(TextOfInteger(TypeKind::kTimestampNtz, -kDay), "1969-12-31 00:00:00.000000");
  EXPECT_EQ(TextOfInteger(TypeKind::kTimestampNtz, -719'162 * kDay), "0001-01-01 00:00:00.000000");
  EXPECT_EQ(TextOfInteger(TypeKind::kTimestamp, 2'932'897 * kDay - 1),
            "9999-12-31 23:59:59.999999Z");
  EXPECT_EQ(TextOf("date", R"("2013-01-31")"), "2013-01-31");
  EXPECT_EQ(TextOfInteger(TypeKind::kDate, -719'162), "0001-01-01");
  EXPECT_EQ(TextOfInteger(TypeKind::kDate, 2'932'896), "9999-12-31");
}

TEST(FieldText, YearsBeyondTheUsualOnesAreWrittenAsPostgresqlWritesThem) {
  EXPECT_EQ(TextOfInteger(TypeKind::kDate, -719'163), "0001-12-31 BC");
  EXPECT_EQ(TextOfInteger(TypeKind::kDate, 2'932'897), "10000-01-01");
  EXPECT_EQ(TextOfInteger(TypeKind::kTimestampNtz, 2'932'897 * kDay),
            "10000-01-01 00:00:00.000000");
  EXPECT_EQ(TextOfInteger(TypeKind::kTimestampNtz, -719'162 * kDay - 1),
            "0001-12-31 23:59:59.999999 BC");
  EXPECT_EQ(TextOfInteger(TypeKind::kTimestamp, -719'163 * kDay), "0001-12-31 00:00:00 BCZ");
  EXPECT_EQ(TextOfInteger(TypeKind::kTimestamp, -719'163 * kDay + 250'000),
            "0001-12-31 00:00:00.25 BCZ");
  // The widest of all.
  EXPECT_EQ(TextOfInteger(TypeKind::kTimestamp, std::numeric_limits<int64_t>::min()),
            "290309-12-21 19:59:05.224192 BCZ");
  EXPECT_EQ(TextOfInteger(TypeKind::kDate, std::numeric_limits<int32_t>::max()), "5881580-07-11");
}

TEST(FieldText, EveryDayIsThatOfTheCalendar) {
  for (int64_t day = -719'162; day <= 2'932'896; day += 97) {
    const absl::CivilDay civil = absl::CivilDay() + day;
    ASSERT_EQ(TextOfInteger(TypeKind::kDate, day),
              absl::StrFormat("%04d-%02d-%02d", civil.year(), civil.month(), civil.day()));
  }
}

}  // namespace
}  // namespace headwater
