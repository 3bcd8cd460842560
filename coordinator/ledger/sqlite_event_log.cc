#include "coordinator/ledger/sqlite_event_log.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status.h"
#include "coordinator/ledger/log_format.h"

namespace headwater {
namespace {

// 8 MiB: what is given back at once when the log is opened, in some hundredths of a second. Less is
// not worth the trouble.
constexpr int64_t kFreePages = 2'048;
constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS ledger(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events(sequence INTEGER PRIMARY KEY, payload BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS snapshots(sequence INTEGER PRIMARY KEY, state BLOB NOT NULL, checksum INTEGER NOT NULL);
)sql";

struct StatementCloser {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementCloser>;

class SqliteEventLog final : public EventLog {
 public:
  SqliteEventLog(sqlite3* db, std::string path, bool read_only)
      : db_(db), path_(std::move(path)), read_only_(read_only) {}
  ~SqliteEventLog() override {
    append_.reset();
    drop_.reset();
    sqlite3_close_v2(db_);
  }

  absl::Status Init();

  const std::string& ledger_id() const override { return ledger_id_; }
  int64_t last_sequence() const override { return last_sequence_; }
  absl::Status Append(int64_t first_sequence, absl::Span<const std::string> payloads) override;
  absl::Status RaiseFloor(int64_t sequence) override;
  absl::Status SaveSnapshot(int64_t sequence, absl::string_view state) override;
  absl::StatusOr<std::optional<Snapshot>> LoadSnapshot() override { return Load(0); }
  absl::StatusOr<std::optional<Snapshot>> LoadEarlierSnapshot() override { return Load(1); }
  absl::Status Replay(
      int64_t sequence,
      const std::function<absl::Status(int64_t, absl::string_view)>& visit) override;

 private:
  absl::Status Error(absl::string_view doing) const;
  absl::Status Damaged(absl::string_view what) const;
  absl::Status Execute(const char* sql, absl::string_view doing);
  absl::StatusOr<Statement> Prepare(const char* sql, absl::string_view doing);
  absl::StatusOr<std::string> GetValue(const char* name);
  absl::Status PutValue(const char* name, const std::string& value);
  absl::Status InsertAll(int64_t first_sequence, absl::Span<const std::string> payloads);
  absl::Status DropServed(size_t appended);
  absl::Status FindServed();
  absl::Status GiveBackSpace();
  absl::StatusOr<int64_t> Number(const char* sql, absl::string_view doing);
  absl::StatusOr<std::optional<Snapshot>> Load(int newer);

  sqlite3* db_;
  std::string path_;
  bool read_only_;
  std::string ledger_id_;
  int64_t last_sequence_ = 0;
  FloorRaises raises_;
  ServedEvents served_;
  Statement append_, drop_;
};

absl::Status SqliteEventLog::Damaged(absl::string_view what) const {
  return absl::DataLossError(
      absl::StrCat("ledger ", path_, ": ", what,
                   ". It is not used any further. Restore the file (with its -wal) from a backup, "
                   "or have another one made of what the tables say: headwater state heal"));
}

absl::Status SqliteEventLog::Error(absl::string_view doing) const {
  const int code = sqlite3_errcode(db_) & 0xff;
  const std::string message =
      absl::StrCat("ledger ", path_, ": ", doing, ": ", sqlite3_errmsg(db_));
  // A disk too full for the WAL's shared memory is an I/O error to SQLite, not SQLITE_FULL.
  const int system_error = code == SQLITE_IOERR ? sqlite3_system_errno(db_) : 0;
  if (system_error == ENOSPC || system_error == EDQUOT ||
      sqlite3_extended_errcode(db_) == SQLITE_IOERR_SHMSIZE) {
    return absl::ResourceExhaustedError(
        absl::StrCat(message, "; the disk is full: free some space, then run again"));
  }
  switch (code) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Damaged(absl::StrCat(doing, ": SQLite says \"", sqlite3_errmsg(db_), "\""));
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(
          absl::StrCat(message, "; the disk is full: free some space, then run again"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::AlreadyExistsError(absl::StrCat(message, "; another coordinator has it open"));
    case SQLITE_CANTOPEN:
      return absl::NotFoundError(message);
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return absl::PermissionDeniedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::Status SqliteEventLog::Execute(const char* sql, absl::string_view doing) {
  return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK ? absl::OkStatus()
                                                                        : Error(doing);
}

absl::StatusOr<Statement> SqliteEventLog::Prepare(const char* sql, absl::string_view doing) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) != SQLITE_OK) return Error(doing);
  return Statement(statement);
}

absl::StatusOr<std::string> SqliteEventLog::GetValue(const char* name) {
  ASSIGN_OR_RETURN(Statement get,
                   Prepare("SELECT value FROM ledger WHERE name = ?", "reading its header"));
  sqlite3_bind_text(get.get(), 1, name, -1, SQLITE_STATIC);
  const int step = sqlite3_step(get.get());
  if (step == SQLITE_ROW)
    return std::string(reinterpret_cast<const char*>(sqlite3_column_text(get.get(), 0)));
  return step == SQLITE_DONE ? absl::StatusOr<std::string>("") : Error("reading its header");
}

absl::Status SqliteEventLog::PutValue(const char* name, const std::string& value) {
  ASSIGN_OR_RETURN(Statement put,
                   Prepare("INSERT OR REPLACE INTO ledger VALUES(?, ?)", "writing its header"));
  sqlite3_bind_text(put.get(), 1, name, -1, SQLITE_STATIC);
  sqlite3_bind_text(put.get(), 2, value.c_str(), -1, SQLITE_TRANSIENT);
  return sqlite3_step(put.get()) == SQLITE_DONE ? absl::OkStatus() : Error("writing its header");
}

absl::Status SqliteEventLog::Init() {
  sqlite3_busy_timeout(db_, read_only_ ? 2'000 : 0);
  if (!read_only_) {
    // A file made like this can give back free pages without being written anew.
    ASSIGN_OR_RETURN(const int64_t pages, Number("PRAGMA page_count", "opening"));
    if (pages == 0) RETURN_IF_ERROR(Execute("PRAGMA auto_vacuum = INCREMENTAL", "opening"));
    // WAL with FULL syncs the log at every commit: what Append() returned survives a power cut.
    RETURN_IF_ERROR(Execute("PRAGMA journal_mode = WAL", "opening"));
    RETURN_IF_ERROR(Execute("PRAGMA synchronous = FULL", "opening"));
    RETURN_IF_ERROR(Execute(kSchema, "creating"));
  }
  ASSIGN_OR_RETURN(ledger_id_, GetValue("ledger_id"));
  if (ledger_id_.empty()) {
    if (read_only_) return Damaged("it has no ledger id");
    ledger_id_ = RandomId();
    // The id last: a ledger that was killed in between has none, and is made once more.
    RETURN_IF_ERROR(PutValue("format", absl::StrCat(kLogFormat)));
    RETURN_IF_ERROR(PutValue("ledger_id", ledger_id_));
  }
  ASSIGN_OR_RETURN(const std::string format, GetValue("format"));
  if (format != absl::StrCat(kLogFormat)) {
    return Damaged(absl::StrCat("its format is ", format, ", expected ", kLogFormat,
                                " (written by another version?)"));
  }
  ASSIGN_OR_RETURN(const std::string floor, GetValue("floor"));
  last_sequence_ = floor.empty() ? 0 : std::stoll(floor);
  ASSIGN_OR_RETURN(const std::string raises, GetValue("raises"));
  absl::StatusOr<FloorRaises> parsed = FloorRaises::Parse(raises);
  if (!parsed.ok()) return Damaged(parsed.status().message());
  raises_ = *std::move(parsed);
  // Before there were several, a floor was raised over no events.
  if (raises_.empty() && last_sequence_ > 0) raises_.Add(0, last_sequence_);
  ASSIGN_OR_RETURN(Statement last,
                   Prepare("SELECT max(sequence) FROM events", "looking for its end"));
  if (sqlite3_step(last.get()) != SQLITE_ROW) return Error("looking for its end");
  last_sequence_ = std::max<int64_t>(last_sequence_, sqlite3_column_int64(last.get(), 0));
  if (!read_only_) {
    ASSIGN_OR_RETURN(append_, Prepare("INSERT INTO events VALUES(?, ?, ?)", "preparing"));
    ASSIGN_OR_RETURN(drop_,
                     Prepare("DELETE FROM events WHERE sequence BETWEEN ? AND ?", "preparing"));
    RETURN_IF_ERROR(FindServed());
    RETURN_IF_ERROR(GiveBackSpace());
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SqliteEventLog::Number(const char* sql, absl::string_view doing) {
  ASSIGN_OR_RETURN(Statement get, Prepare(sql, doing));
  if (sqlite3_step(get.get()) != SQLITE_ROW) return Error(doing);
  return sqlite3_column_int64(get.get(), 0);
}

absl::Status SqliteEventLog::FindServed() {
  ASSIGN_OR_RETURN(served_.first, Number("SELECT ifnull(min(sequence), 0) FROM events", "opening"));
  // Of fewer than two snapshots none has made an event superfluous.
  ASSIGN_OR_RETURN(served_.served,
                   Number("SELECT CASE count(*) WHEN 2 THEN min(sequence) ELSE 0 END FROM "
                          "snapshots",
                          "looking for snapshots"));
  return absl::OkStatus();
}

absl::Status SqliteEventLog::GiveBackSpace() {
  ASSIGN_OR_RETURN(const int64_t free, Number("PRAGMA freelist_count", "measuring"));
  ASSIGN_OR_RETURN(const int64_t all, Number("PRAGMA page_count", "measuring"));
  if (free < kFreePages || free < all / 2) return absl::OkStatus();  // Soon written to again.
  return Execute(absl::StrCat("PRAGMA incremental_vacuum(", kFreePages, ")").c_str(), "shrinking");
}

absl::Status SqliteEventLog::DropServed(size_t appended) {
  if (!served_.any()) return absl::OkStatus();
  sqlite3_bind_int64(drop_.get(), 1, served_.first);
  sqlite3_bind_int64(drop_.get(), 2, served_.LastToDrop(static_cast<int64_t>(appended)));
  const bool done = sqlite3_step(drop_.get()) == SQLITE_DONE;
  absl::Status status = done ? absl::OkStatus() : Error("dropping old events");
  sqlite3_reset(drop_.get());
  return status;
}

absl::Status SqliteEventLog::InsertAll(int64_t first_sequence,
                                       absl::Span<const std::string> payloads) {
  for (size_t i = 0; i < payloads.size(); ++i) {
    const int64_t sequence = first_sequence + static_cast<int64_t>(i);
    sqlite3_bind_int64(append_.get(), 1, sequence);
    sqlite3_bind_blob64(append_.get(), 2, payloads[i].data(), payloads[i].size(), SQLITE_STATIC);
    sqlite3_bind_int64(append_.get(), 3, LogChecksum(payloads[i], sequence));
    const bool done = sqlite3_step(append_.get()) == SQLITE_DONE;
    const absl::Status status = done ? absl::OkStatus() : Error("appending");
    sqlite3_reset(append_.get());
    RETURN_IF_ERROR(status);
  }
  RETURN_IF_ERROR(DropServed(payloads.size()));
  return Execute("COMMIT", "making events durable");
}

absl::Status SqliteEventLog::Append(int64_t first_sequence,
                                    absl::Span<const std::string> payloads) {
  if (read_only_) return absl::FailedPreconditionError("the ledger was opened for reading only");
  if (payloads.empty()) return absl::OkStatus();
  if (first_sequence != last_sequence_ + 1) {
    return absl::FailedPreconditionError(absl::StrCat(
        "ledger ", path_, ": appending at ", first_sequence, ", expected ", last_sequence_ + 1));
  }
  RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE", "beginning a transaction"));
  absl::Status status = InsertAll(first_sequence, payloads);
  if (!status.ok()) {
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
    return status;
  }
  const auto appended = static_cast<int64_t>(payloads.size());
  last_sequence_ += appended;
  served_.Appended(first_sequence, appended);
  return absl::OkStatus();
}

absl::Status SqliteEventLog::RaiseFloor(int64_t sequence) {
  if (read_only_) return absl::FailedPreconditionError("the ledger was opened for reading only");
  if (sequence <= last_sequence_) return absl::OkStatus();
  raises_.Add(last_sequence_, sequence);
  // The floor last: it is what appends go by.
  RETURN_IF_ERROR(PutValue("raises", raises_.Text()));
  RETURN_IF_ERROR(PutValue("floor", absl::StrCat(sequence)));
  last_sequence_ = sequence;
  return absl::OkStatus();
}

absl::Status SqliteEventLog::SaveSnapshot(int64_t sequence, absl::string_view state) {
  if (read_only_) return absl::FailedPreconditionError("the ledger was opened for reading only");
  ASSIGN_OR_RETURN(Statement put, Prepare("INSERT OR REPLACE INTO snapshots VALUES(?, ?, ?)",
                                          "writing a snapshot"));
  sqlite3_bind_int64(put.get(), 1, sequence);
  sqlite3_bind_blob64(put.get(), 2, state.data(), state.size(), SQLITE_STATIC);
  sqlite3_bind_int64(put.get(), 3, LogChecksum(state, sequence));
  if (sqlite3_step(put.get()) != SQLITE_DONE) return Error("writing a snapshot");
  // The one before stays, in case this one is ever found damaged.
  RETURN_IF_ERROR(Execute(
      "DELETE FROM snapshots WHERE sequence NOT IN (SELECT sequence FROM snapshots ORDER BY "
      "sequence DESC LIMIT 2)",
      "dropping old snapshots"));
  return FindServed();
}

absl::StatusOr<std::optional<EventLog::Snapshot>> SqliteEventLog::Load(int newer) {
  ASSIGN_OR_RETURN(Statement get,
                   Prepare("SELECT sequence, state, checksum FROM snapshots ORDER BY "
                           "sequence DESC LIMIT 1 OFFSET ?",
                           "reading the snapshot"));
  sqlite3_bind_int(get.get(), 1, newer);
  const int step = sqlite3_step(get.get());
  if (step == SQLITE_DONE) return std::optional<Snapshot>();
  if (step != SQLITE_ROW) return Error("reading the snapshot");
  Snapshot snapshot;
  snapshot.sequence = sqlite3_column_int64(get.get(), 0);
  snapshot.state.assign(static_cast<const char*>(sqlite3_column_blob(get.get(), 1)),
                        static_cast<size_t>(sqlite3_column_bytes(get.get(), 1)));
  if (LogChecksum(snapshot.state, snapshot.sequence) != sqlite3_column_int64(get.get(), 2)) {
    return Damaged(
        absl::StrCat("the snapshot at ", snapshot.sequence, " does not match its checksum"));
  }
  return std::optional<Snapshot>(std::move(snapshot));
}

absl::Status SqliteEventLog::Replay(
    int64_t sequence, const std::function<absl::Status(int64_t, absl::string_view)>& visit) {
  ASSIGN_OR_RETURN(
      Statement get,
      Prepare("SELECT sequence, payload, checksum FROM events WHERE sequence > ? ORDER BY sequence",
              "replaying"));
  sqlite3_bind_int64(get.get(), 1, sequence);
  int64_t before = sequence;
  while (true) {
    const int step = sqlite3_step(get.get());
    if (step == SQLITE_DONE) return absl::OkStatus();
    if (step != SQLITE_ROW) return Error("replaying");
    const int64_t at = sqlite3_column_int64(get.get(), 0);
    const absl::string_view payload(static_cast<const char*>(sqlite3_column_blob(get.get(), 1)),
                                    static_cast<size_t>(sqlite3_column_bytes(get.get(), 1)));
    if (!raises_.Follows(at, before))
      return Damaged(absl::StrCat("events are missing before ", at));
    if (LogChecksum(payload, at) != sqlite3_column_int64(get.get(), 2)) {
      return Damaged(absl::StrCat("event ", at, " does not match its checksum"));
    }
    RETURN_IF_ERROR(visit(at, payload));
    before = at;
  }
}

absl::StatusOr<std::unique_ptr<EventLog>> Open(const std::string& path, bool read_only) {
  std::error_code ignored;
  if (read_only && !std::filesystem::exists(path, ignored)) {
    return absl::NotFoundError(
        absl::StrCat("no ledger at ", path, ": nothing has been run here yet"));
  }
  sqlite3* db = nullptr;
  const int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int opened = sqlite3_open_v2(path.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  auto log = std::make_unique<SqliteEventLog>(db, path, read_only);
  if (opened != SQLITE_OK)
    return absl::UnavailableError(
        absl::StrCat("ledger ", path, ": cannot be opened: ", sqlite3_errstr(opened)));
  RETURN_IF_ERROR(log->Init());
  return std::unique_ptr<EventLog>(std::move(log));
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventLog>> OpenSqliteEventLog(const std::string& path) {
  return Open(path, false);
}

absl::StatusOr<std::unique_ptr<EventLog>> OpenSqliteEventLogReadOnly(const std::string& path) {
  return Open(path, true);
}

}  // namespace headwater
