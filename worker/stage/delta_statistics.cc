#include "worker/stage/delta_statistics.h"

#include <arrow/util/decimal.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>
#include <parquet/types.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"

namespace headwater {
namespace {

constexpr size_t kMaxCodePoints = 32;
constexpr uint32_t kLastCodePoint = 0x10FFFF;
constexpr uint32_t kSurrogatesBegin = 0xD800, kSurrogatesEnd = 0xE000;
constexpr int64_t kMicrosPerMilli = 1'000, kMillisPerSecond = 1'000;

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

// Strict UTF-8: no overlong forms, no surrogates. None when `text` is anything else.
std::optional<std::vector<uint32_t>> Decode(absl::string_view text) {
  std::vector<uint32_t> points;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t size = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (size == 0 || lead > 0xF4 || i + size > text.size()) return std::nullopt;
    uint32_t point = size == 1 ? lead : lead & (0x7F >> size);
    for (size_t j = 1; j < size; ++j) {
      const auto next = static_cast<uint8_t>(text[i + j]);
      if ((next & 0xC0) != 0x80) return std::nullopt;
      point = point << 6 | (next & 0x3F);
    }
    const bool overlong = (size == 3 && point < 0x800) || (size == 4 && point < 0x10000);
    if (overlong || point > kLastCodePoint) return std::nullopt;
    if (point >= kSurrogatesBegin && point < kSurrogatesEnd) return std::nullopt;
    points.push_back(point);
    i += size;
  }
  return points;
}

std::string Encode(const std::vector<uint32_t>& points) {
  std::string text;
  for (const uint32_t point : points) {
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3F)); };
    if (point < 0x80) {
      text += static_cast<char>(point);
    } else if (point < 0x800) {
      text += {static_cast<char>(0xC0 | point >> 6), tail(0)};
    } else if (point < 0x10000) {
      text += {static_cast<char>(0xE0 | point >> 12), tail(6), tail(0)};
    } else {
      text += {static_cast<char>(0xF0 | point >> 18), tail(12), tail(6), tail(0)};
    }
  }
  return text;
}

// Some readers take only plain digits for a decimal (delta-rs reads 1E-10 as something else), so
// this never writes an exponent, as Decimal128::ToString does.
std::string FixedPoint(const arrow::Decimal128& value, int scale) {
  std::string text = value.ToIntegerString();
  if (scale == 0) return text;
  absl::string_view digits = text;
  const absl::string_view sign = absl::ConsumePrefix(&digits, "-") ? "-" : "";
  const size_t fraction = scale;
  const std::string zeros(digits.size() <= fraction ? fraction + 1 - digits.size() : 0, '0');
  const std::string padded = absl::StrCat(zeros, digits);
  const size_t point = padded.size() - fraction;
  return absl::StrCat(sign, padded.substr(0, point), ".", padded.substr(point));
}

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

std::optional<std::string> FormatMillis(int64_t millis) {
  const int64_t seconds = FloorDiv(millis, kMillisPerSecond);
  const absl::CivilSecond civil = absl::CivilSecond(1970) + seconds;
  if (civil.year() < 1 || civil.year() > 9999) return std::nullopt;
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d.%03d", civil.year(), civil.month(),
                         civil.day(), civil.hour(), civil.minute(), civil.second(),
                         millis - seconds * kMillisPerSecond);
}

std::optional<std::string> FormatDate(int64_t days) {
  const absl::CivilDay day = absl::CivilDay(1970) + days;
  if (day.year() < 1 || day.year() > 9999) return std::nullopt;
  return absl::StrFormat("%04d-%02d-%02d", day.year(), day.month(), day.day());
}

// What the row groups of one column say together.
template <typename T>
struct Bounds {
  T min, max;
};

// One bound as JSON, or nothing. `quoted` values are text, others written as they are.
struct JsonValue {
  std::string text;
  bool quoted = false;
};
struct JsonBounds {
  std::optional<JsonValue> min, max;
};

// Joins the bounds of all row groups. None as soon as one that has values does not say.
template <typename ParquetType, typename Convert>
auto Join(const parquet::FileMetaData& file, int column, Convert convert) {
  using Value = decltype(convert(std::declval<typename ParquetType::c_type>()));
  std::optional<Bounds<Value>> joined;
  for (int i = 0; i < file.num_row_groups(); ++i) {
    const auto group = file.RowGroup(i);
    const auto statistics = group->ColumnChunk(column)->statistics();
    if (statistics == nullptr) return std::optional<Bounds<Value>>();
    if (!statistics->HasMinMax()) {
      if (statistics->HasNullCount() && statistics->null_count() == group->num_rows()) continue;
      return std::optional<Bounds<Value>>();
    }
    const auto& typed = static_cast<const parquet::TypedStatistics<ParquetType>&>(*statistics);
    const Value min = convert(typed.min()), max = convert(typed.max());
    joined = joined ? Bounds<Value>{std::min(joined->min, min), std::max(joined->max, max)}
                    : Bounds<Value>{min, max};
  }
  return joined;
}

std::optional<Bounds<int64_t>> JoinIntegers(const parquet::FileMetaData& file, int column) {
  const auto widen = [](auto value) { return static_cast<int64_t>(value); };
  return file.schema()->Column(column)->physical_type() == parquet::Type::INT32
             ? Join<parquet::Int32Type>(file, column, widen)
             : Join<parquet::Int64Type>(file, column, widen);
}

JsonBounds DecimalBounds(const parquet::FileMetaData& file, int column, int scale) {
  const parquet::ColumnDescriptor& descriptor = *file.schema()->Column(column);
  std::optional<Bounds<arrow::Decimal128>> bounds;
  if (descriptor.physical_type() == parquet::Type::FIXED_LEN_BYTE_ARRAY) {
    bounds = Join<parquet::FLBAType>(file, column, [&](parquet::FixedLenByteArray value) {
      return *arrow::Decimal128::FromBigEndian(value.ptr, descriptor.type_length());
    });
  } else if (const auto integers = JoinIntegers(file, column)) {
    bounds = Bounds<arrow::Decimal128>{arrow::Decimal128(integers->min),
                                       arrow::Decimal128(integers->max)};
  }
  if (!bounds) return {};
  return {JsonValue{FixedPoint(bounds->min, scale)}, JsonValue{FixedPoint(bounds->max, scale)}};
}

std::optional<JsonValue> FloatingValue(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  char text[32];
  return JsonValue{std::string(text, std::to_chars(text, text + sizeof(text), value).ptr)};
}

std::optional<JsonValue> Quoted(std::optional<std::string> text, absl::string_view suffix = "") {
  if (!text) return std::nullopt;
  return JsonValue{absl::StrCat(*text, suffix), true};
}

template <typename T>
JsonBounds FloatingBounds(const parquet::FileMetaData& file, int column) {
  const auto bounds = Join<T>(file, column, [](auto v) { return static_cast<double>(v); });
  if (!bounds) return {};
  return {FloatingValue(bounds->min), FloatingValue(bounds->max)};
}

// Parquet keeps no bounds of long texts. The widest ones hold instead, unless a value is greater.
JsonBounds TextBounds(const parquet::FileMetaData& file, int column, bool unbounded) {
  const auto bounds = Join<parquet::ByteArrayType>(file, column, [](parquet::ByteArray value) {
    return std::string(reinterpret_cast<const char*>(value.ptr), value.len);
  });
  std::optional<std::string> min = bounds ? TextLowerBound(bounds->min) : std::nullopt;
  std::optional<std::string> max = bounds ? TextUpperBound(bounds->max) : std::nullopt;
  if (!min) min.emplace();
  if (!max && !unbounded) max.emplace(kTextCeiling);
  return {Quoted(std::move(min)), Quoted(std::move(max))};
}

JsonBounds BooleanBounds(const parquet::FileMetaData& file, int column) {
  const auto bounds =
      Join<parquet::BooleanType>(file, column, [](bool value) { return int{value}; });
  if (!bounds) return {};
  const auto text = [](int value) { return JsonValue{value != 0 ? "true" : "false"}; };
  return {text(bounds->min), text(bounds->max)};
}

JsonBounds BoundsOf(const ColumnType& type, const parquet::FileMetaData& file, int column,
                    bool unbounded) {
  switch (type.kind) {
    case TypeKind::kByte:
    case TypeKind::kShort:
    case TypeKind::kInteger:
    case TypeKind::kLong:
      if (const auto b = JoinIntegers(file, column)) {
        return {JsonValue{absl::StrCat(b->min)}, JsonValue{absl::StrCat(b->max)}};
      }
      return {};
    case TypeKind::kFloat:
      if (unbounded) return {};
      return FloatingBounds<parquet::FloatType>(file, column);
    case TypeKind::kDouble:
      if (unbounded) return {};
      return FloatingBounds<parquet::DoubleType>(file, column);
    case TypeKind::kDecimal:
      return DecimalBounds(file, column, type.scale);
    case TypeKind::kDate:
      if (const auto b = JoinIntegers(file, column)) {
        return {Quoted(FormatDate(b->min)), Quoted(FormatDate(b->max))};
      }
      return {};
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      if (const auto b = JoinIntegers(file, column)) {
        const absl::string_view zone = type.kind == TypeKind::kTimestamp ? "Z" : "";
        return {Quoted(MillisLowerBound(b->min), zone), Quoted(MillisUpperBound(b->max), zone)};
      }
      return {};
    case TypeKind::kString:
      return TextBounds(file, column, unbounded);
    case TypeKind::kBoolean:
      return BooleanBounds(file, column);
    case TypeKind::kBinary:
      return {};
  }
  return {};
}

std::optional<int64_t> NullCount(const parquet::FileMetaData& file, int column) {
  int64_t nulls = 0;
  for (int i = 0; i < file.num_row_groups(); ++i) {
    const auto statistics = file.RowGroup(i)->ColumnChunk(column)->statistics();
    if (statistics == nullptr || !statistics->HasNullCount()) return std::nullopt;
    nulls += statistics->null_count();
  }
  return nulls;
}

void WriteObject(JsonWriter& json, absl::string_view name, const Schema& schema,
                 const std::vector<std::optional<JsonValue>>& values) {
  json.Key(name.data(), name.size());
  json.StartObject();
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    const std::string& column = schema.columns[i].name;
    const std::string& text = values[i]->text;
    json.Key(column.data(), column.size());
    if (values[i]->quoted) {
      json.String(text.data(), text.size());
    } else {
      json.RawValue(text.data(), text.size(), rapidjson::kNumberType);
    }
  }
  json.EndObject();
}

}  // namespace

std::optional<std::string> TextLowerBound(absl::string_view text) {
  std::optional<std::vector<uint32_t>> points = Decode(text);
  if (!points) return std::nullopt;
  if (points->size() > kMaxCodePoints) points->resize(kMaxCodePoints);
  return Encode(*points);
}

std::optional<std::string> TextUpperBound(absl::string_view text) {
  std::optional<std::vector<uint32_t>> points = Decode(text);
  if (!points) return std::nullopt;
  if (points->size() <= kMaxCodePoints) return std::string(text);
  points->resize(kMaxCodePoints);
  while (!points->empty() && points->back() == kLastCodePoint) points->pop_back();
  if (points->empty()) return std::nullopt;
  uint32_t& last = points->back();
  last = last + 1 == kSurrogatesBegin ? kSurrogatesEnd : last + 1;
  return Encode(*points);
}

std::optional<std::string> MillisLowerBound(int64_t micros) {
  return FormatMillis(FloorDiv(micros, kMicrosPerMilli));
}

std::optional<std::string> MillisUpperBound(int64_t micros) {
  const int64_t millis = FloorDiv(micros, kMicrosPerMilli);
  if (micros % kMicrosPerMilli == 0) return FormatMillis(millis);
  std::optional<std::string> raised = FormatMillis(millis + 1);
  if (raised) return raised;
  const std::optional<std::string> cut = FormatMillis(millis);
  if (!cut) return std::nullopt;
  return absl::StrCat(*cut, "999");  // The last microsecond of the year 9999.
}

std::string DeltaStatistics(const Schema& schema, const parquet::FileMetaData& file,
                            const std::vector<bool>& unbounded) {
  std::vector<std::optional<JsonValue>> minima, maxima, nulls;
  bool complete = true;
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const int column = static_cast<int>(i);
    const TypeKind kind = schema.columns[i].type.kind;
    const std::optional<int64_t> count = NullCount(file, column);
    nulls.push_back(count ? std::optional(JsonValue{absl::StrCat(*count)}) : std::nullopt);
    JsonBounds bounds;
    if (count != file.num_rows()) {
      bounds = BoundsOf(schema.columns[i].type, file, column, unbounded[i]);
      if (kind != TypeKind::kBinary && !(bounds.min && bounds.max)) complete = false;
    }
    minima.push_back(std::move(bounds.min));
    maxima.push_back(std::move(bounds.max));
  }
  rapidjson::StringBuffer buffer;
  JsonWriter json(buffer);
  json.StartObject();
  json.Key("numRecords");
  json.Int64(file.num_rows());
  if (complete) {
    WriteObject(json, "minValues", schema, minima);
    WriteObject(json, "maxValues", schema, maxima);
  }
  WriteObject(json, "nullCount", schema, nulls);
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize());
}

}  // namespace headwater
