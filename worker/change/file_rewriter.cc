#include "worker/change/file_rewriter.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"
#include "common/data/row_conformer.h"
#include "common/data/system_columns.h"
#include "worker/stage/parquet_reader.h"
#include "worker/stage/taken_rows.h"

namespace headwater {
FileRewriter::FileRewriter(const StagingOptions& options, const Schema& file_schema,
                           const Schema& compared, const std::string& spec_version)
    : options_(options),
      file_schema_(file_schema),
      spec_version_(spec_version),
      compared_(compared),
      arrow_schema_(ToArrow(file_schema)) {}

absl::Status FileRewriter::Rewrite(const StagedFile& file, const std::string& path, FilePlan& plan,
                                   Put put) {
  std::stable_sort(plan.changes.begin(), plan.changes.end(),
                   [](const RowChange& a, const RowChange& b) { return a.row < b.row; });
  next_ = 0;
  ASSIGN_OR_RETURN(const std::unique_ptr<ParquetReader> reader, ParquetReader::Open(path));
  const RowConformer conformer(reader->schema(), file_schema_);
  const int hash = FindSystemColumn(file_schema_, SystemColumn::kRowHash);
  const bool outdated =
      hash >= 0 &&
      (file.spec_version != spec_version_ ||
       reader->schema().Find(file_schema_.columns[static_cast<size_t>(hash)].name) < 0);
  int64_t first_row = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> read, reader->Next());
    if (read == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows, conformer.Conform(*read));
    const int64_t count = rows->num_rows();
    const bool changes = next_ < plan.changes.size() && plan.changes[next_].row < first_row + count;
    if (outdated) {
      arrow::ArrayVector columns = rows->columns();
      RETURN_IF_ERROR(SetHashes(*rows, columns));
      rows = arrow::RecordBatch::Make(arrow_schema_, count, std::move(columns));
    }
    if (changes) {
      ASSIGN_OR_RETURN(rows, Change(rows, RowsOf(plan, first_row, count)));
    }
    first_row += count;
    if (rows->num_rows() > 0) RETURN_IF_ERROR(put(std::move(rows)));
  }
}

absl::Status FileRewriter::RewriteTouched(const TableBase& base, const std::string& folder,
                                          FilePlans& plans, KeyedChange& change, Put put) {
  for (size_t i = 0; i < base.files.size(); ++i) {
    const StagedFile& file = base.files[i];
    if (!plans[i].touched()) {
      change.table_rows += file.rows;
      continue;
    }
    change.replaced.push_back(file.path);
    RETURN_IF_ERROR(Rewrite(file, absl::StrCat(folder, "/", file.path), plans[i], put));
    if (options_.stop.stop_requested())
      return absl::CancelledError("stopped before all files were written");
  }
  return absl::OkStatus();
}

// The rows that are written of those from `first_row` on. Each change is met once, in order.
std::vector<FileRewriter::Written> FileRewriter::RowsOf(const FilePlan& plan, int64_t first_row,
                                                        int64_t count) {
  std::vector<Written> written;
  for (int64_t row = 0; row < count; ++row) {
    const auto in_batch = static_cast<int32_t>(row);
    bool stays = true;
    const RowChange* change = nullptr;
    for (; next_ < plan.changes.size() && plan.changes[next_].row == first_row + row; ++next_) {
      const RowChange& next = plan.changes[next_];
      if (next.kind == RowChange::Kind::kDrop)
        stays = false;
      else if (next.kind == RowChange::Kind::kCopy)
        written.push_back({in_batch, &next});
      else
        change = &next;
    }
    if (stays) written.push_back({in_batch, change});
  }
  return written;
}

absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> FileRewriter::Change(
    const std::shared_ptr<arrow::RecordBatch>& rows, const std::vector<Written>& written) const {
  std::vector<int32_t> wanted;
  wanted.reserve(written.size());
  for (const Written& row : written) wanted.push_back(row.row);
  ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> taken, TakeRows(*rows, wanted));
  arrow::ArrayVector columns = taken->columns();
  if (options_.dataset.write == WriteMode::kVersions) {
    RETURN_IF_ERROR(SetTimes(written, columns));
  } else if (const int at = FindSystemColumn(file_schema_, SystemColumn::kDeletedAt); at >= 0) {
    std::shared_ptr<arrow::Array>& column = columns[static_cast<size_t>(at)];
    std::vector<std::optional<int64_t>> marks = InstantsOf(*column);
    for (size_t i = 0; i < written.size(); ++i) {
      if (written[i].change != nullptr) marks[i] = absl::ToUnixMicros(options_.loaded_at);
    }
    ASSIGN_OR_RETURN(column, InstantColumn(column->type(), marks));
  }
  return arrow::RecordBatch::Make(arrow_schema_, taken->num_rows(), std::move(columns));
}

// Times where they change; a version that begins elsewhere has its cursor there.
absl::Status FileRewriter::SetTimes(const std::vector<Written>& written,
                                    arrow::ArrayVector& columns) const {
  TimeColumns times = TimeColumns::Of(file_schema_, columns);
  const bool by_ranges = !options_.dataset.cursor.empty();
  std::vector<std::optional<int64_t>> cursors;
  const auto at = by_ranges ? static_cast<size_t>(file_schema_.Find(options_.dataset.cursor)) : 0;
  if (by_ranges) cursors = InstantsOf(*columns[at]);
  for (size_t i = 0; i < written.size(); ++i) {
    if (written[i].change == nullptr) continue;
    times.Set(i, written[i].change->times);
    if (by_ranges) cursors[i] = written[i].change->times.valid_from;
  }
  if (by_ranges) {
    ASSIGN_OR_RETURN(columns[at], InstantColumn(columns[at]->type(), cursors));
  }
  return times.Put(file_schema_, columns);
}

absl::Status FileRewriter::SetHashes(const arrow::RecordBatch& rows, arrow::ArrayVector& columns) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ColumnsHasher> hasher,
                   ColumnsHasher::Create(file_schema_, compared_, options_.dataset.hash_algorithm));
  std::vector<Hash128> hashes;
  RETURN_IF_ERROR(hasher->Hash(rows, hashes));
  const auto at = static_cast<size_t>(FindSystemColumn(file_schema_, SystemColumn::kRowHash));
  ASSIGN_OR_RETURN(columns[at], HashColumn(hashes));
  return absl::OkStatus();
}

}  // namespace headwater
