#include "worker/stage/parquet_writer.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include <cmath>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"
#include "worker/stage/delta_statistics.h"
#include "worker/stage/file_limits.h"

namespace headwater {
namespace {

constexpr int kZstdLevel = 1;  // Level 3 gains nothing here and costs a quarter more time.
constexpr int64_t kSampleRows = 8192;
constexpr int kMaxInt32DecimalDigits = 9;     // Parquet keeps these as INT32,
constexpr int kMaxIntegerDecimalDigits = 18;  // these as INT64.

// The bytes of one value, for counting distinct ones.
absl::string_view BytesOf(const arrow::ArrayData& data, int64_t row, int width) {
  if (width > 0) {
    return {reinterpret_cast<const char*>(data.buffers[1]->data()) + (data.offset + row) * width,
            static_cast<size_t>(width)};
  }
  const int32_t* offsets = data.GetValues<int32_t>(1);
  return {reinterpret_cast<const char*>(data.buffers[2]->data()) + offsets[row],
          static_cast<size_t>(offsets[row + 1] - offsets[row])};
}

// Does a dictionary pay? Looks at up to kSampleRows values, evenly spread, or until it is plain
// that there are too many different ones.
bool RepeatsFewValues(const arrow::ChunkedArray& column, TypeKind kind) {
  if (kind == TypeKind::kBoolean) return false;
  const bool variable = kind == TypeKind::kString || kind == TypeKind::kBinary;
  const int width =
      variable ? 0 : static_cast<const arrow::FixedWidthType&>(*column.type()).bit_width() / 8;
  // Integers pack well without one, so theirs must be small; the others win from half on.
  const bool packs = !variable && kind != TypeKind::kFloat && kind != TypeKind::kDouble &&
                     kind != TypeKind::kDecimal;
  const int64_t share = packs ? 32 : 2;
  const int64_t stride = std::max<int64_t>(1, column.length() / kSampleRows);
  const int64_t samples = column.length() / stride + 1;
  absl::flat_hash_set<absl::string_view> distinct;
  int64_t sampled = 0;
  int64_t next = 0;  // Within the current chunk.
  for (const auto& chunk : column.chunks()) {
    for (; next < chunk->length(); next += stride) {
      if (chunk->IsNull(next)) continue;
      ++sampled;
      distinct.insert(BytesOf(*chunk->data(), next, width));
      if (static_cast<int64_t>(distinct.size()) > samples / share) return false;
    }
    next -= chunk->length();
  }
  return static_cast<int64_t>(distinct.size()) <= sampled / share;
}

parquet::Encoding::type EncodingOf(const ColumnType& type) {
  switch (type.kind) {
    case TypeKind::kByte:
    case TypeKind::kShort:
    case TypeKind::kInteger:
    case TypeKind::kLong:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      return parquet::Encoding::DELTA_BINARY_PACKED;
    case TypeKind::kDecimal:
      return type.precision <= kMaxIntegerDecimalDigits ? parquet::Encoding::DELTA_BINARY_PACKED
                                                        : parquet::Encoding::PLAIN;
    case TypeKind::kString:
    case TypeKind::kBinary:
      return parquet::Encoding::DELTA_BYTE_ARRAY;
    case TypeKind::kBoolean:
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return parquet::Encoding::PLAIN;
  }
  return parquet::Encoding::PLAIN;
}

std::shared_ptr<parquet::WriterProperties> PropertiesFor(const Schema& schema,
                                                         const arrow::Table& first) {
  parquet::WriterProperties::Builder builder;
  builder.memory_pool(ArrowPool())
      ->version(parquet::ParquetVersion::PARQUET_2_6)
      ->data_page_version(parquet::ParquetDataPageVersion::V1)
      ->compression(parquet::Compression::ZSTD)
      ->compression_level(kZstdLevel)
      ->max_row_group_length(kMaxRowGroupRows)
      ->created_by("headwater")
      ->enable_store_decimal_as_integer();
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    if (RepeatsFewValues(*first.column(static_cast<int>(i)), column.type.kind)) {
      builder.enable_dictionary(column.name);
    } else {
      builder.disable_dictionary(column.name);
    }
    builder.encoding(column.name, EncodingOf(column.type));
  }
  return builder.build();
}

// A decimal whose values Parquet keeps as INT64. Arrow hands over decimals of 128 bits one by one,
// each checked and converted; those of 64 bits it copies.
bool IsStoredAsInt64(const ColumnType& type) {
  return type.kind == TypeKind::kDecimal && type.precision > kMaxInt32DecimalDigits &&
         type.precision <= kMaxIntegerDecimalDigits;
}

// The schema that Arrow's writer is given: the same file.
std::shared_ptr<arrow::Schema> WrittenSchema(const Schema& schema) {
  arrow::FieldVector fields = ToArrow(schema)->fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    const ColumnType& type = schema.columns[i].type;
    if (!IsStoredAsInt64(type)) continue;
    fields[i] = fields[i]->WithType(arrow::decimal64(type.precision, type.scale));
  }
  return arrow::schema(std::move(fields));
}

// The values of a decimal column, each of which fits 64 bits, in 64 bits.
arrow::Result<std::shared_ptr<arrow::ChunkedArray>> InInt64(const arrow::ChunkedArray& column,
                                                            const ColumnType& type) {
  const auto narrow = arrow::decimal64(type.precision, type.scale);
  arrow::ArrayVector chunks;
  for (const auto& chunk : column.chunks()) {
    const arrow::ArrayData& data = *chunk->data();
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> values,
        arrow::AllocateBuffer(data.length * int64_t{sizeof(int64_t)}, ArrowPool()));
    // Little-endian: the low half comes first.
    const auto* wide = reinterpret_cast<const int64_t*>(data.buffers[1]->data()) + 2 * data.offset;
    auto* out = reinterpret_cast<int64_t*>(values->mutable_data());
    for (int64_t i = 0; i < data.length; ++i) out[i] = wide[2 * i];
    std::shared_ptr<arrow::Buffer> validity;
    if (data.GetNullCount() != 0) {
      ARROW_ASSIGN_OR_RAISE(
          validity, arrow::internal::CopyBitmap(ArrowPool(), data.buffers[0]->data(), data.offset,
                                                data.length));
    }
    chunks.push_back(arrow::MakeArray(arrow::ArrayData::Make(
        narrow, data.length, {std::move(validity), std::move(values)}, data.GetNullCount())));
  }
  return std::make_shared<arrow::ChunkedArray>(std::move(chunks), narrow);
}

template <typename ArrayType, typename Predicate>
bool HasValue(const arrow::ChunkedArray& column, Predicate predicate) {
  for (const auto& chunk : column.chunks()) {
    const auto& values = static_cast<const ArrayType&>(*chunk);
    for (int64_t i = 0; i < values.length(); ++i) {
      if (predicate(values.GetView(i)) && values.IsValid(i)) return true;
    }
  }
  return false;
}

// Is there a value that no bound of the statistics covers, however wide?
bool HasUnboundedValue(const arrow::ChunkedArray& column, TypeKind kind) {
  const auto is_nan = [](auto value) { return std::isnan(value); };
  const std::string_view ceiling(kTextCeiling.data(), kTextCeiling.size());
  const auto is_above = [&](std::string_view value) { return value > ceiling; };
  if (kind == TypeKind::kDouble) return HasValue<arrow::DoubleArray>(column, is_nan);
  if (kind == TypeKind::kFloat) return HasValue<arrow::FloatArray>(column, is_nan);
  if (kind == TypeKind::kString) return HasValue<arrow::StringArray>(column, is_above);
  return false;
}

}  // namespace

ParquetWriter::ParquetWriter(std::string path, Schema schema, std::shared_ptr<OutputFile> file)
    : path_(std::move(path)),
      schema_(std::move(schema)),
      written_schema_(WrittenSchema(schema_)),
      file_(std::move(file)),
      unbounded_(schema_.columns.size()) {}

ParquetWriter::~ParquetWriter() = default;

absl::StatusOr<std::unique_ptr<ParquetWriter>> ParquetWriter::Create(const std::string& path,
                                                                     const Schema& schema,
                                                                     const arrow::Table& first) {
  ASSIGN_OR_RETURN(std::shared_ptr<OutputFile> file, OutputFile::Create(path));
  auto writer = std::unique_ptr<ParquetWriter>(new ParquetWriter(path, schema, std::move(file)));
  try {
    parquet::ArrowWriterProperties::Builder arrow_properties;
    arrow_properties.set_use_threads(false);
    auto opened =
        parquet::arrow::FileWriter::Open(*writer->written_schema_, ArrowPool(), writer->file_,
                                         PropertiesFor(schema, first), arrow_properties.build());
    RETURN_IF_ERROR(writer->StatusOf(opened.status()));
    writer->writer_ = *std::move(opened);
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat("opening '", path, "': ", e.what()));
  }
  return writer;
}

absl::Status ParquetWriter::StatusOf(const arrow::Status& status) const {
  if (!file_->error().ok()) return file_->error();
  return FromArrow(status, absl::StrCat("writing '", path_, "'"));
}

void ParquetWriter::NoteUnbounded(const arrow::Table& rows) {
  for (size_t i = 0; i < schema_.columns.size(); ++i) {
    const arrow::ChunkedArray& column = *rows.column(static_cast<int>(i));
    unbounded_[i] = unbounded_[i] || HasUnboundedValue(column, schema_.columns[i].type.kind);
  }
}

absl::Status ParquetWriter::WriteRowGroup(const arrow::Table& rows) {
  NoteUnbounded(rows);
  rows_ += rows.num_rows();
  try {
    arrow::ChunkedArrayVector columns = rows.columns();
    for (size_t i = 0; i < columns.size(); ++i) {
      const ColumnType& type = schema_.columns[i].type;
      if (!IsStoredAsInt64(type)) continue;
      auto narrow = InInt64(*columns[i], type);
      RETURN_IF_ERROR(StatusOf(narrow.status()));
      columns[i] = *std::move(narrow);
    }
    const auto table = arrow::Table::Make(written_schema_, std::move(columns), rows.num_rows());
    RETURN_IF_ERROR(StatusOf(writer_->WriteTable(*table, rows.num_rows())));
    return StatusOf(file_->Flush());
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat("writing '", path_, "': ", e.what()));
  }
}

int64_t ParquetWriter::size_bytes() const { return *file_->Tell(); }

absl::StatusOr<ClosedParquetFile> ParquetWriter::Close() {
  try {
    RETURN_IF_ERROR(StatusOf(writer_->Close()));
    RETURN_IF_ERROR(file_->Sync());
    RETURN_IF_ERROR(StatusOf(file_->Close()));
    return ClosedParquetFile{size_bytes(), rows_,
                             DeltaStatistics(schema_, *writer_->metadata(), unbounded_)};
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat("closing '", path_, "': ", e.what()));
  }
}

}  // namespace headwater
