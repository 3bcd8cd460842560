#include "worker/source/odbc/block_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/value_text.h"

namespace headwater {

absl::StatusOr<std::unique_ptr<BlockReader>> BlockReader::Open(
    OdbcSession& session, const DatasetSpec& dataset, PreparedRead read,
    const std::vector<OdbcColumn>& columns, int64_t batch_bytes) {
  ASSIGN_OR_RETURN(auto fetcher, BlockFetcher::Open(session, read.selection, std::move(read.query),
                                                    columns, batch_bytes));
  return std::unique_ptr<BlockReader>(new BlockReader(session, dataset, std::move(read.selection),
                                                      std::move(fetcher), batch_bytes));
}

BlockReader::BlockReader(OdbcSession& session, const DatasetSpec& dataset, Selection selection,
                         std::unique_ptr<BlockFetcher> fetcher, int64_t batch_bytes)
    : session_(session),
      dataset_(dataset),
      selection_(std::move(selection)),
      rules_(RulesFor(dataset_, selection_)),
      batch_bytes_(batch_bytes),
      batch_(selection_.schema, dataset_.truncate_fine_time),
      fetcher_(std::move(fetcher)) {
  // Rows that come one by one are not worth a thread's attention each.
  if (fetcher_->one_by_one()) return;
  ahead_ = std::make_unique<Ahead<Block>>([this] { return fetcher_->Next(); });
}

BlockReader::~BlockReader() {
  // Nobody waits for what is still being fetched.
  if (ahead_ != nullptr && ahead_->Cancel()) session_.Cancel();
}

absl::StatusOr<std::unique_ptr<RowBatch>> BlockReader::Next() {
  if (!failed_.ok()) return failed_;
  absl::StatusOr<std::unique_ptr<RowBatch>> batch = ReadBatch();
  failed_ = batch.status();
  return batch;
}

absl::StatusOr<std::unique_ptr<RowBatch>> BlockReader::ReadBatch() {
  while (!done_) {
    if (session_.connection().cancelled()) return absl::CancelledError("the read was cancelled");
    if (block_ == nullptr || row_ == block_->rows) {
      ASSIGN_OR_RETURN(const bool more, NextBlock());
      done_ = !more;
      if (done_) break;
    }
    const size_t end = EndOfFit();
    if (end == row_) break;
    RETURN_IF_ERROR(AppendRows(end));
  }
  if (batch_.empty()) return nullptr;
  return batch_.Finish();
}

absl::StatusOr<bool> BlockReader::NextBlock() {
  row_ = 0;
  if (block_ != nullptr) fetcher_->Reuse(std::move(block_));
  ASSIGN_OR_RETURN(block_, ahead_ == nullptr ? fetcher_->Next() : ahead_->Next());
  return block_ != nullptr;
}

size_t BlockReader::EndOfFit() const {
  int64_t bytes = batch_.size_bytes();
  int64_t rows = batch_.rows();
  size_t end = row_;
  for (; end < block_->rows && rows < kMaxBatchRows; ++end, ++rows) {
    bytes += block_->row_bytes[end];
    if (bytes > batch_bytes_ && (rows > 0 || !batch_.empty())) break;
  }
  return end;
}

size_t BlockReader::AppendColumns(size_t& end) {
  const auto& cells = block_->cells;
  for (size_t i = 0; i < cells.size(); ++i) {
    const size_t bad = cells[i]->Append(batch_, static_cast<int>(i), row_, end);
    if (bad == end) continue;
    end = bad;
    return i;
  }
  return cells.size();
}

absl::Status BlockReader::AppendRows(size_t end) {
  const auto& cells = block_->cells;
  if (block_->lost.has_value() && block_->lost->row < end) {
    return BadValue(block_->lost->column, block_->lost->row,
                    absl::StrCat("a value that the driver does not give whole (",
                                 block_->lost->why.message(), ")"));
  }
  while (row_ < end) {  // Ends: each round appends rows, takes one out, or comes nearer to it.
    size_t until = end;
    size_t column = AppendColumns(until);
    while (column < cells.size() && until > row_) {
      // Columns before it have values of later rows already: once more, up to the bad row.
      batch_.DropRow();
      column = AppendColumns(until);
    }
    if (column == cells.size()) {
      for (; row_ < until; ++row_) batch_.EndRow();
      continue;
    }
    std::optional<BadRow> bad = MakeBadRow(rules_, selection_.schema, column, [&](size_t i) {
      return cells[i]->IsNull(row_) ? std::optional<std::string>() : cells[i]->TextOf(row_);
    });
    if (!bad.has_value()) {
      return BadValue(column, row_, absl::StrCat("'", Excerpt(cells[column]->TextOf(row_)), "'"));
    }
    batch_.SetAside(*std::move(bad));
    ++row_;
  }
  return absl::OkStatus();
}

absl::Status BlockReader::BadValue(size_t column, size_t row, absl::string_view what) const {
  std::string key;
  for (const int index : rules_.key) {
    const auto i = static_cast<size_t>(index);
    absl::StrAppend(&key, key.empty() ? "" : ", ", selection_.schema.columns[i].name, "=",
                    Excerpt(block_->cells[i]->TextOf(row)));
  }
  const SourceColumn& source = selection_.columns[column];
  return absl::InvalidArgumentError(absl::StrCat(
      "column '", source.column.name, "' of '", dataset_.relation, "' (", source.type_name,
      ") holds ", what, " in the row with ", key, "; ", Expected(source.column.type),
      AdviceFor(rules_, selection_.schema, column, block_->cells[column]->TextOf(row))));
}

}  // namespace headwater
