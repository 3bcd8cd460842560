#include "worker/change/version_merge.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "worker/change/version_check.h"

namespace headwater {
namespace {

using Kind = VersionChange::Kind;
using Content = NewVersion::Content;
using Outcome = MergeResult::Outcome;

// A content at an instant, and who has it: an existing version, a row of this call, or both.
struct Point {
  int64_t at = 0;
  Hash128 hash = {};
  std::optional<int> version = std::nullopt;
  std::optional<int> row = std::nullopt;
};

const Version& At(absl::Span<const Version> versions, int index) {
  return versions[static_cast<size_t>(index)];
}

std::vector<Observation> Sorted(absl::Span<const Observation> observations,
                                const MergeOptions& options) {
  std::vector<Observation> sorted(observations.begin(), observations.end());
  if (options.read == HistoryRead::kWhole) {
    for (Observation& seen : sorted) seen.at = options.read_at;
  }
  std::sort(sorted.begin(), sorted.end(), [](const Observation& a, const Observation& b) {
    return std::pair(a.at, a.row) < std::pair(b.at, b.row);
  });
  return sorted;
}

std::optional<VersionConflict> ConflictIn(absl::Span<const Observation> sorted) {
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i - 1].at == sorted[i].at && !(sorted[i - 1].hash == sorted[i].hash)) {
      return VersionConflict{sorted[i].at, sorted[i - 1].row, sorted[i].row};
    }
  }
  return std::nullopt;
}

// What the existing versions, sound and in this order, say was seen: ascending.
std::vector<Point> PointsOf(absl::Span<const Version> existing, absl::Span<const int> order) {
  std::vector<Point> points;
  for (const int index : order) {
    const Version& version = At(existing, index);
    points.push_back({version.valid_from, version.hash, index});
    for (const int64_t at : version.confirmed) points.push_back({at, version.hash, index});
  }
  return points;
}

// All that was ever observed, ascending, one point an instant.
std::vector<Point> Joined(absl::Span<const Point> known, absl::Span<const Observation> sorted) {
  std::vector<Point> points;
  points.reserve(known.size() + sorted.size());
  size_t next = 0;
  for (const Observation& seen : sorted) {
    if (!points.empty() && points.back().row.has_value() && points.back().at == seen.at) continue;
    while (next < known.size() && known[next].at < seen.at) points.push_back(known[next++]);
    Point point{seen.at, seen.hash, std::nullopt, seen.row};
    if (next < known.size() && known[next].at == seen.at) {
      // A restated content takes the instant away from the version that had it.
      if (known[next].hash == seen.hash) point.version = known[next].version;
      ++next;
    }
    points.push_back(point);
  }
  points.insert(points.end(), known.begin() + static_cast<ptrdiff_t>(next), known.end());
  return points;
}

// Consecutive points of one content, [from, to) of all points.
struct Run {
  size_t from = 0, to = 0;
};

std::vector<Run> RunsOf(absl::Span<const Point> points) {
  std::vector<Run> runs;
  for (size_t i = 0; i < points.size(); ++i) {
    if (i == 0 || !(points[i].hash == points[i - 1].hash)) runs.push_back({i, i});
    runs.back().to = i + 1;
  }
  return runs;
}

VersionTimes TimesOfRun(absl::Span<const Point> points, const Run& run) {
  VersionTimes times;
  times.valid_from = points[run.from].at;
  if (run.to < points.size()) times.valid_to = points[run.to].at;
  times.is_current = !times.valid_to.has_value();
  for (size_t i = run.from + 1; i < run.to; ++i) times.confirmed.push_back(points[i].at);
  return times;
}

// The earliest existing version with an observation in the run that is not taken over yet. As
// versions and runs both follow in time, this first come, first served takes over as many as can
// be.
std::optional<int> Heir(absl::Span<const Point> run, const VersionPlan& plan) {
  for (const Point& point : run) {
    if (!point.version.has_value()) continue;
    if (plan.changes[static_cast<size_t>(*point.version)].kind == Kind::kDrop) return point.version;
  }
  return std::nullopt;
}

NewVersion Added(absl::Span<const Point> run, VersionTimes times) {
  NewVersion added{std::move(times), run.front().hash};
  for (const Point& point : run) {
    if (!point.row.has_value()) continue;
    added.from = *point.row;
    return added;
  }
  added.content = Content::kVersion;
  added.from = *run.front().version;  // Without a row of this call each point has its version.
  return added;
}

VersionPlan PlanRanges(absl::Span<const Version> existing, absl::Span<const Point> points) {
  VersionPlan plan;
  plan.changes.assign(existing.size(), {Kind::kDrop});
  for (const Run& run : RunsOf(points)) {
    VersionTimes times = TimesOfRun(points, run);
    const absl::Span<const Point> own = points.subspan(run.from, run.to - run.from);
    const std::optional<int> heir = Heir(own, plan);
    if (!heir.has_value()) {
      plan.inserted.push_back(Added(own, std::move(times)));
    } else if (times == TimesOf(At(existing, *heir))) {
      plan.changes[static_cast<size_t>(*heir)] = {Kind::kKeep};
    } else {
      plan.changes[static_cast<size_t>(*heir)] = {Kind::kPatch, std::move(times)};
    }
  }
  return plan;
}

int64_t NewestOf(const Version& version) {
  int64_t newest = version.valid_to.value_or(version.valid_from);
  for (const int64_t at : version.confirmed) newest = std::max(newest, at);
  return newest;
}

MergeResult MergeWhole(absl::Span<const Version> existing, absl::Span<const int> order,
                       const Observation* seen, const MergeOptions& options) {
  MergeResult result;
  result.plan.changes.resize(existing.size());
  // Of a sound history the last version has the newest instant, and only it can be current.
  const Version* last = order.empty() ? nullptr : &At(existing, order.back());
  const bool open = last != nullptr && last->is_current;
  const bool closes = open && (seen == nullptr ? options.deletes == HistoryDeletes::kClose
                                               : !(seen->hash == last->hash));
  const bool opens = seen != nullptr && (!open || closes);
  if (!closes && !opens) return result;

  int64_t at = options.read_at;
  if (last != nullptr && at <= NewestOf(*last)) {
    if (NewestOf(*last) == std::numeric_limits<int64_t>::max()) {
      return {Outcome::kNoInstantLeft};
    }
    at = NewestOf(*last) + 1;
  }
  if (closes) {
    VersionTimes times = TimesOf(*last);
    times.valid_to = at;
    times.is_current = false;
    result.plan.changes[static_cast<size_t>(order.back())] = {Kind::kPatch, std::move(times)};
  }
  if (opens) {
    const VersionTimes times{at, std::nullopt, true, {}};
    result.plan.inserted.push_back({times, seen->hash, Content::kSourceRow, seen->row});
  }
  return result;
}

}  // namespace

MergeResult MergeVersions(absl::Span<const Version> existing,
                          absl::Span<const Observation> observations, const MergeOptions& options) {
  const bool whole = options.read == HistoryRead::kWhole;
  const std::vector<Observation> sorted = Sorted(observations, options);
  MergeResult result;
  result.conflict = ConflictIn(sorted);
  if (result.conflict.has_value()) {
    result.outcome = Outcome::kConflict;
    return result;
  }
  if (!whole && sorted.empty()) {
    result.plan.changes.resize(existing.size());
    return result;
  }
  if (!IsSound(existing, options.read)) return {Outcome::kBroken};

  const std::vector<int> order = OrderOf(existing);
  if (whole) return MergeWhole(existing, order, sorted.empty() ? nullptr : sorted.data(), options);
  result.plan = PlanRanges(existing, Joined(PointsOf(existing, order), sorted));
  return result;
}

}  // namespace headwater
