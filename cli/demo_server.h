// A source server of the demo: one SQLite file. Knows tables and rows, nothing of flights.
#ifndef HEADWATER_CLI_DEMO_SERVER_H_
#define HEADWATER_CLI_DEMO_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

struct sqlite3;
struct sqlite3_stmt;

namespace headwater {

// How a field of the data set is stored. `NA` is NULL in every kind.
enum class DemoKind {
  kInteger,
  kReal,
  kText,
  kTimestamp,  // 2013-01-01T10:00:00Z in the file; stored as text, 2013-01-01 10:00:00, in UTC.
};

struct DemoColumn {
  absl::string_view name;
  DemoKind kind;
};

// A table and its file: both have these columns, in this order. One with a `time_hour` gets an
// index on it.
struct DemoTable {
  absl::string_view name;  // Of `flights.csv` too.
  absl::Span<const DemoColumn> columns;
};

// "2013-01-01 10:00:00", in UTC: how a TIMESTAMP is written in these files.
std::string DemoTimestamp(absl::Time time);

// A connection to one file. All writes between Begin() and Commit() are one transaction; without a
// Commit() they are undone when the connection goes. Durability is off (`synchronous=OFF`): the
// files can be made again at any time, and the demo should not wait for a disk.
//
// Thread-compatible. Movable. Waits up to 10 s for another connection's lock.
// Errors, all methods: UNAVAILABLE when that was not enough; else INTERNAL, in SQLite's words.
class DemoServer {
 public:
  // Opens `path`, and makes the file when there is none.
  static absl::StatusOr<DemoServer> Open(const std::string& path);

  absl::Status Begin() { return Execute("BEGIN IMMEDIATE"); }
  absl::Status Commit() { return Execute("COMMIT"); }

  absl::Status CreateTable(const DemoTable& table);

  // Runs statements that return no rows.
  absl::Status Execute(const std::string& sql);

  // Inserts rows of one table. Outlived by the server that made it, which must not move.
  class Inserter {
   public:
    // Inserts one row; `fields` as the data set writes them, one for each column.
    // Errors: INVALID_ARGUMENT  a field is not of its column's kind; names the column.
    absl::Status Insert(absl::Span<const absl::string_view> fields);

   private:
    friend class DemoServer;
    absl::Status Bind(int index, DemoKind kind, absl::string_view field);

    const DemoServer* server_ = nullptr;
    DemoTable table_;
    std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_{nullptr, nullptr};
  };
  absl::StatusOr<Inserter> PrepareInsert(const DemoTable& table);

  // Rows that the last statement changed.
  int ChangedCount() const;

 private:
  explicit DemoServer(sqlite3* connection);
  absl::Status Error(absl::string_view doing) const;

  std::string path_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection_;
};

}  // namespace headwater

#endif  // HEADWATER_CLI_DEMO_SERVER_H_
