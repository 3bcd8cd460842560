#include "worker/stage/parquet_reader.h"

#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <parquet/arrow/reader.h>
#include <parquet/properties.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"

namespace headwater {
namespace {

constexpr int64_t kBatchRows = 8192;  // A wide row group is not decoded whole.

std::vector<int> ColumnsNamed(const arrow::Schema& schema, const std::vector<std::string>* only) {
  std::vector<int> columns;
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (only == nullptr ||
        std::find(only->begin(), only->end(), schema.field(i)->name()) != only->end()) {
      columns.push_back(i);
    }
  }
  return columns;
}

// A file that is not what we wrote is no mistake of whoever asked.
absl::Status Unreadable(const arrow::Status& status, absl::string_view doing) {
  const absl::Status error = FromArrow(status, doing);
  return absl::IsInvalidArgument(error) ? absl::InternalError(error.message()) : error;
}

}  // namespace

ParquetReader::~ParquetReader() = default;

absl::StatusOr<std::unique_ptr<ParquetReader>> ParquetReader::Open(
    const std::string& path, const std::vector<std::string>* only) {
  const std::string doing = absl::StrCat("reading '", path, "'");
  auto file = arrow::io::ReadableFile::Open(path, ArrowPool());
  RETURN_IF_ERROR(Unreadable(file.status(), doing));
  parquet::ReaderProperties properties(ArrowPool());
  properties.enable_buffered_stream();
  parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
  arrow_properties.set_batch_size(kBatchRows);
  arrow_properties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  RETURN_IF_ERROR(Unreadable(builder.Open(*std::move(file), properties), doing));
  std::unique_ptr<ParquetReader> reader(new ParquetReader());
  reader->doing_ = doing;
  RETURN_IF_ERROR(Unreadable(
      builder.memory_pool(ArrowPool())->properties(arrow_properties)->Build(&reader->reader_),
      doing));
  std::shared_ptr<arrow::Schema> schema;
  RETURN_IF_ERROR(Unreadable(reader->reader_->GetSchema(&schema), doing));
  std::vector<int> groups(static_cast<size_t>(reader->reader_->num_row_groups()));
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int>(i);
  auto batches = reader->reader_->GetRecordBatchReader(groups, ColumnsNamed(*schema, only));
  RETURN_IF_ERROR(Unreadable(batches.status(), doing));
  reader->batches_ = *std::move(batches);
  ASSIGN_OR_RETURN(reader->schema_, headwater::FromArrow(*reader->batches_->schema()));
  return reader;
}

absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> ParquetReader::Next() {
  std::shared_ptr<arrow::RecordBatch> batch;
  RETURN_IF_ERROR(Unreadable(batches_->ReadNext(&batch), doing_));
  return batch;
}

}  // namespace headwater
