// What a demand wants, once a probe has shown what there is.
#include <algorithm>

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

// The parts of `range`, in which something is needed, that a demand of `mode` is for.
std::vector<Range> WantedOf(const DatasetState& dataset, v1::BackfillMode mode, Range range,
                            const RangeSet& left) {
  if (mode == v1::BACKFILL_MODE_MISSING) return dataset.coverage.Missing(range);
  RangeSet wanted(range);
  wanted.Subtract(left);
  if (mode == v1::BACKFILL_MODE_STALE) {
    for (const Range& missing : dataset.coverage.Missing(range)) wanted.Subtract(missing);
  }
  return wanted.ranges();
}

// Where an incremental run must see what the source has now, whoever else reads there.
RangeSet OwnOf(const DatasetState& dataset) {
  RangeSet own(dataset.LookbackRange());
  if (dataset.calendar->type() == CursorType::kNone) own.Add(*dataset.domain);
  for (const Range& missing : dataset.coverage.Missing(*dataset.domain)) own.Add(missing);
  for (const TailCheck& check : dataset.probe->tail) {
    if (dataset.Moved(check)) own.Add(check.range);
  }
  if (dataset.joined_from.has_value()) {
    own.Add({std::min(*dataset.joined_from, dataset.domain->to - 1), dataset.domain->to});
  }
  return own;
}

}  // namespace

void ActivateDemand(DatasetState& dataset, DemandState& demand, v1::RunKind kind, int64_t sequence,
                    const RangeSet& backfilled) {
  demand.phase = DemandPhase::kActive;
  if (dataset.domain.has_value()) {
    const Range domain = *dataset.domain;
    Range wanted = domain;
    if (kind == v1::RUN_KIND_BACKFILL) {
      wanted = BackfillRange(dataset, demand.demand);
      const bool all = demand.demand.mode() == v1::BACKFILL_MODE_ALL;
      if (all && !wanted.empty()) dataset.needs.Raise(wanted, sequence);
    } else {
      if (dataset.calendar->type() == CursorType::kNone) dataset.needs.Raise(domain, sequence);
      dataset.needs.Raise(dataset.LookbackRange(), sequence);
    }
    for (const Range& missing : dataset.coverage.Missing(wanted)) dataset.needs.Raise(missing, 1);
    RangeSet left;  // To backfills: a tick does not wait until they are done.
    if (kind == v1::RUN_KIND_INCREMENTAL) {
      left = backfilled;
      left.Subtract(OwnOf(dataset));
    }
    for (const SequenceMap::Entry& need : dataset.needs.Within(wanted)) {
      for (const Range& range : WantedOf(dataset, demand.demand.mode(), need.range, left)) {
        demand.remaining.Raise(range, need.sequence);
      }
    }
  }
  if (kind == v1::RUN_KIND_INCREMENTAL) demand.outside_remaining = dataset.outside_need;
  for (const Blocked& blocked : dataset.blocked) {
    if (!blocked.quarantined) continue;
    if (blocked.extent.range.has_value())
      demand.remaining.DropUpTo(*blocked.extent.range, INT64_MAX);
    if (blocked.extent.outside) demand.outside_remaining = 0;
    ++demand.failed;
    if (demand.problems.size() < kMaxListed) {
      demand.problems.push_back(
          {Describe(dataset, blocked.extent), blocked.attempts, blocked.failure});
    }
  }
  demand.EndWhenComplete();
}

}  // namespace headwater
