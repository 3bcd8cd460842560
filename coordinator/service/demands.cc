#include "coordinator/service/demands.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/config/selector.h"
#include "common/data/instant.h"
#include "common/model/model_proto.h"

namespace headwater {
namespace {

// What one end of a window may be; both for four digits.
struct WindowEnd {
  std::optional<absl::Time> time;
  std::optional<int64_t> value;
};

absl::StatusOr<WindowEnd> ParseEnd(absl::string_view text, absl::Time now, absl::TimeZone zone) {
  WindowEnd end;
  if (absl::StatusOr<int64_t> value = ParseValue(text); value.ok()) end.value = *value;
  absl::StatusOr<absl::Time> time = ParseInstant(text, now, zone);
  if (time.ok()) {
    end.time = *time;
  } else if (!end.value.has_value()) {
    return time.status();
  }
  return end;
}

// About how many hours a unit has; units of values have none.
int64_t HoursOf(const Unit& unit) {
  switch (unit.kind) {
    case Unit::Kind::kHour:
      return unit.count;
    case Unit::Kind::kDay:
      return unit.count * 24;
    case Unit::Kind::kMonth:
      return unit.count * 24 * 28;
    case Unit::Kind::kYear:
      return unit.count * 24 * 365;
    case Unit::Kind::kNone:
    case Unit::Kind::kValues:
      return 0;
  }
  return 0;
}

absl::Status FillWindow(const v1::BackfillWindow& window, absl::Time now, absl::TimeZone zone,
                        DemandRequest& demand) {
  WindowEnd from, to;
  if (!window.from().empty()) {
    ASSIGN_OR_RETURN(from, ParseEnd(window.from(), now, zone));
  }
  if (!window.to().empty()) {
    ASSIGN_OR_RETURN(to, ParseEnd(window.to(), now, zone));
  }
  const bool times = (window.from().empty() || from.time) && (window.to().empty() || to.time);
  const bool values = (window.from().empty() || from.value) && (window.to().empty() || to.value);
  if (times) std::tie(demand.from, demand.to) = std::pair(from.time, to.time);
  if (values) std::tie(demand.from_value, demand.to_value) = std::pair(from.value, to.value);
  if (!times && !values) {
    return absl::InvalidArgumentError(
        absl::StrCat("window from '", window.from(), "' to '", window.to(),
                     "': expected two times or two integers, found one of each"));
  }
  const bool empty = times ? from.time && to.time && *from.time >= *to.time
                           : from.value && to.value && *from.value >= *to.value;
  if (empty) {
    return absl::InvalidArgumentError(absl::StrCat("window from '", window.from(), "' to '",
                                                   window.to(),
                                                   "': expected from before to (to is excluded)"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<const DatasetConfig*>> Resolve(const Config& config,
                                                          const v1::Selection& selection) {
  const auto list = [](const auto& field) {
    return std::vector<std::string>(field.begin(), field.end());
  };
  return Select(config, {.patterns = list(selection.patterns()),
                         .servers = list(selection.servers()),
                         .tables = list(selection.tables()),
                         .tags = list(selection.tags()),
                         .frequencies = list(selection.frequencies()),
                         .strategies = list(selection.strategies())});
}

absl::StatusOr<std::vector<DemandRequest>> MakeDemands(
    const std::vector<const DatasetConfig*>& datasets, v1::RunKind kind,
    const v1::BackfillWindow* window, absl::Time now) {
  if (kind != v1::RUN_KIND_INCREMENTAL && kind != v1::RUN_KIND_BACKFILL &&
      kind != v1::RUN_KIND_RETRY && kind != v1::RUN_KIND_REPAIR) {
    return absl::InvalidArgumentError(absl::StrCat("kind: unknown value ", static_cast<int>(kind)));
  }
  // What a repair does its plan says, and nothing else.
  const bool backfill = kind == v1::RUN_KIND_BACKFILL;
  if (window != nullptr && !backfill) {
    return absl::InvalidArgumentError("window: only a backfill has one");
  }
  const v1::BackfillMode mode = window == nullptr ? v1::BACKFILL_MODE_ALL : window->mode();
  if (mode < v1::BACKFILL_MODE_ALL || mode > v1::BACKFILL_MODE_OUTDATED) {
    return absl::InvalidArgumentError(
        absl::StrCat("window.mode: unknown value ", static_cast<int>(mode)));
  }
  const bool outdated = mode == v1::BACKFILL_MODE_OUTDATED;
  if (window != nullptr && outdated != (window->columns_size() > 0)) {
    return absl::InvalidArgumentError(
        "window.columns: expected just for a backfill of what lacks columns");
  }
  std::vector<DemandRequest> demands;
  for (const DatasetConfig* dataset : datasets) {
    DemandRequest demand;
    demand.dataset = dataset->spec.id;
    if (backfill) demand.mode = mode;
    if (window != nullptr) {
      demand.columns.assign(window->columns().begin(), window->columns().end());
      absl::TimeZone zone;
      if (!absl::LoadTimeZone(dataset->spec.server.timezone, &zone)) {
        return absl::InvalidArgumentError(absl::StrCat("server ", dataset->spec.id.server,
                                                       ": this machine does not know zone '",
                                                       dataset->spec.server.timezone, "'"));
      }
      RETURN_IF_ERROR(FillWindow(*window, now, zone, demand));
    }
    demands.push_back(std::move(demand));
  }
  return demands;
}

std::vector<v1::Window> DescribeWindows(const std::vector<const DatasetConfig*>& datasets,
                                        const v1::BackfillWindow& window, absl::Time now) {
  std::map<std::string, std::set<std::string>> servers;  // By zone.
  for (const DatasetConfig* dataset : datasets)
    servers[dataset->spec.server.timezone].insert(dataset->spec.server.name);
  std::vector<v1::Window> windows;
  for (const auto& [name, names] : servers) {
    absl::TimeZone zone;
    DemandRequest demand;
    if (!absl::LoadTimeZone(name, &zone) || !FillWindow(window, now, zone, demand).ok()) continue;
    v1::Window& shown = windows.emplace_back();
    shown.set_timezone(name);
    for (const std::string& server : names) shown.add_servers(server);
    if (!demand.from.has_value() && !demand.to.has_value()) {
      shown.set_local(absl::StrCat("[", window.from(), ", ", window.to(), ")"));
      continue;
    }
    const auto text = [&](absl::TimeZone in) {
      const auto end = [&](const std::optional<absl::Time>& time) {
        return time.has_value() ? absl::FormatTime("%Y-%m-%d %H:%M:%S", *time, in)
                                : std::string("…");
      };
      return absl::StrCat("[", end(demand.from), ", ", end(demand.to), ")");
    };
    shown.set_local(text(zone));
    shown.set_utc(text(absl::UTCTimeZone()));
  }
  return windows;
}

absl::Status CheckHistoryRequest(const v1::VerifyRequest& request,
                                 const std::vector<const DatasetConfig*>& datasets) {
  if (request.counts_only() || request.sample() != 0) {
    return absl::InvalidArgumentError(
        "--scd2 looks at all histories as they are in the tables; it goes with neither --counts "
        "nor --sample");
  }
  const bool any = std::any_of(datasets.begin(), datasets.end(), [](const DatasetConfig* dataset) {
    return dataset->spec.write == WriteMode::kVersions;
  });
  if (any) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--scd2: none of the tables that are selected keeps a history (strategy: scd2)");
}

absl::StatusOr<Pace> MakePace(const v1::Pace& pace,
                              const std::vector<const DatasetConfig*>& datasets) {
  if (pace.max_active() < 0 || pace.max_per_server() < 0) {
    return absl::InvalidArgumentError("pace: expected numbers from 0 on");
  }
  if (!pace.has_every()) return PaceOf(pace);
  ASSIGN_OR_RETURN(const Unit every, FromProto(pace.every()));
  for (const DatasetConfig* dataset : datasets) {
    const DatasetSpec& spec = dataset->spec;
    const bool values = every.kind == Unit::Kind::kValues;
    if (spec.unit.kind != Unit::Kind::kNone && values != (spec.unit.kind == Unit::Kind::kValues)) {
      return absl::InvalidArgumentError(
          absl::StrCat(ToString(spec.id), ": its unit is ", UnitToString(spec.unit),
                       "; expected --every of that sort, found ", UnitToString(every)));
    }
    if (spec.strategy == Strategy::kPartition && HoursOf(every) < HoursOf(spec.unit)) {
      return absl::InvalidArgumentError(absl::StrCat(
          ToString(spec.id), ": partitions are read whole, and one is ", UnitToString(spec.unit),
          "; expected --every of at least that, found ", UnitToString(every)));
    }
  }
  return PaceOf(pace);
}

}  // namespace headwater
