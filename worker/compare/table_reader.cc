#include "worker/compare/table_reader.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/row_conformer.h"
#include "common/data/system_columns.h"
#include "worker/change/keyed_columns.h"
#include "worker/stage/delta_staging_writer.h"
#include "worker/stage/parquet_reader.h"
#include "worker/stage/taken_rows.h"

namespace headwater {
namespace {

class TableReader final : public SourceReader {
 public:
  TableReader(TableRows rows, std::string folder)
      : rows_(std::move(rows)), folder_(std::move(folder)) {
    const SystemColumns& names = rows_.dataset.system_columns;
    if (rows_.extent.has_value() && rows_.cursor_type != CursorType::kNone)
      cursor_ = rows_.dataset.cursor;
    if (!rows_.dataset.keyed()) return;
    if (rows_.dataset.write == WriteMode::kVersions) is_current_ = names.is_current;
    if (rows_.dataset.on_missing == MissingPolicy::kMark) deleted_at_ = names.deleted_at;
  }

  const Schema& schema() const override { return rows_.columns; }

  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override {
    if (!status_.ok()) return status_;
    absl::StatusOr<std::unique_ptr<RowBatch>> batch = NextBatch();
    if (!batch.ok()) status_ = batch.status();
    return batch;
  }

  void Cancel() override { cancelled_ = true; }

 private:
  absl::StatusOr<std::unique_ptr<RowBatch>> NextBatch() {
    while (true) {
      if (cancelled_) return absl::CancelledError("stopped before the table was read");
      if (file_ == nullptr) {
        if (next_ == rows_.files.size()) return nullptr;
        RETURN_IF_ERROR(Open(rows_.files[next_++]));
      }
      ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> read, file_->Next());
      if (read == nullptr) {
        file_.reset();
        continue;
      }
      ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows, conformer_->Conform(*read));
      ASSIGN_OR_RETURN(rows, Wanted(*read, std::move(rows)));
      if (rows->num_rows() > 0) return std::make_unique<RowBatch>(std::move(rows));
    }
  }

  absl::Status Open(const StagedFile& file) {
    std::vector<std::string> only;
    for (const Column& column : rows_.columns.columns) only.push_back(column.name);
    for (const std::string* name : {&is_current_, &deleted_at_, &cursor_}) {
      if (!name->empty() && rows_.columns.Find(*name) < 0) only.push_back(*name);
    }
    ASSIGN_OR_RETURN(file_, ParquetReader::Open(absl::StrCat(folder_, "/", file.path), &only));
    conformer_.emplace(file_->schema(), rows_.columns);
    if (rows_.within.key.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(index_, KeyRangeIndex::Create(rows_.columns, rows_.within));
    return absl::OkStatus();
  }

  bool Covers(const std::optional<int64_t>& cursor) const {
    if (!cursor.has_value() || *cursor >= rows_.domain_end) return rows_.extent->outside;
    return rows_.extent->range.has_value() && rows_.extent->range->Contains(*cursor);
  }

  // Of `rows`, as they were `read`, those that are wanted.
  absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> Wanted(
      const arrow::RecordBatch& read, std::shared_ptr<arrow::RecordBatch> rows) {
    if (index_.has_value()) {
      RETURN_IF_ERROR(index_->Take(RowBatch(rows), parts_));
    }
    const auto column = [&](const std::string& name) {
      return name.empty() ? nullptr : read.GetColumnByName(name);
    };
    const std::shared_ptr<arrow::Array> current = column(is_current_);
    const std::shared_ptr<arrow::Array> deleted = column(deleted_at_);
    const std::shared_ptr<arrow::Array> cursor = column(cursor_);
    std::vector<std::optional<int64_t>> cursors;
    if (cursor != nullptr) cursors = InstantsOf(*cursor);
    std::vector<int32_t> wanted;
    for (int64_t i = 0; i < rows->num_rows(); ++i) {
      const auto at = static_cast<size_t>(i);
      if (index_.has_value() && (parts_[at] < 0) != rows_.outside_of) continue;
      if (current != nullptr &&
          (current->IsNull(i) || !static_cast<const arrow::BooleanArray&>(*current).Value(i))) {
        continue;
      }
      if (deleted != nullptr && !deleted->IsNull(i)) continue;
      if (!cursors.empty() && !Covers(cursors[at])) continue;
      wanted.push_back(static_cast<int32_t>(i));
    }
    if (static_cast<int64_t>(wanted.size()) == rows->num_rows()) return rows;
    return TakeRows(*rows, wanted);
  }

  const TableRows rows_;
  const std::string folder_;
  std::string is_current_, deleted_at_, cursor_;  // Columns that decide; empty: none does.
  size_t next_ = 0;
  std::unique_ptr<ParquetReader> file_;
  std::optional<RowConformer> conformer_;
  std::optional<KeyRangeIndex> index_;
  std::vector<int> parts_;
  std::atomic<bool> cancelled_ = false;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<Schema> ColumnsOfFiles(const DatasetSpec& dataset,
                                      const std::vector<StagedFile>& files) {
  if (files.empty()) return Schema();
  ASSIGN_OR_RETURN(const std::string folder, LocalFolderOf(dataset.target_uri));
  ASSIGN_OR_RETURN(const auto file,
                   ParquetReader::Open(absl::StrCat(folder, "/", files.front().path)));
  Schema schema = file->schema();
  MarkSystemColumns(dataset.system_columns, schema);
  return SourceColumns(schema);
}

absl::StatusOr<std::unique_ptr<SourceReader>> OpenTableReader(TableRows rows) {
  ASSIGN_OR_RETURN(std::string folder, LocalFolderOf(rows.dataset.target_uri));
  if (rows.columns.columns.empty()) {
    ASSIGN_OR_RETURN(rows.columns, ColumnsOfFiles(rows.dataset, rows.files));
  }
  return std::make_unique<TableReader>(std::move(rows), std::move(folder));
}

absl::Status ForEachTableBatch(TableRows rows, const std::stop_token& stop,
                               absl::FunctionRef<absl::Status(const RowBatch&)> take) {
  ASSIGN_OR_RETURN(const std::unique_ptr<SourceReader> reader, OpenTableReader(std::move(rows)));
  while (true) {
    if (stop.stop_requested()) return absl::CancelledError("stopped before the table was compared");
    ASSIGN_OR_RETURN(const std::unique_ptr<RowBatch> batch, reader->Next());
    if (batch == nullptr) return absl::OkStatus();
    RETURN_IF_ERROR(take(*batch));
  }
}

}  // namespace headwater
