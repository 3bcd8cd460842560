// What a demand wants, once a probe has shown what there is.
#include <algorithm>

#include "common/model/model_proto.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

Range BackfillRange(const DatasetState& dataset, const v1::Demand& demand) {
  if (!dataset.domain.has_value() || !dataset.calendar.has_value()) return {};
  const CursorCalendar& calendar = *dataset.calendar;
  Range wanted = *dataset.domain;
  if (calendar.type() == CursorType::kNone) return wanted;
  if (calendar.type() == CursorType::kInteger) {
    if (demand.has_from_value()) wanted.from = std::max(wanted.from, demand.from_value());
    if (demand.has_to_value()) wanted.to = std::min(wanted.to, demand.to_value());
    return wanted;
  }
  if (demand.has_from_us()) {
    wanted.from =
        std::max(wanted.from, calendar.FromInstant(absl::FromUnixMicros(demand.from_us())));
  }
  if (demand.has_to_us()) {
    wanted.to = std::min(wanted.to, calendar.FromInstant(absl::FromUnixMicros(demand.to_us())));
  }
  return wanted;
}

namespace {

// The parts of `range`, in which something is needed, that a backfill of `mode` is for.
std::vector<Range> WantedOf(const DatasetState& dataset, v1::BackfillMode mode, Range range) {
  if (mode == v1::BACKFILL_MODE_MISSING) return dataset.coverage.Missing(range);
  RangeSet wanted(range);
  if (mode == v1::BACKFILL_MODE_STALE) {
    for (const Range& missing : dataset.coverage.Missing(range)) wanted.Subtract(missing);
  }
  return wanted.ranges();
}

// Where an incremental run must see what the source has now, whoever else reads there.
RangeSet OwnOf(const DatasetState& dataset, int64_t asked_after) {
  RangeSet own = dataset.NotSeen(asked_after);
  own.Add(dataset.LookbackRange());
  if (dataset.calendar->type() == CursorType::kNone) own.Add(*dataset.domain);
  for (const Range& missing : dataset.coverage.Missing(*dataset.domain)) own.Add(missing);
  for (const TailCheck& check : dataset.probe->tail) {
    if (dataset.Moved(check)) own.Add(check.range);
  }
  if (dataset.joined_from.has_value()) {
    own.Add({*dataset.joined_from, dataset.domain->to});
  }
  return own;
}

// Whether rows that were written with `columns` lack one of those `wanted`.
bool Lacks(const Schema& columns, const v1::Demand& wanted) {
  return std::any_of(wanted.columns().begin(), wanted.columns().end(), [&](const auto& name) {
    return std::none_of(columns.columns.begin(), columns.columns.end(),
                        [&](const Column& column) { return column.name == name; });
  });
}

// What a backfill reads again, whatever is known of it.
RangeSet AgainOf(const DatasetState& dataset, const v1::Demand& demand, Range window,
                 const TableState* table) {
  RangeSet again;
  if (demand.mode() == v1::BACKFILL_MODE_ALL) again.Add(window);
  if (demand.mode() == v1::BACKFILL_MODE_FAILED || demand.mode() == v1::BACKFILL_MODE_LISTED) {
    for (const v1::Range& range : demand.ranges())
      again.Add({std::max(range.from(), window.from), std::min(range.to(), window.to)});
  }
  if (demand.mode() == v1::BACKFILL_MODE_OUTDATED && table != nullptr) {
    for (const Piece* piece : dataset.coverage.Overlapping(window)) {
      const auto written = table->written.find(piece->spec_version);
      if (written != table->written.end() && Lacks(written->second, demand))
        again.Add(piece->range);
    }
  }
  return again;
}

// Raises what a backfill wants. Only for instants that it is for.
void ActivateBackfill(DatasetState& dataset, DemandState& demand, int64_t sequence,
                      const TableState* table) {
  const v1::BackfillMode mode = demand.demand.mode();
  const Range window = BackfillRange(dataset, demand.demand);
  if (!ReadsAgain(mode)) {
    for (const Range& missing : dataset.coverage.Missing(window)) dataset.needs.Raise(missing, 1);
    for (const SequenceMap::Entry& need : dataset.needs.Within(window)) {
      for (const Range& range : WantedOf(dataset, mode, need.range))
        demand.remaining.Raise(range, need.sequence);
    }
    return;
  }
  for (const Range& range : AgainOf(dataset, demand.demand, window, table).ranges()) {
    dataset.needs.Raise(range, sequence);
    demand.remaining.Raise(range, sequence);
  }
  if (!demand.demand.outside()) return;
  dataset.outside_need = demand.outside_remaining = sequence;
}

void ActivateTick(DatasetState& dataset, DemandState& demand, int64_t sequence,
                  const Surroundings& around) {
  const Range domain = *dataset.domain;
  const bool whole = dataset.calendar->type() == CursorType::kNone;
  if (whole && !demand.demand.force() && dataset.ChecksumHolds(around.at)) {
    ++demand.done;
    ++demand.unchanged;
    demand.rows_skipped += dataset.coverage.Find(domain)->fingerprint.rows;
  } else if (whole) {
    dataset.needs.Raise(domain, sequence);
  }
  dataset.needs.Raise(dataset.LookbackRange(), sequence);
  for (const Range& missing : dataset.coverage.Missing(domain)) dataset.needs.Raise(missing, 1);
  RangeSet left = around.backfilled;  // A tick does not wait until backfills are done.
  left.Subtract(OwnOf(dataset, around.asked_after));
  for (const SequenceMap::Entry& need : dataset.needs.Within(domain)) {
    RangeSet wanted(need.range);
    wanted.Subtract(left);
    for (const Range& range : wanted.ranges()) demand.remaining.Raise(range, need.sequence);
  }
}

}  // namespace

void SetAside(const DatasetState& dataset, const Blocked& blocked, DemandState& demand) {
  if (blocked.extent.range.has_value()) {
    for (const SequenceMap::Entry& left : demand.remaining.Within(*blocked.extent.range))
      demand.unfinished.Add(left.range);
  }
  demand.unfinished_outside |= blocked.extent.outside && demand.outside_remaining > 0;
  ++demand.failed;
  if (demand.problems.size() < kMaxListed) {
    demand.problems.push_back(
        {Describe(dataset, blocked.extent), blocked.attempts, blocked.failure});
  }
}

void ListFailed(const DatasetState& dataset, v1::Demand& demand) {
  for (const Blocked& blocked : dataset.blocked) {
    if (!blocked.quarantined) continue;
    if (blocked.extent.range.has_value()) *demand.add_ranges() = ToProto(*blocked.extent.range);
    if (blocked.extent.outside) demand.set_outside(true);
  }
}

void ActivateDemand(DatasetState& dataset, DemandState& demand, v1::RunKind kind, int64_t sequence,
                    const Surroundings& around) {
  demand.phase = DemandPhase::kActive;
  const bool tick = IsTick(kind, demand.demand);
  if (dataset.domain.has_value()) {
    if (tick) {
      ActivateTick(dataset, demand, sequence, around);
    } else {
      ActivateBackfill(dataset, demand, sequence, around.table);
    }
  }
  if (tick) demand.outside_remaining = dataset.outside_need;
  for (const Blocked& blocked : dataset.blocked) {
    if (!blocked.quarantined) continue;
    SetAside(dataset, blocked, demand);
    if (blocked.extent.range.has_value())
      demand.remaining.DropUpTo(*blocked.extent.range, INT64_MAX);
    if (blocked.extent.outside) demand.outside_remaining = 0;
  }
  demand.EndWhenComplete();
}

}  // namespace headwater
