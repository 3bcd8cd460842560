#include "worker/source/odbc/odbc_session.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "worker/source/odbc/block_reader.h"
#include "worker/source/odbc/column_type.h"
#include "worker/source/odbc/sqlite_column.h"
#include "worker/source/odbc/sqlite_reader.h"
#include "worker/source/prepared_read.h"
#include "worker/source/selection.h"

namespace headwater {
namespace {

constexpr size_t kMaxAnswerRows = 1000;
constexpr SQLSMALLINT kMaxNameBytes = 512;

// The driver creates a missing file unless told not to, and then says only "connect failed".
absl::Status CheckSqliteFile(const std::string& connection_string) {
  const std::string driver = absl::AsciiStrToLower(ConnectionSetting(connection_string, "Driver"));
  if (!absl::StrContains(driver, "sqlite")) return absl::OkStatus();
  const std::string path = ConnectionSetting(connection_string, "Database");
  if (path.empty() || path[0] == ':') return absl::OkStatus();
  std::error_code error;
  if (std::filesystem::exists(path, error)) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("there is no SQLite file '", path, "'", error ? ": " + error.message() : ""));
}

}  // namespace

absl::StatusOr<std::unique_ptr<OdbcSession>> OdbcSession::Open(
    const std::string& connection_string) {
  RETURN_IF_ERROR(CheckSqliteFile(connection_string));
  ASSIGN_OR_RETURN(std::unique_ptr<OdbcConnection> connection,
                   OdbcConnection::Open(WithDriverSettings(connection_string)));
  const OdbcQuirks& quirks = QuirksOfDbms(connection->Info(SQL_DBMS_NAME));
  std::unique_ptr<OdbcSession> session(new OdbcSession(std::move(connection), quirks));
  for (const absl::string_view sql : absl::StrSplit(quirks.session_sql, ';', absl::SkipEmpty())) {
    RETURN_IF_ERROR(session->Execute(std::string(sql)));
  }
  return session;
}

absl::StatusOr<std::vector<SourceColumn>> OdbcSession::Describe(const std::string& relation) {
  return quirks_.rows_as_json ? DescribeSqlite(relation) : DescribeByDriver(relation);
}

absl::StatusOr<std::vector<SourceColumn>> OdbcSession::DescribeSqlite(const std::string& relation) {
  const std::vector<std::string> parts = absl::StrSplit(relation, absl::MaxSplits('.', 1));
  const std::string schema = parts.size() > 1 ? parts[0] : "main";
  ASSIGN_OR_RETURN(const std::string schema_text, QuoteText(schema));
  ASSIGN_OR_RETURN(const std::string table_text, QuoteText(parts.back()));
  ASSIGN_OR_RETURN(const std::vector<TextRow> rows,
                   Query(absl::StrCat("SELECT name, type, \"notnull\" FROM pragma_table_info(",
                                      table_text, ", ", schema_text, ")")));
  if (rows.empty()) {
    std::vector<std::string> names;
    ASSIGN_OR_RETURN(const std::string master, QuoteIdentifier(dialect(), schema));
    ASSIGN_OR_RETURN(
        const std::vector<TextRow> tables,
        Query(absl::StrCat("SELECT name FROM ", master,
                           ".sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE "
                           "'sqlite_%' ORDER BY name LIMIT 1000")));
    names.reserve(tables.size());
    for (const TextRow& row : tables) names.push_back(row[0].value_or(""));
    return absl::NotFoundError(
        absl::StrCat("there is no table '", relation, "'", SuggestNames(relation, names)));
  }
  std::vector<SourceColumn> columns;
  for (const TextRow& row : rows) {
    const std::string name = row[0].value_or("");
    const absl::StatusOr<ColumnType> type = TypeOfDeclared(row[1].value_or(""));
    if (!type.ok()) {
      return Annotate(type.status(), absl::StrCat("column '", name, "' of '", relation, "'"));
    }
    columns.push_back(
        SourceColumn{.column = {name, *type, row[2] != "1"}, .type_name = row[1].value_or("")});
  }
  return columns;
}

absl::StatusOr<std::vector<SourceColumn>> OdbcSession::DescribeByDriver(
    const std::string& relation) {
  ASSIGN_OR_RETURN(const std::string quoted, QuoteRelation(dialect(), relation));
  ASSIGN_OR_RETURN(const auto statement, connection_->NewStatement());
  const absl::Status described =
      statement->Execute(absl::StrCat("SELECT * FROM ", quoted, " WHERE 1 = 0"));
  if (absl::IsNotFound(described)) return NoSuchRelation(relation, described);
  RETURN_IF_ERROR(described);
  SQLSMALLINT count = 0;
  RETURN_IF_ERROR(statement->Check(SQLNumResultCols(statement->handle(), &count)));
  std::vector<SourceColumn> columns;
  for (SQLUSMALLINT i = 1; i <= count; ++i) {
    SQLCHAR name[kMaxNameBytes] = {}, type_name[kMaxNameBytes] = {};
    SQLSMALLINT bytes = 0, sql_type = 0, digits = 0, nullable = 0;
    SQLULEN size = 0;
    RETURN_IF_ERROR(statement->Check(SQLDescribeCol(statement->handle(), i, name, kMaxNameBytes,
                                                    &bytes, &sql_type, &size, &digits, &nullable)));
    SQLColAttribute(statement->handle(), i, SQL_DESC_TYPE_NAME, type_name, kMaxNameBytes, &bytes,
                    nullptr);
    SourceColumn column;
    column.column.name = reinterpret_cast<const char*>(name);
    column.type_name = reinterpret_cast<const char*>(type_name);
    column.column.nullable = nullable != SQL_NO_NULLS;
    column.column.type = TypeOfOdbc(sql_type, column.type_name, size, digits);
    columns.push_back(std::move(column));
  }
  return columns;
}

absl::Status OdbcSession::NoSuchRelation(const std::string& relation, const absl::Status& status) {
  constexpr int kNameColumn = 3;  // TABLE_NAME, in what SQLTables answers.
  ASSIGN_OR_RETURN(const auto statement, connection_->NewStatement());
  SQLCHAR types[] = "TABLE,VIEW";
  const SQLRETURN code = SQLTables(statement->handle(), nullptr, 0, nullptr, 0, nullptr, 0, types,
                                   static_cast<SQLSMALLINT>(sizeof(types) - 1));
  if (!SQL_SUCCEEDED(code)) return status;
  std::vector<std::string> names;
  while (names.size() < kMaxAnswerRows) {
    const absl::StatusOr<bool> more = statement->Fetch();
    if (!more.ok() || !*more) break;
    std::string name;
    const absl::StatusOr<bool> present = statement->GetText(kNameColumn, name);
    if (present.ok() && *present) names.push_back(std::move(name));
  }
  return absl::NotFoundError(
      absl::StrCat("there is no table '", relation, "'", SuggestNames(relation, names)));
}

absl::StatusOr<std::vector<TextRow>> OdbcSession::Query(const std::string& sql) {
  ASSIGN_OR_RETURN(const auto statement, connection_->NewStatement());
  RETURN_IF_ERROR(statement->Execute(sql));
  SQLSMALLINT columns = 0;
  RETURN_IF_ERROR(statement->Check(SQLNumResultCols(statement->handle(), &columns)));
  std::vector<TextRow> rows;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, statement->Fetch());
    if (!more) return rows;
    if (rows.size() == kMaxAnswerRows) {
      return absl::InvalidArgumentError(
          absl::StrCat("the query '", sql, "' gave more than ", kMaxAnswerRows, " rows"));
    }
    TextRow row(static_cast<size_t>(columns));
    for (SQLSMALLINT i = 0; i < columns; ++i) {
      std::string text;
      ASSIGN_OR_RETURN(const bool present, statement->GetText(i + 1, text));
      if (present) row[static_cast<size_t>(i)] = std::move(text);
    }
    rows.push_back(std::move(row));
  }
}

absl::Status OdbcSession::Execute(const std::string& sql) {
  ASSIGN_OR_RETURN(const auto statement, connection_->NewStatement());
  return statement->Execute(sql);
}

absl::StatusOr<std::unique_ptr<SourceReader>> OdbcSession::OpenReader(const DatasetSpec& dataset,
                                                                      const Extent& extent,
                                                                      const ReadOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<SourceColumn> columns, Describe(dataset.relation));
  ASSIGN_OR_RETURN(PreparedRead read, PrepareRead(*this, columns, dataset, extent, options));
  if (quirks_.rows_as_json) {
    return SqliteReader::Open(*this, dataset, std::move(read.selection), std::move(read.query),
                              options.batch_bytes);
  }
  return BlockReader::Open(*this, dataset, std::move(read.selection), std::move(read.query),
                           options.batch_bytes);
}

}  // namespace headwater
