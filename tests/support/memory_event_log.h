// An event log that forgets with its process, and fails when a test says so.
#ifndef HEADWATER_TESTS_SUPPORT_MEMORY_EVENT_LOG_H_
#define HEADWATER_TESTS_SUPPORT_MEMORY_EVENT_LOG_H_

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "coordinator/ledger/event_log.h"

namespace headwater {

// What outlives one log object, as a file would. Thread-safe.
struct MemoryLedger {
  absl::Mutex mutex;
  int64_t last_sequence = 0;
  std::map<int64_t, std::string> events;
  std::optional<EventLog::Snapshot> snapshot, earlier_snapshot;
  absl::Status append_error;  // Not OK: appends fail with it and write nothing.
};

class MemoryEventLog : public EventLog {
 public:
  explicit MemoryEventLog(std::shared_ptr<MemoryLedger> ledger) : ledger_(std::move(ledger)) {}

  const std::string& ledger_id() const override { return id_; }
  int64_t last_sequence() const override {
    absl::MutexLock lock(&ledger_->mutex);
    return ledger_->last_sequence;
  }

  absl::Status Append(int64_t first_sequence, absl::Span<const std::string> payloads) override {
    absl::MutexLock lock(&ledger_->mutex);
    if (!ledger_->append_error.ok()) return ledger_->append_error;
    if (first_sequence != ledger_->last_sequence + 1) {
      return absl::FailedPreconditionError("another writer was here");
    }
    for (const std::string& payload : payloads) ledger_->events[++ledger_->last_sequence] = payload;
    return absl::OkStatus();
  }

  absl::Status RaiseFloor(int64_t sequence) override {
    absl::MutexLock lock(&ledger_->mutex);
    ledger_->last_sequence = std::max(ledger_->last_sequence, sequence);
    return absl::OkStatus();
  }

  absl::Status SaveSnapshot(int64_t sequence, absl::string_view state) override {
    absl::MutexLock lock(&ledger_->mutex);
    ledger_->earlier_snapshot = std::exchange(ledger_->snapshot, std::nullopt);
    ledger_->snapshot = Snapshot{.sequence = sequence, .state = std::string(state)};
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<Snapshot>> LoadSnapshot() override {
    absl::MutexLock lock(&ledger_->mutex);
    return ledger_->snapshot;
  }
  absl::StatusOr<std::optional<Snapshot>> LoadEarlierSnapshot() override {
    absl::MutexLock lock(&ledger_->mutex);
    return ledger_->earlier_snapshot;
  }

  absl::Status Replay(
      int64_t sequence,
      const std::function<absl::Status(int64_t, absl::string_view)>& visit) override {
    std::map<int64_t, std::string> events;
    {
      absl::MutexLock lock(&ledger_->mutex);
      events = ledger_->events;
    }
    for (auto it = events.upper_bound(sequence); it != events.end(); ++it) {
      if (absl::Status status = visit(it->first, it->second); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<MemoryLedger> ledger_;
  const std::string id_ = "memory";
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_SUPPORT_MEMORY_EVENT_LOG_H_
