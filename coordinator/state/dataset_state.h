// Everything durable about one dataset: domain, coverage, needs, claims, failures, and what the
// last probe showed. Changes only while events are applied (cluster_state.h).
#ifndef HEADWATER_COORDINATOR_STATE_DATASET_STATE_H_
#define HEADWATER_COORDINATOR_STATE_DATASET_STATE_H_

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/data/range_set.h"
#include "common/model/task.h"
#include "coordinator/state/coverage.h"
#include "coordinator/state/read_history.h"

namespace headwater {

inline constexpr int kMaxTailChecks = 8;

// An extent being loaded. Its fence is the sequence of its Granted event.
struct Claim {
  int64_t fence = 0;
  Extent extent;
  std::vector<int64_t> cuts;
  std::string task_id;
  ProbeFacts shown;         // Of the last probe before the grant.
  int64_t outside_end = 0;  // MicrobatchTask::domain_end of this claim.
  int connections = 1;      // Of the source, that the attempt may use at once.
  bool compaction = false;  // Puts pieces together; nothing is read.
  int64_t input_files = 0;  // Of a compaction: the files of those pieces.
  bool differing = false;   // A repair: as MicrobatchTask has it,
  bool histories = false;   // and this.
  bool whole = false;       // Everything, while the dataset was `adopted`.
  bool reads() const { return !compaction && !histories; }  // A source.
  absl::Time granted;
  std::optional<Manifest> manifest;  // Once staged; then no lease is needed any more.
};

// An extent that failed: not tried before `not_before`, or not at all while quarantined.
struct Blocked {
  Extent extent;
  int attempts = 0;
  int deaths = 0;  // Attempts that ended with their worker.
  bool quarantined = false;
  absl::Time not_before;
  Failure failure;
};

// The `outside` rows as published: NULL cursors and those at or beyond `end`.
struct OutsidePiece {
  Fingerprint fingerprint;
  int64_t fence = 0;
  int64_t fill_seq = 0;
  std::string spec_version;
  int64_t end = std::numeric_limits<int64_t>::max();
  int64_t future_rows = 0;  // As the probe before its read counted.
  int64_t bad_rows = 0;     // Of the fingerprint's, those in the table's quarantine.
};

// Thread-compatible.
class DatasetState {
 public:
  DatasetSpec spec;
  std::string digest;

  std::optional<ProbeResult> probe;        // The last good one.
  int64_t probe_sequence = 0;              // Of its event.
  std::optional<CursorCalendar> calendar;  // Set with the first probe.

  std::optional<Range> domain;  // [begin, bound + 1); absent: no rows, or no probe yet.
  int64_t settled_to = std::numeric_limits<int64_t>::min();
  bool first_load_settled = false;

  Coverage coverage;
  SequenceMap needs;  // Unmet needs only.
  std::optional<OutsidePiece> outside;
  int64_t outside_need = 0;  // 0: none.
  // When rows of the outside piece have come into the domain, it and everything from here on are
  // replaced by one microbatch.
  std::optional<int64_t> joined_from;

  // No settled unit below it can be compacted, unless pieces are published there: compaction.h.
  int64_t compaction_from = std::numeric_limits<int64_t>::min();
  int compaction_failures = 0;                              // In a row.
  absl::Time compaction_not_before = absl::InfinitePast();  // For runs that come.

  std::map<int64_t, Claim> claims;  // Live, by fence.
  std::vector<Blocked> blocked;
  std::set<std::string> live_runs;  // Runs with a demand here that has not ended.
  absl::Time last_loaded = absl::InfinitePast();
  int64_t table_rows = 0;  // Keyed writes: in all of the dataset's live files.
  // Files of the table were taken over that nobody can say the piece of: the next claim is one of
  // everything, and its publication takes their place.
  bool adopted = false;
  ReadHistory history;
  // Around an extent that was read since the last probe: there were no rows in all of it. It tells
  // what is worth one microbatch, and is not kept over a restart.
  std::optional<Range> empty_around;

  // Requires: the zones in `spec` exist (the configuration checked them).
  void TakeSpec(const DatasetSpec& new_spec, const std::string& new_digest);

  // What the next probe has to look at: at most kMaxTailChecks stretches of unsettled pieces.
  std::vector<Range> TailStretches() const;

  // What is published of those of them that have a checksum which a probe can compare: not of so
  // many rows that every tick would have the source sum them.
  std::vector<TailCheck> KnownTail() const;

  // What a check of this range finds where the source is as it was.
  TailCheck PublishedIn(const Range& range) const;

  // Whether the source has other rows there than are published, as far as a check can tell.
  bool Moved(const TailCheck& check) const;

  // Where settled rows end, if the source of `result` ends before them: its bound has moved back
  // further than the tail.
  std::optional<int64_t> RegressedFrom(const ProbeResult& result) const;

  // Takes a probe's result in: domain, settling, and the needs it shows (moved tail, moved outside
  // rows, and NotSeen()). `sequence` is the event's; `asked_after` that of the last one before the
  // probe was offered.
  void TakeProbe(const ProbeResult& result, int64_t sequence, int64_t asked_after);

  // Where rows may have come that the last probe cannot tell of: not settled, not among its tail
  // checks, and read by a claim up to `asked_after`, perhaps before the probe looked.
  RangeSet NotSeen(int64_t asked_after) const;

  // The units of the lookback, ending with the domain; empty without one.
  Range LookbackRange() const;

  // Whether the checksum of the whole decides if it is read (strategy static), and there is one to
  // compare with.
  bool AsksChecksumFirst() const;
  // That checksum, as the last probe has it, is the one of what is loaded, and what `force_after`
  // asks for is not due at `now`.
  bool ChecksumHolds(absl::Time now) const;
  // Whether what is read of `extent` will be compared by checksum later.
  bool WantsChecksum(const Extent& extent) const;

  // What a claim on this dataset would be told by the last probe.
  ProbeFacts Facts() const;
  // Cursors at or beyond it are `outside`.
  int64_t OutsideEnd() const;

  // Publishes a claim's pieces at its fence and ends the claim: coverage, needs, settling.
  void Publish(const Claim& claim, absl::Time now);
  // Puts the pieces of a compaction's claim together.
  void PublishCompacted(const Claim& claim);
  // A checksum of a published piece of just this extent is known now.
  void TakeChecksum(const Extent& extent, const ExtentChecksum& checksum);
  // All that the claim read is as published.
  void Confirm(const Claim& claim, absl::Time now);

  // Whether a published piece of just this extent has these rows.
  bool Publishes(const Extent& extent, const Fingerprint& fingerprint) const;
  // The published piece of just this extent is not in the table any more.
  void Lose(const Extent& extent, int64_t sequence);

  bool OverlapsClaim(const Extent& extent) const;
  const Blocked* FindBlocked(const Extent& extent) const;
  void DropBlocked(const Extent& extent);

  // Rows of all pieces and of the outside piece; and those of them in the table's quarantine.
  int64_t rows() const;
  int64_t bad_rows() const;
  // The source's clock minus the bound is more than `silent_after`: nothing new comes, nothing is
  // wrong.
  std::optional<absl::Duration> SilentFor() const;
  // End of the contiguous coverage, from the domain's begin. Absent: nothing there.
  std::optional<int64_t> Watermark() const;
  // See design: everything up to it is loaded and will not change. InfinitePast when unknown.
  absl::Time CompleteThrough() const;

 private:
  void CheckTail(const ProbeResult& result, int64_t sequence);
  void CheckOutside(const ProbeResult& result, int64_t sequence, std::optional<Range> old_domain);
  void SettleFirstLoad(const ProbeResult& result);
  int64_t SettledAtFirst(const ProbeResult& result, int64_t bound) const;
  void Reload(const ProbeResult& result, int64_t sequence);
  absl::Duration EffectiveSettle() const;
  void TrySettle(Piece& piece, const ProbeFacts& confirmed) const;
  void AdvanceSettled();
};

// `spec.begin` as a cursor value; absent when it is not configured. INVALID_ARGUMENT: it does not
// fit a cursor of that type.
absl::StatusOr<std::optional<int64_t>> BeginOf(const DatasetSpec& spec,
                                               const CursorCalendar& calendar);

// True when they share an instant, or both hold the outside rows.
bool Overlaps(const Extent& a, const Extent& b);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_DATASET_STATE_H_
