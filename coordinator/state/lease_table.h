// Who may run which task, until when. No clock, no lock, no I/O: time is an argument, so a test is
// a list of instants.
#ifndef HEADWATER_COORDINATOR_STATE_LEASE_TABLE_H_
#define HEADWATER_COORDINATOR_STATE_LEASE_TABLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/model/task.h"

namespace headwater {

enum class TaskKind { kProbe, kMicrobatch, kVerification };

struct Lease {
  LeaseRef ref;  // The fence comes from the ledger (0 for probes and verifications).
  TaskKind kind = TaskKind::kMicrobatch;
  DatasetId dataset;
  std::string session;    // Holder; empty after a restart, until the worker is back.
  bool backfill = false;  // Counted against the connections that backfill may use.
  bool accepted = false;
  absl::Time deadline;  // Exclusive: at this instant the lease is already gone.
  int64_t rows = 0;     // As last reported.
  int64_t bytes = 0;
  int connections = 1;  // Of its server, that it may have open at once.
};

// Thread-compatible.
class LeaseTable {
 public:
  // Requires: the task has no live lease.
  void Grant(const Lease& lease);

  // FAILED_PRECONDITION: no such lease of that session (it was superseded, or has expired): the
  // worker must stop.
  absl::Status Accept(const LeaseRef& ref, const std::string& session, absl::Time deadline);
  absl::Status Renew(const LeaseRef& ref, const std::string& session, absl::Time deadline);
  // Gives a lease of an earlier session to a worker that came back with it.
  absl::Status Adopt(const LeaseRef& ref, const std::string& session, absl::Time deadline);

  // Ends a lease. False: there was none.
  bool End(const LeaseRef& ref);
  // Ends every lease whose deadline is at or before `now`; returns them.
  std::vector<Lease> Expire(absl::Time now);

  const Lease* Find(const LeaseRef& ref) const;
  Lease* Find(const LeaseRef& ref);
  std::vector<LeaseRef> HeldBy(const std::string& session) const;
  const std::map<LeaseRef, Lease>& leases() const { return leases_; }

  // Connections to a server that its live leases may have, and those of backfills among them.
  int CountOnServer(const std::string& server) const;
  int CountBackfillsOnServer(const std::string& server) const;
  int CountOfSession(const std::string& session) const;

  // The earliest deadline; InfiniteFuture without leases.
  absl::Time NextDeadline() const;

 private:
  struct Load {
    int connections = 0;
    int backfills = 0;  // Connections among them.
  };

  std::map<LeaseRef, Lease> leases_;
  std::map<std::string, Load> by_server_;
  std::map<std::string, int> by_session_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_LEASE_TABLE_H_
