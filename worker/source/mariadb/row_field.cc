#include "worker/source/mariadb/row_field.h"

#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "worker/source/value_text.h"

static_assert(std::endian::native == std::endian::little);

namespace headwater {
namespace {

constexpr size_t kDateBytes = 4;
constexpr size_t kSecondsBytes = 7;
constexpr size_t kMicrosBytes = 11;
constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr size_t kShownBytes = 40;  // Of a field, in a message.

// Requires: at least the integer's bytes.
template <typename T>
T LittleEndian(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

// A date or a moment as it travels; all zero where the field leaves its end out.
struct Moment {
  int year = 0, month = 0, day = 0;
  int hour = 0, minute = 0, second = 0;
  int64_t micros = 0;
};

// None: no length that a moment has.
std::optional<Moment> MomentOf(absl::string_view field) {
  Moment moment;
  if (field.empty()) return moment;
  if (field.size() != kDateBytes && field.size() != kSecondsBytes && field.size() != kMicrosBytes) {
    return std::nullopt;
  }
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(field[at]); };
  moment.year = LittleEndian<uint16_t>(field.data());
  moment.month = byte(2);
  moment.day = byte(3);
  if (field.size() == kDateBytes) return moment;
  moment.hour = byte(4);
  moment.minute = byte(5);
  moment.second = byte(6);
  if (field.size() == kMicrosBytes) moment.micros = LittleEndian<uint32_t>(field.data() + 7);
  return moment;
}

// One appender per wire shape and kind of column, each an instance of FieldAppender.

template <typename T>
FieldResult AppendWireInteger(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                              absl::string_view field) {
  if (field.size() != sizeof(T)) return FieldResult::kMalformed;
  batch.AppendInteger(column, static_cast<int64_t>(LittleEndian<T>(field.data())));
  return FieldResult::kAppended;
}

template <typename T>
FieldResult AppendWireBool(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                           absl::string_view field) {
  if (field.size() != sizeof(T)) return FieldResult::kMalformed;
  const T value = LittleEndian<T>(field.data());
  if (value != 0 && value != 1) return FieldResult::kUnfit;
  batch.AppendBool(column, value == 1);
  return FieldResult::kAppended;
}

FieldResult AppendUnsignedDecimal(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                                  absl::string_view field) {
  if (field.size() != sizeof(uint64_t)) return FieldResult::kMalformed;
  batch.AppendDecimal(column, static_cast<__int128>(LittleEndian<uint64_t>(field.data())));
  return FieldResult::kAppended;
}

template <typename T>
FieldResult AppendReal(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                       absl::string_view field) {
  if (field.size() != sizeof(T)) return FieldResult::kMalformed;
  batch.AppendDouble(column, LittleEndian<T>(field.data()));
  return FieldResult::kAppended;
}

FieldResult AppendDate(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                       absl::string_view field) {
  if (!field.empty() && field.size() != kDateBytes) return FieldResult::kMalformed;
  const Moment moment = *MomentOf(field);
  const std::optional<int32_t> days = DaysOf(moment.year, moment.month, moment.day);
  if (!days.has_value()) return FieldResult::kUnfit;
  batch.AppendInteger(column, *days);
  return FieldResult::kAppended;
}

FieldResult AppendMoment(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                         absl::string_view field) {
  const std::optional<Moment> moment = MomentOf(field);
  if (!moment.has_value()) return FieldResult::kMalformed;
  if (moment->hour > 23 || moment->minute > 59 || moment->second > 59 ||
      moment->micros >= kMicrosPerSecond) {
    return FieldResult::kMalformed;
  }
  const std::optional<int32_t> days = DaysOf(moment->year, moment->month, moment->day);
  if (!days.has_value()) return FieldResult::kUnfit;
  const int64_t seconds = *days * kSecondsPerDay + moment->hour * int64_t{3600} +
                          moment->minute * int64_t{60} + moment->second;
  batch.AppendInteger(column, seconds * kMicrosPerSecond + moment->micros);
  return FieldResult::kAppended;
}

FieldResult AppendPrinted(BatchBuilder& batch, int column, const ColumnType& type,
                          absl::string_view field) {
  return AppendText(batch, column, type, field) ? FieldResult::kAppended : FieldResult::kUnfit;
}

FieldResult AppendRaw(BatchBuilder& batch, int column, const ColumnType& /*type*/,
                      absl::string_view field) {
  batch.AppendBytes(column, field);
  return FieldResult::kAppended;
}

// Bits of the signed integers that a column of `kind` holds; 0: it is of another kind.
int BitsOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kByte:
      return 8;
    case TypeKind::kShort:
      return 16;
    case TypeKind::kInteger:
      return 32;
    case TypeKind::kLong:
      return 64;
    default:
      return 0;
  }
}

template <typename T>
FieldAppender IntegerAppender(const ColumnType& type) {
  if (type.kind == TypeKind::kBoolean) return AppendWireBool<T>;
  if (std::is_same_v<T, uint64_t>) {
    return type.kind == TypeKind::kDecimal && type.scale == 0 && type.precision >= 20
               ? AppendUnsignedDecimal
               : nullptr;
  }
  constexpr int kNeeded = std::numeric_limits<T>::digits + 1;  // With a sign.
  return BitsOf(type.kind) >= kNeeded ? AppendWireInteger<T> : nullptr;
}

std::string MomentText(RowShape shape, const Moment& moment) {
  std::string text = absl::StrFormat("%04d-%02d-%02d", moment.year, moment.month, moment.day);
  if (shape == RowShape::kDate) return text;
  absl::StrAppendFormat(&text, " %02d:%02d:%02d", moment.hour, moment.minute, moment.second);
  if (moment.micros != 0) absl::StrAppendFormat(&text, ".%06d", moment.micros);
  return text;
}

std::string Hex(absl::string_view field) {
  return absl::StrCat("x", absl::BytesToHexString(field));
}

}  // namespace

size_t WidthOf(RowShape shape) {
  switch (shape) {
    case RowShape::kInt1:
    case RowShape::kUint1:
      return 1;
    case RowShape::kInt2:
    case RowShape::kUint2:
      return 2;
    case RowShape::kInt4:
    case RowShape::kUint4:
    case RowShape::kFloat:
      return 4;
    case RowShape::kInt8:
    case RowShape::kUint8:
    case RowShape::kDouble:
      return 8;
    default:
      return 0;
  }
}

FieldAppender AppenderOf(RowShape shape, const ColumnType& type) {
  const TypeKind kind = type.kind;
  switch (shape) {
    case RowShape::kInt1:
      return IntegerAppender<int8_t>(type);
    case RowShape::kUint1:
      return IntegerAppender<uint8_t>(type);
    case RowShape::kInt2:
      return IntegerAppender<int16_t>(type);
    case RowShape::kUint2:
      return IntegerAppender<uint16_t>(type);
    case RowShape::kInt4:
      return IntegerAppender<int32_t>(type);
    case RowShape::kUint4:
      return IntegerAppender<uint32_t>(type);
    case RowShape::kInt8:
      return IntegerAppender<int64_t>(type);
    case RowShape::kUint8:
      return IntegerAppender<uint64_t>(type);
    case RowShape::kFloat:
      return kind == TypeKind::kFloat || kind == TypeKind::kDouble ? AppendReal<float> : nullptr;
    case RowShape::kDouble:
      return kind == TypeKind::kDouble ? AppendReal<double> : nullptr;
    case RowShape::kDate:
      return kind == TypeKind::kDate ? AppendDate : nullptr;
    case RowShape::kMoment:
      return kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampNtz ? AppendMoment
                                                                             : nullptr;
    case RowShape::kText:
      return kind == TypeKind::kBinary ? AppendRaw : AppendPrinted;
    case RowShape::kBytes:
      return kind == TypeKind::kBinary   ? AppendRaw
             : kind == TypeKind::kString ? AppendPrinted
                                         : nullptr;
  }
  return nullptr;
}

std::string RowFieldValue(RowShape shape, absl::string_view field) {
  const size_t width = WidthOf(shape);
  if (width != 0 && field.size() != width) return Hex(field);
  switch (shape) {
    case RowShape::kInt1:
      return absl::StrCat(LittleEndian<int8_t>(field.data()));
    case RowShape::kUint1:
      return absl::StrCat(LittleEndian<uint8_t>(field.data()));
    case RowShape::kInt2:
      return absl::StrCat(LittleEndian<int16_t>(field.data()));
    case RowShape::kUint2:
      return absl::StrCat(LittleEndian<uint16_t>(field.data()));
    case RowShape::kInt4:
      return absl::StrCat(LittleEndian<int32_t>(field.data()));
    case RowShape::kUint4:
      return absl::StrCat(LittleEndian<uint32_t>(field.data()));
    case RowShape::kInt8:
      return absl::StrCat(LittleEndian<int64_t>(field.data()));
    case RowShape::kUint8:
      return absl::StrCat(LittleEndian<uint64_t>(field.data()));
    case RowShape::kFloat:
      return absl::StrFormat("%.9g", LittleEndian<float>(field.data()));
    case RowShape::kDouble:
      return absl::StrFormat("%.17g", LittleEndian<double>(field.data()));
    case RowShape::kDate:
    case RowShape::kMoment: {
      const std::optional<Moment> moment = MomentOf(field);
      return moment.has_value() ? MomentText(shape, *moment) : Hex(field);
    }
    case RowShape::kText:
      return std::string(field);
    case RowShape::kBytes:
      return Hex(field);
  }
  return Hex(field);
}

std::string RowFieldText(RowShape shape, absl::string_view field) {
  if (shape == RowShape::kBytes) return Hex(field.substr(0, kShownBytes));
  return Excerpt(RowFieldValue(shape, field));
}

}  // namespace headwater
