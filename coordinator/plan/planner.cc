#include "coordinator/plan/planner.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_join.h"
#include "common/base/check.h"
#include "coordinator/plan/microbatch_shape.h"

namespace headwater {
namespace {

// A second of reading. Fewer rows would not pay for the connections.
constexpr int64_t kRowsPerConnection = 500'000;

// Ranges that cannot be claimed now, and the first instant at which one of them may be.
struct Busy {
  RangeSet ranges;
  bool outside = false;
  absl::Time retry_at = absl::InfiniteFuture();
};

Busy BusyNow(const DatasetState& dataset, absl::Time now) {
  Busy busy;
  for (const auto& [fence, claim] : dataset.claims) {
    if (claim.extent.range.has_value()) busy.ranges.Add(*claim.extent.range);
    busy.outside |= claim.extent.outside;
  }
  for (const Blocked& blocked : dataset.blocked) {
    if (!blocked.quarantined && blocked.not_before <= now) continue;
    if (blocked.extent.range.has_value()) busy.ranges.Add(*blocked.extent.range);
    busy.outside |= blocked.extent.outside;
    if (!blocked.quarantined) busy.retry_at = std::min(busy.retry_at, blocked.not_before);
  }
  return busy;
}

// The stretch of a demand's wishes that comes after `at`, by `last` the one before it.
std::optional<SequenceMap::Entry> NextWish(const DemandState& demand, int64_t at, bool last) {
  return last ? demand.remaining.LastBefore(at) : demand.remaining.FirstFrom(at);
}

// The one microbatch that takes rows from the outside piece into the domain.
std::optional<PlannedClaim> JoinedClaim(const DatasetState& dataset, const Busy& busy) {
  const Range moved =
      dataset.coverage.Widen(ShapeOf(dataset, {*dataset.joined_from, dataset.domain->to}, {}));
  const Range range{std::min(moved.from, *dataset.joined_from), dataset.domain->to};
  if (busy.outside || busy.ranges.Overlaps(range)) return std::nullopt;
  return PlannedClaim{{range, true}, CutsOf(dataset, range)};
}

// Looks for a claim in `wanted`, which nobody has. True: there is no need to look further.
bool FindClaimIn(const DatasetState& dataset, Range wanted, const Busy& busy, const Pace& pace,
                 std::optional<PlannedClaim>& claim) {
  const bool joined = dataset.joined_from.has_value() && dataset.domain.has_value();
  while (!wanted.empty()) {
    if (joined && wanted.to > *dataset.joined_from &&
        (wanted.from >= *dataset.joined_from || pace.newest_first)) {
      claim = JoinedClaim(dataset, busy);
      return true;
    }
    if (joined) wanted.to = std::min(wanted.to, std::max(*dataset.joined_from, wanted.from + 1));
    const int64_t end = joined ? *dataset.joined_from : INT64_MAX;
    Range shape = ShapeOf(dataset, wanted, pace);
    if (shape.to > end || busy.ranges.Overlaps(shape))
      shape = ShapeOf(dataset, wanted, pace, /*through_emptiness=*/false);
    if (shape.to > end) {  // A whole partition.
      claim = JoinedClaim(dataset, busy);
      return true;
    }
    if (!busy.ranges.Overlaps(shape)) {
      claim = PlannedClaim{{shape, false}, CutsOf(dataset, shape)};
      return true;
    }
    if (pace.newest_first) {
      wanted.to = std::min(wanted.to - 1, shape.from);
    } else {
      wanted.from = std::max(wanted.from + 1, shape.to);
    }
  }
  return false;
}

std::optional<PlannedClaim> FirstClaim(const DatasetState& dataset, const DemandState& demand,
                                       const Busy& busy, const Pace& pace) {
  std::optional<PlannedClaim> claim;
  const bool last = pace.newest_first;
  for (auto wish = NextWish(demand, last ? INT64_MAX : INT64_MIN, last); wish.has_value();
       wish = NextWish(demand, last ? wish->range.from : wish->range.to, last)) {
    std::vector<Range> free = busy.ranges.Outside(wish->range);
    if (last) std::reverse(free.begin(), free.end());
    for (const Range& wanted : free) {
      if (FindClaimIn(dataset, wanted, busy, pace, claim)) return claim;
    }
  }
  const bool joined = dataset.joined_from.has_value() && dataset.domain.has_value();
  if (demand.outside_remaining > 0 && !busy.outside)
    claim = joined ? JoinedClaim(dataset, busy) : PlannedClaim{{std::nullopt, true}, {}};
  return claim;
}

// Everything in one: files of the table go that nobody can say the piece of.
std::optional<PlannedClaim> WholeClaim(const DatasetState& dataset, const DemandState& demand,
                                       const Busy& busy) {
  if (!dataset.domain.has_value() || demand.met()) return std::nullopt;
  if (!dataset.claims.empty() || !busy.ranges.empty() || busy.outside) return std::nullopt;
  const Range range = dataset.coverage.Widen(*dataset.domain);
  const bool outside = dataset.calendar->type() != CursorType::kNone;
  return PlannedClaim{{range, outside}, CutsOf(dataset, range)};
}

}  // namespace

NextClaimResult NextClaim(const DatasetState& dataset, const DemandState& demand, absl::Time now,
                          const Pace& pace) {
  NextClaimResult result;
  if (demand.phase != DemandPhase::kActive || !dataset.calendar.has_value()) return result;
  // What is looked up by key is read by one attempt at a time, so that the newest read wins.
  if (dataset.spec.keyed() && !dataset.claims.empty()) return result;
  const Busy busy = BusyNow(dataset, now);
  result.retry_at = busy.retry_at;
  result.claim =
      dataset.adopted ? WholeClaim(dataset, demand, busy) : FirstClaim(dataset, demand, busy, pace);
  return result;
}

int WantedConnections(const DatasetState& dataset) {
  const bool whole =
      dataset.spec.strategy == Strategy::kFull || dataset.spec.strategy == Strategy::kStatic;
  if (!whole || dataset.spec.keyed()) return 1;
  if (!dataset.probe.has_value() || !dataset.probe->divisible) return 1;
  const int most = dataset.spec.server.max_connections;
  if (dataset.spec.read_connections > 0) return std::min(dataset.spec.read_connections, most);
  const int64_t by_rows = dataset.probe->estimated_rows / kRowsPerConnection;
  return static_cast<int>(std::clamp<int64_t>(by_rows, 1, std::max(1, most - 1)));
}

MicrobatchTask MicrobatchOf(const DatasetState& dataset, const Claim& claim) {
  MicrobatchTask task;
  task.extent = claim.extent;
  task.cuts = claim.cuts;
  task.cursor_type = dataset.calendar->type();
  task.domain_end = claim.outside_end;
  task.connections = claim.connections;
  task.differing = claim.differing;
  task.histories = claim.histories;
  task.look_around = claim.extent.range.has_value() && !claim.extent.outside &&
                     task.cursor_type != CursorType::kNone &&
                     claim.extent.range->to < dataset.domain->to;
  for (const Extent& piece : PiecesOf(claim.extent, claim.cuts)) {
    if (piece.range.has_value()) {
      const Piece* known = dataset.coverage.Known(*piece.range);
      // Without a version nobody knows that it is whole: it is written whatever is read.
      if (known != nullptr && !known->spec_version.empty()) {
        task.known.push_back({piece, known->fingerprint, known->spec_version,
                              known->range == *piece.range ? known->checksum : std::nullopt});
      }
    } else if (dataset.outside.has_value() && !dataset.outside->spec_version.empty()) {
      task.known.push_back({piece, dataset.outside->fingerprint, dataset.outside->spec_version});
    }
  }
  return task;
}

namespace {

// What of an extent's range is loaded.
struct Loaded {
  bool some = false, all = false;
  int64_t rows = 0;
};

Loaded LoadedIn(const DatasetState& dataset, const Extent& extent) {
  Loaded loaded;
  if (!extent.range.has_value()) return loaded;
  for (const Piece* piece : dataset.coverage.Overlapping(*extent.range)) {
    loaded.some = true;
    loaded.rows += piece->fingerprint.rows;
  }
  loaded.all = loaded.some && dataset.coverage.Missing(*extent.range).empty();
  return loaded;
}

std::string WhyRead(const DatasetState& dataset, const DemandState& demand, const Extent& extent,
                    const Loaded& loaded) {
  if (!extent.range.has_value()) return "outside";
  if (!loaded.all) return loaded.some ? "new rows" : "never loaded";
  if (ReadsAgain(demand.demand.mode())) return "asked";
  if (TailMovedIn(dataset, *extent.range)) return "changed";
  if (dataset.calendar->type() == CursorType::kNone) return "read whole each time";
  return dataset.LookbackRange().Overlaps(*extent.range) ? "lookback" : "stale";
}

// Rows of `range`: as they were read before, else as the source's statistics have them; where those
// say only how many there are in all, as if they were spread evenly.
int64_t RowsIn(const DatasetState& dataset, const ValueSpread& spread, const Range& range,
               const Loaded& loaded) {
  if (loaded.all) return loaded.rows;
  if (!spread.empty()) return std::llround(spread.RowsIn(range));
  if (dataset.probe->estimated_rows < 0) {
    const std::optional<double> rows = dataset.history.RowsOf(range);
    return rows.has_value() ? static_cast<int64_t>(*rows) : -1;
  }
  const double share = ReadHistory::WidthOf(range) / ReadHistory::WidthOf(*dataset.domain);
  return static_cast<int64_t>(std::min(1.0, share) *
                              static_cast<double>(dataset.probe->estimated_rows));
}

PlannedMicrobatch Estimated(const DatasetState& dataset, const ValueSpread& spread,
                            const DemandState& demand, const Extent& extent, const Loaded& loaded) {
  PlannedMicrobatch planned{extent, WhyRead(dataset, demand, extent, loaded)};
  if (!extent.range.has_value()) {
    planned.rows = dataset.probe->null_rows + dataset.probe->future_rows;
  } else {
    planned.rows = RowsIn(dataset, spread, *extent.range, loaded);
    planned.seconds = dataset.history.SecondsOf(*extent.range).value_or(-1);
  }
  const std::optional<double> row_bytes = dataset.history.BytesPerRow();
  if (planned.rows >= 0 && row_bytes.has_value())
    planned.bytes = static_cast<int64_t>(*row_bytes * static_cast<double>(planned.rows));
  return planned;
}

// -1 is unknown, and what is known of one part is not of the whole.
template <typename Number>
void AddKnown(Number& sum, Number part, bool first) {
  sum = part < 0 || (sum < 0 && !first) ? Number(-1) : (first ? part : sum + part);
}

}  // namespace

DemandPlan PlanDemand(const DatasetState& dataset, const DemandState& demand, const Pace& pace,
                      int limit) {
  DemandPlan plan;
  DemandState rest = demand;
  bool missing = false, again = false, moved = false;
  const Busy busy = BusyNow(dataset, absl::InfiniteFuture());
  const ValueSpread spread(dataset.probe.has_value() ? dataset.probe->spread
                                                     : std::vector<SpreadStep>());
  while (demand.phase == DemandPhase::kActive && dataset.calendar.has_value() && !rest.met()) {
    const std::optional<PlannedClaim> claim = FirstClaim(dataset, rest, busy, pace);
    if (!claim.has_value()) break;  // The rest is in flight or quarantined.
    const Extent& extent = claim->extent;
    const Loaded loaded = LoadedIn(dataset, extent);
    PlannedMicrobatch planned = Estimated(dataset, spread, demand, extent, loaded);
    const bool first = ++plan.microbatches == 1;
    AddKnown(plan.rows, planned.rows, first);
    AddKnown(plan.bytes, planned.bytes, first);
    AddKnown(plan.seconds, planned.seconds, first);
    if (extent.range.has_value()) {
      missing |= !loaded.all;
      again |= loaded.some;
      rest.remaining.DropUpTo(*extent.range, INT64_MAX);
    }
    if (extent.outside) {
      moved = true;
      rest.outside_remaining = 0;
    }
    if (static_cast<int>(plan.listed.size()) < limit) plan.listed.push_back(std::move(planned));
  }
  std::vector<std::string> reasons;
  if (missing) reasons.push_back(dataset.coverage.pieces().empty() ? "never loaded" : "new rows");
  if (again) reasons.push_back("read again and compared");
  if (moved) reasons.push_back("rows outside the domain");
  plan.why = reasons.empty() ? "nothing to do" : absl::StrJoin(reasons, ", ");
  return plan;
}

}  // namespace headwater
