// ODBC handles with owners: the only place that calls SQLAllocHandle and SQLFreeHandle. Errors of
// the driver come out as Status (sqlstate.h).
#ifndef HEADWATER_WORKER_SOURCE_ODBC_ODBC_HANDLES_H_
#define HEADWATER_WORKER_SOURCE_ODBC_ODBC_HANDLES_H_

#include <sql.h>
#include <sqlext.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

struct sqlite3;

namespace headwater {

// Status for the return code of a call on `handle`; OK for SQL_SUCCESS and SQL_SUCCESS_WITH_INFO
// (which truncation also gives: look at the length indicators).
absl::Status OdbcStatus(SQLRETURN code, SQLSMALLINT handle_type, SQLHANDLE handle);

class OdbcStatement;

// One connection. Confined to one thread, except Cancel(). Outlives its statements.
class OdbcConnection {
 public:
  // Connects with `connection_string` as it is. INVALID_ARGUMENT: the driver is not installed
  // (names those that are, and the Debian package). Messages hold the driver's words, which may
  // contain parts of the connection string: the caller redacts.
  static absl::StatusOr<std::unique_ptr<OdbcConnection>> Open(const std::string& connection_string);
  ~OdbcConnection();
  OdbcConnection(const OdbcConnection&) = delete;
  OdbcConnection& operator=(const OdbcConnection&) = delete;

  // SQLGetInfo for a text, empty if the driver does not say; and for a bit mask, 0 if not.
  std::string Info(SQLUSMALLINT type) const;
  SQLUINTEGER InfoBits(SQLUSMALLINT type) const;

  absl::StatusOr<std::unique_ptr<OdbcStatement>> NewStatement();

  // Cancel() calls `stop_query` and not SQLCancel from here on, and only while a statement
  // executes: for drivers that must not be cancelled while they fetch (odbc_quirks.h). It may
  // block, must not use this connection, and is called by the thread that cancels.
  void CancelBy(std::function<void()> stop_query);

  // Cancels the running statement, and refuses later ones until Reset(): their calls return
  // CANCELLED. Thread-safe; repeatable.
  void Cancel();
  void ResetCancel();
  bool cancelled() const;

 private:
  friend class OdbcStatement;
  OdbcConnection() = default;

  // Around each execution of a statement. False: cancelled, so nothing is to be executed.
  bool BeginExecution();
  void EndExecution();

  SQLHENV environment_ = SQL_NULL_HENV;
  SQLHDBC connection_ = SQL_NULL_HDBC;
  bool connected_ = false;
  sqlite3* file_ = nullptr;  // The driver's, where that is SQLite's.
  mutable absl::Mutex mutex_;
  SQLHSTMT running_ ABSL_GUARDED_BY(mutex_) = SQL_NULL_HSTMT;  // What Cancel() reaches.
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool executing_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> stop_query_ ABSL_GUARDED_BY(mutex_);  // Null: SQLCancel does.
};

// One statement of a connection. Confined to its connection's thread.
class OdbcStatement {
 public:
  OdbcStatement(OdbcConnection& connection, SQLHSTMT handle);
  ~OdbcStatement();
  OdbcStatement(const OdbcStatement&) = delete;
  OdbcStatement& operator=(const OdbcStatement&) = delete;

  SQLHSTMT handle() const { return handle_; }

  absl::Status Execute(const std::string& sql);
  // False at the end. Whatever the driver says after Cancel() is CANCELLED.
  absl::StatusOr<bool> Fetch();
  // Closes the cursor; what is bound stays, for the next Execute().
  absl::Status Close();
  // Makes `row` (from 0) of the fetched block the one that SQLGetData reads.
  absl::Status MoveTo(size_t row);
  // Status of any other call on this statement.
  absl::Status Check(SQLRETURN code) const;

  // Column `index` (from 1) of the current row as text, whole whatever its length: by SQLGetData,
  // so the rowset must be one row and the column not before one already read. False: NULL.
  absl::StatusOr<bool> GetText(int index, std::string& text);

 private:
  OdbcConnection& connection_;
  SQLHSTMT handle_;
};

// Tells SQLite's library, which drivers share with the ledger, not to count its memory: counting
// takes a global lock and makes two readers as slow as one. Call it first of all in main(), before
// anything opens an SQLite file; later calls do nothing.
void PrepareOdbcDrivers();

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_ODBC_HANDLES_H_
