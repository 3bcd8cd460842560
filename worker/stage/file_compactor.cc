#include "worker/stage/file_compactor.h"

#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

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
#include "common/data/system_columns.h"
#include "worker/stage/delta_staging_writer.h"
#include "worker/stage/file_sequence.h"
#include "worker/stage/parquet_reader.h"
#include "worker/stage/staged_files.h"

namespace headwater {
namespace {

// The partition as a folder's path has it: by server first. A table's log has no order.
PartitionValues Ordered(PartitionValues partition, const std::string& server_column) {
  std::stable_partition(partition.begin(), partition.end(),
                        [&](const auto& entry) { return entry.first == server_column; });
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
      const PartitionValues partition =
          Ordered(input.partition_values, options_.dataset.system_columns.server_source);
      std::vector<const StagedFile*>& known = inputs[partition];
      if (known.empty()) partitions.push_back(partition);
      known.push_back(&input);
    }
    for (const PartitionValues& partition : partitions) {
      RETURN_IF_ERROR(Compact(inputs.at(partition), partition));
    }
    RETURN_IF_ERROR(files_.SyncFolders());
    RETURN_IF_ERROR(Failpoint("stage.after_sync"));
    files_.Keep();
    return Describe();
  }

 private:
  absl::Status Compact(const std::vector<const StagedFile*>& inputs,
                       const PartitionValues& partition) {
    std::optional<FileSequence> output;
    for (const StagedFile* input : inputs) RETURN_IF_ERROR(Take(*input, partition, output));
    if (!output.has_value()) return absl::OkStatus();
    ASSIGN_OR_RETURN(std::vector<StagedFile> written, output->Finish());
    for (StagedFile& file : written) piece_.files.push_back(std::move(file));
    return absl::OkStatus();
  }

  absl::Status Take(const StagedFile& input, const PartitionValues& partition,
                    std::optional<FileSequence>& output) {
    ASSIGN_OR_RETURN(const std::unique_ptr<ParquetReader> file,
                     ParquetReader::Open(files_.FullPath(input.path)));
    RETURN_IF_ERROR(TakeSchema(input, file->schema()));
    if (!output.has_value()) output.emplace(files_, /*piece=*/0, schema_, partition);
    while (true) {
      if (stop_.stop_requested())
        return absl::CancelledError("stopped before all files were compacted");
      ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> batch, file->Next());
      if (batch == nullptr) return absl::OkStatus();
      RETURN_IF_ERROR(Hash(*batch));
      rows_ += batch->num_rows();
      bytes_ += arrow::util::TotalBufferSize(*batch);
      if (options_.progress) options_.progress(rows_, bytes_);
      RETURN_IF_ERROR(output->Add(batch));
    }
  }

  absl::Status TakeSchema(const StagedFile& input, const Schema& schema) {
    if (hasher_ != nullptr) {
      if (schema == file_schema_) return absl::OkStatus();
      return absl::DataLossError(absl::StrCat(
          ToString(options_.dataset.id), ": file ", input.path,
          " has other columns than the files of its neighbours, which were written in the same"));
    }
    schema_ = file_schema_ = schema;
    MarkSystemColumns(options_.dataset.system_columns, schema_);
    source_schema_ = SourceColumns(schema_);
    for (const Column& column : source_schema_.columns)
      source_columns_.push_back(schema_.Find(column.name));
    source_arrow_schema_ = ToArrow(source_schema_);
    ASSIGN_OR_RETURN(hasher_, RowHasher::Create(source_schema_, options_.dataset.hash_algorithm));
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

  Manifest Describe() {
    Manifest manifest;
    manifest.schema = schema_;
    manifest.rows_read = rows_;
    manifest.bytes_read = bytes_;
    manifest.spec_version = SpecVersionOf(source_schema_, options_.dataset.hash_algorithm);
    for (const StagedFile& file : piece_.files) manifest.bytes_staged += file.size_bytes;
    manifest.pieces.push_back(std::move(piece_));
    return manifest;
  }

  const CompactionOptions& options_;
  const std::stop_token stop_;
  StagedFiles files_;
  StagedPiece piece_;

  Schema file_schema_;  // As the files have it,
  Schema schema_;       // and with Headwater's columns marked.
  Schema source_schema_;
  std::shared_ptr<arrow::Schema> source_arrow_schema_;
  std::vector<int> source_columns_;  // Where they are among the files' columns.
  std::unique_ptr<RowHasher> hasher_;
  std::vector<Hash128> hashes_;

  int64_t rows_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<Manifest> CompactFiles(const CompactionOptions& options, std::stop_token stop) {
  ASSIGN_OR_RETURN(std::string folder, LocalFolderOf(options.dataset.target_uri));
  return Compactor(options, std::move(folder), std::move(stop)).Run();
}

}  // namespace headwater
