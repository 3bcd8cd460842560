#include "worker/stage/file_compactor.h"

#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>
#include <parquet/arrow/reader.h>
#include <parquet/properties.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"
#include "common/data/row_hash.h"
#include "worker/stage/delta_staging_writer.h"
#include "worker/stage/file_limits.h"
#include "worker/stage/parquet_writer.h"
#include "worker/stage/staged_files.h"

namespace headwater {
namespace {

constexpr int64_t kBatchRows = 8192;  // A wide row group is not decoded whole.

// One input, batch by batch. Confined to one thread.
class InputFile {
 public:
  static absl::StatusOr<std::unique_ptr<InputFile>> Open(const std::string& path) {
    const std::string doing = absl::StrCat("reading '", path, "'");
    auto file = arrow::io::ReadableFile::Open(path, ArrowPool());
    RETURN_IF_ERROR(FromArrow(file.status(), doing));
    parquet::ReaderProperties properties(ArrowPool());
    properties.enable_buffered_stream();
    parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
    arrow_properties.set_batch_size(kBatchRows);
    arrow_properties.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    RETURN_IF_ERROR(FromArrow(builder.Open(*std::move(file), properties), doing));
    auto input = std::make_unique<InputFile>();
    input->doing_ = doing;
    RETURN_IF_ERROR(FromArrow(
        builder.memory_pool(ArrowPool())->properties(arrow_properties)->Build(&input->reader_),
        doing));
    auto batches = input->reader_->GetRecordBatchReader();
    RETURN_IF_ERROR(FromArrow(batches.status(), doing));
    input->batches_ = *std::move(batches);
    ASSIGN_OR_RETURN(input->schema_, headwater::FromArrow(*input->batches_->schema()));
    return input;
  }

  const Schema& schema() const { return schema_; }

  // Null at the end.
  absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> Next() {
    std::shared_ptr<arrow::RecordBatch> batch;
    RETURN_IF_ERROR(FromArrow(batches_->ReadNext(&batch), doing_));
    return batch;
  }

 private:
  std::string doing_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // Gone before its reader.
  Schema schema_;
};

// The partition as a folder's path has it: by server first. A table's log has no order.
PartitionValues Ordered(PartitionValues partition) {
  std::stable_partition(partition.begin(), partition.end(),
                        [](const auto& entry) { return entry.first == "server_source"; });
  return partition;
}

class Compactor {
 public:
  Compactor(const CompactionOptions& options, std::string folder, std::stop_token stop)
      : options_(options), stop_(std::move(stop)), files_(std::move(folder), options.lease.fence) {}

  absl::StatusOr<Manifest> Run() {
    piece_.extent = options_.extent;
    std::vector<PartitionValues> partitions;  // In the order of their first rows.
    std::map<PartitionValues, std::vector<const StagedFile*>> inputs;
    for (const StagedFile& input : options_.inputs) {
      const PartitionValues partition = Ordered(input.partition_values);
      std::vector<const StagedFile*>& known = inputs[partition];
      if (known.empty()) partitions.push_back(partition);
      known.push_back(&input);
    }
    for (const PartitionValues& partition : partitions) {
      for (const StagedFile* input : inputs.at(partition)) {
        RETURN_IF_ERROR(Take(*input, partition));
      }
      RETURN_IF_ERROR(Flush(partition));
      RETURN_IF_ERROR(CloseFile(partition));
    }
    RETURN_IF_ERROR(files_.SyncFolders());
    RETURN_IF_ERROR(Failpoint("stage.after_sync"));
    files_.Keep();
    return Describe();
  }

 private:
  absl::Status Take(const StagedFile& input, const PartitionValues& partition) {
    ASSIGN_OR_RETURN(const std::unique_ptr<InputFile> file,
                     InputFile::Open(files_.FullPath(input.path)));
    RETURN_IF_ERROR(TakeSchema(input, file->schema()));
    while (true) {
      if (stop_.stop_requested())
        return absl::CancelledError("stopped before all files were compacted");
      ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> batch, file->Next());
      if (batch == nullptr) return absl::OkStatus();
      RETURN_IF_ERROR(Hash(*batch));
      waiting_.push_back(batch);
      waiting_rows_ += batch->num_rows();
      const int64_t bytes = arrow::util::TotalBufferSize(*batch);
      waiting_bytes_ += bytes;
      rows_ += batch->num_rows();
      bytes_ += bytes;
      if (options_.progress) options_.progress(rows_, bytes_);
      if (waiting_bytes_ >= kRowGroupBytes || waiting_rows_ + kBatchRows > kMaxRowGroupRows)
        RETURN_IF_ERROR(Flush(partition));
    }
  }

  absl::Status TakeSchema(const StagedFile& input, const Schema& schema) {
    if (hasher_ != nullptr) {
      if (schema == schema_) return absl::OkStatus();
      return absl::DataLossError(absl::StrCat(
          ToString(options_.dataset.id), ": file ", input.path,
          " has other columns than the files of its neighbours, which were written in the same"));
    }
    schema_ = schema;
    arrow_schema_ = ToArrow(schema_);
    source_schema_ = SourceColumns(schema_);
    for (const Column& column : source_schema_.columns)
      source_columns_.push_back(schema_.Find(column.name));
    source_arrow_schema_ = ToArrow(source_schema_);
    ASSIGN_OR_RETURN(hasher_, RowHasher::Create(source_schema_));
    return absl::OkStatus();
  }

  absl::Status Hash(const arrow::RecordBatch& batch) {
    arrow::ArrayVector columns;
    for (const int index : source_columns_) columns.push_back(batch.column(index));
    hashes_.clear();
    RETURN_IF_ERROR(hasher_->Hash(RowBatch(arrow::RecordBatch::Make(
                                      source_arrow_schema_, batch.num_rows(), std::move(columns))),
                                  hashes_));
    for (const Hash128& hash : hashes_) piece_.fingerprint.Add(hash);
    return absl::OkStatus();
  }

  // Writes what waits as a row group.
  absl::Status Flush(const PartitionValues& partition) {
    if (waiting_.empty()) return absl::OkStatus();
    const arrow::RecordBatchVector batches = std::exchange(waiting_, {});
    waiting_rows_ = waiting_bytes_ = 0;
    auto rows = arrow::Table::FromRecordBatches(arrow_schema_, batches);
    RETURN_IF_ERROR(FromArrow(rows.status(), "putting rows together"));
    if (file_ == nullptr) {
      ASSIGN_OR_RETURN(path_, files_.NewFile(/*piece=*/0, partition));
      ASSIGN_OR_RETURN(file_, ParquetWriter::Create(files_.FullPath(path_), schema_, **rows));
    }
    RETURN_IF_ERROR(file_->WriteRowGroup(**rows));
    return file_->size_bytes() >= kMaxFileBytes ? CloseFile(partition) : absl::OkStatus();
  }

  absl::Status CloseFile(const PartitionValues& partition) {
    if (file_ == nullptr) return absl::OkStatus();
    RETURN_IF_ERROR(Failpoint("stage.before_close"));
    ASSIGN_OR_RETURN(ClosedParquetFile closed, file_->Close());
    file_.reset();
    StagedFile staged;
    staged.path = path_;
    staged.size_bytes = closed.size_bytes;
    staged.rows = closed.rows;
    staged.partition_values = partition;
    staged.stats_json = std::move(closed.stats_json);
    piece_.files.push_back(std::move(staged));
    return absl::OkStatus();
  }

  Manifest Describe() {
    Manifest manifest;
    manifest.schema = schema_;
    manifest.rows_read = rows_;
    manifest.bytes_read = bytes_;
    manifest.spec_version = SpecVersionOf(source_schema_);
    for (const StagedFile& file : piece_.files) manifest.bytes_staged += file.size_bytes;
    manifest.pieces.push_back(std::move(piece_));
    return manifest;
  }

  const CompactionOptions& options_;
  const std::stop_token stop_;
  StagedFiles files_;
  std::unique_ptr<ParquetWriter> file_;  // After files_: closed before its file is removed.
  std::string path_;                     // Of the open file.
  StagedPiece piece_;

  Schema schema_;  // Of the files.
  std::shared_ptr<arrow::Schema> arrow_schema_;
  Schema source_schema_;
  std::shared_ptr<arrow::Schema> source_arrow_schema_;
  std::vector<int> source_columns_;  // Where they are among the files' columns.
  std::unique_ptr<RowHasher> hasher_;
  std::vector<Hash128> hashes_;

  arrow::RecordBatchVector waiting_;
  int64_t waiting_rows_ = 0;
  int64_t waiting_bytes_ = 0;
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<Manifest> CompactFiles(const CompactionOptions& options, std::stop_token stop) {
  ASSIGN_OR_RETURN(std::string folder, LocalFolderOf(options.dataset.target_uri));
  return Compactor(options, std::move(folder), std::move(stop)).Run();
}

}  // namespace headwater
