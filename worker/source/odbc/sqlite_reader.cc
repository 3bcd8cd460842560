#include "worker/source/odbc/sqlite_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "worker/source/odbc/sqlite_column.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr size_t kColumnsPerChunk = 100;  // A function of SQLite takes 127 arguments at most.
// A row that is longer than its buffer is fetched again, whole, and the buffer grows: the driver
// fills all of it with zeros behind each row.
constexpr size_t kFirstChunkBytes = 1 << 10;
constexpr size_t kMaxChunkBytes = 64 << 10;
constexpr size_t kFetchedBytes = 256 << 10;  // At once, between the two threads.

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteReader>> SqliteReader::Open(OdbcSession& session,
                                                                 const DatasetSpec& dataset,
                                                                 Selection selection,
                                                                 RangeQuery query,
                                                                 int64_t batch_bytes) {
  std::unique_ptr<SqliteReader> reader(
      new SqliteReader(session, dataset, std::move(selection), std::move(query), batch_bytes));
  RETURN_IF_ERROR(reader->Start());
  return reader;
}

SqliteReader::SqliteReader(OdbcSession& session, const DatasetSpec& dataset, Selection selection,
                           RangeQuery query, int64_t batch_bytes)
    : session_(session),
      dataset_(dataset),
      selection_(std::move(selection)),
      query_(std::move(query)),
      batch_bytes_(batch_bytes),
      rules_(RulesFor(dataset_, selection_)),
      batch_(selection_.schema, dataset_.truncate_fine_time) {
  if (selection_.cursor.type == CursorType::kWallClock) {
    cursor_column_ = selection_.schema.Find(selection_.cursor.name);
  }
}

absl::Status SqliteReader::Start() {
  const std::vector<SourceColumn>& columns = selection_.columns;
  query_.expressions.clear();
  for (size_t begin = 0; begin < columns.size(); begin += kColumnsPerChunk) {
    std::vector<std::string> arguments;
    for (size_t i = begin; i < std::min(begin + kColumnsPerChunk, columns.size()); ++i) {
      ASSIGN_OR_RETURN(const std::string quoted,
                       QuoteIdentifier(session_.dialect(), columns[i].column.name));
      const ColumnType& type = columns[i].column.type;
      arguments.push_back(columns[i].as_text
                              ? ValueAsText(session_.dialect(), quoted, type, columns[i].type_name)
                              : SqliteExpression(type, quoted));
    }
    query_.expressions.push_back(absl::StrCat("json_array(", absl::StrJoin(arguments, ","), ")"));
  }
  ASSIGN_OR_RETURN(const std::string sql, BuildRangeQuery(session_.dialect(), query_));
  ASSIGN_OR_RETURN(statement_, session_.connection().NewStatement());
  chunks_.resize(query_.expressions.size());
  const absl::Status executed = statement_->Execute(sql);
  if (!executed.ok()) return ExplainBlob(executed);
  for (size_t i = 0; i < chunks_.size(); ++i) RETURN_IF_ERROR(Bind(i, kFirstChunkBytes));
  fetches_ = std::make_unique<Ahead<Fetched>>([this] { return FetchRows(); });
  return absl::OkStatus();
}

absl::Status SqliteReader::Bind(size_t index, size_t bytes) {
  Chunk& chunk = chunks_[index];
  chunk.buffer.resize(bytes);
  return statement_->Check(SQLBindCol(statement_->handle(), static_cast<SQLUSMALLINT>(index + 1),
                                      SQL_C_CHAR, chunk.buffer.data(), static_cast<SQLLEN>(bytes),
                                      &chunk.length));
}

absl::StatusOr<std::unique_ptr<RowBatch>> SqliteReader::Next() {
  if (!failed_.ok()) return failed_;
  absl::StatusOr<std::unique_ptr<RowBatch>> batch = ReadBatch();
  failed_ = batch.status();
  return batch;
}

absl::StatusOr<std::unique_ptr<RowBatch>> SqliteReader::ReadBatch() {
  while (!done_ && batch_.rows() < kMaxBatchRows) {
    if (!waiting_) {
      ASSIGN_OR_RETURN(const bool more, NextRow());
      done_ = !more;
      if (done_) break;
      RETURN_IF_ERROR(ParseRow());
    }
    waiting_ = !batch_.empty() && batch_.size_bytes() + RowBytes() > batch_bytes_;
    if (waiting_) break;
    RETURN_IF_ERROR(AppendRow());
  }
  // A driver that is cancelled between two rows may not notice.
  if (session_.connection().cancelled()) return absl::CancelledError("the read was cancelled");
  if (batch_.empty()) return nullptr;
  return batch_.Finish();
}

int64_t SqliteReader::RowBytes() const {
  constexpr int64_t kFixedBytes = 16;  // No value without text of its own takes more.
  int64_t bytes = 0;
  for (const JsonValue& value : values_) {
    bytes += kFixedBytes;
    if (value.kind == JsonValue::Kind::kText) bytes += static_cast<int64_t>(value.text.size());
  }
  return bytes;
}

absl::StatusOr<std::unique_ptr<SqliteReader::Fetched>> SqliteReader::FetchRows() {
  auto rows = std::make_unique<Fetched>();
  while (rows->bytes.size() < kFetchedBytes) {
    ASSIGN_OR_RETURN(const bool more, statement_->Fetch());
    if (!more) break;
    RETURN_IF_ERROR(TakeFetchedRow(*rows));
  }
  return rows->ends.empty() ? nullptr : std::move(rows);
}

absl::Status SqliteReader::TakeFetchedRow(Fetched& rows) {
  for (size_t i = 0; i < chunks_.size(); ++i) {
    Chunk& chunk = chunks_[i];
    if (chunk.length >= 0 && chunk.length < static_cast<SQLLEN>(chunk.buffer.size())) {
      rows.bytes.append(chunk.buffer.data(), static_cast<size_t>(chunk.length));
    } else {
      ASSIGN_OR_RETURN(const bool present,
                       statement_->GetText(static_cast<int>(i + 1), chunk.whole));
      if (present) rows.bytes.append(chunk.whole);
      const size_t bytes = std::min(kMaxChunkBytes, 2 * chunk.buffer.size());
      if (bytes > chunk.buffer.size()) RETURN_IF_ERROR(Bind(i, bytes));
    }
    rows.ends.push_back(rows.bytes.size());
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteReader::NextRow() {
  if (rows_ != nullptr && next_end_ < rows_->ends.size()) return true;
  absl::StatusOr<std::unique_ptr<Fetched>> rows = fetches_->Next();
  if (!rows.ok()) return ExplainBlob(rows.status());
  rows_ = *std::move(rows);
  next_end_ = at_ = 0;
  return rows_ != nullptr;
}

absl::Status SqliteReader::ParseRow() {
  values_.clear();
  row_.Clear();
  for (size_t i = 0; i < chunks_.size(); ++i) {
    const size_t end = rows_->ends[next_end_++];
    const absl::string_view json(rows_->bytes.data() + at_, end - at_);
    at_ = end;
    if (!row_.Append(json, values_)) {
      return absl::DataLossError(
          absl::StrCat("a row of '", dataset_.relation, "' is not a JSON array: ", Excerpt(json)));
    }
  }
  if (values_.size() != selection_.columns.size()) {
    return absl::DataLossError(absl::StrCat("a row of '", dataset_.relation, "' has ",
                                            values_.size(), " values; expected ",
                                            selection_.columns.size()));
  }
  return absl::OkStatus();
}

absl::Status SqliteReader::AppendRow() {
  for (size_t i = 0; i < values_.size(); ++i) {
    const ColumnType& type = selection_.schema.columns[i].type;
    const bool cursor = static_cast<int>(i) == cursor_column_;
    // One spelling only: ' ' sorts before 'T', so a mixture would fall into the wrong ranges.
    const bool mixed = cursor && values_[i].kind == JsonValue::Kind::kText &&
                       values_[i].text.size() > 10 &&
                       values_[i].text[10] != selection_.cursor.separator;
    if (!mixed && AppendSqliteValue(batch_, static_cast<int>(i), type, values_[i])) continue;
    std::optional<BadRow> bad = MakeBadRow(rules_, selection_.schema, i, [&](size_t column) {
      const JsonValue& value = values_[column];
      return value.kind == JsonValue::Kind::kNull ? std::optional<std::string>()
                                                  : std::string(value.text);
    });
    if (!bad.has_value()) return BadValue(i);
    batch_.SetAside(*std::move(bad));
    return absl::OkStatus();
  }
  batch_.EndRow();
  return absl::OkStatus();
}

absl::Status SqliteReader::BadValue(size_t column) const {
  std::vector<std::string> key;
  for (const int index : rules_.key) {
    const auto i = static_cast<size_t>(index);
    key.push_back(absl::StrCat(selection_.schema.columns[i].name, "=",
                               i < values_.size() ? Excerpt(values_[i].text) : "?"));
  }
  const SourceColumn& source = selection_.columns[column];
  const JsonValue& value = values_[column];
  return absl::InvalidArgumentError(absl::StrCat(
      "column '", source.column.name, "' of '", dataset_.relation, "' (", source.type_name,
      ") holds ", value.kind == JsonValue::Kind::kText ? "text '" : "'", Excerpt(value.text),
      "' in the row with ", absl::StrJoin(key, ", "), "; ", Expected(source.column.type),
      AdviceFor(rules_, selection_.schema, column, value.text)));
}

absl::Status SqliteReader::ExplainBlob(const absl::Status& refused) {
  if (!absl::StrContains(refused.message(), "JSON cannot hold BLOB")) return refused;
  fetches_.reset();  // It has ended, with this error.
  statement_.reset();
  ASSIGN_OR_RETURN(const std::string condition, BuildCondition(session_.dialect(), query_));
  ASSIGN_OR_RETURN(const std::string table, QuoteRelation(session_.dialect(), query_.relation));
  for (const SourceColumn& source : selection_.columns) {
    if (source.column.type.kind == TypeKind::kBinary) continue;
    ASSIGN_OR_RETURN(const std::string name,
                     QuoteIdentifier(session_.dialect(), source.column.name));
    std::vector<std::string> key;
    for (const int i : rules_.key) {
      const std::string& key_name = selection_.schema.columns[static_cast<size_t>(i)].name;
      ASSIGN_OR_RETURN(const std::string quoted, QuoteIdentifier(session_.dialect(), key_name));
      ASSIGN_OR_RETURN(const std::string label, QuoteText(key_name));
      key.push_back(absl::StrCat(label, "||'='||ifnull(quote(", quoted, "),'NULL')"));
    }
    absl::StatusOr<std::vector<TextRow>> found = session_.Query(
        absl::StrCat("SELECT ", absl::StrJoin(key, "||', '||"), ", quote(", name, ") FROM ", table,
                     " WHERE ", condition.empty() ? "" : absl::StrCat("(", condition, ") AND "),
                     "typeof(", name, ")='blob' LIMIT 1"));
    if (!found.ok()) return found.status();
    if (found->empty()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "column '", source.column.name, "' of '", dataset_.relation, "' (", source.type_name,
        ") holds the blob ", Excerpt((*found)[0][1].value_or("")), " in the row with ",
        (*found)[0][0].value_or(""), "; ", Expected(source.column.type)));
  }
  return refused;
}

}  // namespace headwater
