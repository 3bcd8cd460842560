#include "coordinator/state/compaction.h"

#include <algorithm>

#include "common/base/check.h"

namespace headwater {
namespace {

bool HasQuarantined(const DatasetState& dataset, const Extent& extent) {
  return std::any_of(dataset.blocked.begin(), dataset.blocked.end(), [&](const Blocked& blocked) {
    return blocked.quarantined && Overlaps(blocked.extent, extent);
  });
}

// Adds the compactable parts of one unit to `found`: the whole of it, but for its size.
void AddUnit(const DatasetState& dataset, Range unit, std::vector<Range>& found) {
  const std::vector<const Piece*> pieces = dataset.coverage.Overlapping(unit);
  for (size_t first = 0; first < pieces.size(); first += kMaxCompactedPieces) {
    const size_t last = std::min(pieces.size(), first + kMaxCompactedPieces) - 1;
    const Range part{first == 0 ? unit.from : pieces[first]->range.from,
                     last + 1 == pieces.size() ? unit.to : pieces[last]->range.to};
    if (found.size() < kMaxCompactions && IsCompactable(dataset, part)) found.push_back(part);
  }
}

// Keyed tables' files belong to no piece; their writes join small ones by the way.
bool CompactsPieces(const DatasetSpec& spec) {
  return spec.strategy == Strategy::kIncremental && !spec.keyed();
}

}  // namespace

bool IsCompactable(const DatasetState& dataset, Range range) {
  if (!CompactsPieces(dataset.spec) || range.to > dataset.settled_to) return false;
  const std::vector<const Piece*> pieces = dataset.coverage.Overlapping(range);
  int64_t at = range.from;
  int with_rows = 0;
  for (const Piece* piece : pieces) {
    // One without rows may begin before the unit, and end after it.
    const int64_t from =
        piece->empty() ? std::max(piece->range.from, range.from) : piece->range.from;
    if (from != at || piece->bad_rows > 0 || piece->spec_version != pieces.front()->spec_version) {
      return false;
    }
    at = piece->empty() ? std::min(piece->range.to, range.to) : piece->range.to;
    with_rows += piece->empty() ? 0 : 1;
  }
  return at == range.to && with_rows >= 2;
}

std::vector<Range> TakeCompactable(DatasetState& dataset) {
  std::vector<Range> found;
  if (!CompactsPieces(dataset.spec) || !dataset.domain.has_value()) return found;
  const CursorCalendar& calendar = *dataset.calendar;
  int64_t at = dataset.compaction_from;
  while (found.size() < kMaxCompactions) {
    const Piece* piece = dataset.coverage.FirstFrom(at);
    if (piece == nullptr || piece->range.from >= dataset.settled_to) break;
    at = std::max(at, piece->range.from);
    const Range unit{std::max(calendar.UnitStart(at, dataset.spec.unit), dataset.domain->from),
                     calendar.UnitEnd(at, dataset.spec.unit)};
    if (unit.to > dataset.settled_to) break;
    AddUnit(dataset, unit, found);
    at = std::max(unit.to, piece->range.to);
  }
  dataset.compaction_from = found.empty() ? at : found.front().from;
  return found;
}

void NoteCompactionFailed(DatasetState& dataset, absl::Time at) {
  constexpr int kMostDoublings = 5;  // 10 s to 320 s.
  ++dataset.compaction_failures;
  const int doublings = std::min(dataset.compaction_failures - 2, kMostDoublings);
  if (doublings < 0) return;
  dataset.compaction_not_before =
      at + std::min(absl::Seconds(10) * (1 << doublings), absl::Minutes(5));
}

bool WantsCompacted(const DatasetState& dataset, const DemandState& demand, Range range) {
  if (!IsCompactable(dataset, range) || HasQuarantined(dataset, {range, false})) return false;
  RangeSet unmet;
  for (const SequenceMap::Entry& need : dataset.needs.Within(range)) unmet.Add(need.range);
  for (const SequenceMap::Entry& own : demand.remaining.Within(range)) unmet.Subtract(own.range);
  return unmet.empty();
}

bool MayCompactNow(const DatasetState& dataset, Range range) {
  return dataset.needs.Within(range).empty() && !dataset.OverlapsClaim({range, false});
}

Piece CompactedPiece(const DatasetState& dataset, Range range) {
  const std::vector<const Piece*> pieces = dataset.coverage.Overlapping(range);
  HW_CHECK(!pieces.empty());
  Piece whole = *pieces.front();
  for (const Piece* piece : pieces) {
    if (piece == pieces.front()) continue;
    whole.fingerprint.Add(piece->fingerprint);
    AddChecksum(piece->checksum, whole.checksum);
    whole.fill_seq = std::min(whole.fill_seq, piece->fill_seq);
    if (piece->max_cursor.has_value())
      whole.max_cursor =
          std::max(whole.max_cursor.value_or(*piece->max_cursor), *piece->max_cursor);
    if (piece->shown.clock > whole.shown.clock) whole.shown = piece->shown;
  }
  whole.range = range;
  whole.settled_through = range.to;
  return whole;
}

}  // namespace headwater
