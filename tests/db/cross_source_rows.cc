#include "tests/db/cross_source_rows.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace headwater {
namespace {

constexpr int kRows = 400;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDaySeconds = 86'400;
constexpr int kFirstDay = -719'162;                     // 0001-01-01
constexpr int kDays = 3'652'059;                        // Up to 9999-12-31.
constexpr int64_t kLastStamp = (int64_t{1} << 31) - 1;  // The last second of MariaDB's timestamp.

std::string DateText(int64_t day) {
  const absl::CivilDay date = absl::CivilDay() + day;
  return absl::StrFormat("%04d-%02d-%02d", date.year(), date.month(), date.day());
}

std::string MicrosText(int64_t micros) {
  int64_t seconds = micros / kSecond, rest = micros % kSecond;
  if (rest < 0) --seconds, rest += kSecond;
  int64_t day = seconds / kDaySeconds, second = seconds % kDaySeconds;
  if (second < 0) --day, second += kDaySeconds;
  return absl::StrFormat("%s %02d:%02d:%02d.%06d", DateText(day), second / 3600, second / 60 % 60,
                         second % 60, rest);
}

std::string DecimalText(__int128 unscaled, int scale) {
  auto rest = static_cast<unsigned __int128>(unscaled < 0 ? -unscaled : unscaled);
  std::string reversed;
  for (int digit = 0; rest != 0 || digit <= scale; ++digit, rest /= 10) {
    if (digit == scale && scale > 0) reversed.push_back('.');
    reversed.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  if (unscaled < 0) reversed.push_back('-');
  return {reversed.rbegin(), reversed.rend()};
}

Value Integer(int64_t value) { return {false, absl::StrCat(value), value}; }
Value Day(int64_t day) { return {false, DateText(day), day}; }
Value Micros(int64_t micros) { return {false, MicrosText(micros), micros}; }
Value Text(std::string text) { return {false, std::move(text)}; }
Value Decimal(__int128 unscaled, int scale) {
  return {.null = false, .literal = DecimalText(unscaled, scale), .unscaled = unscaled};
}
// With 15 digits: of more SQLite does not promise that they come back.
Value Real(double value) {
  std::string literal = absl::StrFormat("%.15g", value);
  const double real = std::strtod(literal.c_str(), nullptr);
  return {.null = false, .literal = std::move(literal), .real = real};
}

// What every source must bring through, besides random values.
std::vector<Value> ExtremesOf(const ColumnType& type) {
  const std::string long_text(70'000, 'x');  // Longer than a driver's cell, and than a chunk.
  switch (type.kind) {
    case TypeKind::kBoolean:
      return {Integer(0), Integer(1)};
    case TypeKind::kShort:
      return {Integer(INT16_MIN), Integer(INT16_MAX)};
    case TypeKind::kInteger:
      return {Integer(INT32_MIN), Integer(INT32_MAX)};
    case TypeKind::kLong:
      return {Integer(INT64_MIN), Integer(INT64_MAX), Integer(0)};
    case TypeKind::kDouble:
      return {Real(-0.0), Real(0.0), Real(0.1), Real(-1e300), Real(1.5e-300)};
    case TypeKind::kFloat:
      return {Real(-0.0), Real(0.0), Real(-16777216)};
    case TypeKind::kDecimal: {
      __int128 nines = 0;
      for (int i = 0; i < type.precision; ++i) nines = nines * 10 + 9;
      return {Decimal(nines, type.scale), Decimal(-nines, type.scale), Decimal(0, type.scale),
              Decimal(-1, type.scale)};
    }
    case TypeKind::kDate:
      return {Day(kFirstDay), Day(kFirstDay + kDays - 1), Day(-1)};
    case TypeKind::kTimestampNtz:
      return {Micros(kFirstDay * kDaySeconds * kSecond),
              Micros((kFirstDay + kDays) * kDaySeconds * kSecond - 1), Micros(-1)};
    case TypeKind::kTimestamp:
      return {Micros(kSecond), Micros(kLastStamp * kSecond + 999'999)};
    case TypeKind::kString:
      return {Text(""),
              Text("NULL"),
              Text("Zo\u00eb"),
              Text("e\u0301"),
              Text("\t\r\n'\""),
              Text("\\N \\' \\"),
              Text("\U0001f6eb\U0010ffff"),
              Text(" blanks "),
              Text(long_text)};
    default:
      return {Text(""), Text(std::string("\0\xff\0", 3)), Text(long_text)};
  }
}

Value RandomOf(const ColumnType& type, std::mt19937_64& random) {
  const auto number = static_cast<int64_t>(random() >> (random() % 64));
  const int64_t sign = random() % 2 == 0 ? 1 : -1;
  switch (type.kind) {
    case TypeKind::kBoolean:
      return Integer(number & 1);
    case TypeKind::kShort:
      return Integer(static_cast<int16_t>(number));
    case TypeKind::kInteger:
      return Integer(static_cast<int32_t>(number));
    case TypeKind::kLong:
      return Integer(number);
    case TypeKind::kDouble:
      return Real(static_cast<double>(sign * (number % (int64_t{1} << 40))) / 1024);
    case TypeKind::kFloat:  // Of 6 digits: more of them MariaDB does not print.
      return Real(static_cast<double>(sign * (number % 100'000)) / 8);
    case TypeKind::kDecimal: {
      __int128 limit = 1;
      for (int i = 0; i < type.precision; ++i) limit *= 10;
      const __int128 wide = (static_cast<__int128>(random() >> 1) << 64) | random();
      return Decimal(sign * (wide >> (random() % 127)) % limit, type.scale);
    }
    case TypeKind::kDate:
      return Day(kFirstDay + number % kDays * (number < 0 ? -1 : 1));
    case TypeKind::kTimestampNtz:
      return Micros(kFirstDay * kDaySeconds * kSecond +
                    static_cast<int64_t>(random() % (kDays * kDaySeconds * uint64_t{kSecond})));
    case TypeKind::kTimestamp:
      return Micros(static_cast<int64_t>(random() % (kLastStamp * uint64_t{kSecond})) + kSecond);
    default: {
      static const std::array<const char*, 8> letters = {"a",      "B",      " ",          "'",
                                                         "\u00f8", "\u4e2d", "\U0001f600", "\n"};
      std::string text;
      for (uint64_t left = random() % 40; left > 0; --left) text += letters[random() % 8];
      return Text(std::move(text));
    }
  }
}

}  // namespace

std::vector<std::vector<Value>> RowsOf(const Schema& schema, std::mt19937_64& random) {
  std::vector<std::vector<Value>> rows;
  for (int row = 0; row < kRows; ++row) {
    std::vector<Value> values = {Integer(row)};
    for (size_t i = 1; i < schema.columns.size(); ++i) {
      const std::vector<Value> extremes = ExtremesOf(schema.columns[i].type);
      const auto at = static_cast<size_t>(row);
      values.push_back(at < extremes.size() ? extremes[at]
                       : random() % 8 == 0  ? Value()
                                            : RandomOf(schema.columns[i].type, random));
    }
    rows.push_back(std::move(values));
  }
  return rows;
}

}  // namespace headwater
