// Coverage: the pieces of one dataset. Pieces never overlap; those with rows are only replaced
// whole.
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
#include "common/model/task.h"

namespace headwater {

// What a probe showed when a read began, kept to tell when rows have settled.
struct ProbeFacts {
  absl::Time clock = absl::InfinitePast();  // The source's.
  absl::Time seen =
      absl::InfinitePast();  // What was committed by then is there: clock or replay time.
  int64_t limit = 0;         // Cursors below it can settle: min(bound, `seen`).
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
  std::optional<ExtentChecksum> checksum = {};  // Of the same rows, as their source makes it.

  // Without rows it has no files: it may be cut anywhere, and be one with its neighbours.
  bool empty() const { return fingerprint.rows == 0; }
};

// Thread-compatible.
class Coverage {
 public:
  using Map = std::map<int64_t, Piece>;  // By range.from.

  // `range` grown so that it cuts no piece with rows. Empty stays empty.
  Range Widen(Range range) const;
  // The parts of `range` that no piece covers, ascending.
  std::vector<Range> Missing(Range range) const;
  std::vector<const Piece*> Overlapping(Range range) const;
  std::vector<Piece*> Overlapping(Range range);
  const Piece* Find(Range exact) const;
  // What is known of the rows in `range`: the piece of just this range, or one without rows around
  // it.
  const Piece* Known(Range range) const;
  // The first piece with an instant from `at` on.
  const Piece* FirstFrom(int64_t at) const;
  const Piece* Last() const { return pieces_.empty() ? nullptr : &pieces_.rbegin()->second; }

  // Requires: no piece overlaps it.
  void Put(Piece piece);
  // Drops every piece with rows that shares an instant with `range`, whole, and of those without
  // rows what lies in it.
  void Drop(Range range);
  // Cuts what has no rows at both ends of `range`; the pieces that overlap it then.
  std::vector<Piece*> CutOut(Range range);
  // Makes one piece of neighbours without rows that have settled, in `range` and at its ends, if
  // they are of one spec version.
  void JoinEmpty(Range range);

  // From the first piece's begin to the last one's end.
  std::optional<Range> Hull() const;

  const Map& pieces() const { return pieces_; }

 private:
  void CutEmpty(int64_t at);

  Map pieces_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_COVERAGE_H_
