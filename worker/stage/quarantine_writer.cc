#include "worker/stage/quarantine_writer.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"
#include "worker/stage/parquet_writer.h"

namespace headwater {
namespace {

constexpr int64_t kMaxWaitingBytes = 8 << 20;

absl::StatusOr<std::shared_ptr<arrow::Table>> TableOf(const std::vector<BadRow>& rows,
                                                      const Schema& schema, absl::Time loaded_at,
                                                      const std::string& microbatch) {
  std::vector<arrow::StringBuilder> texts;
  for (int i = 0; i < 6; ++i) texts.emplace_back(ArrowPool());
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), ArrowPool());
  arrow::Status status;
  for (const BadRow& row : rows) {
    const std::string* values[] = {&row.column, &row.key, &row.value,
                                   &row.reason, &row.row, &microbatch};
    for (size_t i = 0; i < texts.size() && status.ok(); ++i) status = texts[i].Append(*values[i]);
    if (status.ok()) status = times.Append(absl::ToUnixMicros(loaded_at));
  }
  arrow::ArrayVector columns;
  for (size_t i = 0; i < texts.size() && status.ok(); ++i) {
    if (i == 5) status = times.Finish(&columns.emplace_back());  // Before _hw_microbatch.
    if (status.ok()) status = texts[i].Finish(&columns.emplace_back());
  }
  RETURN_IF_ERROR(FromArrow(status, "collecting bad rows"));
  return arrow::Table::Make(ToArrow(schema), columns, static_cast<int64_t>(rows.size()));
}

}  // namespace

QuarantineWriter::QuarantineWriter(const StagingOptions& options, const std::string& folder,
                                   size_t pieces)
    : options_(options),
      tally_(options.bad_rows != nullptr
                 ? options.bad_rows
                 : std::make_shared<BadRowTally>(options.dataset.max_bad_rows)),
      files_(QuarantineName(folder), options.lease.fence),
      pieces_(pieces) {}

absl::Status QuarantineWriter::Write(size_t piece, const BadRow& row) {
  ++pieces_[piece].rows;
  RETURN_IF_ERROR(tally_->Add(row));
  if (options_.fingerprints_only) return absl::OkStatus();
  pieces_[piece].waiting.push_back(row);
  waiting_bytes_ += row.size_bytes();
  if (waiting_bytes_ <= kMaxWaitingBytes) return absl::OkStatus();
  for (size_t i = 0; i < pieces_.size(); ++i) RETURN_IF_ERROR(Flush(i));
  return absl::OkStatus();
}

absl::Status QuarantineWriter::Flush(size_t piece) {
  const std::vector<BadRow> rows = std::exchange(pieces_[piece].waiting, {});
  for (const BadRow& row : rows) waiting_bytes_ -= row.size_bytes();
  if (rows.empty()) return absl::OkStatus();
  const Schema schema = QuarantineSchema();
  const DatasetId& id = options_.dataset.id;
  ASSIGN_OR_RETURN(const auto table,
                   TableOf(rows, schema, options_.loaded_at,
                           absl::StrCat(id.table, "/", id.server, "@", options_.lease.fence)));
  StagedFile file;
  file.partition_values = {{"server_source", id.server}};
  ASSIGN_OR_RETURN(file.path, files_.NewFile(static_cast<int>(piece), file.partition_values));
  ASSIGN_OR_RETURN(const auto writer,
                   ParquetWriter::Create(files_.FullPath(file.path), schema, *table));
  RETURN_IF_ERROR(writer->WriteRowGroup(*table));
  ASSIGN_OR_RETURN(ClosedParquetFile closed, writer->Close());
  file.size_bytes = closed.size_bytes;
  file.rows = closed.rows;
  file.stats_json = std::move(closed.stats_json);
  pieces_[piece].files.push_back(std::move(file));
  return absl::OkStatus();
}

absl::Status QuarantineWriter::Finish(const std::vector<bool>& unchanged, int64_t rows_read) {
  if (options_.bad_rows == nullptr) RETURN_IF_ERROR(tally_->CheckShare(rows_read));
  for (size_t i = 0; i < pieces_.size(); ++i) {
    if (!unchanged[i]) {
      RETURN_IF_ERROR(Flush(i));
      continue;
    }
    pieces_[i].waiting.clear();
    for (const StagedFile& file : std::exchange(pieces_[i].files, {})) {
      RETURN_IF_ERROR(files_.Remove(file.path));
    }
  }
  return files_.SyncFolders();
}

absl::Status QuarantineWriter::Remove(const std::vector<StagedFile>& files) {
  absl::Status first;
  for (const StagedFile& file : files) first.Update(files_.Remove(file.path));
  return first;
}

}  // namespace headwater
