#include "worker/stage/file_sequence.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>

#include <utility>

#include "common/base/failpoint.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"
#include "worker/stage/file_limits.h"
#include "worker/stage/parquet_writer.h"

namespace headwater {

FileSequence::FileSequence(StagedFiles& files, int piece, Schema schema, PartitionValues partition)
    : files_(files),
      piece_(piece),
      schema_(std::move(schema)),
      arrow_schema_(ToArrow(schema_)),
      partition_(std::move(partition)) {}

FileSequence::~FileSequence() = default;

absl::Status FileSequence::Add(std::shared_ptr<arrow::RecordBatch> batch) {
  if (waiting_rows_ + batch->num_rows() > kMaxRowGroupRows) RETURN_IF_ERROR(Flush());
  waiting_rows_ += batch->num_rows();
  waiting_bytes_ += arrow::util::TotalBufferSize(*batch);
  waiting_.push_back(std::move(batch));
  return waiting_bytes_ >= kRowGroupBytes ? Flush() : absl::OkStatus();
}

absl::StatusOr<std::vector<StagedFile>> FileSequence::Finish() {
  RETURN_IF_ERROR(Flush());
  RETURN_IF_ERROR(CloseFile());
  return std::move(closed_);
}

// Writes what waits as a row group.
absl::Status FileSequence::Flush() {
  const arrow::RecordBatchVector batches = std::exchange(waiting_, {});
  const int64_t row_count = std::exchange(waiting_rows_, 0);
  waiting_bytes_ = 0;
  if (row_count == 0) return absl::OkStatus();
  auto rows = arrow::Table::FromRecordBatches(arrow_schema_, batches);
  RETURN_IF_ERROR(FromArrow(rows.status(), "putting rows together"));
  if (file_ == nullptr) {
    ASSIGN_OR_RETURN(path_, files_.NewFile(piece_, partition_));
    ASSIGN_OR_RETURN(file_, ParquetWriter::Create(files_.FullPath(path_), schema_, **rows));
  }
  RETURN_IF_ERROR(file_->WriteRowGroup(**rows));
  return file_->size_bytes() >= kMaxFileBytes ? CloseFile() : absl::OkStatus();
}

absl::Status FileSequence::CloseFile() {
  if (file_ == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(Failpoint("stage.before_close"));
  ASSIGN_OR_RETURN(ClosedParquetFile closed, file_->Close());
  file_.reset();
  StagedFile staged;
  staged.path = path_;
  staged.size_bytes = closed.size_bytes;
  staged.rows = closed.rows;
  staged.partition_values = partition_;
  staged.stats_json = std::move(closed.stats_json);
  closed_.push_back(std::move(staged));
  return absl::OkStatus();
}

}  // namespace headwater
