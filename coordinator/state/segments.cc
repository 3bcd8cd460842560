#include "coordinator/state/segments.h"

#include <algorithm>
#include <set>
#include <string>

#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

struct Segment {
  Range range;
  std::string state;
  int64_t pieces = 0, rows = 0;
  bool settled = true;
};

// Where something begins or ends.
std::set<int64_t> Borders(const DatasetState& dataset, Range all) {
  std::set<int64_t> borders;
  const auto add = [&](const Range& range) {
    borders.insert(std::clamp(range.from, all.from, all.to));
    borders.insert(std::clamp(range.to, all.from, all.to));
  };
  add(all);
  for (const auto& [from, piece] : dataset.coverage.pieces()) add(piece.range);
  for (const SequenceMap::Entry& need : dataset.needs.entries()) add(need.range);
  for (const auto& [fence, claim] : dataset.claims) {
    if (claim.extent.range.has_value()) add(*claim.extent.range);
  }
  for (const Blocked& blocked : dataset.blocked) {
    if (blocked.extent.range.has_value()) add(*blocked.extent.range);
  }
  return borders;
}

std::string StateOf(const DatasetState& dataset, const Extent& extent, bool covered, bool needed) {
  if (dataset.OverlapsClaim(extent)) return "in flight";
  const Blocked* blocked = dataset.FindBlocked(extent);
  if (blocked != nullptr && blocked->quarantined) return "failed";
  if (!covered) return dataset.adopted ? "stale" : "missing";
  return needed ? "stale" : "fresh";
}

v1::StateSegment ToProto(const DatasetState& dataset, const Segment& segment) {
  v1::StateSegment out;
  const bool whole = dataset.calendar.has_value() && dataset.calendar->type() == CursorType::kNone;
  out.set_extent(whole ? "everything" : Describe(dataset, {segment.range, false}));
  out.set_state(segment.state);
  out.set_pieces(segment.pieces);
  out.set_rows(segment.rows);
  out.set_settled(segment.settled && segment.pieces > 0);
  return out;
}

void AddOutside(const DatasetState& dataset, std::vector<v1::StateSegment>& segments) {
  const Extent extent{std::nullopt, true};
  if (!dataset.outside.has_value() && dataset.outside_need == 0) return;
  v1::StateSegment& out = segments.emplace_back();
  out.set_extent(Describe(dataset, extent));
  out.set_state(StateOf(dataset, extent, dataset.outside.has_value(), dataset.outside_need != 0));
  if (!dataset.outside.has_value()) return;
  out.set_pieces(1);
  out.set_rows(dataset.outside->fingerprint.rows);
}

}  // namespace

std::vector<v1::StateSegment> SegmentsOf(const DatasetState& dataset) {
  std::vector<v1::StateSegment> out;
  std::optional<Range> all = dataset.coverage.Hull();
  if (dataset.domain.has_value()) {
    const Range hull = all.value_or(*dataset.domain);
    all = Range{std::min(hull.from, dataset.domain->from), std::max(hull.to, dataset.domain->to)};
  }
  if (dataset.adopted && !all.has_value()) {
    v1::StateSegment& adopted = out.emplace_back();
    adopted.set_extent("everything");
    adopted.set_state("stale");
  }
  std::vector<Segment> segments;
  const std::set<int64_t> borders = all.has_value() ? Borders(dataset, *all) : std::set<int64_t>();
  for (auto it = borders.begin(); it != borders.end() && std::next(it) != borders.end(); ++it) {
    const Range cell{*it, *std::next(it)};
    const auto covering = dataset.coverage.Overlapping(cell);
    const Piece* piece = covering.empty() ? nullptr : covering.front();
    const std::string state =
        StateOf(dataset, {cell, false}, piece != nullptr, !dataset.needs.Within(cell).empty());
    if (segments.empty() || segments.back().state != state)
      segments.push_back({{cell.from, cell.from}, state});
    Segment& segment = segments.back();
    segment.range.to = cell.to;
    if (piece == nullptr) continue;
    segment.settled &= piece->settled_through >= piece->range.to;
    if (piece->range.from != cell.from) continue;  // Counted where it begins.
    ++segment.pieces;
    segment.rows += piece->fingerprint.rows;
  }
  for (const Segment& segment : segments) out.push_back(ToProto(dataset, segment));
  AddOutside(dataset, out);
  return out;
}

}  // namespace headwater
