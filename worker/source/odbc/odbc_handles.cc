#include "worker/source/odbc/odbc_handles.h"

#include <sqlite3.h>

#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "worker/source/odbc/odbc_quirks.h"
#include "worker/source/odbc/sqlite_functions.h"
#include "worker/source/sqlstate.h"

namespace headwater {
namespace {

constexpr int kMaxDiagnostics = 8;
constexpr int kMaxDrivers = 64;
constexpr SQLSMALLINT kMessageBytes = 1024;
constexpr size_t kTextChunkBytes = 4096;

SQLCHAR* Chars(const std::string& text) {
  // ODBC takes its input strings without const, and does not change them.
  return reinterpret_cast<SQLCHAR*>(const_cast<char*>(text.c_str()));
}

std::vector<std::string> InstalledDrivers(SQLHENV environment) {
  std::vector<std::string> drivers;
  SQLCHAR name[256], attributes[1024];
  SQLUSMALLINT direction = SQL_FETCH_FIRST;
  for (int i = 0; i < kMaxDrivers; ++i, direction = SQL_FETCH_NEXT) {
    SQLSMALLINT name_bytes = 0, attribute_bytes = 0;
    const SQLRETURN code = SQLDrivers(environment, direction, name, sizeof(name), &name_bytes,
                                      attributes, sizeof(attributes), &attribute_bytes);
    if (!SQL_SUCCEEDED(code)) break;
    drivers.emplace_back(reinterpret_cast<const char*>(name));
  }
  return drivers;
}

absl::string_view PackageFor(const std::string& driver) {
  const std::string lower = absl::AsciiStrToLower(driver);
  for (const auto& [word, package] :
       {std::pair("sqlite", "libsqliteodbc"), std::pair("postgres", "odbc-postgresql"),
        std::pair("maria", "odbc-mariadb"), std::pair("mysql", "odbc-mariadb"),
        std::pair("freetds", "tdsodbc")}) {
    if (absl::StrContains(lower, word)) return package;
  }
  return "";
}

absl::Status DriverMissing(SQLHENV environment, const std::string& connection_string,
                           const absl::Status& status) {
  const std::string driver = ConnectionSetting(connection_string, "Driver");
  const std::vector<std::string> drivers = InstalledDrivers(environment);
  const absl::string_view package = PackageFor(driver);
  return absl::InvalidArgumentError(
      absl::StrCat("ODBC driver '", driver, "' is not installed: ", status.message(),
                   "; installed: ", drivers.empty() ? "none" : absl::StrJoin(drivers, ", "),
                   package.empty() ? "" : absl::StrCat("; on Debian: apt install ", package)));
}

bool SaysDriverMissing(const absl::Status& status) {
  const auto state = status.GetPayload(kSqlstatePayload);
  return (state.has_value() && (*state == "IM002" || *state == "IM003")) ||
         absl::StrContains(status.message(), "Can't open lib");
}

// The SQLite file that this thread has opened last.
thread_local sqlite3* opened_file = nullptr;

int NoteOpenedFile(sqlite3* file, char** /*message*/, const sqlite3_api_routines* /*unused*/) {
  opened_file = file;
  return SQLITE_OK;
}

// SQLite's driver says to nobody what it has opened.
void NoteOpenedFiles() {
  static std::once_flag noted;
  std::call_once(noted,
                 [] { sqlite3_auto_extension(reinterpret_cast<void (*)()>(NoteOpenedFile)); });
}

// unixODBC 2.3.11 finds the folder of its odbcinst.ini with its first look at it, without a lock: a
// second thread meanwhile looks nowhere, and the process then holds every driver for missing. The
// first look is that of the first environment, which asks whether to trace.
void FindDriversOnce() {
  static std::once_flag found;
  std::call_once(found, [] {
    SQLHENV environment = SQL_NULL_HENV;
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment))) return;
    SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, reinterpret_cast<SQLPOINTER>(SQL_OV_ODBC3),
                  0);
    (void)InstalledDrivers(environment);
    SQLFreeHandle(SQL_HANDLE_ENV, environment);
  });
}

}  // namespace

absl::Status OdbcStatus(SQLRETURN code, SQLSMALLINT handle_type, SQLHANDLE handle) {
  if (SQL_SUCCEEDED(code)) return absl::OkStatus();
  if (code == SQL_INVALID_HANDLE) return absl::InternalError("ODBC: invalid handle");
  std::string words, first_state;
  for (SQLSMALLINT i = 1; i <= kMaxDiagnostics; ++i) {
    SQLCHAR state[6] = {}, message[kMessageBytes] = {};
    SQLINTEGER native = 0;
    SQLSMALLINT bytes = 0;
    if (!SQL_SUCCEEDED(SQLGetDiagRec(handle_type, handle, i, state, &native, message, kMessageBytes,
                                     &bytes))) {
      break;
    }
    if (i == 1) first_state = reinterpret_cast<const char*>(state);
    absl::StrAppend(&words, words.empty() ? "" : "; ", reinterpret_cast<const char*>(message));
  }
  if (words.empty()) words = absl::StrCat("the driver gave no reason (code ", code, ")");
  return StatusFromSqlstate(first_state, words);
}

absl::StatusOr<std::unique_ptr<OdbcConnection>> OdbcConnection::Open(
    const std::string& connection_string) {
  FindDriversOnce();
  std::unique_ptr<OdbcConnection> result(new OdbcConnection);
  if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &result->environment_))) {
    return absl::ResourceExhaustedError("ODBC: no environment handle");
  }
  SQLHENV environment = result->environment_;
  RETURN_IF_ERROR(OdbcStatus(SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION,
                                           reinterpret_cast<SQLPOINTER>(SQL_OV_ODBC3), 0),
                             SQL_HANDLE_ENV, environment));
  RETURN_IF_ERROR(OdbcStatus(SQLAllocHandle(SQL_HANDLE_DBC, environment, &result->connection_),
                             SQL_HANDLE_ENV, environment));
  NoteOpenedFiles();
  opened_file = nullptr;
  const SQLRETURN code = SQLDriverConnect(result->connection_, nullptr, Chars(connection_string),
                                          SQL_NTS, nullptr, 0, nullptr, SQL_DRIVER_NOPROMPT);
  const absl::Status status = OdbcStatus(code, SQL_HANDLE_DBC, result->connection_);
  if (SaysDriverMissing(status)) return DriverMissing(environment, connection_string, status);
  RETURN_IF_ERROR(status);
  result->connected_ = true;
  result->file_ = std::exchange(opened_file, nullptr);
  if (result->file_ != nullptr) AddSqliteFunctions(result->file_);
  return result;
}

OdbcConnection::~OdbcConnection() {
  if (connected_) SQLDisconnect(connection_);
  if (connection_ != SQL_NULL_HDBC) SQLFreeHandle(SQL_HANDLE_DBC, connection_);
  if (environment_ != SQL_NULL_HENV) SQLFreeHandle(SQL_HANDLE_ENV, environment_);
}

std::string OdbcConnection::Info(SQLUSMALLINT type) const {
  SQLCHAR text[256] = {};
  SQLSMALLINT bytes = 0;
  const SQLRETURN code = SQLGetInfo(connection_, type, text, sizeof(text), &bytes);
  return SQL_SUCCEEDED(code) ? reinterpret_cast<const char*>(text) : "";
}

SQLUINTEGER OdbcConnection::InfoBits(SQLUSMALLINT type) const {
  SQLUINTEGER bits = 0;
  SQLSMALLINT bytes = 0;
  return SQL_SUCCEEDED(SQLGetInfo(connection_, type, &bits, sizeof(bits), &bytes)) ? bits : 0;
}

absl::StatusOr<std::unique_ptr<OdbcStatement>> OdbcConnection::NewStatement() {
  if (cancelled()) return absl::CancelledError("the read was cancelled");
  SQLHSTMT handle = SQL_NULL_HSTMT;
  RETURN_IF_ERROR(OdbcStatus(SQLAllocHandle(SQL_HANDLE_STMT, connection_, &handle), SQL_HANDLE_DBC,
                             connection_));
  return std::make_unique<OdbcStatement>(*this, handle);
}

void OdbcConnection::Cancel() {
  // The lock is held over SQLCancel, so that the statement cannot be freed under it, and over
  // stop_query_, so that what it stops is the statement that executes now and none after it.
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  if (file_ != nullptr) {
    sqlite3_interrupt(file_);  // The driver's SQLCancel frees the row that is being fetched.
  } else if (stop_query_ != nullptr) {
    if (executing_) stop_query_();
  } else if (running_ != SQL_NULL_HSTMT) {
    SQLCancel(running_);
  }
}

void OdbcConnection::CancelBy(std::function<void()> stop_query) {
  absl::MutexLock lock(&mutex_);
  stop_query_ = std::move(stop_query);
}

bool OdbcConnection::BeginExecution() {
  absl::MutexLock lock(&mutex_);
  executing_ = !cancelled_;
  return executing_;
}

void OdbcConnection::EndExecution() {
  absl::MutexLock lock(&mutex_);
  executing_ = false;
}

void OdbcConnection::ResetCancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = false;
}

bool OdbcConnection::cancelled() const {
  absl::MutexLock lock(&mutex_);
  return cancelled_;
}

OdbcStatement::OdbcStatement(OdbcConnection& connection, SQLHSTMT handle)
    : connection_(connection), handle_(handle) {
  absl::MutexLock lock(&connection_.mutex_);
  connection_.running_ = handle;
}

OdbcStatement::~OdbcStatement() {
  {
    absl::MutexLock lock(&connection_.mutex_);
    if (connection_.running_ == handle_) connection_.running_ = SQL_NULL_HSTMT;
  }
  SQLFreeHandle(SQL_HANDLE_STMT, handle_);
}

absl::Status OdbcStatement::Check(SQLRETURN code) const {
  if (connection_.cancelled()) return absl::CancelledError("the read was cancelled");
  return OdbcStatus(code, SQL_HANDLE_STMT, handle_);
}

absl::Status OdbcStatement::Execute(const std::string& sql) {
  if (!connection_.BeginExecution()) return absl::CancelledError("the read was cancelled");
  const SQLRETURN code = SQLExecDirect(handle_, Chars(sql), static_cast<SQLINTEGER>(sql.size()));
  connection_.EndExecution();
  return code == SQL_NO_DATA ? absl::OkStatus() : Check(code);
}

absl::StatusOr<bool> OdbcStatement::Fetch() {
  const SQLRETURN code = SQLFetch(handle_);
  if (code == SQL_SUCCESS) return true;
  if (code == SQL_NO_DATA) {
    // A cancelled query may look finished to its driver.
    if (connection_.cancelled()) return absl::CancelledError("the read was cancelled");
    return false;
  }
  RETURN_IF_ERROR(Check(code));
  return true;
}

absl::Status OdbcStatement::Close() { return Check(SQLFreeStmt(handle_, SQL_CLOSE)); }

absl::Status OdbcStatement::MoveTo(size_t row) {
  return Check(
      SQLSetPos(handle_, static_cast<SQLSETPOSIROW>(row + 1), SQL_POSITION, SQL_LOCK_NO_CHANGE));
}

absl::StatusOr<bool> OdbcStatement::GetText(int index, std::string& text) {
  text.clear();
  char chunk[kTextChunkBytes];
  while (true) {  // Ends: each round consumes at least one byte of the value.
    SQLLEN length = 0;
    const SQLRETURN code = SQLGetData(handle_, static_cast<SQLUSMALLINT>(index), SQL_C_CHAR, chunk,
                                      sizeof(chunk), &length);
    if (code == SQL_NO_DATA) return true;
    RETURN_IF_ERROR(Check(code));
    if (length == SQL_NULL_DATA) return false;
    const bool whole = length >= 0 && length < static_cast<SQLLEN>(sizeof(chunk));
    text.append(chunk, whole ? static_cast<size_t>(length) : sizeof(chunk) - 1);
    if (whole) return true;
  }
}

void PrepareOdbcDrivers() {
  // SQLITE_MISUSE, if SQLite already runs, changes nothing but speed.
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

}  // namespace headwater
