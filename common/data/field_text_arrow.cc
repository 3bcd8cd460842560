#include "common/data/field_text_arrow.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

namespace headwater {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;
constexpr size_t kMaxDigits = 48;  // More than any number has.

// "00" to "99", one behind the other.
constexpr std::array<char, 200> kPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

// "00" to "ff", likewise.
constexpr std::array<char, 512> kHexPairs = [] {
  constexpr const char* kDigits = "0123456789abcdef";
  std::array<char, 512> pairs{};
  for (size_t i = 0; i < 256; ++i) {
    pairs[2 * i] = kDigits[i / 16];
    pairs[2 * i + 1] = kDigits[i % 16];
  }
  return pairs;
}();

char* PutChar(char c, char* out) {
  *out = c;
  return out + 1;
}

// Two digits. Requires: 0 <= number < 100.
char* PutPair(int64_t number, char* out) {
  std::memcpy(out, kPairs.data() + 2 * number, 2);
  return out + 2;
}

char* PutByte(uint8_t byte, char* out) {
  std::memcpy(out, kHexPairs.data() + 2 * static_cast<size_t>(byte), 2);
  return out + 2;
}

template <typename T>
char* PutNumber(T number, char* out) {
  return std::to_chars(out, out + kMaxDigits, number).ptr;
}

template <typename T>
char* PutInteger(const ColumnView& column, int64_t row, char* out) {
  return PutNumber<int64_t>(column.Load<T>(row), out);
}

// All digits of any number of 128 bits.
char* PutDigits(unsigned __int128 number, char* out) {
  constexpr uint64_t kChunk = 10'000'000'000'000'000'000U;  // 19 zeros.
  constexpr ptrdiff_t kChunkDigits = 19;
  if (number <= std::numeric_limits<uint64_t>::max()) {
    return PutNumber(static_cast<uint64_t>(number), out);
  }
  // Of 2^127 at most, so that the quotient has 64 bits.
  out = PutNumber(static_cast<uint64_t>(number / kChunk), out);
  char low[kMaxDigits];
  const ptrdiff_t digits = PutNumber(static_cast<uint64_t>(number % kChunk), low) - low;
  std::memset(out, '0', kChunkDigits);
  std::memcpy(out + kChunkDigits - digits, low, static_cast<size_t>(digits));
  return out + kChunkDigits;
}

char* PutDecimal(__int128 unscaled, int scale, char* out) {
  auto magnitude = static_cast<unsigned __int128>(unscaled);
  if (unscaled < 0) {
    magnitude = 0 - magnitude;
    out = PutChar('-', out);
  }
  if (scale == 0) return PutDigits(magnitude, out);
  char digits[kMaxDigits];
  const ptrdiff_t count = PutDigits(magnitude, digits) - digits;
  const ptrdiff_t whole = count - scale;  // Digits before the point.
  if (whole <= 0) {
    out = PutChar('.', PutChar('0', out));
    std::memset(out, '0', static_cast<size_t>(-whole));
    std::memcpy(out - whole, digits, static_cast<size_t>(count));
    return out + scale;
  }
  std::memcpy(out, digits, static_cast<size_t>(whole));
  out = PutChar('.', out + whole);
  std::memcpy(out, digits + whole, static_cast<size_t>(scale));
  return out + scale;
}

char* PutReal(double value, char* out) {
  constexpr uint64_t kNan = 0x7ff8000000000000U;
  const uint64_t bits =
      std::isnan(value) ? kNan : std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
  for (int shift = 56; shift >= 0; shift -= 8)
    out = PutByte(static_cast<uint8_t>(bits >> shift), out);
  return out;
}

struct CivilDate {
  int64_t year;  // 0 is the one before 1.
  int64_t month;
  int64_t day;
};

// Counts in eras of 400 years, whose years begin with March, so that a leap day is the last of its
// year. https://howardhinnant.github.io/date_algorithms.html#civil_from_days
CivilDate CivilOf(int64_t days) {
  constexpr int64_t kEpoch = 719'468;  // 1970-01-01, counted from 0000-03-01.
  constexpr int64_t kEraDays = 146'097, kFourYears = 1'460, kCentury = 36'524;
  days += kEpoch;
  const int64_t era = (days >= 0 ? days : days - (kEraDays - 1)) / kEraDays;
  const int64_t day_of_era = days - era * kEraDays;
  const int64_t year_of_era =
      (day_of_era - day_of_era / kFourYears + day_of_era / kCentury - day_of_era / (kEraDays - 1)) /
      365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t march_month = (5 * day_of_year + 2) / 153;
  const int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * march_month + 2) / 5 + 1};
}

// `2013-01-31`. Years before 1 are counted backwards; PutBefore() says so.
char* PutDay(const CivilDate& date, char* out) {
  const int64_t year = date.year > 0 ? date.year : 1 - date.year;
  out = year < 10'000 ? PutPair(year % 100, PutPair(year / 100, out)) : PutNumber(year, out);
  out = PutPair(date.month, PutChar('-', out));
  return PutPair(date.day, PutChar('-', out));
}

char* PutBefore(const CivilDate& date, char* out) {
  if (date.year > 0) return out;
  return PutChar('C', PutChar('B', PutChar(' ', out)));
}

char* PutDate(int64_t days, char* out) {
  const CivilDate date = CivilOf(days);
  return PutBefore(date, PutDay(date, out));
}

char* PutMoment(int64_t micros, char* out) {
  int64_t days = micros / kMicrosPerDay, of_day = micros % kMicrosPerDay;
  if (of_day < 0) --days, of_day += kMicrosPerDay;
  const int64_t second = of_day / kMicrosPerSecond, fraction = of_day % kMicrosPerSecond;
  const CivilDate date = CivilOf(days);
  out = PutPair(second / 3600, PutChar(' ', PutDay(date, out)));
  out = PutPair(second / 60 % 60, PutChar(':', out));
  out = PutPair(second % 60, PutChar(':', out));
  char* const whole = out;
  out = PutPair(fraction / 10'000, PutChar('.', out));
  out = PutPair(fraction / 100 % 100, out);
  out = PutPair(fraction % 100, out);
  if (date.year > 0) return out;
  // As PostgreSQL prints it: no zeros at the end.
  while (out > whole && out[-1] == '0') --out;
  if (out == whole + 1) out = whole;
  return PutBefore(date, out);
}

char* PutText(const ColumnView& column, int64_t row, char* out) {
  const int64_t size = column.SizeOf(row);
  out = PutChar(':', PutNumber(size, out));
  if (size != 0) std::memcpy(out, column.BytesOf(row), static_cast<size_t>(size));
  return out + size;
}

char* PutBytes(const ColumnView& column, int64_t row, char* out) {
  const int64_t size = column.SizeOf(row);
  const uint8_t* bytes = column.BytesOf(row);
  for (int64_t i = 0; i < size; ++i) out = PutByte(bytes[i], out);
  return out;
}

}  // namespace

char* PutField(const ColumnView& column, int64_t row, char* out) {
  switch (column.type.kind) {
    case TypeKind::kBoolean:
      return PutChar(column.Bit(row) ? '1' : '0', out);
    case TypeKind::kByte:
      return PutInteger<int8_t>(column, row, out);
    case TypeKind::kShort:
      return PutInteger<int16_t>(column, row, out);
    case TypeKind::kInteger:
      return PutInteger<int32_t>(column, row, out);
    case TypeKind::kLong:
      return PutInteger<int64_t>(column, row, out);
    case TypeKind::kFloat:
      return PutReal(column.Load<float>(row), out);
    case TypeKind::kDouble:
      return PutReal(column.Load<double>(row), out);
    case TypeKind::kDecimal:
      return PutDecimal(column.Load<__int128>(row), column.type.scale, out);
    case TypeKind::kString:
      return PutText(column, row, out);
    case TypeKind::kBinary:
      return PutBytes(column, row, out);
    case TypeKind::kDate:
      return PutDate(column.Load<int32_t>(row), out);
    case TypeKind::kTimestampNtz:
      return PutMoment(column.Load<int64_t>(row), out);
    case TypeKind::kTimestamp:
      return PutChar('Z', PutMoment(column.Load<int64_t>(row), out));
  }
  return out;
}

}  // namespace headwater
