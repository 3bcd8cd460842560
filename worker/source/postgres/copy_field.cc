#include "worker/source/postgres/copy_field.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/data/cursor.h"
#include "worker/source/postgres/numeric_text.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr int64_t kEpochDays = 10'957;  // 2000-01-01 since 1970-01-01.
constexpr int64_t kEpochMicros = kEpochDays * 86'400'000'000;
constexpr size_t kNumericHeaderBytes = 8;
constexpr int kDigitBase = 10'000;
constexpr int kDigitPlaces = 4;
constexpr int kMaxPlaces = 38;
constexpr int kSmallPlaces = 19;  // Of any number below 10^19, which 64 bits hold.
constexpr size_t kUuidBytes = 16;
constexpr size_t kUuidTextBytes = 36;
constexpr size_t kShownBytes = 40;  // Of a field, in a message.

constexpr auto kPowersOfTen = [] {
  std::array<unsigned __int128, kMaxPlaces + 1> powers{1};
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

// Requires: 0 to kMaxPlaces.
constexpr unsigned __int128 PowerOfTen(int exponent) {
  return kPowersOfTen[static_cast<size_t>(exponent)];
}

// value * factor + addend, or false if it passes what 38 digits can be.
bool MultiplyAdd(unsigned __int128& value, unsigned __int128 factor, unsigned __int128 addend) {
  const unsigned __int128 limit = PowerOfTen(kMaxPlaces);
  if (value > (limit - addend) / factor) return false;
  value = value * factor + addend;
  return true;
}

// Requires: kUuidBytes.
std::string UuidText(absl::string_view field) {
  static constexpr absl::string_view kHex = "0123456789abcdef";
  std::string text(kUuidTextBytes, '-');
  size_t at = 0;
  for (size_t i = 0; i < kUuidBytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++at;  // A hyphen.
    const auto byte = static_cast<unsigned char>(field[i]);
    text[at++] = kHex[byte >> 4];
    text[at++] = kHex[byte & 0xF];
  }
  return text;
}

// The value in 64 bits, without a division by a variable: what nearly all numerics need, which are
// the dearest fields of a stream. Returns false for those that need more, and for malformed ones.
bool SmallNumeric(const char* digits, int count, int weight, int scale, uint64_t& value) {
  // How many decimal places the last digit stands above the column's last place.
  const int places = kDigitPlaces * (weight - count + 1) + scale;
  if (count < 1 || places <= -kDigitPlaces ||
      kDigitPlaces * count + std::max(places, 0) > kSmallPlaces) {
    return false;
  }
  uint64_t sum = 0;
  for (int i = 0; i < count; ++i) {
    const auto digit = static_cast<uint16_t>(BigEndian16(digits + 2 * i));
    if (digit >= kDigitBase) return false;
    sum = sum * kDigitBase + digit;
  }
  if (places >= 0) {
    value = sum * static_cast<uint64_t>(PowerOfTen(places));
    return true;
  }
  // Constant divisors, which the compiler turns into multiplications.
  const uint64_t divided = places == -1 ? sum / 10 : places == -2 ? sum / 100 : sum / 1000;
  value = divided;
  return divided * static_cast<uint64_t>(PowerOfTen(-places)) == sum;
}

// Requires: the width of a date or a timestamp.
std::string TimeText(WireShape shape, const ColumnType& type, absl::string_view field) {
  const bool date = shape == WireShape::kDate;
  const int64_t value = date ? BigEndian32(field.data()) : BigEndian64(field.data());
  const int64_t lowest =
      date ? std::numeric_limits<int32_t>::min() : std::numeric_limits<int64_t>::min();
  const int64_t highest =
      date ? std::numeric_limits<int32_t>::max() : std::numeric_limits<int64_t>::max();
  if (value == lowest) return "-infinity";
  if (value == highest) return "infinity";
  if (value > std::numeric_limits<int64_t>::max() - kEpochMicros)
    return "a time after the year 294246";
  const CursorType cursor = date                                ? CursorType::kDate
                            : type.kind == TypeKind::kTimestamp ? CursorType::kInstant
                                                                : CursorType::kWallClock;
  const auto calendar = CursorCalendar::Create(cursor, "UTC", "UTC");
  return calendar.ok() ? calendar->Format(value + (date ? kEpochDays : kEpochMicros)) : "";
}

std::string Hex(absl::string_view field) {
  return absl::StrCat("x", absl::BytesToHexString(field.substr(0, kShownBytes)));
}

// Bytes that a field of this shape has; 0: any number.
size_t WidthOf(WireShape shape) {
  switch (shape) {
    case WireShape::kBool:
    case WireShape::kChar:
      return 1;
    case WireShape::kInt2:
      return 2;
    case WireShape::kInt4:
    case WireShape::kOid:
    case WireShape::kFloat4:
    case WireShape::kDate:
      return 4;
    case WireShape::kInt8:
    case WireShape::kFloat8:
    case WireShape::kTimestamp:
      return 8;
    default:
      return 0;
  }
}

// One appender per wire shape, each an instance of FieldAppender. They are called for each field of
// a stream, so each checks its own width and goes straight to the column.

template <typename T>
FieldResult AppendInteger(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                          absl::string_view field) {
  if (field.size() != sizeof(T)) return FieldResult::kMalformed;
  batch.AppendInteger(column, BigEndian<T>(field.data()));
  return FieldResult::kAppended;
}

template <typename Bits, typename Float>
FieldResult AppendFloat(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                        absl::string_view field) {
  if (field.size() != sizeof(Float)) return FieldResult::kMalformed;
  batch.AppendDouble(column, std::bit_cast<Float>(BigEndian<Bits>(field.data())));
  return FieldResult::kAppended;
}

FieldResult AppendBool(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                       absl::string_view field) {
  if (field.size() != 1 || (field[0] != 0 && field[0] != 1)) return FieldResult::kMalformed;
  batch.AppendBool(column, field[0] != 0);
  return FieldResult::kAppended;
}

FieldResult AppendUuid(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                       absl::string_view field) {
  if (field.size() != kUuidBytes) return FieldResult::kMalformed;
  batch.AppendBytes(column, UuidText(field));
  return FieldResult::kAppended;
}

FieldResult AppendBytea(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                        absl::string_view field) {
  batch.AppendBytes(column, field);
  return FieldResult::kAppended;
}

FieldResult AppendWireText(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                           absl::string_view field) {
  if (!IsValidUtf8(field)) return FieldResult::kUnfit;
  batch.AppendBytes(column, field);
  return FieldResult::kAppended;
}

FieldResult AppendChar(BatchBuilder& batch, int column, const ColumnType& type,
                       absl::string_view field) {
  if (field.size() != 1) return FieldResult::kMalformed;
  return AppendWireText(batch, column, type, field[0] == '\0' ? field.substr(1) : field);
}

FieldResult AppendJsonb(BatchBuilder& batch, int column, const ColumnType& type,
                        absl::string_view field) {
  if (field.empty() || field[0] != 1) return FieldResult::kMalformed;
  return AppendWireText(batch, column, type, field.substr(1));
}

FieldResult AppendNumericText(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                              absl::string_view field) {
  const std::optional<std::string> text = NumericText(field);
  if (!text.has_value()) return FieldResult::kMalformed;
  batch.AppendBytes(column, *text);
  return FieldResult::kAppended;
}

FieldResult AppendNumeric(BatchBuilder& batch, int column, const ColumnType& type,
                          absl::string_view field) {
  __int128 unscaled = 0;
  const FieldResult result = NumericFrom(field, type.precision, type.scale, unscaled);
  if (result == FieldResult::kAppended) batch.AppendDecimal(column, unscaled);
  return result;
}

FieldResult AppendDate(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                       absl::string_view field) {
  if (field.size() != sizeof(int32_t)) return FieldResult::kMalformed;
  const int32_t days = BigEndian32(field.data());
  if (days == std::numeric_limits<int32_t>::max() || days == std::numeric_limits<int32_t>::min()) {
    return FieldResult::kUnfit;  // infinity
  }
  batch.AppendInteger(column, days + kEpochDays);
  return FieldResult::kAppended;
}

FieldResult AppendTimestamp(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                            absl::string_view field) {
  if (field.size() != sizeof(int64_t)) return FieldResult::kMalformed;
  const int64_t micros = BigEndian64(field.data());
  if (micros > std::numeric_limits<int64_t>::max() - kEpochMicros ||
      micros == std::numeric_limits<int64_t>::min()) {
    return FieldResult::kUnfit;  // infinity, or later than what microseconds since 1970 can be
  }
  batch.AppendInteger(column, micros + kEpochMicros);
  return FieldResult::kAppended;
}

}  // namespace

FieldResult NumericFrom(absl::string_view field, int precision, int scale, __int128& unscaled) {
  if (field.size() < kNumericHeaderBytes) return FieldResult::kMalformed;
  const int count = BigEndian16(field.data());
  const int weight = BigEndian16(field.data() + 2);
  const auto sign = static_cast<uint16_t>(BigEndian16(field.data() + 4));
  if (sign == 0xC000 || sign == 0xD000 || sign == 0xF000) return FieldResult::kUnfit;
  if ((sign != 0 && sign != 0x4000) || count < 0 ||
      field.size() != kNumericHeaderBytes + 2 * static_cast<size_t>(count)) {
    return FieldResult::kMalformed;
  }
  if (uint64_t small;
      SmallNumeric(field.data() + kNumericHeaderBytes, count, weight, scale, small)) {
    if (small >= PowerOfTen(precision)) return FieldResult::kUnfit;
    unscaled = sign == 0x4000 ? -static_cast<__int128>(small) : static_cast<__int128>(small);
    return FieldResult::kAppended;
  }
  unsigned __int128 value = 0;
  // How many decimal places the last digit read so far stands above the column's last place.
  int places = 0;
  for (int i = 0; i < count; ++i) {
    int digit = BigEndian16(field.data() + kNumericHeaderBytes + 2 * i);
    if (digit < 0 || digit >= kDigitBase) return FieldResult::kMalformed;
    places = kDigitPlaces * (weight - i) + scale;
    int width = kDigitPlaces;
    // The last places of the last digit may lie below the column's scale; they must be zeros.
    for (; places < 0 && width > 0; ++places, --width, digit /= 10) {
      if (digit % 10 != 0) return FieldResult::kUnfit;
    }
    if (!MultiplyAdd(value, PowerOfTen(width), static_cast<unsigned>(digit))) {
      return FieldResult::kUnfit;
    }
    if (places < 0) places = 0;
  }
  if (value != 0) {
    if (places > kMaxPlaces || !MultiplyAdd(value, PowerOfTen(places), 0) ||
        value >= PowerOfTen(precision)) {
      return FieldResult::kUnfit;
    }
  }
  unscaled = sign == 0x4000 ? -static_cast<__int128>(value) : static_cast<__int128>(value);
  return FieldResult::kAppended;
}

FieldAppender AppenderOf(WireShape shape) {
  switch (shape) {
    case WireShape::kBool:
      return AppendBool;
    case WireShape::kInt2:
      return AppendInteger<int16_t>;
    case WireShape::kInt4:
      return AppendInteger<int32_t>;
    case WireShape::kInt8:
      return AppendInteger<int64_t>;
    case WireShape::kOid:
      return AppendInteger<uint32_t>;
    case WireShape::kFloat4:
      return AppendFloat<uint32_t, float>;
    case WireShape::kFloat8:
      return AppendFloat<uint64_t, double>;
    case WireShape::kNumeric:
      return AppendNumeric;
    case WireShape::kNumericText:
      return AppendNumericText;
    case WireShape::kText:
      return AppendWireText;
    case WireShape::kChar:
      return AppendChar;
    case WireShape::kJsonb:
      return AppendJsonb;
    case WireShape::kUuid:
      return AppendUuid;
    case WireShape::kBytea:
      return AppendBytea;
    case WireShape::kDate:
      return AppendDate;
    case WireShape::kTimestamp:
      return AppendTimestamp;
  }
  return nullptr;
}

std::string FieldValue(WireShape shape, const ColumnType& type, absl::string_view field) {
  const size_t width = WidthOf(shape);
  const auto hex = [&] { return absl::StrCat("x", absl::BytesToHexString(field)); };
  if (width != 0 && field.size() != width) return hex();
  switch (shape) {
    case WireShape::kBool:
      return field[0] != 0 ? "true" : "false";
    case WireShape::kInt2:
      return absl::StrCat(BigEndian16(field.data()));
    case WireShape::kInt4:
      return absl::StrCat(BigEndian32(field.data()));
    case WireShape::kInt8:
      return absl::StrCat(BigEndian64(field.data()));
    case WireShape::kOid:
      return absl::StrCat(static_cast<uint32_t>(BigEndian32(field.data())));
    case WireShape::kFloat4:
      return absl::StrFormat("%.9g", std::bit_cast<float>(BigEndian32(field.data())));
    case WireShape::kFloat8:
      return absl::StrFormat("%.17g", std::bit_cast<double>(BigEndian64(field.data())));
    case WireShape::kText:
    case WireShape::kChar:
      return std::string(field);
    case WireShape::kJsonb:
      return std::string(field.substr(field.empty() ? 0 : 1));
    case WireShape::kUuid:
      return field.size() == kUuidBytes ? UuidText(field) : hex();
    case WireShape::kDate:
    case WireShape::kTimestamp:
      return TimeText(shape, type, field);
    case WireShape::kNumeric:
    case WireShape::kNumericText:
      return NumericText(field).value_or(hex());
    default:
      return hex();
  }
}

std::string FieldText(WireShape shape, const ColumnType& type, absl::string_view field) {
  if (const size_t width = WidthOf(shape); width != 0 && field.size() != width) return Hex(field);
  switch (shape) {
    case WireShape::kBool:
    case WireShape::kFloat4:
    case WireShape::kFloat8:
    case WireShape::kBytea:
    case WireShape::kJsonb:
      return Hex(field);
    default:
      return Excerpt(FieldValue(shape, type, field));
  }
}

}  // namespace headwater
