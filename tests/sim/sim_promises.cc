// What SimWorld holds true of rows: a run that says done has what was there when it was asked for,
// and in the end the table is the source.
#include <algorithm>
#include <iterator>
#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "tests/sim/sim_world.h"

namespace headwater {

// I9: a source that has lost rows which had settled is not gone on with, unless it may be.
void SimWorld::CheckGap(const v1::Probed& probed) {
  const DatasetId id = IdOf(probed.dataset());
  const DatasetState& dataset = *core_->state().FindDataset(id);
  const CursorType type = sources_.at(id).cursor_type;
  if (type == CursorType::kNone) return;
  const int64_t bound =
      probed.result().has_bound() ? probed.result().bound() : std::numeric_limits<int64_t>::min();
  for (const auto& [from, piece] : dataset.coverage.pieces()) {
    // What the reload makes unsettled had been so before.
    if (!piece.max_cursor.has_value() || *piece.max_cursor <= bound) continue;
    if (dataset.spec.reload_on_regress) {
      ++counts_.gaps;
    } else if (piece.range.to <= dataset.settled_to) {
      Fail(absl::StrCat(ToString(id), " has lost rows that had settled, and is gone on with"));
    }
  }
}

void SimWorld::CheckPromise(const RunState& run) {
  const auto asked = asked_at_.find(run.idempotency_key);
  if (asked == asked_at_.end()) return Fail("a run has a key that nobody chose");
  for (const auto& [id, demand] : run.demands) {
    if (asked->second >= calm_since_ &&
        demand.phase == DemandPhase::kFailed) {  // I12: nothing is in its way any more.
      const auto& problems = demand.problems;
      Fail(absl::StrCat(ToString(id), " failed in all calm: ",
                        problems.empty() ? "" : problems.back().failure.status.ToString()));
    }
    if (demand.phase != DemandPhase::kDone) continue;
    const bool tick = IsTick(run.kind, demand.demand);
    const bool again = demand.demand.mode() == v1::BACKFILL_MODE_ALL;
    if (tick || again) CheckDemand(sources_.at(id), demand, tick, asked->second);
  }
}

void SimWorld::CheckDemand(const SimSource& source, const DemandState& demand, bool tick,
                           absl::Time asked) {
  if (tick && source.dirty) return;
  ++counts_.kept_promises;
  const DatasetId& id = source.spec.id;
  Range window{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
  if (!tick) window = BackfillRange(*core_->state().FindDataset(id), demand.demand);
  const auto wanted = [&](const SimRow& row) {
    // Ticks alone look outside. What may come into the domain while they run is another's, then.
    const bool null = !row.cursor.has_value();
    const bool ahead =
        !null && source.cursor_type == CursorType::kInstant &&
        *row.cursor > absl::ToUnixMicros(source.ClockAt(asked) + source.spec.max_ahead);
    return !ahead && (tick || source.whole() || (!null && window.Contains(*row.cursor)));
  };
  if (source.spec.keyed()) return CheckKeyedDemand(source, wanted, asked);
  std::unordered_set<uint64_t> seen;
  for (const SimPiece& piece : table_[id])
    seen.insert(piece.contents.begin(), piece.contents.end());
  for (const SimRow& row : source.rows) {
    if (!wanted(row)) continue;
    if (row.visible_at <= asked && row.gone_at > now_ && !seen.contains(row.content)) {
      return Fail(absl::StrCat(ToString(id), ": a run is done and lacks row ", row.content,
                               DescribeLost(id, {row.content})));
    }
    if (!tick && row.gone_at <= asked && seen.contains(row.content))
      return Fail(absl::StrCat(ToString(id), ": a backfill is done and left row ", row.content,
                               DescribeLost(id, {row.content})));
  }
}

std::string SimWorld::DescribeLost(const DatasetId& id, const std::vector<uint64_t>& lost) const {
  if (lost.empty()) return "";
  const DatasetState& dataset = *core_->state().FindDataset(id);
  const std::vector<SimRow>& rows = sources_.at(id).rows;
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const SimRow& r) { return r.content == lost.front(); });
  if (row == rows.end() || !row->cursor.has_value() || !dataset.calendar.has_value())
    return "; the first has no cursor";
  const int64_t cursor = *row->cursor;
  std::string text =
      absl::StrCat("; the first is stamped ", dataset.calendar->Format(cursor), ", visible ",
                   absl::FormatTime(row->visible_at, absl::UTCTimeZone()), ", gone ",
                   absl::FormatTime(row->gone_at, absl::UTCTimeZone()), "; settled to ",
                   dataset.calendar->Format(dataset.settled_to), ", domain ",
                   dataset.domain.has_value() ? dataset.calendar->Format(*dataset.domain) : "none",
                   ", sight ", static_cast<int>(sources_.at(id).sight));
  for (const auto& [from, piece] : dataset.coverage.pieces()) {
    if (!piece.range.Contains(cursor)) continue;
    absl::StrAppend(&text, ", in piece ", dataset.calendar->Format(piece.range), " of fence ",
                    piece.fence, " (shown ",
                    absl::FormatTime(piece.shown.clock, absl::UTCTimeZone()), ", settled through ",
                    dataset.calendar->Format(piece.settled_through), ")");
  }
  return text;
}

// I1
void SimWorld::CheckAgainstSources() {
  for (const auto& [id, source] : sources_) {
    if (source.spec.keyed()) {
      CheckKeysAgainstSource(source);
      continue;
    }
    std::vector<uint64_t> expected, seen;
    for (const SimRow& row : source.rows) {
      if (row.IsVisible(now_)) expected.push_back(row.content);
    }
    for (const SimPiece& piece : table_[id])
      seen.insert(seen.end(), piece.contents.begin(), piece.contents.end());
    std::sort(expected.begin(), expected.end());
    std::sort(seen.begin(), seen.end());
    if (seen == expected) continue;
    std::vector<uint64_t> lost, extra;
    std::set_difference(expected.begin(), expected.end(), seen.begin(), seen.end(),
                        std::back_inserter(lost));
    std::set_difference(seen.begin(), seen.end(), expected.begin(), expected.end(),
                        std::back_inserter(extra));
    Fail(absl::StrCat(ToString(id), " (", StrategyToString(source.spec.strategy),
                      "): ", lost.size(), " rows lost, ", extra.size(), " rows twice or wrong, of ",
                      expected.size(), source.dirty ? " (dirty)" : "",
                      DescribeLost(id, lost.empty() ? extra : lost)));
  }
}

}  // namespace headwater
