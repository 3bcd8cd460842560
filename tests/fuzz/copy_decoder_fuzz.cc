// PostgreSQL's COPY stream and its fields from any bytes.
//
//   input  = 0xFF step stream     a stream of one column per shape, fed whole and in steps of bytes
//          | shape bytes          one field of that shape
// Besides being memory-safe: a stream cut anywhere gives the same rows or the same error, and the
// decimal of a NUMERIC is the number that its text says.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/check.h"
#include "common/data/row_hash.h"
#include "tests/fuzz/decoded_rows.h"
#include "worker/source/postgres/copy_decoder.h"
#include "worker/source/postgres/copy_field.h"
#include "worker/source/postgres/numeric_text.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr uint8_t kStream = 0xFF;
constexpr size_t kParsedBytes = 100;  // Longer numbers fit no decimal.

struct Shape {
  WireShape shape;
  ColumnType type;
};

const std::vector<Shape>& Shapes() {
  static const std::vector<Shape> shapes = {
      {WireShape::kBool, {TypeKind::kBoolean}},
      {WireShape::kInt2, {TypeKind::kShort}},
      {WireShape::kInt4, {TypeKind::kInteger}},
      {WireShape::kInt8, {TypeKind::kLong}},
      {WireShape::kOid, {TypeKind::kLong}},
      {WireShape::kFloat4, {TypeKind::kFloat}},
      {WireShape::kFloat8, {TypeKind::kDouble}},
      {WireShape::kNumeric, {TypeKind::kDecimal, 18, 6}},
      {WireShape::kNumeric, {TypeKind::kDecimal, 38, 0}},
      {WireShape::kNumeric, {TypeKind::kDecimal, 38, 38}},
      {WireShape::kNumericText, {TypeKind::kString}},
      {WireShape::kText, {TypeKind::kString}},
      {WireShape::kChar, {TypeKind::kString}},
      {WireShape::kJsonb, {TypeKind::kString}},
      {WireShape::kUuid, {TypeKind::kString}},
      {WireShape::kBytea, {TypeKind::kBinary}},
      {WireShape::kDate, {TypeKind::kDate}},
      {WireShape::kTimestamp, {TypeKind::kTimestampNtz}},
      {WireShape::kTimestamp, {TypeKind::kTimestamp}},
  };
  return shapes;
}

const Schema& StreamSchema() {
  static const Schema schema = SchemaOf(Shapes());
  return schema;
}

struct Outcome {
  absl::Status status;
  bool finished = false;
  std::vector<Hash128> rows;
};

Outcome Decode(absl::string_view stream, size_t step, bool set_aside) {
  std::vector<WireShape> shapes;
  for (const Shape& shape : Shapes()) shapes.push_back(shape.shape);
  CopyDecoder decoder(StreamSchema(), shapes, {.set_aside = set_aside, .key = {0, 2, 7, 11}});
  Outcome outcome;
  for (size_t at = 0; at < stream.size() && outcome.status.ok(); at += step) {
    outcome.status = decoder.Feed(stream.substr(at, step));
  }
  if (!outcome.status.ok()) return outcome;
  outcome.finished = decoder.finished();
  static const auto hasher = *RowHasher::Create(StreamSchema(), HashAlgorithm::kXxh3);
  outcome.rows = TakeRows(decoder.batch(), *hasher, set_aside);
  return outcome;
}

void FeedStream(absl::string_view stream, size_t step) {
  for (const bool set_aside : {false, true}) {
    const Outcome whole = Decode(stream, stream.size() + 1, set_aside);
    const Outcome cut = Decode(stream, step, set_aside);
    HW_CHECK(whole.status.code() == cut.status.code());
    HW_CHECK(!set_aside || whole.status.code() != absl::StatusCode::kInvalidArgument);
    HW_CHECK(whole.finished == cut.finished);
    HW_CHECK(whole.rows == cut.rows);
  }
}

void CheckNumeric(const Shape& shape, FieldResult result, absl::string_view field) {
  const std::optional<std::string> text = NumericText(field);
  if (result == FieldResult::kMalformed) HW_CHECK(!text.has_value());
  if (!text.has_value() || text->size() > kParsedBytes) return;
  const std::optional<__int128> said = ParseDecimal(*text, shape.type.precision, shape.type.scale);
  HW_CHECK(said.has_value() == (result == FieldResult::kAppended));
  __int128 unscaled = 0;
  NumericFrom(field, shape.type.precision, shape.type.scale, unscaled);
  if (said.has_value()) HW_CHECK(unscaled == *said);
}

void FeedField(const Shape& shape, absl::string_view field) {
  BatchBuilder batch(Schema{{{"v", shape.type, true}}});
  const FieldResult result = AppenderOf(shape.shape)(batch, 0, shape.type, field);
  if (shape.shape == WireShape::kNumeric) CheckNumeric(shape, result, field);
  // A message goes over the wire, where text is UTF-8.
  HW_CHECK(IsValidUtf8(FieldText(shape.shape, shape.type, field)));
  if (result != FieldResult::kAppended) return;
  batch.EndRow();
  HW_CHECK(batch.Finish().ok());
}

}  // namespace
}  // namespace headwater

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  if (data[0] == headwater::kStream) {
    headwater::FeedStream(input.substr(2), 1 + data[1]);
  } else {
    const auto& shapes = headwater::Shapes();
    headwater::FeedField(shapes[data[0] % shapes.size()], input.substr(1));
  }
  return 0;
}
