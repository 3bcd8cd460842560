// What a claim's end means for the demands that it serves, in numbers for the summary; and what
// sort of demands there are.
#include "coordinator/state/cluster_state.h"
#include "coordinator/state/trusted.h"

namespace headwater {

namespace {

void CountKeyed(DemandState& demand, const Manifest& manifest) {
  const KeyedChange& change = *manifest.keyed;
  demand.rows_new += change.new_rows;
  demand.rows_changed += change.changed_rows;
  demand.rows_same += change.same_rows;
  demand.rows_deleted += change.deleted_rows;
  demand.rows_duplicate += change.duplicate_rows;
  demand.rows_written += change.new_rows + change.changed_rows;
  for (const StagedPiece& piece : manifest.pieces) {
    demand.pieces_written += piece.unchanged ? 0 : 1;
    demand.bad_rows += piece.unchanged ? 0 : piece.bad_rows;
  }
}

}  // namespace

void CountClaim(DemandState& demand, const DatasetState& dataset, const Claim& claim,
                bool changed) {
  ++demand.done;
  if (!changed) ++demand.unchanged;
  if (!claim.manifest.has_value()) return;
  demand.rows_read += claim.manifest->rows_read;
  demand.bytes_read += claim.manifest->bytes_read;
  demand.bytes_written += claim.manifest->bytes_staged;
  demand.truncated_values += claim.manifest->truncated_values;
  demand.rows_skipped += claim.manifest->rows_skipped;
  if (claim.manifest->keyed.has_value()) return CountKeyed(demand, *claim.manifest);
  for (const StagedPiece& piece : claim.manifest->pieces) {
    if (piece.unchanged) continue;
    ++demand.pieces_written;
    demand.rows_written += piece.fingerprint.rows - piece.bad_rows;
    demand.bad_rows += piece.bad_rows;
    const bool replaces = piece.extent.range.has_value()
                              ? !dataset.coverage.Overlapping(*piece.extent.range).empty()
                              : dataset.outside.has_value();
    if (replaces && demand.rewritten.size() < kMaxListed) {
      demand.rewritten.push_back(Describe(dataset, piece.extent));
    }
  }
}

bool IsTick(v1::RunKind kind, const v1::Demand& demand) {
  return kind == v1::RUN_KIND_INCREMENTAL ||
         (kind == v1::RUN_KIND_RETRY && demand.mode() == v1::BACKFILL_MODE_UNSPECIFIED);
}

bool ReadsAgain(v1::BackfillMode mode) {
  return mode == v1::BACKFILL_MODE_ALL || mode == v1::BACKFILL_MODE_FAILED ||
         mode == v1::BACKFILL_MODE_OUTDATED || mode == v1::BACKFILL_MODE_LISTED;
}

Pace PaceOf(const v1::Pace& pace) {
  Pace result{{}, pace.newest_first(), pace.max_active(), pace.max_per_server()};
  if (!pace.has_every()) return result;
  result.every = Trusted(pace.every());
  return result;
}

v1::Pace ToProto(const Pace& pace) {
  v1::Pace result;
  if (pace.every.kind != Unit::Kind::kNone) *result.mutable_every() = ToProto(pace.every);
  result.set_newest_first(pace.newest_first);
  result.set_max_active(pace.max_active);
  result.set_max_per_server(pace.max_per_server);
  return result;
}

}  // namespace headwater
