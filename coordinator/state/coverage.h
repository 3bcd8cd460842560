// Coverage: the pieces of one dataset. Pieces never overlap and are only replaced whole.
#ifndef HEADWATER_COORDINATOR_STATE_COVERAGE_H_
#define HEADWATER_COORDINATOR_STATE_COVERAGE_H_

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/data/cursor.h"
#include "common/data/fingerprint.h"

namespace headwater {

// What a probe showed when a read began, kept to tell when rows have settled.
struct ProbeFacts {
  absl::Time clock = absl::InfinitePast();  // The source's.
  int64_t limit = 0;  // Cursors below it can settle: min(bound, clock, replay time).
  std::optional<absl::Time> oldest_transaction;  // Open at that time.
};

// One published range with what was read there.
struct Piece {
  Range range;
  Fingerprint fingerprint;
  int64_t fence = 0;     // The attempt that wrote it.
  int64_t fill_seq = 0;  // The newest read that confirmed it.
  std::optional<int64_t> max_cursor;
  std::string spec_version;
  ProbeFacts shown;  // Of the last probe before the read that wrote it.
  absl::Time began;  // Source clock when this piece (or the one it extends) was begun.
  int64_t settled_through = std::numeric_limits<int64_t>::min();  // Rows below it have settled.
  int64_t bad_rows = 0;  // Of the fingerprint's, those in the table's quarantine.
};

// Thread-compatible.
class Coverage {
 public:
  using Map = std::map<int64_t, Piece>;  // By range.from.

  // `range` grown so that it cuts no piece. Empty stays empty.
  Range Widen(Range range) const;
  // The parts of `range` that no piece covers, ascending.
  std::vector<Range> Missing(Range range) const;
  std::vector<const Piece*> Overlapping(Range range) const;
  std::vector<Piece*> Overlapping(Range range);
  const Piece* Find(Range exact) const;
  const Piece* Last() const { return pieces_.empty() ? nullptr : &pieces_.rbegin()->second; }

  // Requires: no piece overlaps it.
  void Put(Piece piece);
  // Drops every piece that shares an instant with `range`, whole.
  void Drop(Range range);

  const Map& pieces() const { return pieces_; }

 private:
  Map pieces_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_COVERAGE_H_
