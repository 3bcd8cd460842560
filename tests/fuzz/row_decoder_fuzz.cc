// Rows of MariaDB's binary protocol and their fields from any bytes.
//
//   input  = 0xFF rows       rows of one column per shape, one behind the other
//          | shape bytes     one field of that shape
// Besides being memory-safe: a row is the same whatever lies behind it, and none without its last
// byte; a number, date or moment that is appended is the one that its text says.
#include <arrow/api.h>
#include <arrow/util/decimal.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/check.h"
#include "common/data/row_hash.h"
#include "tests/fuzz/decoded_rows.h"
#include "worker/source/mariadb/row_decoder.h"
#include "worker/source/mariadb/row_field.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr uint8_t kRows = 0xFF;

struct Shape {
  RowShape shape;
  ColumnType type;
};

const std::vector<Shape>& Shapes() {
  static const std::vector<Shape> shapes = {
      {RowShape::kInt1, {TypeKind::kByte}},
      {RowShape::kInt1, {TypeKind::kBoolean}},
      {RowShape::kUint1, {TypeKind::kShort}},
      {RowShape::kInt2, {TypeKind::kShort}},
      {RowShape::kUint2, {TypeKind::kInteger}},
      {RowShape::kInt4, {TypeKind::kInteger}},
      {RowShape::kUint4, {TypeKind::kLong}},
      {RowShape::kInt8, {TypeKind::kLong}},
      {RowShape::kUint8, {TypeKind::kDecimal, 20, 0}},
      {RowShape::kFloat, {TypeKind::kFloat}},
      {RowShape::kFloat, {TypeKind::kDouble}},
      {RowShape::kDouble, {TypeKind::kDouble}},
      {RowShape::kDate, {TypeKind::kDate}},
      {RowShape::kMoment, {TypeKind::kTimestampNtz}},
      {RowShape::kMoment, {TypeKind::kTimestamp}},
      {RowShape::kText, {TypeKind::kDecimal, 18, 6}},
      {RowShape::kText, {TypeKind::kDecimal, 38, 0}},
      {RowShape::kText, {TypeKind::kDecimal, 38, 38}},
      {RowShape::kText, {TypeKind::kString}},
      {RowShape::kBytes, {TypeKind::kBinary}},
      {RowShape::kBytes, {TypeKind::kString}},
  };
  return shapes;
}

const Schema& RowSchema() {
  static const Schema schema = SchemaOf(Shapes());
  return schema;
}

// A copy that lies alone on the heap: a sanitizer sees what is read beyond it.
class Alone {
 public:
  explicit Alone(absl::string_view bytes) : bytes_(new char[bytes.size()]), size_(bytes.size()) {
    if (size_ != 0) std::memcpy(bytes_.get(), bytes.data(), size_);
  }
  absl::string_view view() const { return {bytes_.get(), size_}; }

 private:
  const std::unique_ptr<char[]> bytes_;
  const size_t size_;
};

RowDecoder NewDecoder(bool set_aside) {
  std::vector<RowShape> shapes;
  for (const Shape& shape : Shapes()) shapes.push_back(shape.shape);
  return RowDecoder(RowSchema(), shapes, {.set_aside = set_aside, .key = {0, 5, 8, 13, 18}});
}

struct Outcome {
  absl::Status status;
  std::vector<Hash128> rows;
  std::vector<size_t> sizes;
};

// The row with which `bytes` begin. `alone`: with nothing behind it.
absl::Status FeedRow(RowDecoder& decoder, absl::string_view bytes, bool alone, size_t& taken) {
  const Alone whole(bytes);
  const absl::StatusOr<size_t> size = decoder.Take(whole.view());
  if (!size.ok()) return size.status();
  taken = *size;
  HW_CHECK(taken > 0 && taken <= bytes.size());
  if (!alone) return decoder.Append();
  HW_CHECK(decoder.Take(Alone(bytes.substr(0, taken - 1)).view()).status().code() ==
           absl::StatusCode::kDataLoss);
  const Alone row(bytes.substr(0, taken));
  const absl::StatusOr<size_t> again = decoder.Take(row.view());
  HW_CHECK(again.ok() && *again == taken);
  return decoder.Append();
}

Outcome Decode(absl::string_view rows, bool set_aside, bool alone) {
  RowDecoder decoder = NewDecoder(set_aside);
  Outcome outcome;
  while (!rows.empty()) {
    size_t taken = 0;
    outcome.status = FeedRow(decoder, rows, alone, taken);
    if (!outcome.status.ok()) break;
    outcome.sizes.push_back(taken);
    rows.remove_prefix(taken);
  }
  // What came before an error counts, unless the error left a row half appended.
  if (!outcome.status.ok()) decoder.batch().DropRow();
  static const auto hasher = *RowHasher::Create(RowSchema(), HashAlgorithm::kXxh3);
  outcome.rows = TakeRows(decoder.batch(), *hasher, set_aside);
  HW_CHECK(outcome.rows.size() == outcome.sizes.size());
  return outcome;
}

void FeedRows(absl::string_view rows) {
  for (const bool set_aside : {false, true}) {
    const Outcome behind = Decode(rows, set_aside, /*alone=*/false);
    const Outcome alone = Decode(rows, set_aside, /*alone=*/true);
    HW_CHECK(behind.status == alone.status);
    HW_CHECK(behind.rows == alone.rows && behind.sizes == alone.sizes);
    HW_CHECK(IsValidUtf8(behind.status.message()));
    HW_CHECK(behind.status.ok() || behind.status.code() == absl::StatusCode::kDataLoss ||
             (behind.status.code() == absl::StatusCode::kInvalidArgument && !set_aside));
  }
}

// What the text says, by Arrow's parser, which shares nothing with ours: unscaled, or none where
// it takes no such text or has no digits for the scale.
std::optional<arrow::Decimal128> DecimalOf(const std::string& text, int scale) {
  arrow::Decimal128 parsed;
  int32_t digits = 0, places = 0;
  if (!arrow::Decimal128::FromString(text, &parsed, &digits, &places).ok()) return std::nullopt;
  const auto rescaled = parsed.Rescale(places, scale);
  return rescaled.ok() ? std::optional(*rescaled) : std::nullopt;
}

// `text` is the field's, `array` has the one value that was appended for it.
void CheckAppended(const Shape& shape, const std::string& text, const arrow::Array& array) {
  HW_CHECK(array.length() == 1 && array.null_count() == 0);
  const std::string value = (*array.GetScalar(0))->ToString();
  switch (shape.type.kind) {
    case TypeKind::kByte:
    case TypeKind::kShort:
    case TypeKind::kInteger:
    case TypeKind::kLong:
    case TypeKind::kDate:
      HW_CHECK(value == text);
      break;
    case TypeKind::kBoolean:
      HW_CHECK(text == (value == "true" ? "1" : "0") || text == (value == "true" ? "x01" : "x00"));
      break;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      HW_CHECK(ParseWallClock(text) == array.data()->GetValues<int64_t>(1)[0]);
      break;
    case TypeKind::kFloat: {
      const float found = array.data()->GetValues<float>(1)[0];
      HW_CHECK(std::isnan(found) || found == std::strtof(text.c_str(), nullptr));
      break;
    }
    case TypeKind::kDouble: {
      const double found = array.data()->GetValues<double>(1)[0];
      const bool narrow = shape.shape == RowShape::kFloat;
      const double said =
          narrow ? std::strtof(text.c_str(), nullptr) : std::strtod(text.c_str(), nullptr);
      HW_CHECK(std::isnan(found) || found == said);
      break;
    }
    case TypeKind::kDecimal: {
      const arrow::Decimal128 found(array.data()->GetValues<uint8_t>(1));
      const auto said = DecimalOf(text, shape.type.scale);
      HW_CHECK(!said.has_value() || *said == found);
      HW_CHECK(found.FitsInPrecision(shape.type.precision));
      break;
    }
    default:
      HW_CHECK(value == text || shape.shape == RowShape::kBytes);
  }
}

// Whether a field with this text has to be appended, where it is of its wire shape.
bool Fits(const Shape& shape, const std::string& text, absl::string_view field) {
  switch (shape.type.kind) {
    case TypeKind::kBoolean:
      return field.size() == 1 && (field[0] == 0 || field[0] == 1);
    case TypeKind::kDate:
      return ParseDate(text).has_value();
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      return ParseWallClock(text).has_value();
    case TypeKind::kDecimal:
      return ParseDecimal(text, shape.type.precision, shape.type.scale).has_value();
    case TypeKind::kString:
      return IsValidUtf8(field);
    default:
      return true;
  }
}

void FeedField(const Shape& shape, absl::string_view bytes) {
  const Alone alone(bytes);
  const absl::string_view field = alone.view();
  const std::string text = RowFieldValue(shape.shape, field);
  // A message goes over the wire, where text is UTF-8.
  HW_CHECK(IsValidUtf8(RowFieldText(shape.shape, field)));
  BatchBuilder batch(Schema{{{"v", shape.type, true}}});
  const FieldResult result = AppenderOf(shape.shape, shape.type)(batch, 0, shape.type, field);
  if (const size_t width = WidthOf(shape.shape); width != 0) {
    HW_CHECK((result == FieldResult::kMalformed) == (field.size() != width));
  }
  if (result == FieldResult::kMalformed) {
    HW_CHECK(shape.shape != RowShape::kText && shape.type.kind != TypeKind::kBinary);
    return;
  }
  HW_CHECK(Fits(shape, text, field) == (result == FieldResult::kAppended));
  if (result != FieldResult::kAppended) return;
  batch.EndRow();
  const auto rows = batch.Finish();
  HW_CHECK(rows.ok());
  CheckAppended(shape, text, *(*rows)->arrow()->column(0));
}

}  // namespace
}  // namespace headwater

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == headwater::kRows) {
    headwater::FeedRows(input);
  } else {
    const auto& shapes = headwater::Shapes();
    headwater::FeedField(shapes[data[0] % shapes.size()], input);
  }
  return 0;
}
