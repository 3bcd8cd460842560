#include "cli/demo_server.h"

#include <sqlite3.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/check.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr int kLockTimeoutMs = 10'000;
constexpr absl::string_view kMissing = "NA";

absl::string_view TypeName(DemoKind kind) {
  switch (kind) {
    case DemoKind::kInteger:
      return "INTEGER";
    case DemoKind::kReal:
      return "REAL";
    case DemoKind::kText:
      return "TEXT";
    case DemoKind::kTimestamp:
      return "TIMESTAMP";
  }
  return "";
}

}  // namespace

std::string DemoTimestamp(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::UTCTimeZone());
}

DemoServer::DemoServer(sqlite3* connection) : connection_(connection, &sqlite3_close) {}

absl::Status DemoServer::Error(absl::string_view doing) const {
  const int code = sqlite3_errcode(connection_.get());
  const std::string message =
      absl::StrCat(doing, " in ", path_, ": ", sqlite3_errmsg(connection_.get()));
  const bool locked = code == SQLITE_BUSY || code == SQLITE_LOCKED;
  return locked ? absl::UnavailableError(message) : absl::InternalError(message);
}

absl::StatusOr<DemoServer> DemoServer::Open(const std::string& path) {
  sqlite3* connection = nullptr;
  const int code = sqlite3_open(path.c_str(), &connection);
  DemoServer server(connection);  // Closes it, also when opening failed.
  server.path_ = path;
  if (code != SQLITE_OK) return server.Error("opening the file");
  sqlite3_busy_timeout(connection, kLockTimeoutMs);
  RETURN_IF_ERROR(server.Execute("PRAGMA synchronous=OFF"));
  return server;
}

absl::Status DemoServer::Execute(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return Error(sql);
}

absl::Status DemoServer::CreateTable(const DemoTable& table) {
  const auto declare = [](std::string* out, const DemoColumn& column) {
    absl::StrAppend(out, column.name, " ", TypeName(column.kind));
  };
  RETURN_IF_ERROR(Execute(absl::StrCat("CREATE TABLE ", table.name, " (",
                                       absl::StrJoin(table.columns, ", ", declare), ")")));
  for (const DemoColumn& column : table.columns) {
    if (column.name != "time_hour") continue;
    RETURN_IF_ERROR(Execute(
        absl::StrCat("CREATE INDEX ", table.name, "_time_hour ON ", table.name, " (time_hour)")));
  }
  return absl::OkStatus();
}

absl::StatusOr<DemoServer::Inserter> DemoServer::PrepareInsert(const DemoTable& table) {
  const std::vector<absl::string_view> marks(table.columns.size(), "?");
  const std::string sql =
      absl::StrCat("INSERT INTO ", table.name, " VALUES (", absl::StrJoin(marks, ", "), ")");
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection_.get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    return Error(sql);
  }
  Inserter inserter;
  inserter.server_ = this;
  inserter.table_ = table;
  inserter.statement_ = {statement, &sqlite3_finalize};
  return inserter;
}

absl::Status DemoServer::Inserter::Insert(absl::Span<const absl::string_view> fields) {
  HW_CHECK(fields.size() == table_.columns.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    RETURN_IF_ERROR(Annotate(Bind(static_cast<int>(i) + 1, table_.columns[i].kind, fields[i]),
                             absl::StrCat("column ", table_.columns[i].name)));
  }
  const int code = sqlite3_step(statement_.get());
  if (code != SQLITE_DONE) return server_->Error(absl::StrCat("inserting into ", table_.name));
  sqlite3_reset(statement_.get());
  return absl::OkStatus();
}

absl::Status DemoServer::Inserter::Bind(int index, DemoKind kind, absl::string_view field) {
  sqlite3_stmt* statement = statement_.get();
  int code = SQLITE_MISMATCH;
  int64_t integer = 0;
  double real = 0;
  if (field == kMissing) {
    code = sqlite3_bind_null(statement, index);
  } else if (kind == DemoKind::kText) {
    code = sqlite3_bind_text(statement, index, field.data(), static_cast<int>(field.size()),
                             SQLITE_TRANSIENT);
  } else if (kind == DemoKind::kInteger && absl::SimpleAtoi(field, &integer)) {
    code = sqlite3_bind_int64(statement, index, integer);
  } else if (kind == DemoKind::kReal && absl::SimpleAtod(field, &real)) {
    code = sqlite3_bind_double(statement, index, real);
  } else if (kind == DemoKind::kTimestamp && field.size() == 20) {
    std::string stored(field.substr(0, 19));
    stored[10] = ' ';
    code = sqlite3_bind_text(statement, index, stored.data(), static_cast<int>(stored.size()),
                             SQLITE_TRANSIENT);
  }
  if (code == SQLITE_OK) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("expected ", TypeName(kind), ", found ", field.substr(0, 100)));
}

int DemoServer::ChangedCount() const { return sqlite3_changes(connection_.get()); }

}  // namespace headwater
