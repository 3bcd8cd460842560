// What every kind of event log keeps beside its events, in the same form.
#ifndef HEADWATER_COORDINATOR_LEDGER_LOG_FORMAT_H_
#define HEADWATER_COORDINATOR_LEDGER_LOG_FORMAT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace headwater {

inline constexpr int kLogFormat = 1;

// Of an event or a snapshot; that of the same bytes at another sequence is another.
int64_t LogChecksum(absl::string_view bytes, int64_t sequence);

// Where a log's floor was raised (EventLog::RaiseFloor): sequences that are missing for that reason
// are no gap.
class FloorRaises {
 public:
  // `text` as Text() makes it. DATA_LOSS: it is something else.
  static absl::StatusOr<FloorRaises> Parse(absl::string_view text);
  std::string Text() const;

  void Add(int64_t from, int64_t to) { raises_.push_back({from, to}); }
  bool empty() const { return raises_.empty(); }

  // Whether no event is missing between these two.
  bool Follows(int64_t at, int64_t before) const;

 private:
  struct Raise {
    int64_t from = 0, to = 0;  // The floor went from the one to the other.
  };
  std::vector<Raise> raises_;
};

// Which events an append takes away: those that two snapshots have made superfluous, twice as many
// as are appended. So a log that has grown long becomes short again, and no append takes long.
struct ServedEvents {
  int64_t first = 0;   // The first event that is there, 0: none; those before were taken away.
  int64_t served = 0;  // Events up to here are in two snapshots.

  bool any() const { return first > 0 && first <= served; }
  int64_t LastToDrop(int64_t appended) const;
  // After an append at `first_sequence` that took them away.
  void Appended(int64_t first_sequence, int64_t appended);
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_LEDGER_LOG_FORMAT_H_
