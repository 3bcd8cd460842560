// What a table may set, at any level of the configuration: defaults, a server or fleet, a folder's
// file or schema, the table's own entry. Each level is read by itself; Overlay puts the nearer one
// over the farther one, key by key.
#ifndef HEADWATER_COMMON_CONFIG_TABLE_SETTINGS_H_
#define HEADWATER_COMMON_CONFIG_TABLE_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/config/setting.h"
#include "common/config/write_settings.h"
#include "common/config/yaml_reader.h"
#include "common/model/dataset_spec.h"

namespace headwater {

struct TableSettings {
  Setting<std::string> target;
  Setting<std::string> frequency;
  Setting<std::vector<std::string>> tags;
  Setting<Strategy> strategy;
  Setting<std::string> cursor;
  Setting<std::string> cursor_timezone;
  Setting<Unit> unit;
  Setting<Unit> partition_by;
  Setting<int64_t> lookback;
  Setting<std::string> begin;
  Setting<std::vector<std::string>> include_columns;
  Setting<std::vector<std::string>> exclude_columns;
  Setting<std::vector<std::string>> text_columns;  // `columns: {cast: {x: string}}`
  Setting<std::vector<std::string>> key;
  Setting<OutsidePolicy> on_null_cursor;
  Setting<OutsidePolicy> on_future_cursor;
  Setting<BadRowPolicy> on_bad_row;
  Setting<BadRowLimit> max_bad_rows;
  Setting<std::string> on_fine_time;
  Setting<std::string> on_bound_regress;
  Setting<absl::Duration> settle;
  Setting<int64_t> settle_values;
  Setting<absl::Duration> max_ahead;
  Setting<int64_t> retries;
  Setting<std::string> bound;
  Setting<int64_t> read_connections;
  Setting<SchemaPolicy> on_schema_change;
  WriteSettings writes;

  // Every value that `nearer` has replaces the one here.
  void Overlay(const TableSettings& nearer);
};

// Reads these keys from `map` and leaves its other keys alone; the caller calls map.Finish(). Each
// value is checked by itself: whether values go together is config.cc's to say.
TableSettings ReadTableSettings(MapReader& map, Problems& problems);

// A `defaults` map below `parent`; empty when there is none.
TableSettings ReadDefaults(MapReader& parent, Problems& problems);

// The zone exists on this machine; else a problem at `place`.
bool CheckZone(const std::string& zone, const Place& place, Problems& problems);

// The strategies of this version, and those that only the design has.
const std::vector<std::string>& StrategyNames();
const std::vector<std::string>& LaterStrategyNames();
std::optional<Strategy> StrategyNamed(absl::string_view name);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_TABLE_SETTINGS_H_
