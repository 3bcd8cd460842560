#include "common/config/table_settings.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace headwater {
namespace {

void PutUnit(Setting<Unit>& setting, MapReader& map, absl::string_view key, Problems& problems) {
  const std::optional<std::string> text = map.Text(key);
  if (!text.has_value()) return;
  absl::StatusOr<Unit> unit = ParseUnit(*text);
  if (unit.ok()) {
    setting = {*unit, map.PlaceOf(key)};
  } else {
    problems.Add(map.PlaceOf(key), absl::StrCat("'", key, "': ", unit.status().message()));
  }
}

void PutPolicy(Setting<OutsidePolicy>& setting, MapReader& map, absl::string_view key) {
  const std::optional<std::string> word = map.Choice(key, {"load", "error", "exclude"});
  if (!word.has_value()) return;
  const OutsidePolicy policy = *word == "load"    ? OutsidePolicy::kLoad
                               : *word == "error" ? OutsidePolicy::kError
                                                  : OutsidePolicy::kExclude;
  setting = {policy, map.PlaceOf(key)};
}

void PutSchemaPolicy(Setting<SchemaPolicy>& setting, MapReader& map) {
  const std::optional<std::string> word =
      map.Choice("on_schema_change", {"evolve", "freeze", "ignore"});
  if (!word.has_value()) return;
  const SchemaPolicy policy = *word == "evolve"   ? SchemaPolicy::kEvolve
                              : *word == "freeze" ? SchemaPolicy::kFreeze
                                                  : SchemaPolicy::kIgnore;
  setting = {policy, map.PlaceOf("on_schema_change")};
}

// `cast: {price: string}`. Reading as text is the one conversion of this version.
void ReadCasts(TableSettings& settings, MapReader& columns, Problems& problems) {
  const YamlNode* node = columns.Child("cast");
  if (node == nullptr) return;
  MapReader casts(*node, "cast", problems);
  std::vector<std::string> names;
  for (const YamlNode::Entry& entry : node->entries) {
    if (casts.Choice(entry.key, {"string"}).has_value()) names.push_back(entry.key);
  }
  settings.text_columns = {std::move(names), columns.PlaceOf("cast")};
}

void ReadColumns(TableSettings& settings, MapReader& map, Problems& problems) {
  const YamlNode* node = map.Child("columns");
  if (node == nullptr) return;
  MapReader columns(*node, "columns", problems);
  PutSetting(settings.include_columns, columns, "include", columns.TextList("include"));
  PutSetting(settings.exclude_columns, columns, "exclude", columns.TextList("exclude"));
  ReadCasts(settings, columns, problems);
  columns.Later({"rename"});
  columns.Finish();
}

// `max_bad_rows: 100`, or a share of the rows read: `max_bad_rows: 0.5%`.
void ReadBadRows(TableSettings& settings, MapReader& map, Problems& problems) {
  if (const std::optional<std::string> word = map.Choice("on_bad_row", {"fail", "quarantine"})) {
    settings.on_bad_row = {*word == "fail" ? BadRowPolicy::kFail : BadRowPolicy::kQuarantine,
                           map.PlaceOf("on_bad_row")};
  }
  const std::optional<std::string> text = map.Text("max_bad_rows");
  if (!text.has_value()) return;
  BadRowLimit limit{.rows = 0};
  absl::string_view number = *text;
  const bool share = absl::ConsumeSuffix(&number, "%");
  const bool good =
      share ? absl::SimpleAtod(number, &limit.percent) && limit.percent > 0 && limit.percent <= 100
            : absl::SimpleAtoi(number, &limit.rows) && limit.rows > 0;
  if (good) {
    settings.max_bad_rows = {limit, map.PlaceOf("max_bad_rows")};
  } else {
    problems.Add(map.PlaceOf("max_bad_rows"),
                 absl::StrCat("'max_bad_rows': expected a number of rows from 1 on, or a share of "
                              "up to 100%, as in 100 or 0.5%; found '",
                              *text, "'"));
  }
}

// `retries: 3`, or `retries: {max: 3}`.
void ReadRetries(TableSettings& settings, MapReader& map, Problems& problems) {
  const YamlNode* node = map.Child("retries");
  if (node == nullptr || node->kind != YamlNode::Kind::kMap) {
    PutSetting(settings.retries, map, "retries", map.Integer("retries", 0, 100));
    return;
  }
  MapReader retries(*node, "retries", problems);
  PutSetting(settings.retries, retries, "max", retries.Integer("max", 0, 100));
  retries.Later({"backoff"});
  retries.Finish();
}

}  // namespace

void TableSettings::Overlay(const TableSettings& nearer) {
  target.Overlay(nearer.target);
  frequency.Overlay(nearer.frequency);
  tags.Overlay(nearer.tags);
  strategy.Overlay(nearer.strategy);
  writes.Overlay(nearer.writes);
  cursor.Overlay(nearer.cursor);
  cursor_timezone.Overlay(nearer.cursor_timezone);
  unit.Overlay(nearer.unit);
  partition_by.Overlay(nearer.partition_by);
  lookback.Overlay(nearer.lookback);
  begin.Overlay(nearer.begin);
  include_columns.Overlay(nearer.include_columns);
  exclude_columns.Overlay(nearer.exclude_columns);
  text_columns.Overlay(nearer.text_columns);
  key.Overlay(nearer.key);
  on_null_cursor.Overlay(nearer.on_null_cursor);
  on_future_cursor.Overlay(nearer.on_future_cursor);
  on_bad_row.Overlay(nearer.on_bad_row);
  max_bad_rows.Overlay(nearer.max_bad_rows);
  on_fine_time.Overlay(nearer.on_fine_time);
  on_bound_regress.Overlay(nearer.on_bound_regress);
  settle.Overlay(nearer.settle);
  settle_values.Overlay(nearer.settle_values);
  max_ahead.Overlay(nearer.max_ahead);
  retries.Overlay(nearer.retries);
  bound.Overlay(nearer.bound);
  read_connections.Overlay(nearer.read_connections);
  on_schema_change.Overlay(nearer.on_schema_change);
}

TableSettings ReadTableSettings(MapReader& map, Problems& problems) {
  TableSettings settings;
  PutSetting(settings.target, map, "target", map.Text("target"));
  PutSetting(settings.frequency, map, "frequency", map.Text("frequency"));
  PutSetting(settings.tags, map, "tags", map.TextList("tags"));
  const std::optional<std::string> strategy =
      map.Choice("strategy", StrategyNames(), LaterStrategyNames());
  if (strategy.has_value()) {
    settings.strategy = {StrategyNamed(*strategy), map.PlaceOf("strategy")};
  }
  settings.writes = ReadWriteSettings(map, problems);
  PutSetting(settings.cursor, map, "cursor", map.Text("cursor"));
  PutSetting(settings.cursor_timezone, map, "cursor_timezone", map.Text("cursor_timezone"));
  if (settings.cursor_timezone.has()) {
    CheckZone(*settings.cursor_timezone.value, settings.cursor_timezone.place, problems);
  }
  PutUnit(settings.unit, map, "unit", problems);
  PutUnit(settings.partition_by, map, "partition_by", problems);
  PutSetting(settings.lookback, map, "lookback", map.Integer("lookback", 0, 100'000));
  PutSetting(settings.begin, map, "begin", map.Text("begin"));
  ReadColumns(settings, map, problems);
  PutSetting(settings.key, map, "key", map.TextList("key"));
  PutPolicy(settings.on_null_cursor, map, "on_null_cursor");
  PutPolicy(settings.on_future_cursor, map, "on_future_cursor");
  ReadBadRows(settings, map, problems);
  PutSetting(settings.on_fine_time, map, "on_fine_time",
             map.Choice("on_fine_time", {"fail", "truncate"}));
  PutSetting(settings.on_bound_regress, map, "on_bound_regress",
             map.Choice("on_bound_regress", {"stop", "reload"}));
  PutSetting(settings.settle, map, "settle", map.Duration("settle"));
  PutSetting(settings.settle_values, map, "settle_values",
             map.Integer("settle_values", 0, int64_t{1} << 40));
  PutSetting(settings.max_ahead, map, "max_ahead", map.Duration("max_ahead"));
  ReadRetries(settings, map, problems);
  PutSetting(settings.bound, map, "bound", map.Choice("bound", {"max", "clock"}));
  PutSetting(settings.read_connections, map, "read_connections",
             map.Integer("read_connections", 1, 1000));
  PutSchemaPolicy(settings.on_schema_change, map);
  map.Later(
      {"sql", "sql_file", "initial", "on_gap", "late_after", "dbt", "rename", "track", "compact"});
  return settings;
}

TableSettings ReadDefaults(MapReader& parent, Problems& problems) {
  const YamlNode* node = parent.Child("defaults");
  if (node == nullptr) return {};
  MapReader map(*node, "defaults", problems);
  TableSettings settings = ReadTableSettings(map, problems);
  map.Finish();
  return settings;
}

bool CheckZone(const std::string& zone, const Place& place, Problems& problems) {
  absl::TimeZone found;
  // "localtime" and "Fixed/UTC+1" would load too, and mean something else elsewhere.
  if (zone == "UTC" ||
      (zone != "localtime" && !absl::StartsWith(zone, "/") && absl::LoadTimeZone(zone, &found))) {
    return true;
  }
  problems.Add(place, absl::StrCat("unknown time zone '", zone,
                                   "'; expected an IANA name such as Europe/Oslo"));
  return false;
}

const std::vector<std::string>& StrategyNames() {
  static const auto* const kNames =
      new std::vector<std::string>{"full", "incremental", "partition", "static", "scd2"};
  return *kNames;
}

const std::vector<std::string>& LaterStrategyNames() {
  static const auto* const kNames = new std::vector<std::string>{"query", "cdc"};
  return *kNames;
}

std::optional<Strategy> StrategyNamed(absl::string_view name) {
  if (name == "full") return Strategy::kFull;
  if (name == "incremental") return Strategy::kIncremental;
  if (name == "partition") return Strategy::kPartition;
  if (name == "static") return Strategy::kStatic;
  if (name == "scd2") return Strategy::kScd2;
  return std::nullopt;
}

}  // namespace headwater
