// What a simulated server holds: rows that become visible when their transaction commits, in an
// order of their own, and what a worker finds when it looks or reads at some instant.
#ifndef HEADWATER_TESTS_SIM_SIM_SOURCE_H_
#define HEADWATER_TESTS_SIM_SIM_SOURCE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "common/data/fingerprint.h"
#include "common/model/task.h"

namespace headwater {

struct SimRow {
  std::optional<int64_t> cursor;  // None: NULL.
  uint64_t content = 0;
  absl::Time begun;  // When its transaction began. This and what follows: true time.
  absl::Time visible_at;
  absl::Time gone_at = absl::InfiniteFuture();  // Deleted, or updated: that is another row.
  int64_t key = 0;     // Of all rows of one key at most one is visible at a time.
  uint64_t value = 0;  // What histories compare: an update may bring an old one back.

  bool IsVisible(absl::Time now) const { return visible_at <= now && now < gone_at; }
};

// Stands for the hash of a row (splitmix64): sums of them are not the hash of a sum.
inline Hash128 HashOf(uint64_t content) {
  uint64_t x = content * 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return {x ^ (x >> 31), content};
}

// What a source says of its open transactions, and so how long one may last without a row of it
// being missed.
enum class SimSight {
  kQuick,    // None is ever open for as long as `settle`.
  kSees,     // It says when the oldest began; they last for many minutes.
  kBlind,    // It cannot say: less than an hour.
  kReplica,  // Nor can it, and it shows what the primary had a while ago.
};

struct SimSource {
  DatasetSpec spec;
  CursorType cursor_type = CursorType::kNone;
  SimSight sight = SimSight::kQuick;
  absl::Duration lag;   // Of a replica.
  absl::Duration skew;  // What its clock is ahead of the true time.
  std::vector<SimRow> rows;
  int64_t last_value = 0;  // Of an integer cursor.
  // Rows have come or gone where everything had settled: only a backfill finds them.
  bool dirty = false;
  // Rows are updated, deleted and brought back by key, as ChangeRows() does it.
  bool changes = false;
  bool late = true;  // Transactions may stay open for a while.
  bool sums = true;  // It makes checksums.
  int64_t last_key = 0;

  absl::Time ClockAt(absl::Time now) const { return now + skew; }
  // How long a transaction may stay open there.
  absl::Duration LongestTransaction() const;

  Schema Columns() const;
  bool whole() const { return cursor_type == CursorType::kNone; }  // Each read reads all.
  ProbeResult Probe(const ProbeTask& task, absl::Time now) const;
  // The visible rows of an extent, or of one of its pieces.
  std::vector<const SimRow*> RowsOf(const Extent& extent, int64_t domain_end, absl::Time now) const;
  std::vector<uint64_t> Read(const Extent& piece, int64_t domain_end, absl::Time now,
                             std::optional<int64_t>* max_cursor) const;
  ExtentChecksum ChecksumOf(const Extent& piece, int64_t domain_end, absl::Time now) const;
  // `range`, in which there is no row, with all around it that has none either.
  Range EmptyAround(const Range& range, absl::Time now) const;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_SIM_SIM_SOURCE_H_
