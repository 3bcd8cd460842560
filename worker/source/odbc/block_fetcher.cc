#include "worker/source/odbc/block_fetcher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr int64_t kMinBlockBytes = 64 << 10;
constexpr int64_t kMaxBlockBytes = 1 << 20;
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

absl::StatusOr<std::unique_ptr<BlockFetcher>> BlockFetcher::Open(
    OdbcSession& session, const Selection& selection, RangeQuery query,
    const std::vector<OdbcColumn>& columns, int64_t batch_bytes) {
  std::unique_ptr<BlockFetcher> fetcher(
      new BlockFetcher(session, selection, std::move(query), batch_bytes));
  RETURN_IF_ERROR(fetcher->Start(columns));
  return fetcher;
}

BlockFetcher::BlockFetcher(OdbcSession& session, const Selection& selection, RangeQuery query,
                           int64_t batch_bytes)
    : session_(session),
      selection_(selection),
      query_(std::move(query)),
      batch_bytes_(batch_bytes) {}

BlockFetcher::~BlockFetcher() {
  statement_.reset();  // It stands in the way of another.
  if (!in_snapshot_ || !session_.sound()) return;
  (void)session_.Execute(std::string(session_.dialect().end_snapshot_sql));
}

absl::Status BlockFetcher::Start(const std::vector<OdbcColumn>& columns) {
  const int64_t block_bytes = std::clamp(batch_bytes_ / 4, kMinBlockBytes, kMaxBlockBytes);
  ASSIGN_OR_RETURN(plan_, PlanBlock(session_.quirks(), columns, block_bytes));
  query_.expressions.clear();
  for (const size_t i : plan_.select_order) {
    query_.expressions.push_back(plan_.columns[i].expression);
    if (!plan_.columns[i].bound) unbound_.push_back(i);
  }
  if (session_.quirks().buffers_results) {
    ASSIGN_OR_RETURN(order_, FindSliceOrder(session_, query_));
  }
  if (!order_.columns.empty()) {
    RETURN_IF_ERROR(session_.Execute(std::string(session_.dialect().begin_snapshot_sql)));
    in_snapshot_ = true;
  }
  ASSIGN_OR_RETURN(statement_, session_.connection().NewStatement());
  RETURN_IF_ERROR(SetBlockSize());
  RETURN_IF_ERROR(BindOrder());
  return Execute();
}

absl::Status BlockFetcher::SetBlockSize() {
  SQLHSTMT handle = statement_->handle();
  // The standard's default, but not MariaDB's.
  RETURN_IF_ERROR(statement_->Check(
      SQLSetStmtAttr(handle, SQL_ATTR_CURSOR_TYPE, Number(SQL_CURSOR_FORWARD_ONLY), 0)));
  row_status_.assign(plan_.rows, SQL_ROW_NOROW);
  RETURN_IF_ERROR(
      statement_->Check(SQLSetStmtAttr(handle, SQL_ATTR_ROW_ARRAY_SIZE, Number(plan_.rows), 0)));
  RETURN_IF_ERROR(
      statement_->Check(SQLSetStmtAttr(handle, SQL_ATTR_ROW_STATUS_PTR, row_status_.data(), 0)));
  return statement_->Check(SQLSetStmtAttr(handle, SQL_ATTR_ROWS_FETCHED_PTR, &fetched_rows_, 0));
}

absl::Status BlockFetcher::BindOrder() {
  auto ordinal = static_cast<SQLUSMALLINT>(plan_.columns.size());
  for (SliceColumn& column : order_.columns) {
    const auto selected =
        std::find_if(plan_.columns.begin(), plan_.columns.end(), [&](const FetchPlan& plan) {
          return plan.c_type == SQL_C_SBIGINT && plan.expression == column.quoted;
        });
    order_selected_.push_back(static_cast<size_t>(selected - plan_.columns.begin()));
    column.selected = selected != plan_.columns.end();
    order_cells_.push_back(nullptr);
    if (column.selected) continue;
    const FetchPlan text = PlanText(column.Expression(), ++ordinal);
    order_cells_.back() = MakeCells(text, ColumnType{TypeKind::kString});
    RETURN_IF_ERROR(order_cells_.back()->Bind(*statement_, ordinal, plan_.rows));
  }
  return absl::OkStatus();
}

absl::Status BlockFetcher::Execute() {
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

absl::StatusOr<std::unique_ptr<Block>> BlockFetcher::Next() {
  if (cut_ != nullptr) return FetchCut();
  std::unique_ptr<Block> block = FreeBlock();
  ASSIGN_OR_RETURN(const bool more, Fetch(*block));
  if (!more) return nullptr;
  if (unbound_.empty() && HasCut(*block)) {
    cut_ = std::move(block);
    cut_row_ = 0;
    return FetchCut();
  }
  return block;
}

std::unique_ptr<Block> BlockFetcher::FreeBlock() {
  {
    absl::MutexLock lock(&mutex_);
    if (!free_.empty()) {
      std::unique_ptr<Block> block = std::move(free_.back());
      free_.pop_back();
      return block;
    }
  }
  auto block = std::make_unique<Block>();
  for (size_t i = 0; i < plan_.columns.size(); ++i) {
    block->cells.push_back(MakeCells(plan_.columns[i], selection_.schema.columns[i].type));
  }
  return block;
}

void BlockFetcher::Reuse(std::unique_ptr<Block> block) {
  for (const auto& cells : block->cells) cells->DropWhole();
  block->lost.reset();
  absl::MutexLock lock(&mutex_);
  free_.push_back(std::move(block));
}

absl::StatusOr<bool> BlockFetcher::Fetch(Block& block) {
  for (size_t i = 0; i < block.cells.size(); ++i) {
    RETURN_IF_ERROR(block.cells[i]->Bind(*statement_, plan_.columns[i].ordinal, plan_.rows));
  }
  while (true) {  // Ends: each slice is shorter than the rows that are left, or the last.
    ASSIGN_OR_RETURN(const bool more, FetchFromSlice());
    if (more) break;
    if (order_.columns.empty() || slice_rows_ < slice_limit_) return false;
    RETURN_IF_ERROR(statement_->Close());
    RETURN_IF_ERROR(Execute());
  }
  block.rows = fetched_rows_;
  if (std::count(row_status_.begin(), row_status_.begin() + static_cast<int64_t>(block.rows),
                 SQL_ROW_ERROR) > 0) {
    return absl::DataLossError(
        absl::StrCat("the driver could not fetch a row of '", query_.relation, "'"));
  }
  for (const size_t column : unbound_) {
    RETURN_IF_ERROR(block.cells[column]->Refetch(*statement_, 0));
  }
  Measure(block);
  if (!order_.columns.empty()) RETURN_IF_ERROR(NoteSlice(block));
  return true;
}

absl::StatusOr<bool> BlockFetcher::FetchFromSlice() {
  fetched_rows_ = 0;
  ASSIGN_OR_RETURN(const bool more, statement_->Fetch());
  if (more && fetched_rows_ > row_status_.size()) {
    return absl::InternalError(absl::StrCat("the driver fetched ", fetched_rows_,
                                            " rows into a block of ", row_status_.size()));
  }
  return more && fetched_rows_ > 0;
}

absl::Status BlockFetcher::NoteSlice(const Block& block) {
  slice_rows_ += static_cast<int64_t>(block.rows);
  for (size_t row = 0; row < block.rows; ++row) slice_bytes_ += block.row_bytes[row];
  after_.clear();
  const size_t last = block.rows - 1;
  for (size_t i = 0; i < order_cells_.size(); ++i) {
    if (order_cells_[i] == nullptr) {
      after_.push_back(block.cells[order_selected_[i]]->TextOf(last));
      continue;
    }
    ColumnCells& cells = *order_cells_[i];
    if (cells.IsCut(last)) {
      RETURN_IF_ERROR(statement_->MoveTo(last));
      RETURN_IF_ERROR(cells.Refetch(*statement_, last));
    }
    after_.push_back(cells.TextOf(last));
    cells.DropWhole();
  }
  return absl::OkStatus();
}

void BlockFetcher::Measure(Block& block) const {
  block.row_bytes.assign(block.rows, kFixedBytes * static_cast<int64_t>(block.cells.size()));
  for (const auto& cells : block.cells) cells->AddBytes(batch_bytes_, block.row_bytes);
}

bool BlockFetcher::HasCut(const Block& block) {
  return std::any_of(block.cells.begin(), block.cells.end(),
                     [&](const auto& cells) { return cells->HasCut(block.rows); });
}

absl::StatusOr<std::unique_ptr<Block>> BlockFetcher::FetchCut() {
  const size_t begin = cut_row_;
  int64_t bytes = cut_->row_bytes[cut_row_++];
  while (cut_row_ < cut_->rows && bytes + cut_->row_bytes[cut_row_] <= batch_bytes_) {
    bytes += cut_->row_bytes[cut_row_++];
  }
  const bool all = cut_row_ == cut_->rows;
  std::unique_ptr<Block> part;
  if (all && begin == 0) {
    part = std::move(cut_);
  } else {
    // The driver's cursor stays on the block until its last row is complete: a copy is handed on.
    part = FreeBlock();
    part->rows = cut_row_ - begin;
    for (size_t i = 0; i < part->cells.size(); ++i) {
      part->cells[i]->CopyRows(*cut_->cells[i], begin, part->rows);
    }
    if (all) Reuse(std::move(cut_));
  }
  RETURN_IF_ERROR(Complete(*part, begin));
  Measure(*part);
  return part;
}

absl::Status BlockFetcher::Complete(Block& block, size_t first) {
  for (size_t row = 0; row < block.rows; ++row) {
    bool moved = false;
    for (size_t i = 0; i < block.cells.size(); ++i) {
      if (!block.cells[i]->IsCut(row)) continue;
      absl::Status status = moved ? absl::OkStatus() : statement_->MoveTo(first + row);
      moved = true;
      if (status.ok()) status = block.cells[i]->Refetch(*statement_, row);
      if (status.ok()) continue;
      if (absl::IsCancelled(status)) return status;
      block.lost = LostValue{row, i, std::move(status)};
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

}  // namespace headwater
