#include "coordinator/state/progress.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "common/model/write_proto.h"
#include "coordinator/state/run_snapshot.h"

namespace headwater {

v1::PieceSnapshot ToSnapshot(const Piece& piece) {
  v1::PieceSnapshot out;
  *out.mutable_range() = ToProto(piece.range);
  *out.mutable_fingerprint() = ToProto(piece.fingerprint);
  out.set_fence(piece.fence);
  out.set_fill_seq(piece.fill_seq);
  if (piece.max_cursor.has_value()) out.set_max_cursor(*piece.max_cursor);
  out.set_spec_version(piece.spec_version);
  out.set_shown_clock_us(absl::ToUnixMicros(piece.shown.clock));
  out.set_shown_limit(piece.shown.limit);
  out.set_began_clock_us(absl::ToUnixMicros(piece.began));
  out.set_settled_through(piece.settled_through);
  out.set_bad_rows(piece.bad_rows);
  if (piece.checksum.has_value()) *out.mutable_checksum() = ChecksumToProto(*piece.checksum);
  return out;
}

absl::StatusOr<Piece> FromSnapshot(const v1::PieceSnapshot& piece) {
  Piece out;
  out.range = {piece.range().from(), piece.range().to()};
  out.fingerprint = FromProto(piece.fingerprint());
  out.fence = piece.fence();
  out.fill_seq = piece.fill_seq();
  if (piece.has_max_cursor()) out.max_cursor = piece.max_cursor();
  out.spec_version = piece.spec_version();
  out.shown.clock = absl::FromUnixMicros(piece.shown_clock_us());
  out.shown.limit = piece.shown_limit();
  out.began = absl::FromUnixMicros(piece.began_clock_us());
  out.settled_through = piece.settled_through();
  out.bad_rows = piece.bad_rows();
  if (piece.has_checksum()) {
    ASSIGN_OR_RETURN(out.checksum, ChecksumFromProto(piece.checksum()));
  }
  return out;
}

v1::OutsideSnapshot ToSnapshot(const OutsidePiece& outside) {
  v1::OutsideSnapshot out;
  *out.mutable_fingerprint() = ToProto(outside.fingerprint);
  out.set_fence(outside.fence);
  out.set_fill_seq(outside.fill_seq);
  out.set_spec_version(outside.spec_version);
  out.set_outside_end(outside.end);
  out.set_future_rows(outside.future_rows);
  out.set_bad_rows(outside.bad_rows);
  return out;
}

OutsidePiece FromSnapshot(const v1::OutsideSnapshot& outside) {
  return {FromProto(outside.fingerprint()),
          outside.fence(),
          outside.fill_seq(),
          outside.spec_version(),
          outside.outside_end(),
          outside.future_rows(),
          outside.bad_rows()};
}

v1::DatasetProgress ProgressOf(const DatasetState& dataset) {
  v1::DatasetProgress progress;
  for (const auto& [from, piece] : dataset.coverage.pieces())
    *progress.add_pieces() = ToSnapshot(piece);
  if (dataset.outside.has_value()) *progress.mutable_outside() = ToSnapshot(*dataset.outside);
  PutNeeds(dataset.needs, progress.mutable_needs());
  progress.set_outside_need(dataset.outside_need);
  if (dataset.domain.has_value()) {
    progress.set_begin(dataset.domain->from);
    progress.set_end(dataset.domain->to);
  }
  if (dataset.first_load_settled) progress.set_settled_to(dataset.settled_to);
  if (dataset.joined_from.has_value()) progress.set_joined_from(*dataset.joined_from);
  progress.set_table_rows(dataset.table_rows);
  progress.set_adopted(dataset.adopted);
  return progress;
}

namespace {

absl::Status CheckNumbers(absl::string_view what, int64_t rows, int64_t bad_rows, int64_t fence,
                          int64_t fill_seq, int64_t last_sequence) {
  if (rows < 0 || bad_rows < 0 || bad_rows > rows) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": ", rows, " rows, of which ", bad_rows, " are in the quarantine"));
  }
  if (fence < 1 || fence > last_sequence || fill_seq < 0 || fill_seq > last_sequence) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": expected a fence from 1 to ",
                                                   last_sequence, " (the ledger's last), found ",
                                                   fence, ", confirmed by ", fill_seq));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckProgress(const v1::DatasetProgress& progress, int64_t last_sequence) {
  int64_t end = std::numeric_limits<int64_t>::min();
  for (const v1::PieceSnapshot& piece : progress.pieces()) {
    const std::string what =
        absl::StrCat("piece [", piece.range().from(), ", ", piece.range().to(), ")");
    if (piece.range().from() >= piece.range().to() || piece.range().from() < end) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": expected a range that begins at ", end, " or later"));
    }
    end = piece.range().to();
    RETURN_IF_ERROR(CheckNumbers(what, piece.fingerprint().rows(), piece.bad_rows(), piece.fence(),
                                 piece.fill_seq(), last_sequence));
    RETURN_IF_ERROR(Annotate(FromSnapshot(piece).status(), what));
  }
  if (progress.has_outside()) {
    const v1::OutsideSnapshot& outside = progress.outside();
    RETURN_IF_ERROR(CheckNumbers("the outside piece", outside.fingerprint().rows(),
                                 outside.bad_rows(), outside.fence(), outside.fill_seq(),
                                 last_sequence));
  }
  for (const v1::Range& stale : progress.stale()) {
    if (stale.from() >= stale.to()) return absl::InvalidArgumentError("a stale range is empty");
  }
  if (progress.has_begin() != progress.has_end() ||
      (progress.has_begin() && progress.begin() >= progress.end())) {
    return absl::InvalidArgumentError(absl::StrCat("expected a domain that is not empty, found [",
                                                   progress.begin(), ", ", progress.end(), ")"));
  }
  return absl::OkStatus();
}

void SetProgress(const v1::DatasetProgress& progress, int64_t sequence, DatasetState& dataset) {
  dataset.coverage = Coverage();
  for (const v1::PieceSnapshot& piece : progress.pieces()) {
    absl::StatusOr<Piece> restored = FromSnapshot(piece);
    HW_CHECK(restored.ok());
    dataset.coverage.Put(*std::move(restored));
  }
  dataset.outside.reset();
  if (progress.has_outside()) dataset.outside = FromSnapshot(progress.outside());
  dataset.needs = TakeNeeds(progress.needs());
  for (const v1::Range& stale : progress.stale())
    dataset.needs.Raise({stale.from(), stale.to()}, sequence);
  dataset.outside_need = progress.outside_stale() ? sequence : progress.outside_need();
  dataset.domain.reset();
  if (progress.has_begin()) dataset.domain = Range{progress.begin(), progress.end()};
  dataset.first_load_settled = progress.has_settled_to();
  dataset.settled_to =
      progress.has_settled_to() ? progress.settled_to() : std::numeric_limits<int64_t>::min();
  dataset.joined_from.reset();
  if (progress.has_joined_from()) dataset.joined_from = progress.joined_from();
  dataset.table_rows = progress.table_rows();
  dataset.adopted = progress.adopted();
  dataset.compaction_from = std::numeric_limits<int64_t>::min();
  dataset.empty_around.reset();
}

}  // namespace headwater
