#include "worker/source/odbc/block_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr int64_t kMinBlockBytes = 64 << 10;
constexpr int64_t kMaxBlockBytes = 1 << 20;
constexpr int64_t kMaxBatchRows = 64 << 10;
constexpr int64_t kFixedBytes = 16;  // No value without bytes of its own takes more.

// A slice holds four batches, which hides the time that a statement takes to start.
constexpr int64_t kBatchesPerSlice = 4;
constexpr int64_t kDriverRowBytes = 100;     // What a buffered row costs besides its values.
constexpr int64_t kFirstSliceRows = 10'000;  // Before we know how long rows are.
constexpr int64_t kMaxGrowth = 4;            // Of a slice against the one before.

// `/* headwater x */ SELECT …` as `SELECT /* headwater x */ …`.
std::string WithSelectFirst(absl::string_view sql) {
  constexpr absl::string_view kEnd = "*/ ", kSelect = "SELECT ";
  const size_t end = sql.find(kEnd);
  if (!absl::StartsWith(sql, "/*") || end == absl::string_view::npos) return std::string(sql);
  absl::string_view rest = sql.substr(end + kEnd.size());
  if (!absl::ConsumePrefix(&rest, kSelect)) return std::string(sql);
  return absl::StrCat(kSelect, sql.substr(0, end + kEnd.size()), rest);
}

SQLPOINTER Number(size_t value) { return reinterpret_cast<SQLPOINTER>(value); }

}  // namespace

absl::StatusOr<std::unique_ptr<BlockReader>> BlockReader::Open(
    OdbcSession& session, const DatasetSpec& dataset, PreparedRead read,
    const std::vector<OdbcColumn>& columns, int64_t batch_bytes) {
  std::unique_ptr<BlockReader> reader(
      new BlockReader(session, dataset, std::move(read), batch_bytes));
  RETURN_IF_ERROR(reader->Start(columns));
  return reader;
}

BlockReader::BlockReader(OdbcSession& session, const DatasetSpec& dataset, PreparedRead read,
                         int64_t batch_bytes)
    : session_(session),
      dataset_(dataset),
      selection_(std::move(read.selection)),
      query_(std::move(read.query)),
      rules_(RulesFor(dataset_, selection_)),
      batch_bytes_(batch_bytes),
      batch_(selection_.schema) {}

BlockReader::~BlockReader() {
  statement_.reset();  // It points into the buffers, and stands in the way of another.
  if (!in_snapshot_ || !session_.sound()) return;
  (void)session_.Execute(std::string(session_.dialect().end_snapshot_sql));
}

absl::Status BlockReader::Start(const std::vector<OdbcColumn>& columns) {
  const int64_t block_bytes = std::clamp(batch_bytes_ / 4, kMinBlockBytes, kMaxBlockBytes);
  ASSIGN_OR_RETURN(const BlockPlan plan, PlanBlock(session_.quirks(), columns, block_bytes));
  query_.expressions.clear();
  for (const size_t i : plan.select_order) {
    query_.expressions.push_back(plan.columns[i].expression);
  }
  if (session_.quirks().buffers_results) {
    ASSIGN_OR_RETURN(order_, FindSliceOrder(session_, query_));
  }
  if (!order_.columns.empty()) {
    RETURN_IF_ERROR(session_.Execute(std::string(session_.dialect().begin_snapshot_sql)));
    in_snapshot_ = true;
  }
  ASSIGN_OR_RETURN(statement_, session_.connection().NewStatement());
  RETURN_IF_ERROR(Bind(plan));
  return Execute();
}

absl::Status BlockReader::Bind(const BlockPlan& plan) {
  SQLHSTMT handle = statement_->handle();
  row_status_.assign(plan.rows, SQL_ROW_NOROW);
  row_bytes_.assign(plan.rows, 0);
  RETURN_IF_ERROR(
      statement_->Check(SQLSetStmtAttr(handle, SQL_ATTR_ROW_ARRAY_SIZE, Number(plan.rows), 0)));
  RETURN_IF_ERROR(
      statement_->Check(SQLSetStmtAttr(handle, SQL_ATTR_ROW_STATUS_PTR, row_status_.data(), 0)));
  RETURN_IF_ERROR(
      statement_->Check(SQLSetStmtAttr(handle, SQL_ATTR_ROWS_FETCHED_PTR, &block_rows_, 0)));
  for (size_t i = 0; i < plan.columns.size(); ++i) {
    cells_.push_back(MakeCells(plan.columns[i], selection_.schema.columns[i].type));
    RETURN_IF_ERROR(cells_[i]->Bind(*statement_, plan.columns[i].ordinal, plan.rows));
  }
  for (const size_t i : plan.select_order) {
    if (!plan.columns[i].bound) unbound_.push_back(i);
  }
  auto ordinal = static_cast<SQLUSMALLINT>(plan.columns.size());
  for (const SliceColumn& column : order_.columns) {
    const FetchPlan text = PlanText(column.Expression(), ++ordinal);
    order_cells_.push_back(MakeCells(text, ColumnType{TypeKind::kString}));
    RETURN_IF_ERROR(order_cells_.back()->Bind(*statement_, ordinal, plan.rows));
  }
  return absl::OkStatus();
}

absl::Status BlockReader::Execute() {
  if (order_.columns.empty()) {
    ASSIGN_OR_RETURN(const std::string sql, BuildRangeQuery(session_.dialect(), query_));
    return statement_->Execute(session_.quirks().selects_come_first ? WithSelectFirst(sql) : sql);
  }
  const int64_t budget = batch_bytes_ * kBatchesPerSlice;
  if (slice_rows_ == 0) {
    slice_limit_ =
        std::clamp<int64_t>(budget / (order_.row_bytes + kDriverRowBytes), 1, kFirstSliceRows);
  } else {
    const int64_t row_bytes = slice_bytes_ / slice_rows_ + kDriverRowBytes;
    slice_limit_ = std::clamp<int64_t>(budget / row_bytes, 1, slice_limit_ * kMaxGrowth);
  }
  slice_rows_ = slice_bytes_ = 0;
  ASSIGN_OR_RETURN(const std::string sql,
                   SliceSql(session_.dialect(), query_, order_, after_, slice_limit_));
  return statement_->Execute(sql);
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
    if (row_ == block_rows_) {
      ASSIGN_OR_RETURN(const bool more, FetchBlock());
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

absl::StatusOr<bool> BlockReader::FetchBlock() {
  row_ = 0;
  while (true) {  // Ends: each slice is shorter than the rows that are left, or the last.
    ASSIGN_OR_RETURN(const bool more, FetchFromSlice());
    if (more) break;
    if (order_.columns.empty() || slice_rows_ < slice_limit_) return false;
    RETURN_IF_ERROR(statement_->Close());
    RETURN_IF_ERROR(Execute());
  }
  for (const size_t column : unbound_) {
    RETURN_IF_ERROR(cells_[column]->Refetch(*statement_, 0));
  }
  for (size_t row = 0; row < block_rows_; ++row) {
    if (row_status_[row] == SQL_ROW_ERROR) {
      return absl::DataLossError(
          absl::StrCat("the driver could not fetch a row of '", dataset_.relation, "'"));
    }
    row_bytes_[row] = kFixedBytes * static_cast<int64_t>(cells_.size());
  }
  for (const auto& cells : cells_) {
    for (size_t row = 0; row < block_rows_; ++row) {
      row_bytes_[row] += cells->BytesOf(row, batch_bytes_);
    }
  }
  if (order_.columns.empty()) return true;
  slice_rows_ += static_cast<int64_t>(block_rows_);
  for (size_t row = 0; row < block_rows_; ++row) slice_bytes_ += row_bytes_[row];
  after_.clear();
  const size_t last = block_rows_ - 1;
  for (const auto& cells : order_cells_) {
    if (cells->IsCut(last)) {
      RETURN_IF_ERROR(statement_->MoveTo(last));
      RETURN_IF_ERROR(cells->Refetch(*statement_, last));
    }
    after_.push_back(cells->TextOf(last));
    cells->DropWhole();
  }
  return true;
}

absl::StatusOr<bool> BlockReader::FetchFromSlice() {
  block_rows_ = 0;
  ASSIGN_OR_RETURN(const bool more, statement_->Fetch());
  if (more && block_rows_ > row_status_.size()) {
    return absl::InternalError(absl::StrCat("the driver fetched ", block_rows_,
                                            " rows into a block of ", row_status_.size()));
  }
  if (!more) block_rows_ = 0;
  return block_rows_ > 0;
}

size_t BlockReader::EndOfFit() const {
  int64_t bytes = batch_.size_bytes();
  int64_t rows = batch_.rows();
  size_t end = row_;
  for (; end < block_rows_ && rows < kMaxBatchRows; ++end, ++rows) {
    bytes += row_bytes_[end];
    if (bytes > batch_bytes_ && (rows > 0 || !batch_.empty())) break;
  }
  return end;
}

absl::Status BlockReader::FetchCut(size_t end) {
  for (size_t row = row_; row < end; ++row) {
    bool moved = false;
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (!unbound_.empty() || !cells_[i]->IsCut(row)) continue;
      absl::Status status = moved ? absl::OkStatus() : statement_->MoveTo(row);
      moved = true;
      if (status.ok()) status = cells_[i]->Refetch(*statement_, row);
      if (absl::IsCancelled(status)) return status;
      if (!status.ok()) {
        return BadValue(
            i, row,
            absl::StrCat("a value that the driver does not give whole (", status.message(), ")"));
      }
    }
  }
  return absl::OkStatus();
}

size_t BlockReader::AppendColumns(size_t& end) {
  for (size_t i = 0; i < cells_.size(); ++i) {
    const size_t bad = cells_[i]->Append(batch_, static_cast<int>(i), row_, end);
    if (bad == end) continue;
    end = bad;
    return i;
  }
  return cells_.size();
}

absl::Status BlockReader::AppendRows(size_t end) {
  RETURN_IF_ERROR(FetchCut(end));
  while (row_ < end) {  // Ends: each round appends rows, takes one out, or comes nearer to it.
    size_t until = end;
    size_t column = AppendColumns(until);
    while (column < cells_.size() && until > row_) {
      // Columns before it have values of later rows already: once more, up to the bad row.
      batch_.DropRow();
      column = AppendColumns(until);
    }
    if (column == cells_.size()) {
      for (; row_ < until; ++row_) batch_.EndRow();
      continue;
    }
    std::optional<BadRow> bad = MakeBadRow(rules_, selection_.schema, column, [&](size_t i) {
      return cells_[i]->IsNull(row_) ? std::optional<std::string>() : cells_[i]->TextOf(row_);
    });
    if (!bad.has_value()) {
      return BadValue(column, row_, absl::StrCat("'", Excerpt(cells_[column]->TextOf(row_)), "'"));
    }
    batch_.SetAside(*std::move(bad));
    ++row_;
  }
  for (const auto& cells : cells_) cells->DropWhole();
  return absl::OkStatus();
}

absl::Status BlockReader::BadValue(size_t column, size_t row, absl::string_view what) const {
  std::string key;
  for (const int index : rules_.key) {
    const auto i = static_cast<size_t>(index);
    absl::StrAppend(&key, key.empty() ? "" : ", ", selection_.schema.columns[i].name, "=",
                    Excerpt(cells_[i]->TextOf(row)));
  }
  const SourceColumn& source = selection_.columns[column];
  return absl::InvalidArgumentError(
      absl::StrCat("column '", source.column.name, "' of '", dataset_.relation, "' (",
                   source.type_name, ") holds ", what, " in the row with ", key, "; expected a ",
                   TypeToString(source.column.type)));
}

}  // namespace headwater
