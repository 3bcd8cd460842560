// A ledger in a PostgreSQL database, for coordinators on several hosts: one of them leads, the
// others stand by. Three tables in the schema that the connection's search_path names:
//
//   headwater_leader      one row: term (its key), who leads, and until when
//   headwater_ledger      one row: id, format, floor and the last event's sequence
//   headwater_events, headwater_snapshots
//
// Leadership is a lease by the database's clock. Who finds it run out takes the next term. Every
// write holds the row of its term (FOR KEY SHARE), which another term cannot take meanwhile: so a
// leader whose term has passed changes nothing, however late its write arrives, and a renewal,
// which leaves the key alone, waits for no write.
#ifndef HEADWATER_COORDINATOR_LEDGER_POSTGRES_LEDGER_H_
#define HEADWATER_COORDINATOR_LEDGER_POSTGRES_LEDGER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/config/secret.h"
#include "coordinator/ledger/event_log.h"

namespace headwater {

struct LeaseOptions {
  absl::Duration ttl = absl::Seconds(5);  // Well inside of the 12 s after which workers stop.
  absl::Duration renew = absl::Milliseconds(1'500);
  const Clock* clock = &Clock::Real();
};

struct Leader {
  int64_t term = 0;
  std::string name;     // Of its process, for people.
  std::string address;  // Where it serves; empty: nobody leads.
};

// One process's part in who leads. Thread-safe, but for Keep() and Release(), which are for one
// thread.
class LeaderLease {
 public:
  // Connects, and makes the tables where there are none. `url` is resolved: postgresql://….
  // UNAVAILABLE: the server does not answer. PERMISSION_DENIED: it refuses this user, or the user
  // may not make tables.
  static absl::StatusOr<std::unique_ptr<LeaderLease>> Open(const Secret& url, std::string name,
                                                           LeaseOptions options = {});
  virtual ~LeaderLease() = default;  // Release().

  // Takes the next term if nobody leads; false: somebody does. Others see `address` as the
  // leader's. Connects again when the connection was lost.
  virtual absl::StatusOr<bool> TryAcquire(const std::string& address) = 0;

  // Of the term that was acquired; 0: none.
  virtual int64_t term() const = 0;

  // Who leads now.
  virtual absl::StatusOr<Leader> Current() = 0;

  // Renews from now on, on threads of its own, and calls `lost` once if that cannot be done before
  // the lease runs out, counted from when the last renewal that succeeded was sent: from then on
  // another may lead. Requires: a term.
  virtual void Keep(std::function<void(const absl::Status&)> lost) = 0;

  // Gives the lease up, so that the next one need not wait until it runs out. Repeatable.
  virtual void Release() = 0;
};

// The log of `term`, for its leader. A connection that is lost is made again and a write whose
// outcome is not known is looked up, for `patience`; then UNAVAILABLE, and what was to be appended
// may be there. FAILED_PRECONDITION: another term has begun.
absl::StatusOr<std::unique_ptr<EventLog>> OpenPostgresEventLog(
    const Secret& url, int64_t term, absl::Duration patience = absl::Seconds(5));

// Puts a copy of `from` in the place of the ledger at `url`, with its id, in one transaction of
// `term`. The one before is kept in tables whose names end in `_` `kept`; empty ones are not.
// Whether there was one. FAILED_PRECONDITION: another term has begun; then nothing has changed.
absl::StatusOr<bool> ReplacePostgresLedger(const Secret& url, int64_t term, EventLog& from,
                                           const std::string& kept);

// For looking only, as the ledger was when it was opened: Append and the like answer
// FAILED_PRECONDITION. NOT_FOUND: there is no ledger in this database.
absl::StatusOr<std::unique_ptr<EventLog>> OpenPostgresEventLogReadOnly(const Secret& url);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_LEDGER_POSTGRES_LEDGER_H_
