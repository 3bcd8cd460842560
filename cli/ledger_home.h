// Where a configuration's ledger lives, and who may write it:
//
//   a file      .headwater/ledger.db beside the configuration; its writer holds .headwater/lock
//   a database  `ledger: postgresql://…`; its writer leads by a lease, others stand by
#ifndef HEADWATER_CLI_LEDGER_HOME_H_
#define HEADWATER_CLI_LEDGER_HOME_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/commands.h"
#include "common/config/config.h"
#include "coordinator/ledger/event_log.h"

namespace headwater {

// Confined to one thread.
class LedgerHome {
 public:
  // Of --ledger, else of the configuration. Connects to a database, and makes its tables.
  // INVALID_ARGUMENT: a reference in the url cannot be resolved. Errors of the database.
  static absl::StatusOr<std::unique_ptr<LedgerHome>> Open(const GlobalOptions& global,
                                                          const Config& config);
  virtual ~LedgerHome() = default;  // Gives it up.

  // For people, without secrets.
  virtual std::string name() const = 0;
  // The path of the file; empty: it is a database, and coordinators of several machines take turns.
  virtual std::string file() const = 0;
  bool shared() const { return file().empty(); }

  // This process is the ledger's one writer from here on; false: another one is. `address` is where
  // it serves, for others.
  virtual absl::StatusOr<bool> TryTake(const std::string& address) = 0;

  // Where the writer serves, if there is one; empty: there is none.
  virtual absl::StatusOr<std::string> WriterAddress() = 0;

  // Requires: taken.
  virtual absl::StatusOr<std::unique_ptr<EventLog>> OpenLog() = 0;

  // As it is now, whoever writes it. NOT_FOUND: there is none.
  virtual absl::StatusOr<std::unique_ptr<EventLog>> OpenLogReadOnly() = 0;

  // Puts the ledger in the file `made`, which nobody has open, in the place of this one. What the
  // one before is kept as, for people; empty: there was none. A crash in between leaves either of
  // them, and loses none. Requires: taken, and no log of it is open.
  virtual absl::StatusOr<std::string> Replace(const std::string& made, absl::Time now) = 0;

  // Takes a copy of `from` in, with its id, in one step. Requires: taken, shared(), and nothing is
  // in it yet.
  virtual absl::Status CopyFrom(EventLog& from) = 0;

  // Stays taken as long as this object lives, or `lost` is called, on a thread of its own: another
  // process may write from then on. Requires: taken; call it once.
  virtual void Keep(std::function<void(const absl::Status&)> lost) = 0;
};

// For Keep(): the memory of this process is of a term that has passed, so nothing may be done with
// it any more. Says why, and ends the process at once.
[[noreturn]] void EndForAnother(const absl::Status& why);

}  // namespace headwater

#endif  // HEADWATER_CLI_LEDGER_HOME_H_
