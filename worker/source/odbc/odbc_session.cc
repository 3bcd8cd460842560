#include "worker/source/odbc/odbc_session.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "worker/source/odbc/block_reader.h"
#include "worker/source/odbc/catalog_type.h"
#include "worker/source/odbc/column_type.h"
#include "worker/source/odbc/sqlite_column.h"
#include "worker/source/odbc/sqlite_reader.h"
#include "worker/source/prepared_read.h"
#include "worker/source/selection.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr size_t kMaxNames = 1000;
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

absl::StatusOr<OdbcColumn> DescribeColumn(const OdbcStatement& statement, SQLUSMALLINT ordinal) {
  SQLHSTMT handle = statement.handle();
  SQLCHAR name[kMaxNameBytes] = {}, type_name[kMaxNameBytes] = {};
  SQLSMALLINT bytes = 0, nullable = 0;
  SQLLEN is_unsigned = SQL_FALSE;
  OdbcType type;
  RETURN_IF_ERROR(
      statement.Check(SQLDescribeCol(handle, ordinal, name, kMaxNameBytes, &bytes, &type.sql_type,
                                     &type.size, &type.digits, &nullable)));
  SQLColAttribute(handle, ordinal, SQL_DESC_TYPE_NAME, type_name, kMaxNameBytes, &bytes, nullptr);
  SQLColAttribute(handle, ordinal, SQL_DESC_UNSIGNED, nullptr, 0, nullptr, &is_unsigned);
  type.type_name = reinterpret_cast<const char*>(type_name);
  type.is_unsigned = is_unsigned == SQL_TRUE;
  OdbcColumn column;
  column.source.column.name = reinterpret_cast<const char*>(name);
  column.source.type_name = std::string(type.type_name);
  column.source.column.nullable = nullable != SQL_NO_NULLS;
  column.source.column.type = TypeOfOdbc(type);
  column.sql_type = type.sql_type;
  column.size = static_cast<int64_t>(type.size);
  return column;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OdbcSession>> OdbcSession::Open(
    const std::string& connection_string) {
  RETURN_IF_ERROR(CheckSqliteFile(connection_string));
  ASSIGN_OR_RETURN(std::unique_ptr<OdbcConnection> connection,
                   OdbcConnection::Open(WithDriverSettings(connection_string)));
  const OdbcQuirks& quirks =
      QuirksOf(connection->Info(SQL_DBMS_NAME), connection->Info(SQL_DRIVER_NAME));
  std::unique_ptr<OdbcSession> session(new OdbcSession(std::move(connection), quirks));
  for (const std::string& sql : SessionSql(session->dialect())) {
    RETURN_IF_ERROR(session->Execute(sql));
  }
  if (quirks.cancel_frees_result) RETURN_IF_ERROR(session->CancelOverAnother(connection_string));
  return session;
}

absl::Status OdbcSession::CancelOverAnother(const std::string& connection_string) {
  const std::string question(dialect().session_number_sql);
  ASSIGN_OR_RETURN(const std::vector<TextRow> rows, Query(question));
  const bool one = rows.size() == 1 && rows[0].size() == 1;
  const std::optional<int64_t> number =
      one ? ParseInteger(rows[0][0].value_or("")) : std::optional<int64_t>();
  if (!number.has_value()) {
    return absl::InternalError(absl::StrCat("'", question, "' gave no number of the session"));
  }
  connection_->CancelBy(
      [connect = WithCancelSettings(WithDriverSettings(connection_string), quirks_),
       stop = dialect().stop_query(*number)] {
        const auto other = OdbcConnection::Open(connect);
        if (!other.ok()) return;  // The query goes on, and its end is taken for cancelled.
        const auto statement = (*other)->NewStatement();
        if (statement.ok()) (*statement)->Execute(stop).IgnoreError();
      });
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SourceColumn>> OdbcSession::Describe(const std::string& relation) {
  if (quirks_.rows_as_json) return DescribeSqlite(relation);
  ASSIGN_OR_RETURN(std::vector<OdbcColumn> described, DescribeByDriver(relation));
  std::vector<SourceColumn> columns;
  columns.reserve(described.size());
  for (OdbcColumn& column : described) columns.push_back(std::move(column.source));
  return columns;
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
    return NoSuchTable(relation, names);
  }
  std::vector<SourceColumn> columns;
  for (const TextRow& row : rows) {
    const std::string name = row[0].value_or("");
    const absl::StatusOr<ColumnType> type = TypeOfDeclared(row[1].value_or(""));
    SourceColumn& column = columns.emplace_back();
    column.column = {name, type.value_or(ColumnType{TypeKind::kString}), row[2] != "1"};
    column.type_name = row[1].value_or("");
    column.refusal = std::string(type.status().message());
  }
  return columns;
}

absl::StatusOr<std::vector<OdbcColumn>> OdbcSession::DescribeByDriver(const std::string& relation) {
  std::vector<OdbcColumn> columns;
  {
    ASSIGN_OR_RETURN(const std::string quoted, QuoteRelation(dialect(), relation));
    ASSIGN_OR_RETURN(const auto statement, connection_->NewStatement());
    const absl::Status described =
        statement->Execute(absl::StrCat("SELECT * FROM ", quoted, " WHERE 1 = 0"));
    if (absl::IsNotFound(described)) return NoSuchRelation(relation, described);
    RETURN_IF_ERROR(described);
    SQLSMALLINT count = 0;
    RETURN_IF_ERROR(statement->Check(SQLNumResultCols(statement->handle(), &count)));
    for (SQLUSMALLINT i = 1; i <= count; ++i) {
      ASSIGN_OR_RETURN(OdbcColumn column, DescribeColumn(*statement, i));
      columns.push_back(std::move(column));
    }
  }
  RETURN_IF_ERROR(RefineTypes(relation, columns));
  return columns;
}

absl::Status OdbcSession::RefineTypes(const std::string& relation,
                                      std::vector<OdbcColumn>& columns) {
  ASSIGN_OR_RETURN(const std::string sql, CatalogTypesSql(dialect(), relation));
  if (sql.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<TextRow> rows, Query(sql));
  std::map<std::string, std::string> types;
  for (const TextRow& row : rows) types[row[0].value_or("")] = row[1].value_or("");
  for (OdbcColumn& column : columns) {
    const auto type = types.find(column.source.column.name);
    if (type == types.end()) continue;
    column.source.type_name = type->second;
    column.source.column.type =
        TypeOfCatalog(dialect().kind, type->second, column.source.column.type);
  }
  return absl::OkStatus();
}

absl::Status OdbcSession::NoSuchRelation(const std::string& relation, const absl::Status& status) {
  constexpr int kNameColumn = 3;  // TABLE_NAME, in what SQLTables answers.
  ASSIGN_OR_RETURN(const auto statement, connection_->NewStatement());
  SQLCHAR types[] = "TABLE,VIEW";
  // Of this database: MariaDB's driver lists those of all of them.
  std::string catalog = connection_->Info(SQL_DATABASE_NAME);
  const SQLRETURN code = SQLTables(
      statement->handle(), catalog.empty() ? nullptr : reinterpret_cast<SQLCHAR*>(catalog.data()),
      static_cast<SQLSMALLINT>(catalog.size()), nullptr, 0, nullptr, 0, types,
      static_cast<SQLSMALLINT>(sizeof(types) - 1));
  if (!SQL_SUCCEEDED(code)) return status;
  std::vector<std::string> names;
  while (names.size() < kMaxNames) {
    const absl::StatusOr<bool> more = statement->Fetch();
    if (!more.ok() || !*more) break;
    std::string name;
    const absl::StatusOr<bool> present = statement->GetText(kNameColumn, name);
    if (present.ok() && *present) names.push_back(std::move(name));
  }
  return NoSuchTable(relation, names);
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
  if (quirks_.rows_as_json) {
    ASSIGN_OR_RETURN(const std::vector<SourceColumn> columns, Describe(dataset.relation));
    ASSIGN_OR_RETURN(PreparedRead read, PrepareRead(*this, columns, dataset, extent, options));
    return SqliteReader::Open(*this, dataset, std::move(read.selection), std::move(read.query),
                              options.batch_bytes);
  }
  ASSIGN_OR_RETURN(const std::vector<OdbcColumn> described, DescribeByDriver(dataset.relation));
  std::vector<SourceColumn> columns;
  columns.reserve(described.size());
  for (const OdbcColumn& column : described) columns.push_back(column.source);
  ASSIGN_OR_RETURN(PreparedRead read, PrepareRead(*this, columns, dataset, extent, options));
  std::vector<OdbcColumn> selected;
  for (const SourceColumn& source : read.selection.columns) {
    const auto column = std::find_if(
        described.begin(), described.end(),
        [&](const OdbcColumn& one) { return one.source.column.name == source.column.name; });
    if (column == described.end()) {
      return absl::InternalError(absl::StrCat("column '", source.column.name, "' vanished"));
    }
    selected.push_back(*column);
    selected.back().source.as_text = source.as_text;
  }
  return BlockReader::Open(*this, dataset, std::move(read), selected, options.batch_bytes);
}

}  // namespace headwater
