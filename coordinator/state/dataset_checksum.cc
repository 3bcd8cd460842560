// What a dataset's source sums of its rows, and what that decides.
#include <algorithm>
#include <utility>

#include "coordinator/state/dataset_state.h"

namespace headwater {
namespace {

// Of one stretch of the tail: about a fifth of a second of the source.
constexpr int64_t kMostSummedRows = 100'000;

// Values that are cut have another text at the source than in the table.
bool SumsTail(const DatasetSpec& spec) {
  return spec.checksum == ChecksumKind::kMd5 && !spec.truncate_fine_time;
}

}  // namespace

bool DatasetState::AsksChecksumFirst() const {
  return spec.strategy == Strategy::kStatic && spec.checksum != ChecksumKind::kNone &&
         !coverage.pieces().empty();
}

bool DatasetState::ChecksumHolds(absl::Time now) const {
  if (!AsksChecksumFirst() || !probe.has_value() || !probe->checksum.has_value()) return false;
  const Piece* piece = coverage.Find({0, 1});
  return piece != nullptr && piece->checksum == probe->checksum &&
         now - last_loaded < spec.force_after;
}

bool DatasetState::WantsChecksum(const Extent& extent) const {
  if (spec.checksum == ChecksumKind::kNone) return false;
  if (spec.strategy == Strategy::kStatic) return true;
  if (!extent.range.has_value()) return false;
  return LookbackRange().Overlaps(*extent.range) ||
         (SumsTail(spec) && calendar->type() != CursorType::kNone && extent.range->to > settled_to);
}

std::vector<TailCheck> DatasetState::KnownTail() const {
  std::vector<TailCheck> known;
  if (!SumsTail(spec)) return known;
  for (const Range& range : TailStretches()) {
    TailCheck published = PublishedIn(range);
    if (published.checksum.has_value() && published.rows <= kMostSummedRows)
      known.push_back(std::move(published));
  }
  return known;
}

TailCheck DatasetState::PublishedIn(const Range& range) const {
  TailCheck published;
  published.range = range;
  bool first = true, summed = true;
  for (const Piece* piece : coverage.Overlapping(range)) {
    published.rows += piece->fingerprint.rows;
    if (piece->max_cursor.has_value()) {
      published.max_cursor =
          std::max(published.max_cursor.value_or(*piece->max_cursor), *piece->max_cursor);
    }
    if (piece->fingerprint.rows == 0) continue;
    // The source sums rows that did not fit as well.
    summed = summed && piece->bad_rows == 0 && piece->checksum.has_value();
    if (!summed) continue;
    if (std::exchange(first, false)) {
      published.checksum = piece->checksum;
    } else {
      AddChecksum(piece->checksum, published.checksum);
    }
  }
  if (!summed) published.checksum.reset();
  return published;
}

bool DatasetState::Moved(const TailCheck& check) const {
  const TailCheck published = PublishedIn(check.range);
  if (published.rows != check.rows || published.max_cursor != check.max_cursor) return true;
  if (!published.checksum.has_value() || !check.checksum.has_value()) return false;
  // Of other columns it is another sum, and tells nothing.
  return published.checksum->kind == check.checksum->kind &&
         published.checksum->spec_version == check.checksum->spec_version &&
         published.checksum->sum != check.checksum->sum;
}

void DatasetState::TakeChecksum(const Extent& extent, const ExtentChecksum& checksum) {
  if (!extent.range.has_value()) return;
  for (Piece* piece : coverage.Overlapping(*extent.range)) {
    if (piece->range == *extent.range && piece->fingerprint.rows == checksum.rows)
      piece->checksum = checksum;
  }
}

}  // namespace headwater
