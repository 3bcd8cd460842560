#include "worker/source/postgres/postgres_session.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "common/base/status.h"
#include "worker/source/postgres/copy_reader.h"
#include "worker/source/postgres/postgres_type.h"
#include "worker/source/selection.h"
#include "worker/source/sqlstate.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr size_t kCancelMessageBytes = 256;

// One row per column: name, type as of PostgresTypeName, modifier, NOT NULL, type in the server's
// words. A table's own modifier comes first; a domain's type has it in pg_type. NOT NULL of a
// domain is no promise: an outer join or an empty subquery fills its column with NULL, and nobody
// checks what a foreign table claims. Arrays are told by their element, as the server does;
// "int2vector" and its like are none.
constexpr absl::string_view kCatalogSql = R"sql(
WITH RECURSIVE made_of AS (
  SELECT a.attnum, a.attname, a.atttypid AS type, a.atttypmod AS modifier,
    a.attnotnull AND c.relkind <> 'f' AS required, format_type(a.atttypid, a.atttypmod) AS words
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE a.attrelid = to_regclass($0) AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT m.attnum, m.attname, t.typbasetype, t.typtypmod, m.required, m.words
  FROM made_of m JOIN pg_type t ON t.oid = m.type WHERE t.typtype = 'd')
SELECT m.attname,
  CASE WHEN t.typtype = 'e' THEN 'enum'
    WHEN t.typlen = -1 AND e.typarray = t.oid
      THEN CASE WHEN e.oid = 'pg_catalog.money'::regtype THEN 'money[]' ELSE 'array' END
    WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname
    WHEN t.typname = 'citext' AND t.typcategory = 'S' THEN 'citext' ELSE '' END,
  m.modifier, m.required, m.words
FROM made_of m JOIN pg_type t ON t.oid = m.type LEFT JOIN pg_type e ON e.oid = t.typelem
WHERE t.typtype <> 'd' ORDER BY m.attnum)sql";

// libpq gives no SQLSTATE for a connection that failed, only words.
absl::Status ConnectFailure(PGconn* connection) {
  const std::string words(absl::StripAsciiWhitespace(PQerrorMessage(connection)));
  if (absl::StrContains(words, "authentication failed") ||
      absl::StrContains(words, "no pg_hba.conf entry") ||
      absl::StrContains(words, "no password supplied") ||
      absl::StrContains(words, "certificate verify failed") ||
      absl::StrContains(words, "server does not support SSL") ||
      absl::StrContains(words, "permission denied for database")) {
    return absl::PermissionDeniedError(words);
  }
  if (absl::StrContains(words, "database \"") && absl::StrContains(words, "does not exist")) {
    return absl::NotFoundError(words);
  }
  if (absl::StrContains(words, "too many clients") ||
      absl::StrContains(words, "too many connections") ||
      absl::StrContains(words, "remaining connection slots")) {
    return absl::ResourceExhaustedError(words);
  }
  return absl::UnavailableError(words);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresSession>> PostgresSession::Open(const std::string& url) {
  // Later keywords win: what stands before `dbname` is a default for the URL, what follows is not.
  // PQcancel() keeps to the same times, but for connect_timeout: it waits for the kernel, which
  // without tcp_user_timeout (in milliseconds) tries to connect for two minutes.
  const char* const keys[] = {
      "connect_timeout", "keepalives_idle", "keepalives_interval",       "tcp_user_timeout",
      "dbname",          "client_encoding", "fallback_application_name", nullptr};
  const char* const values[] = {"10",        "60",   "10",        "20000",
                                url.c_str(), "UTF8", "headwater", nullptr};
  std::unique_ptr<PostgresSession> session(
      new PostgresSession(PQconnectdbParams(keys, values, /*expand_dbname=*/1)));
  if (session->connection_ == nullptr) return absl::ResourceExhaustedError("libpq: no memory");
  if (PQstatus(session->connection_) != CONNECTION_OK) return ConnectFailure(session->connection_);
  session->cancel_ = PQgetCancel(session->connection_);
  // Notices are for people at a terminal.
  PQsetNoticeProcessor(
      session->connection_, [](void*, const char*) {}, nullptr);
  RETURN_IF_ERROR(session->Execute(absl::StrJoin(SessionSql(session->dialect()), "; ")));
  // A database that does not know what its bytes mean would refuse what is not UTF-8 without a word
  // of where it is. The decoder names column and row.
  const char* encoding = PQparameterStatus(session->connection_, "server_encoding");
  if (encoding != nullptr && absl::string_view(encoding) == "SQL_ASCII") {
    RETURN_IF_ERROR(session->Execute("SET client_encoding TO 'SQL_ASCII'"));
  }
  return session;
}

PostgresSession::~PostgresSession() {
  if (cancel_ != nullptr) PQfreeCancel(cancel_);
  PQfinish(connection_);
}

absl::Status PostgresSession::Failure(const PGresult* result) const {
  if (cancelled()) return absl::CancelledError("the read was cancelled");
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* words =
      result == nullptr ? PQerrorMessage(connection_) : PQresultErrorMessage(result);
  const std::string text = ServerWords(words);
  if (state != nullptr && state[0] != '\0') return StatusFromSqlstate(state, text);
  return absl::UnavailableError(text.empty() ? "the connection was lost" : text.c_str());
}

absl::StatusOr<PgResult> PostgresSession::Run(const std::string& sql, ExecStatusType expected) {
  if (cancelled()) return absl::CancelledError("the read was cancelled");
  PgResult result(PQexec(connection_, sql.c_str()));
  if (result == nullptr || PQresultStatus(result.get()) != expected) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_FATAL_ERROR || result == nullptr) return Failure(result.get());
    return absl::InvalidArgumentError(absl::StrCat("the statement '", sql, "' gave ",
                                                   PQresStatus(status), "; expected ",
                                                   PQresStatus(expected)));
  }
  return result;
}

absl::Status PostgresSession::Execute(const std::string& sql) {
  return Run(sql, PGRES_COMMAND_OK).status();
}

absl::StatusOr<std::vector<TextRow>> PostgresSession::Query(const std::string& sql) {
  ASSIGN_OR_RETURN(const PgResult result, Run(sql, PGRES_TUPLES_OK));
  const int rows = PQntuples(result.get());
  if (rows > kMaxAnswerRows) {
    return absl::InvalidArgumentError(
        absl::StrCat("the query '", sql, "' gave more than ", kMaxAnswerRows, " rows"));
  }
  std::vector<TextRow> answer(static_cast<size_t>(rows));
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < PQnfields(result.get()); ++i) {
      TextRow& values = answer[static_cast<size_t>(row)];
      if (PQgetisnull(result.get(), row, i)) {
        values.emplace_back();
      } else {
        values.emplace_back(std::string(PQgetvalue(result.get(), row, i),
                                        static_cast<size_t>(PQgetlength(result.get(), row, i))));
      }
    }
  }
  return answer;
}

absl::StatusOr<std::vector<PostgresSession::CatalogColumn>> PostgresSession::Catalog(
    const std::string& relation) {
  ASSIGN_OR_RETURN(const std::string quoted, QuoteRelation(dialect(), relation));
  ASSIGN_OR_RETURN(const std::string name, QuoteText(quoted));
  ASSIGN_OR_RETURN(const std::vector<TextRow> rows, Query(absl::Substitute(kCatalogSql, name)));
  if (rows.empty()) return NoSuchRelation(relation);
  std::vector<CatalogColumn> columns;
  for (const TextRow& row : rows) {
    if (!IsValidUtf8(row[0].value_or(""))) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", relation, "' has a column '", Excerpt(*row[0]), "'; expected a name in UTF-8"));
    }
    CatalogColumn column;
    column.type.name = row[1].value_or("");
    if (!absl::SimpleAtoi(row[2].value_or(""), &column.type.modifier)) column.type.modifier = -1;
    const PostgresType type = TypeOfPostgres(column.type);
    column.column.column = Column{row[0].value_or(""), type.type, row[3] != "t"};
    column.column.type_name = row[4].value_or("");
    if (type.unknown()) {
      column.column.notice =
          absl::StrCat("column '", column.column.column.name, "' is a ", column.column.type_name,
                       ", a type without a rule of its own: it is read as text");
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

absl::StatusOr<std::vector<SourceColumn>> PostgresSession::Describe(const std::string& relation) {
  ASSIGN_OR_RETURN(std::vector<CatalogColumn> catalog, Catalog(relation));
  std::vector<SourceColumn> columns;
  columns.reserve(catalog.size());
  for (CatalogColumn& column : catalog) columns.push_back(std::move(column.column));
  return columns;
}

absl::Status PostgresSession::NoSuchRelation(const std::string& relation) {
  ASSIGN_OR_RETURN(
      const std::vector<TextRow> tables,
      Query("SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE "
            "n.nspname || '.' || c.relname END FROM pg_class c JOIN pg_namespace n ON n.oid = "
            "c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN "
            "('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%' "
            "ORDER BY 1 LIMIT 1000"));
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const TextRow& row : tables) names.push_back(Excerpt(row[0].value_or("")));
  return NoSuchTable(relation, names);
}

absl::StatusOr<std::unique_ptr<SourceReader>> PostgresSession::OpenReader(
    const DatasetSpec& dataset, const Extent& extent, const ReadOptions& options) {
  return OpenCopyReader(*this, dataset, extent, options);
}

void PostgresSession::Cancel() {
  cancelled_ = true;
  char message[kCancelMessageBytes];
  // A request that does not get through leaves the flag, at which the reader looks between rows.
  if (cancel_ != nullptr) (void)PQcancel(cancel_, message, sizeof(message));
}

}  // namespace headwater
