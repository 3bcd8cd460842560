#include "cli/demo_config.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace headwater {
namespace {

constexpr absl::string_view kConfig =
    R"yaml(# Flights of 2013 from three airports into four Delta tables.
# After a change: headwater validate, then headwater plan.
version: 1

# Servers that share a schema are written once; {member} is the name of each.
fleets:
  airports:
    url: "odbc:Driver=SQLite3;Database={config_dir}/data/{member}.db;StepAPI=1;NoCreat=1"
    timezone: America/New_York              # days are cut here, also those of 23 and 25 hours
    clock: "SELECT value FROM demo_clock"   # 2013 is played again; without it the server's own
    members: [ewr, jfk, {name: lga, silent_after: 7d}]

targets:
  lake: {delta: "./lake"}                   # one Delta table per table below

schedules:
  hourly: {cron: "0 0 * * * ?"}
  daily: {cron: "0 0 5 * * ?", includes: [hourly]}

# Holds where a table says nothing else.
defaults: {target: lake, frequency: daily}

tables:
  # One folder per day, replaced whole; each run looks again at the two days before the newest.
  - {from: airports/flights, strategy: partition, cursor: time_hour, cursor_timezone: UTC, unit: 1d, lookback: 2}
  # Loads what is new, at most 30 days at a time.
  - {from: airports/weather, strategy: incremental, cursor: time_hour, cursor_timezone: UTC, unit: 30d, frequency: hourly}
  # Keeps every version of a plane's row, with valid_from, valid_to and is_current.
  - {from: airports/planes, strategy: scd2, key: [tailnum], target_table: planes_history}
  # Hardly ever changes: rows are compared by key, and only what differs is written.
  - {from: airports/airlines, strategy: static, key: [carrier], force_after: 30d}
)yaml";

}  // namespace

absl::Status WriteDemoConfig(const std::string& dir) {
  const std::string path = absl::StrCat(dir, "/headwater.yaml");
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << kConfig;
  stream.close();
  if (stream) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("cannot write ", path));
}

}  // namespace headwater
