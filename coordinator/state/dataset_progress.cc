// How far a dataset is, as people are told.
#include <algorithm>

#include "coordinator/state/dataset_state.h"

namespace headwater {

int64_t DatasetState::rows() const {
  if (spec.keyed()) return table_rows + bad_rows();
  int64_t rows = outside.has_value() ? outside->fingerprint.rows : 0;
  for (const auto& [from, piece] : coverage.pieces()) rows += piece.fingerprint.rows;
  return rows;
}

int64_t DatasetState::bad_rows() const {
  int64_t rows = outside.has_value() ? outside->bad_rows : 0;
  for (const auto& [from, piece] : coverage.pieces()) rows += piece.bad_rows;
  return rows;
}

std::optional<absl::Duration> DatasetState::SilentFor() const {
  if (!probe.has_value() || !probe->bound.has_value() ||
      probe->cursor_type == CursorType::kInteger || probe->cursor_type == CursorType::kNone) {
    return std::nullopt;
  }
  const absl::Duration quiet = probe->source_clock - calendar->ToInstant(*probe->bound);
  if (quiet <= spec.server.silent_after) return std::nullopt;
  return quiet;
}

std::optional<int64_t> DatasetState::Watermark() const {
  if (!domain.has_value() || coverage.pieces().empty()) return std::nullopt;
  const std::vector<Range> missing = coverage.Missing(*domain);
  return missing.empty() ? domain->to : missing.front().from;
}

absl::Time DatasetState::CompleteThrough() const {
  if (!probe.has_value() || !domain.has_value()) return absl::InfinitePast();
  const absl::Time seen =
      std::min({probe->source_clock, probe->oldest_transaction.value_or(absl::InfiniteFuture()),
                probe->replay_time.value_or(absl::InfiniteFuture())});
  absl::Time through = seen - EffectiveSettle();
  if (calendar->type() == CursorType::kNone) {
    return needs.empty() && !coverage.pieces().empty() ? through : absl::InfinitePast();
  }
  if (calendar->type() == CursorType::kInteger) return absl::InfinitePast();
  int64_t first_not_fresh = std::numeric_limits<int64_t>::max();
  const std::vector<Range> missing = coverage.Missing(*domain);
  if (!missing.empty()) first_not_fresh = missing.front().from;
  if (const auto need = needs.FirstFrom(domain->from))
    first_not_fresh = std::min(first_not_fresh, need->range.from);
  if (first_not_fresh == std::numeric_limits<int64_t>::max()) return through;
  return std::min(through, calendar->ToInstant(first_not_fresh));
}

}  // namespace headwater
