#include "coordinator/service/demands.h"

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
  if (kind != v1::RUN_KIND_INCREMENTAL && kind != v1::RUN_KIND_BACKFILL) {
    return absl::InvalidArgumentError(absl::StrCat("kind: unknown value ", static_cast<int>(kind)));
  }
  const bool backfill = kind == v1::RUN_KIND_BACKFILL;
  if (window != nullptr && !backfill) {
    return absl::InvalidArgumentError("window: only a backfill has one");
  }
  const v1::BackfillMode mode = window == nullptr ? v1::BACKFILL_MODE_ALL : window->mode();
  if (mode != v1::BACKFILL_MODE_ALL && mode != v1::BACKFILL_MODE_MISSING &&
      mode != v1::BACKFILL_MODE_STALE) {
    return absl::InvalidArgumentError(
        absl::StrCat("window.mode: unknown value ", static_cast<int>(mode)));
  }
  std::vector<DemandRequest> demands;
  for (const DatasetConfig* dataset : datasets) {
    DemandRequest demand;
    demand.dataset = dataset->spec.id;
    if (backfill) demand.mode = mode;
    if (window != nullptr) {
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

}  // namespace headwater
