#include "worker/source/odbc/block_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/odbc/wide_text.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr size_t kBlockBytes = 1 << 20;  // Of all buffers together.
constexpr size_t kMaxBlockRows = 1000;   // Some drivers count a block's rows in 16 bits.
constexpr size_t kScalarBytes = 64;      // The longest number or timestamp as text.
constexpr size_t kMaxCellBytes = 1024;
constexpr size_t kChunkBytes = 32 << 10;
constexpr int64_t kMaxBatchRows = 64 << 10;

bool IsTemporal(TypeKind kind) {
  return kind == TypeKind::kDate || kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampNtz;
}

SQLSMALLINT CTypeOf(TypeKind kind) {
  if (kind == TypeKind::kString) return SQL_C_WCHAR;
  return kind == TypeKind::kBinary ? SQL_C_BINARY : SQL_C_CHAR;
}

size_t TerminatorBytes(SQLSMALLINT c_type) {
  return c_type == SQL_C_WCHAR ? sizeof(SQLWCHAR) : c_type == SQL_C_CHAR ? 1 : 0;
}

SQLPOINTER Number(size_t value) { return reinterpret_cast<SQLPOINTER>(value); }

}  // namespace

absl::StatusOr<std::unique_ptr<BlockReader>> BlockReader::Open(OdbcSession& session,
                                                               const DatasetSpec& dataset,
                                                               Selection selection,
                                                               RangeQuery query,
                                                               int64_t batch_bytes) {
  std::unique_ptr<BlockReader> reader(
      new BlockReader(session, dataset, std::move(selection), batch_bytes));
  RETURN_IF_ERROR(reader->Start(std::move(query)));
  return reader;
}

BlockReader::BlockReader(OdbcSession& session, const DatasetSpec& dataset, Selection selection,
                         int64_t batch_bytes)
    : session_(session),
      dataset_(dataset),
      selection_(std::move(selection)),
      batch_bytes_(batch_bytes),
      cells_(selection_.columns.size()),
      values_(selection_.columns.size()),
      is_null_(selection_.columns.size()),
      batch_(selection_.schema) {}

// The statement points into the buffers: it goes first.
BlockReader::~BlockReader() { statement_.reset(); }

absl::Status BlockReader::Start(RangeQuery query) {
  query.expressions.clear();
  for (const SourceColumn& source : selection_.columns) {
    ASSIGN_OR_RETURN(const std::string quoted,
                     QuoteIdentifier(session_.dialect(), source.column.name));
    const bool as_text =
        session_.quirks().temporal_as_text &&
        (IsTemporal(source.column.type.kind) || absl::EqualsIgnoreCase(source.type_name, "uuid"));
    query.expressions.push_back(as_text ? CursorAsText(session_.dialect(), quoted) : quoted);
  }
  ASSIGN_OR_RETURN(const std::string sql, BuildRangeQuery(session_.dialect(), query));
  ASSIGN_OR_RETURN(statement_, session_.connection().NewStatement());
  RETURN_IF_ERROR(Bind());
  return statement_->Execute(sql);
}

absl::Status BlockReader::Bind() {
  size_t row_bytes = 0;
  for (size_t i = 0; i < cells_.size(); ++i) {
    const TypeKind kind = selection_.schema.columns[i].type.kind;
    const bool variable = kind == TypeKind::kString || kind == TypeKind::kBinary;
    cells_[i].c_type = CTypeOf(kind);
    cells_[i].width_bytes = variable ? kMaxCellBytes : kScalarBytes;
    row_bytes += cells_[i].width_bytes + sizeof(SQLLEN);
  }
  const size_t rows = std::clamp<size_t>(kBlockBytes / row_bytes, 1, kMaxBlockRows);
  SQLHSTMT handle = statement_->handle();
  row_status_.assign(rows, SQL_ROW_NOROW);
  RETURN_IF_ERROR(
      statement_->Check(SQLSetStmtAttr(handle, SQL_ATTR_ROW_ARRAY_SIZE, Number(rows), 0)));
  RETURN_IF_ERROR(
      statement_->Check(SQLSetStmtAttr(handle, SQL_ATTR_ROW_STATUS_PTR, row_status_.data(), 0)));
  RETURN_IF_ERROR(
      statement_->Check(SQLSetStmtAttr(handle, SQL_ATTR_ROWS_FETCHED_PTR, &block_rows_, 0)));
  for (size_t i = 0; i < cells_.size(); ++i) {
    Cells& cells = cells_[i];
    cells.bytes.resize(rows * cells.width_bytes);
    cells.lengths.resize(rows);
    RETURN_IF_ERROR(statement_->Check(
        SQLBindCol(handle, static_cast<SQLUSMALLINT>(i + 1), cells.c_type, cells.bytes.data(),
                   static_cast<SQLLEN>(cells.width_bytes), cells.lengths.data())));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RowBatch>> BlockReader::Next() {
  if (!failed_.ok()) return failed_;
  absl::StatusOr<std::unique_ptr<RowBatch>> batch = ReadBatch();
  failed_ = batch.status();
  return batch;
}

absl::StatusOr<std::unique_ptr<RowBatch>> BlockReader::ReadBatch() {
  constexpr int64_t kFixedBytes = 16;  // No value without text of its own takes more.
  while (!done_ && batch_.rows() < kMaxBatchRows) {
    if (session_.connection().cancelled()) return absl::CancelledError("the read was cancelled");
    if (!waiting_) {
      if (row_ == block_rows_) {
        ASSIGN_OR_RETURN(const bool more, FetchBlock());
        done_ = !more;
        if (done_) break;
      }
      RETURN_IF_ERROR(TakeRow());
    }
    int64_t row_bytes = 0;
    for (const std::string& value : values_) {
      row_bytes += kFixedBytes + static_cast<int64_t>(value.size());
    }
    waiting_ = batch_.rows() > 0 && batch_.size_bytes() + row_bytes > batch_bytes_;
    if (waiting_) break;
    RETURN_IF_ERROR(AppendRow());
  }
  if (batch_.rows() == 0) return nullptr;
  return batch_.Finish();
}

absl::StatusOr<bool> BlockReader::FetchBlock() {
  row_ = 0;
  block_rows_ = 0;
  ASSIGN_OR_RETURN(const bool more, statement_->Fetch());
  if (more && block_rows_ > row_status_.size()) {
    return absl::InternalError(absl::StrCat("the driver fetched ", block_rows_,
                                            " rows into a block of ", row_status_.size()));
  }
  return more && block_rows_ > 0;
}

absl::Status BlockReader::TakeRow() {
  if (row_status_[row_] == SQL_ROW_ERROR) {
    return absl::DataLossError(
        absl::StrCat("the driver could not fetch a row of '", dataset_.relation, "'"));
  }
  for (size_t i = 0; i < cells_.size(); ++i) {
    const Cells& cells = cells_[i];
    const SQLLEN length = cells.lengths[row_];
    values_[i].clear();
    is_null_[i] = length == SQL_NULL_DATA;
    if (is_null_[i]) continue;
    const size_t room = cells.width_bytes - TerminatorBytes(cells.c_type);
    if (length < 0 || static_cast<size_t>(length) > room) {  // Cut, or of a length not told.
      ASSIGN_OR_RETURN(values_[i], Refetch(i));
      continue;
    }
    const absl::string_view raw(cells.bytes.data() + row_ * cells.width_bytes,
                                static_cast<size_t>(length));
    RETURN_IF_ERROR(Decode(i, raw, values_[i]));
  }
  ++row_;
  return absl::OkStatus();
}

absl::Status BlockReader::Decode(size_t column, absl::string_view raw, std::string& text) const {
  if (cells_[column].c_type != SQL_C_WCHAR) {
    text.assign(raw.data(), raw.size());
    return absl::OkStatus();
  }
  return AppendUtf8(raw, text) ? absl::OkStatus() : BadValue(column, "text that is not Unicode");
}

absl::StatusOr<std::string> BlockReader::Refetch(size_t column) {
  const Cells& cells = cells_[column];
  SQLHSTMT handle = statement_->handle();
  absl::Status status = statement_->Check(
      SQLSetPos(handle, static_cast<SQLSETPOSIROW>(row_ + 1), SQL_POSITION, SQL_LOCK_NO_CHANGE));
  std::string raw;
  std::vector<char> chunk(kChunkBytes);
  const size_t room = kChunkBytes - TerminatorBytes(cells.c_type);
  while (status.ok()) {  // Ends: each round consumes a part of the value.
    SQLLEN length = 0;
    const SQLRETURN code = SQLGetData(handle, static_cast<SQLUSMALLINT>(column + 1), cells.c_type,
                                      chunk.data(), static_cast<SQLLEN>(kChunkBytes), &length);
    if (code == SQL_NO_DATA) break;
    status = statement_->Check(code);
    if (!status.ok()) break;
    const bool whole = length >= 0 && static_cast<size_t>(length) <= room;
    raw.append(chunk.data(), whole ? static_cast<size_t>(length) : room);
    if (whole) break;
  }
  if (!status.ok()) {
    if (absl::IsCancelled(status)) return status;
    return BadValue(column, absl::StrCat("a value of ", cells.lengths[row_],
                                         " bytes, which the driver does not give whole (",
                                         status.message(), ")"));
  }
  std::string text;
  RETURN_IF_ERROR(Decode(column, raw, text));
  return text;
}

absl::Status BlockReader::AppendRow() {
  for (size_t i = 0; i < values_.size(); ++i) {
    const int column = static_cast<int>(i);
    if (is_null_[i]) {
      batch_.AppendNull(column);
    } else if (!AppendText(batch_, column, selection_.schema.columns[i].type, values_[i])) {
      return BadValue(i, absl::StrCat("'", Excerpt(values_[i]), "'"));
    }
  }
  batch_.EndRow();
  return absl::OkStatus();
}

absl::Status BlockReader::BadValue(size_t column, absl::string_view what) const {
  std::string key;
  for (const int index : RowNamingColumns(dataset_, selection_)) {
    const auto i = static_cast<size_t>(index);
    absl::StrAppend(&key, key.empty() ? "" : ", ", selection_.schema.columns[i].name, "=",
                    is_null_[i] ? "NULL" : Excerpt(values_[i]));
  }
  const SourceColumn& source = selection_.columns[column];
  return absl::InvalidArgumentError(
      absl::StrCat("column '", source.column.name, "' of '", dataset_.relation, "' (",
                   source.type_name, ") holds ", what, " in the row with ", key, "; expected a ",
                   TypeToString(source.column.type)));
}

}  // namespace headwater
