#include "worker/stage/delta_staging_writer.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"
#include "worker/stage/file_limits.h"
#include "worker/stage/file_schema.h"
#include "worker/stage/parquet_writer.h"
#include "worker/stage/piece_tally.h"
#include "worker/stage/staged_files.h"
#include "worker/stage/taken_rows.h"
#include "worker/stage/waiting_rows.h"

namespace headwater {
namespace {

constexpr int kMaxOpenFiles = 128;            // A process has 1,024 descriptors by default.
constexpr int64_t kArrayOverheadBytes = 320;  // Of a small array: objects and padded buffers.
constexpr int64_t kConstantChunkRows = 8192;

// Rows of one piece and partition that wait, and the file that takes them.
struct Output {
  explicit Output(int cursor_column) : waiting(cursor_column) {}

  WaitingRows waiting;
  std::unique_ptr<ParquetWriter> file;  // Null: none is open.
  std::string path;                     // Of the open file.
  int64_t last_used = 0;
  std::vector<StagedFile> closed;
};

class DeltaStagingWriter final : public StagingWriter {
 public:
  DeltaStagingWriter(const StagingOptions& options, std::unique_ptr<PieceTally> tally,
                     std::string folder)
      : options_(options),
        tally_(std::move(tally)),
        file_schema_(FileSchemaOf(options.dataset, options.source_schema)),
        arrow_schema_(ToArrow(file_schema_)),
        cursor_column_(options.cursor_type == CursorType::kNone
                           ? -1
                           : options.source_schema.Find(options.dataset.cursor)),
        files_(std::move(folder), options.lease.fence) {}

  absl::Status MakeConstants() {
    ASSIGN_OR_RETURN(constants_, AttemptColumns(options_, kConstantChunkRows));
    return absl::OkStatus();
  }

  absl::Status Write(const RowBatch& batch) override {
    if (status_.ok()) status_ = WriteBatch(batch);
    return status_;
  }

  absl::StatusOr<Manifest> Finish() override {
    RETURN_IF_ERROR(status_);
    status_ = absl::FailedPreconditionError("the staging writer is finished");
    DropUnchanged();
    for (size_t slot = 0; slot < outputs_.size(); ++slot) {
      RETURN_IF_ERROR(Flush(slot));
      RETURN_IF_ERROR(CloseFile(slot));
    }
    for (const std::string& path : dropped_) RETURN_IF_ERROR(files_.Remove(path));
    RETURN_IF_ERROR(files_.SyncFolders());
    RETURN_IF_ERROR(tally_->Finish());
    RETURN_IF_ERROR(Failpoint("stage.after_sync"));
    files_.Keep();
    tally_->Keep();
    return Describe();
  }

  absl::Status Remove(const StagedPiece& piece) override {
    absl::Status first = tally_->RemoveBadFiles(piece);
    for (const StagedFile& file : piece.files) first.Update(files_.Remove(file.path));
    return first;
  }

 private:
  absl::Status WriteBatch(const RowBatch& batch) {
    RETURN_IF_ERROR(tally_->Take(batch, slot_of_row_));
    if (options_.fingerprints_only || batch.rows() == 0) return absl::OkStatus();
    while (outputs_.size() < router().slots().size()) outputs_.emplace_back(cursor_column_);
    RETURN_IF_ERROR(Distribute(batch));
    return KeepWithinBudget();
  }

  const PartitionRouter& router() const { return tally_->router(); }

  // Gives each output its rows. Where a batch goes to several, rows are copied: a slice would keep
  // the whole batch in memory until the last of them is written.
  absl::Status Distribute(const RowBatch& batch) {
    const int first = slot_of_row_[0];
    if (std::all_of(slot_of_row_.begin(), slot_of_row_.end(),
                    [&](int slot) { return slot == first; })) {
      Enqueue(first, batch.arrow(), batch.size_bytes());
      return absl::OkStatus();
    }
    rows_of_slot_.resize(outputs_.size());
    touched_.clear();
    for (size_t row = 0; row < slot_of_row_.size(); ++row) {
      std::vector<int32_t>& rows = rows_of_slot_[slot_of_row_[row]];
      if (rows.empty()) touched_.push_back(slot_of_row_[row]);
      rows.push_back(static_cast<int32_t>(row));
    }
    for (const int slot : touched_) {
      std::vector<int32_t>& rows = rows_of_slot_[slot];
      ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> part,
                       TakeRows(*batch.arrow(), rows));
      Enqueue(slot, part, arrow::util::TotalBufferSize(*part));
      rows.clear();
    }
    return absl::OkStatus();
  }

  void Enqueue(int slot, const std::shared_ptr<arrow::RecordBatch>& rows, int64_t size_bytes) {
    size_bytes += kArrayOverheadBytes * rows->num_columns();
    outputs_[slot].waiting.Add(rows, size_bytes);
    waiting_bytes_ += size_bytes;
  }

  absl::Status KeepWithinBudget() {
    for (size_t slot = 0; slot < outputs_.size(); ++slot) {
      const WaitingRows& waiting = outputs_[slot].waiting;
      if (waiting.ascending() &&
          (waiting.rows() >= kMaxRowGroupRows || waiting.size_bytes() >= kRowGroupBytes)) {
        RETURN_IF_ERROR(Flush(slot));
      }
    }
    while (waiting_bytes_ > options_.memory_bytes) {
      const auto largest =
          std::max_element(outputs_.begin(), outputs_.end(), [](const Output& a, const Output& b) {
            return a.waiting.size_bytes() < b.waiting.size_bytes();
          });
      RETURN_IF_ERROR(Flush(largest - outputs_.begin()));
    }
    return absl::OkStatus();
  }

  // Our own columns as repeated chunks: they cost no memory, however many rows there are.
  std::shared_ptr<arrow::ChunkedArray> Constant(int index, int64_t rows) const {
    arrow::ArrayVector chunks(rows / kConstantChunkRows, constants_[index]);
    const int64_t rest = rows % kConstantChunkRows;
    if (rest != 0) chunks.push_back(constants_[index]->Slice(0, rest));
    return std::make_shared<arrow::ChunkedArray>(std::move(chunks), constants_[index]->type());
  }

  // Writes what waits for `slot` as row groups.
  absl::Status Flush(size_t slot) {
    Output& output = outputs_[slot];
    if (output.waiting.empty()) return absl::OkStatus();
    const int64_t rows = output.waiting.rows();
    const int64_t groups =
        std::max<int64_t>(1, (output.waiting.size_bytes() + kRowGroupBytes / 2) / kRowGroupBytes);
    waiting_bytes_ -= output.waiting.size_bytes();
    ASSIGN_OR_RETURN(auto columns, output.waiting.Take());
    for (int i = 0; i < static_cast<int>(constants_.size()); ++i) {
      columns.push_back(Constant(i, rows));
    }
    const auto table = arrow::Table::Make(arrow_schema_, std::move(columns), rows);
    if (output.file == nullptr) RETURN_IF_ERROR(OpenFile(slot, *table));
    output.last_used = ++uses_;
    const int64_t group_rows = std::min((rows + groups - 1) / groups, kMaxRowGroupRows);
    for (int64_t begin = 0; begin < rows; begin += group_rows) {
      RETURN_IF_ERROR(output.file->WriteRowGroup(*table->Slice(begin, group_rows)));
    }
    return output.file->size_bytes() >= kMaxFileBytes ? CloseFile(slot) : absl::OkStatus();
  }

  absl::Status OpenFile(size_t slot, const arrow::Table& first) {
    if (open_files_ >= kMaxOpenFiles) RETURN_IF_ERROR(CloseLeastRecentlyUsed());
    const PartitionRouter::Slot& place = router().slots()[slot];
    Output& output = outputs_[slot];
    ASSIGN_OR_RETURN(output.path, files_.NewFile(place.piece, place.partition));
    ASSIGN_OR_RETURN(output.file,
                     ParquetWriter::Create(files_.FullPath(output.path), file_schema_, first));
    ++open_files_;
    return absl::OkStatus();
  }

  absl::Status CloseLeastRecentlyUsed() {
    size_t oldest = outputs_.size();
    for (size_t slot = 0; slot < outputs_.size(); ++slot) {
      if (outputs_[slot].file == nullptr) continue;
      if (oldest == outputs_.size() || outputs_[slot].last_used < outputs_[oldest].last_used) {
        oldest = slot;
      }
    }
    return CloseFile(oldest);
  }

  absl::Status CloseFile(size_t slot) {
    Output& output = outputs_[slot];
    if (output.file == nullptr) return absl::OkStatus();
    RETURN_IF_ERROR(Failpoint("stage.before_close"));
    ASSIGN_OR_RETURN(ClosedParquetFile closed, output.file->Close());
    output.file.reset();
    --open_files_;
    StagedFile file;
    file.path = output.path;
    file.size_bytes = closed.size_bytes;
    file.rows = closed.rows;
    file.partition_values = router().slots()[slot].partition;
    file.stats_json = std::move(closed.stats_json);
    output.closed.push_back(std::move(file));
    return absl::OkStatus();
  }

  // Forgets the rows of unchanged pieces, also those that no file holds yet.
  void DropUnchanged() {
    for (size_t slot = 0; slot < outputs_.size(); ++slot) {
      if (!tally_->IsUnchanged(router().slots()[slot].piece)) continue;
      Output& output = outputs_[slot];
      waiting_bytes_ -= output.waiting.size_bytes();
      if (output.file != nullptr) dropped_.push_back(output.path);
      for (const StagedFile& file : output.closed) dropped_.push_back(file.path);
      open_files_ -= output.file != nullptr ? 1 : 0;
      output = Output(cursor_column_);
    }
  }

  Manifest Describe() {
    Manifest manifest = tally_->Describe(file_schema_);
    for (size_t slot = 0; slot < outputs_.size(); ++slot) {
      for (StagedFile& file : outputs_[slot].closed) {
        manifest.bytes_staged += file.size_bytes;
        manifest.pieces[router().slots()[slot].piece].files.push_back(std::move(file));
      }
    }
    return manifest;
  }

  const StagingOptions options_;
  const std::unique_ptr<PieceTally> tally_;
  const Schema file_schema_;
  const std::shared_ptr<arrow::Schema> arrow_schema_;
  const int cursor_column_;       // -1: none.
  arrow::ArrayVector constants_;  // _hw_loaded_at, _hw_microbatch.
  StagedFiles files_;
  std::vector<Output> outputs_;  // By slot. After files_: closed before their files are removed.
  std::vector<std::string> dropped_;  // Files of unchanged pieces.
  int64_t waiting_bytes_ = 0;
  int open_files_ = 0;
  int64_t uses_ = 0;
  absl::Status status_;

  // Scratch of Write().
  std::vector<int> slot_of_row_;
  std::vector<std::vector<int32_t>> rows_of_slot_;
  std::vector<int> touched_;
};

}  // namespace

absl::StatusOr<std::string> LocalFolderOf(const std::string& target_uri) {
  constexpr absl::string_view kScheme = "file://";
  std::string folder = target_uri;
  if (absl::StartsWith(folder, kScheme)) folder = folder.substr(kScheme.size());
  if (folder.empty() || absl::StrContains(folder, "://")) {
    return absl::InvalidArgumentError(
        absl::StrCat("target '", target_uri, "' is not a local folder (a path or file:///path)"));
  }
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

absl::StatusOr<std::unique_ptr<StagingWriter>> OpenParquetStaging(const StagingOptions& options) {
  ASSIGN_OR_RETURN(std::string folder, LocalFolderOf(options.dataset.target_uri));
  RETURN_IF_ERROR(
      CheckColumnNames(FileSchemaOf(options.dataset, options.source_schema), options.dataset));
  ASSIGN_OR_RETURN(std::unique_ptr<PieceTally> tally, PieceTally::Create(options, folder));
  auto writer = std::make_unique<DeltaStagingWriter>(options, std::move(tally), std::move(folder));
  RETURN_IF_ERROR(writer->MakeConstants());
  return writer;
}

}  // namespace headwater
