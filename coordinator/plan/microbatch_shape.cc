#include "coordinator/plan/microbatch_shape.h"

#include <algorithm>
#include <optional>
#include <set>

namespace headwater {
namespace {

// What one microbatch should take: long enough to pay for itself, short enough to lose little when
// its worker dies, and to leave the server's connections to others in time.
constexpr double kTargetSeconds = 60, kTooLongSeconds = 120;

// As much of one end of `shape` as is read in about a minute, by what earlier reads took.
Range CutLong(const DatasetState& dataset, Range shape, bool last) {
  const std::optional<double> expected = dataset.history.SecondsOf(shape);
  if (!expected.has_value() || *expected <= kTooLongSeconds) return shape;
  const double share = kTargetSeconds / *expected;
  const auto width =
      std::max<int64_t>(1, static_cast<int64_t>(ReadHistory::WidthOf(shape) * share));
  int64_t at = last ? shape.to - width : shape.from + width;
  const CursorType type = dataset.calendar->type();
  if (type == CursorType::kInstant || type == CursorType::kWallClock) {
    // At a full hour, where there is one, which people find again.
    const int64_t hour = dataset.calendar->UnitStart(at, Unit{Unit::Kind::kHour, 1});
    if (hour > shape.from) at = hour;
  }
  return last ? Range{at, shape.to} : Range{shape.from, at};
}

// `shape`, one end of `wanted`, grown into the stretch around it that showed no rows: up to where
// something is loaded, and to the unit that begins with rows.
Range ThroughEmptiness(const DatasetState& dataset, Range shape, Range wanted, bool last,
                       const Unit& every) {
  if (!dataset.empty_around.has_value()) return shape;
  const Range& empty = *dataset.empty_around;
  if (shape.from < empty.from || shape.to > empty.to) return shape;
  const CursorCalendar& calendar = *dataset.calendar;
  Range grown = shape;
  if (last && empty.from <= wanted.from) {
    grown.from = wanted.from;
  } else if (last) {
    grown.from = calendar.UnitEnd(empty.from - 1, every);
  } else {
    grown.to = empty.to >= wanted.to ? wanted.to : calendar.UnitStart(empty.to, every);
  }
  for (const Piece* piece : dataset.coverage.Overlapping(grown)) {
    if (piece->empty()) continue;
    if (last) grown.from = std::max(grown.from, piece->range.to);
    if (!last) grown.to = std::min(grown.to, piece->range.from);
  }
  return {std::min(shape.from, grown.from), std::max(shape.to, grown.to)};
}

}  // namespace

Range ShapeOf(const DatasetState& dataset, Range wanted, const Pace& pace, bool through_emptiness) {
  const DatasetSpec& spec = dataset.spec;
  const CursorCalendar& calendar = *dataset.calendar;
  if (calendar.type() == CursorType::kNone) return {0, 1};
  const Unit& every = pace.every.kind == Unit::Kind::kNone ? spec.unit : pace.every;
  Range shape = wanted;
  if (pace.newest_first) {
    shape.from = std::max(wanted.from, calendar.UnitStart(wanted.to - 1, every));
  } else {
    shape.to = std::min(wanted.to, calendar.UnitEnd(wanted.from, every));
  }
  if (spec.strategy == Strategy::kIncremental && pace.every.kind == Unit::Kind::kNone)
    shape = CutLong(dataset, shape, pace.newest_first);
  if (through_emptiness) shape = ThroughEmptiness(dataset, shape, wanted, pace.newest_first, every);
  if (spec.strategy == Strategy::kPartition) {
    // A partition is read and replaced whole, up to the bound.
    const int64_t end = dataset.domain.has_value() ? dataset.domain->to : wanted.to;
    shape = {calendar.UnitStart(shape.from, spec.unit),
             std::min(calendar.UnitEnd(shape.to - 1, spec.unit), std::max(end, wanted.to))};
  } else if (const Piece* last = dataset.coverage.Last();
             last != nullptr && last->range.to == shape.from &&
             last->settled_through < last->range.to &&
             last->began + spec.settle / 4 > dataset.probe->source_clock) {
    // New rows extend the newest piece while it is young, so that ticks do not leave a piece each.
    shape.from = last->range.from;
  }
  return dataset.coverage.Widen(shape);
}

bool TailMovedIn(const DatasetState& dataset, const Range& range) {
  return std::any_of(
      dataset.probe->tail.begin(), dataset.probe->tail.end(),
      [&](const TailCheck& check) { return check.range.Overlaps(range) && dataset.Moved(check); });
}

namespace {

// Whether everything in the piece that begins before `at` and ends after it is as published, as far
// as the last probe can tell.
bool LiesInUnmovedPiece(const DatasetState& dataset, int64_t at) {
  for (const Piece* piece : dataset.coverage.Overlapping({at, at + 1})) {
    if (piece->range.from >= at) continue;
    return !TailMovedIn(dataset, piece->range);
  }
  return false;
}

// Rows stamped ahead of the clock make a piece that goes on to be moved by all that come until
// then. Cut at the clock, what lies before it can settle meanwhile; not more often than a new piece
// is begun at the bound.
std::optional<int64_t> CutByClock(const DatasetState& dataset) {
  const ProbeFacts facts = dataset.Facts();
  if (!dataset.domain.has_value() || facts.limit >= dataset.domain->to - 1) return std::nullopt;
  for (const Piece* piece : dataset.coverage.Overlapping({facts.limit, facts.limit + 1})) {
    const bool young = piece->began + dataset.spec.settle / 4 > facts.clock;
    if (young || LiesInUnmovedPiece(dataset, facts.limit)) return std::nullopt;
    return facts.limit;
  }
  return std::nullopt;
}

}  // namespace

std::vector<int64_t> CutsOf(const DatasetState& dataset, Range range) {
  const CursorCalendar& calendar = *dataset.calendar;
  if (calendar.type() == CursorType::kNone) return {};
  std::set<int64_t> cuts;
  const auto add = [&](int64_t at) {
    if (range.from < at && at < range.to) cuts.insert(at);
  };
  const Range empty = dataset.empty_around.value_or(Range{});
  for (int64_t at = calendar.UnitEnd(range.from, dataset.spec.unit); at < range.to;
       at = calendar.UnitEnd(at, dataset.spec.unit)) {
    // Where there are no rows, there is no need for borders.
    if (empty.from < at && at < empty.to)
      at = std::max(at, calendar.UnitStart(std::min(empty.to, range.to), dataset.spec.unit));
    add(at);
  }
  if (dataset.spec.strategy != Strategy::kPartition) {
    for (const Piece* piece : dataset.coverage.Overlapping(range)) {
      add(piece->range.from);
      add(piece->range.to);
    }
    // A piece that is read without having moved, for the lookback or a backfill, stays whole: its
    // halves would be a version of the table in which nothing has changed.
    if (!LiesInUnmovedPiece(dataset, dataset.settled_to)) add(dataset.settled_to);
    if (const std::optional<int64_t> clock = CutByClock(dataset)) add(*clock);
  }
  return {cuts.begin(), cuts.end()};
}

}  // namespace headwater
