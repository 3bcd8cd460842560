// What a dataset's source sums of its rows, and what that decides.
#include "coordinator/state/dataset_state.h"

namespace headwater {

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
  return extent.range.has_value() && LookbackRange().Overlaps(*extent.range);
}

void DatasetState::TakeChecksum(const Extent& extent, const ExtentChecksum& checksum) {
  if (!extent.range.has_value()) return;
  for (Piece* piece : coverage.Overlapping(*extent.range)) {
    if (piece->range == *extent.range && piece->fingerprint.rows == checksum.rows)
      piece->checksum = checksum;
  }
}

}  // namespace headwater
