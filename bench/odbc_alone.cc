// What a load through ODBC cannot be faster than, each alone, on one connection:
//
//   odbc_alone fetch  CONNECTION_STRING RELATION         the driver: a bare SQLFetch loop over the
//                                                        cells that our readers bind
//   odbc_alone encode CONNECTION_STRING RELATION FOLDER  hash and Parquet of batches in memory
//   odbc_alone stream MARIADB_URL RELATION               libmariadb: a bare mysql_stmt_fetch loop,
//                                                        with nothing bound, as our reader has it
//
// Prints rows, and the seconds of that work only: neither connecting nor, for `encode`, reading.
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "worker/source/mariadb/mariadb_session.h"
#include "worker/source/odbc/column_cells.h"
#include "worker/source/odbc/fetch_plan.h"
#include "worker/source/odbc/odbc_session.h"
#include "worker/source/odbc/odbc_source.h"
#include "worker/source/odbc/sqlite_column.h"
#include "worker/stage/delta_staging_writer.h"

namespace headwater {
namespace {

constexpr size_t kSqliteRowBytes = 1 << 10;  // As SqliteReader has it for rows so short.

struct Result {
  int64_t rows = 0;
  absl::Duration time;
};

// The statement that our reader would execute for a whole relation, and what it binds.
struct BoundQuery {
  std::string sql;
  BlockPlan plan;
  std::vector<std::unique_ptr<ColumnCells>> cells;
  std::vector<SQLUSMALLINT> row_status;
  SQLULEN block_rows = 0;
  std::vector<char> json;  // SQLite's only column.
  SQLLEN json_length = 0;
};

absl::StatusOr<std::vector<OdbcColumn>> Describe(OdbcSession& session, const std::string& relation,
                                                 const std::string& quoted) {
  ASSIGN_OR_RETURN(std::vector<SourceColumn> sources, session.Describe(relation));
  ASSIGN_OR_RETURN(const auto statement, session.connection().NewStatement());
  RETURN_IF_ERROR(statement->Execute(absl::StrCat("SELECT * FROM ", quoted, " WHERE 1 = 0")));
  std::vector<OdbcColumn> columns;
  for (SourceColumn& source : sources) {
    OdbcColumn& column = columns.emplace_back();
    column.source = std::move(source);
    SQLULEN size = 0;
    SQLSMALLINT digits = 0, nullable = 0;
    RETURN_IF_ERROR(statement->Check(
        SQLDescribeCol(statement->handle(), static_cast<SQLUSMALLINT>(columns.size()), nullptr, 0,
                       nullptr, &column.sql_type, &size, &digits, &nullable)));
    column.size = static_cast<int64_t>(size);
  }
  return columns;
}

absl::Status BindJson(OdbcStatement& statement, BoundQuery& query) {
  query.json.resize(kSqliteRowBytes);
  return statement.Check(SQLBindCol(statement.handle(), 1, SQL_C_CHAR, query.json.data(),
                                    static_cast<SQLLEN>(kSqliteRowBytes), &query.json_length));
}

absl::Status BindBlock(OdbcStatement& statement, const std::vector<OdbcColumn>& columns,
                       BoundQuery& query) {
  const auto number = [](size_t value) { return reinterpret_cast<SQLPOINTER>(value); };
  SQLHSTMT handle = statement.handle();
  query.row_status.assign(query.plan.rows, SQL_ROW_NOROW);
  RETURN_IF_ERROR(
      statement.Check(SQLSetStmtAttr(handle, SQL_ATTR_ROW_ARRAY_SIZE, number(query.plan.rows), 0)));
  RETURN_IF_ERROR(
      statement.Check(SQLSetStmtAttr(handle, SQL_ATTR_ROW_STATUS_PTR, query.row_status.data(), 0)));
  RETURN_IF_ERROR(
      statement.Check(SQLSetStmtAttr(handle, SQL_ATTR_ROWS_FETCHED_PTR, &query.block_rows, 0)));
  for (size_t i = 0; i < columns.size(); ++i) {
    const FetchPlan& plan = query.plan.columns[i];
    query.cells.push_back(MakeCells(plan, columns[i].source.column.type));
    RETURN_IF_ERROR(query.cells.back()->Bind(statement, plan.ordinal, query.plan.rows));
  }
  return absl::OkStatus();
}

absl::StatusOr<Result> Fetch(const std::string& connection_string, const std::string& relation) {
  ASSIGN_OR_RETURN(const auto session, OdbcSession::Open(connection_string));
  ASSIGN_OR_RETURN(const std::string quoted, QuoteRelation(session->dialect(), relation));
  ASSIGN_OR_RETURN(const auto columns, Describe(*session, relation, quoted));
  BoundQuery query;  // Outlives the statement that writes into it.
  ASSIGN_OR_RETURN(const auto statement, session->connection().NewStatement());
  std::vector<std::string> expressions;
  const bool json = session->quirks().rows_as_json;
  if (json) {
    for (const OdbcColumn& column : columns) {
      ASSIGN_OR_RETURN(const std::string name,
                       QuoteIdentifier(session->dialect(), column.source.column.name));
      expressions.push_back(SqliteExpression(column.source.column.type, name));
    }
    RETURN_IF_ERROR(BindJson(*statement, query));
  } else {
    const int64_t block_bytes = ReadOptions().batch_bytes / 4;  // As BlockReader has it.
    ASSIGN_OR_RETURN(query.plan, PlanBlock(session->quirks(), columns, block_bytes));
    for (const size_t i : query.plan.select_order) {
      expressions.push_back(query.plan.columns[i].expression);
    }
    RETURN_IF_ERROR(BindBlock(*statement, columns, query));
  }
  Result result;
  const absl::Time began = absl::Now();
  const std::string selected = absl::StrJoin(expressions, ", ");
  RETURN_IF_ERROR(
      statement->Execute(json ? absl::StrCat("SELECT json_array(", selected, ") FROM ", quoted)
                              : absl::StrCat("SELECT ", selected, " FROM ", quoted)));
  while (true) {
    const SQLRETURN code = SQLFetch(statement->handle());
    if (code == SQL_NO_DATA) break;
    RETURN_IF_ERROR(statement->Check(code));
    result.rows += json ? 1 : static_cast<int64_t>(query.block_rows);
  }
  result.time = absl::Now() - began;
  return result;
}

absl::StatusOr<Result> Encode(const std::string& connection_string, const std::string& relation,
                              const std::string& folder) {
  StagingOptions staging;
  staging.dataset.id = {.table = relation, .server = "alone"};
  staging.dataset.relation = relation;
  staging.dataset.server.name = staging.dataset.id.server;
  staging.dataset.server.url = absl::StrCat(kOdbcScheme, connection_string);
  staging.dataset.target_uri = folder;
  staging.lease = {.task_id = relation, .fence = 1};
  staging.extent = {Range{0, 1}, false};
  staging.loaded_at = absl::Now();
  ASSIGN_OR_RETURN(const auto source, OpenOdbcSource(staging.dataset.server));
  std::vector<std::unique_ptr<RowBatch>> batches;
  {
    ASSIGN_OR_RETURN(const auto reader,
                     source->Read(staging.dataset, staging.extent, ReadOptions()));
    staging.source_schema = reader->schema();
    while (true) {
      ASSIGN_OR_RETURN(std::unique_ptr<RowBatch> batch, reader->Next());
      if (batch == nullptr) break;
      batches.push_back(std::move(batch));
    }
  }
  const absl::Time began = absl::Now();
  ASSIGN_OR_RETURN(const auto writer, OpenParquetStaging(staging));
  for (const auto& batch : batches) RETURN_IF_ERROR(writer->Write(*batch));
  ASSIGN_OR_RETURN(const Manifest manifest, writer->Finish());
  return Result{manifest.rows_read, absl::Now() - began};
}

absl::StatusOr<Result> Stream(const std::string& url, const std::string& relation) {
  ASSIGN_OR_RETURN(const auto session, MariaDbSession::Open(url));
  ASSIGN_OR_RETURN(const std::string quoted, QuoteRelation(session->dialect(), relation));
  const std::unique_ptr<MYSQL_STMT, decltype(&mysql_stmt_close)> statement(
      mysql_stmt_init(session->connection()), mysql_stmt_close);
  const std::string sql = absl::StrCat("SELECT * FROM ", quoted);
  Result result;
  const absl::Time began = absl::Now();
  int code = mysql_stmt_prepare(statement.get(), sql.data(), sql.size());
  if (code == 0) code = mysql_stmt_execute(statement.get());
  while (code == 0 && (code = mysql_stmt_fetch(statement.get())) == 0) ++result.rows;
  if (code != MYSQL_NO_DATA) return absl::UnknownError(mysql_stmt_error(statement.get()));
  result.time = absl::Now() - began;
  return result;
}

int Main(const std::vector<std::string>& arguments) {
  const std::string verb = arguments.empty() ? "" : arguments[0];
  const bool folder = verb == "encode";
  if ((verb != "fetch" && verb != "stream" && !folder) || arguments.size() != (folder ? 4u : 3u)) {
    std::fprintf(
        stderr,
        "usage: odbc_alone fetch|encode|stream CONNECTION_STRING|MARIADB_URL RELATION [FOLDER]\n");
    return 2;
  }
  PrepareOdbcDrivers();
  const absl::StatusOr<Result> result = verb == "fetch" ? Fetch(arguments[1], arguments[2])
                                        : verb == "stream"
                                            ? Stream(arguments[1], arguments[2])
                                            : Encode(arguments[1], arguments[2], arguments[3]);
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", std::string(result.status().message()).c_str());
    return 1;
  }
  std::printf("%lld %.6f\n", static_cast<long long>(result->rows),
              absl::ToDoubleSeconds(result->time));
  return 0;
}

}  // namespace
}  // namespace headwater

int main(int argc, char** argv) {
  return headwater::Main(std::vector<std::string>(argv + 1, argv + argc));
}
