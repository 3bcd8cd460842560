// A ledger's file, when another one is to take its place.
#ifndef HEADWATER_CLI_LEDGER_FILE_H_
#define HEADWATER_CLI_LEDGER_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace headwater {

// Puts the ledger at `made`, which nobody has open, in the place of the one at `path`. The one
// before is kept beside it, with its -wal, under a name that says so, which is returned; empty:
// there was none. A crash in between leaves either of them, and loses none. Requires: the lock.
absl::StatusOr<std::string> ReplaceLedgerFile(const std::string& path, const std::string& made,
                                              absl::Time now);

// Gives the ledger at `path`, which nobody has open, with its -wal a name that says what was done
// with it ("migrated") and when; that name. Requires: the lock.
absl::StatusOr<std::string> PutLedgerFileAway(const std::string& path, absl::string_view done,
                                              absl::Time now);

// Removes what a replacement that ended too early has left at `made`.
absl::Status RemoveLedgerFile(const std::string& made);

}  // namespace headwater

#endif  // HEADWATER_CLI_LEDGER_FILE_H_
