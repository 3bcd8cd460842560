// The ledger's storage: an append-only log of events with snapshots. It knows nothing of their
// meaning. tests/contract/event_log_contract.h says in code what every implementation must do.
#ifndef HEADWATER_COORDINATOR_LEDGER_EVENT_LOG_H_
#define HEADWATER_COORDINATOR_LEDGER_EVENT_LOG_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace headwater {

// Confined to one thread.
class EventLog {
 public:
  virtual ~EventLog() = default;

  // Random, fixed at creation: names the ledger in the tables it owns.
  virtual const std::string& ledger_id() const = 0;
  // Sequence of the last durable event or of the floor; 0 in a new log.
  virtual int64_t last_sequence() const = 0;

  // Appends `payloads` as sequences `first_sequence`, +1, …: all of them durable on return, or
  // none. FAILED_PRECONDITION: `first_sequence` is not last_sequence() + 1 (another writer was
  // here). DATA_LOSS, RESOURCE_EXHAUSTED (disk full), UNAVAILABLE: nothing was written that a
  // reader sees.
  virtual absl::Status Append(int64_t first_sequence, absl::Span<const std::string> payloads) = 0;

  // Makes the next append start above `sequence`, durably: a ledger goes on above every fence in
  // the tables that it finds. The sequences in between are no gap.
  virtual absl::Status RaiseFloor(int64_t sequence) = 0;

  // Keeps a snapshot of the state after the event `sequence`, and the one before it. The events up
  // to that earlier one have served: later appends take them away, a few at a time. So the log
  // stays as long as some snapshots are apart, and no call takes long for it.
  virtual absl::Status SaveSnapshot(int64_t sequence, absl::string_view state) = 0;

  struct Snapshot {
    int64_t sequence = 0;
    std::string state;
  };
  // The newest snapshot, if there is one. DATA_LOSS when it does not match its checksum.
  virtual absl::StatusOr<std::optional<Snapshot>> LoadSnapshot() = 0;

  // The one before it, should the newest be of no use. Errors likewise.
  virtual absl::StatusOr<std::optional<Snapshot>> LoadEarlierSnapshot() = 0;

  // Calls `visit` for each event after `sequence`, in order; stops at its first error and returns
  // it. DATA_LOSS: a gap, events after `sequence` that are gone, or a payload that does not match
  // its checksum.
  virtual absl::Status Replay(
      int64_t sequence,
      const std::function<absl::Status(int64_t sequence, absl::string_view payload)>& visit) = 0;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_LEDGER_EVENT_LOG_H_
