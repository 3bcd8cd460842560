// Who may run which task, until when. No clock, no lock, no I/O: time is an argument, so a test is
// a list of instants.
#ifndef HEADWATER_COORDINATOR_STATE_LEASE_TABLE_H_
#define HEADWATER_COORDINATOR_STATE_LEASE_TABLE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/model/task.h"

namespace headwater {

enum class TaskKind { kProbe, kMicrobatch, kVerification };
// How far a worker is with a task, as it says.
enum class LeasePhase { kWaiting, kConnecting, kReading, kFinishing, kDelivering };

struct Lease {
  LeaseRef ref;  // The fence comes from the ledger (0 for probes and verifications).
  TaskKind kind = TaskKind::kMicrobatch;
  DatasetId dataset;
  std::string session;    // Holder; empty after a restart, until the worker is back.
  bool backfill = false;  // Counted against the connections that backfill may use.
  bool accepted = false;
  absl::Time since;     // When it was offered.
  absl::Time deadline;  // Exclusive: at this instant the lease is already gone.
  int64_t rows = 0;     // As last reported.
  int64_t bytes = 0;
  int connections = 1;      // Of its server, that it may have open at once.
  std::string run_id = {};  // That it is done for, of several the first; empty: none.
  LeasePhase phase = LeasePhase::kWaiting;
  absl::Time reported = absl::InfinitePast();  // When `rows` were.
  double rows_per_second = 0;                  // Between the last two reports.
};

// Connections belong to leases, and outlive them a little: a worker keeps those that it used last
// for its next task. So they count against everybody else for a while, and a new lease of the same
// session takes them over.
//
// Thread-compatible.
class LeaseTable {
 public:
  // `kept`: how long after its lease a worker may still have a connection open.
  explicit LeaseTable(absl::Duration kept = absl::ZeroDuration()) : kept_(kept) {}

  // Requires: the task has no live lease.
  void Grant(const Lease& lease);

  // FAILED_PRECONDITION: no such lease of that session (it was superseded, or has expired): the
  // worker must stop.
  absl::Status Accept(const LeaseRef& ref, const std::string& session, absl::Time deadline);
  absl::Status Renew(const LeaseRef& ref, const std::string& session, absl::Time deadline);
  // Gives a lease of an earlier session to a worker that came back with it.
  absl::Status Adopt(const LeaseRef& ref, const std::string& session, absl::Time deadline);

  // Ends a lease. False: there was none.
  bool End(const LeaseRef& ref, absl::Time now);
  // Ends every lease whose deadline is at or before `now`; returns them. Nothing of theirs is kept:
  // their workers are gone, or have stopped everything before.
  std::vector<Lease> Expire(absl::Time now);

  const Lease* Find(const LeaseRef& ref) const;
  Lease* Find(const LeaseRef& ref);
  std::vector<LeaseRef> HeldBy(const std::string& session) const;
  const std::map<LeaseRef, Lease>& leases() const { return leases_; }

  // Connections to a server that its live leases may have, and those of backfills among them.
  int CountOnServer(const std::string& server) const;
  int CountBackfillsOnServer(const std::string& server) const;
  // Connections to a server that a new task of `session` must leave alone: those of live leases,
  // and those that other sessions may still keep.
  int CountAgainst(const std::string& server, const std::string& session, absl::Time now) const;
  // Sessions that may keep connections to a server, or did a while ago.
  std::vector<std::string> KeepersOf(const std::string& server) const;
  // When the next of those that others keep is closed; InfiniteFuture when none is kept.
  absl::Time NextClosed(const std::string& server, const std::string& session,
                        absl::Time now) const;
  // Whether `session` may still have a connection to a server open that no lease of its needs.
  bool Keeps(const std::string& server, const std::string& session, absl::Time now) const;
  int CountOfSession(const std::string& session) const;

  // The earliest deadline; InfiniteFuture without leases.
  absl::Time NextDeadline() const;

 private:
  struct Load {
    int connections = 0;
    int backfills = 0;  // Connections among them.
    // Connections without a lease by session: when each is closed at the latest, ascending.
    std::map<std::string, std::deque<absl::Time>> kept;
  };

  void Remove(const Lease& lease);

  const absl::Duration kept_;
  std::map<LeaseRef, Lease> leases_;
  std::map<std::string, Load> by_server_;
  std::map<std::string, int> by_session_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_LEASE_TABLE_H_
