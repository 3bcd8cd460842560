// The event log in one SQLite file: WAL, synchronous FULL, so an append is one fsync whatever it
// holds.
#ifndef HEADWATER_COORDINATOR_LEDGER_SQLITE_EVENT_LOG_H_
#define HEADWATER_COORDINATOR_LEDGER_SQLITE_EVENT_LOG_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "coordinator/ledger/event_log.h"

namespace headwater {

// Opens or creates the log at `path` for its one writer. The file is held with an exclusive lock.
// DATA_LOSS: SQLite calls the file corrupt, or it is not a ledger (says what can be done).
// ALREADY_EXISTS: another process has it open for writing.
absl::StatusOr<std::unique_ptr<EventLog>> OpenSqliteEventLog(const std::string& path);

// For looking only (`status` without a coordinator): Append and the like answer
// FAILED_PRECONDITION. NOT_FOUND: there is no ledger at `path`.
absl::StatusOr<std::unique_ptr<EventLog>> OpenSqliteEventLogReadOnly(const std::string& path);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_LEDGER_SQLITE_EVENT_LOG_H_
