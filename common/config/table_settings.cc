#include "common/config/table_settings.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace headwater {
namespace {

template <typename T>
void Take(Setting<T>& mine, const Setting<T>& nearer) {
  if (nearer.has()) mine = nearer;
}

template <typename T, typename U>
void Put(Setting<T>& setting, MapReader& map, absl::string_view key, std::optional<U> value) {
  if (value.has_value()) setting = {T(*std::move(value)), map.PlaceOf(key)};
}

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
  Put(settings.include_columns, columns, "include", columns.TextList("include"));
  Put(settings.exclude_columns, columns, "exclude", columns.TextList("exclude"));
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
    Put(settings.retries, map, "retries", map.Integer("retries", 0, 100));
    return;
  }
  MapReader retries(*node, "retries", problems);
  Put(settings.retries, retries, "max", retries.Integer("max", 0, 100));
  retries.Later({"backoff"});
  retries.Finish();
}

void ReadCursorKind(MapReader& map, Problems& problems) {
  const std::optional<std::string> kind = map.Choice("cursor_kind", {"created", "modified"});
  if (kind != "modified") return;
  problems.Add(map.PlaceOf("cursor_kind"),
               "'cursor_kind: modified' is not in this version: it needs write merge or strategy "
               "scd2, because an updated row would stay in its old range and appear again in the "
               "new one; use a cursor that never changes, or strategy full");
}

}  // namespace

void TableSettings::Overlay(const TableSettings& nearer) {
  Take(target, nearer.target);
  Take(frequency, nearer.frequency);
  Take(tags, nearer.tags);
  Take(strategy, nearer.strategy);
  Take(write, nearer.write);
  Take(cursor, nearer.cursor);
  Take(cursor_timezone, nearer.cursor_timezone);
  Take(unit, nearer.unit);
  Take(partition_by, nearer.partition_by);
  Take(lookback, nearer.lookback);
  Take(begin, nearer.begin);
  Take(include_columns, nearer.include_columns);
  Take(exclude_columns, nearer.exclude_columns);
  Take(text_columns, nearer.text_columns);
  Take(key, nearer.key);
  Take(on_null_cursor, nearer.on_null_cursor);
  Take(on_future_cursor, nearer.on_future_cursor);
  Take(on_bad_row, nearer.on_bad_row);
  Take(max_bad_rows, nearer.max_bad_rows);
  Take(on_fine_time, nearer.on_fine_time);
  Take(on_bound_regress, nearer.on_bound_regress);
  Take(settle, nearer.settle);
  Take(settle_values, nearer.settle_values);
  Take(max_ahead, nearer.max_ahead);
  Take(retries, nearer.retries);
  Take(bound, nearer.bound);
  Take(read_connections, nearer.read_connections);
  Take(on_schema_change, nearer.on_schema_change);
}

TableSettings ReadTableSettings(MapReader& map, Problems& problems) {
  TableSettings settings;
  Put(settings.target, map, "target", map.Text("target"));
  Put(settings.frequency, map, "frequency", map.Text("frequency"));
  Put(settings.tags, map, "tags", map.TextList("tags"));
  const std::optional<std::string> strategy =
      map.Choice("strategy", StrategyNames(), LaterStrategyNames());
  if (strategy.has_value()) {
    settings.strategy = {StrategyNamed(*strategy), map.PlaceOf("strategy")};
  }
  Put(settings.write, map, "write",
      map.Choice("write", {"replace_range", "replace"}, {"merge", "scd2", "append"}));
  Put(settings.cursor, map, "cursor", map.Text("cursor"));
  Put(settings.cursor_timezone, map, "cursor_timezone", map.Text("cursor_timezone"));
  if (settings.cursor_timezone.has()) {
    CheckZone(*settings.cursor_timezone.value, settings.cursor_timezone.place, problems);
  }
  ReadCursorKind(map, problems);
  PutUnit(settings.unit, map, "unit", problems);
  PutUnit(settings.partition_by, map, "partition_by", problems);
  Put(settings.lookback, map, "lookback", map.Integer("lookback", 0, 100'000));
  Put(settings.begin, map, "begin", map.Text("begin"));
  ReadColumns(settings, map, problems);
  Put(settings.key, map, "key", map.TextList("key"));
  PutPolicy(settings.on_null_cursor, map, "on_null_cursor");
  PutPolicy(settings.on_future_cursor, map, "on_future_cursor");
  ReadBadRows(settings, map, problems);
  Put(settings.on_fine_time, map, "on_fine_time", map.Choice("on_fine_time", {"fail", "truncate"}));
  Put(settings.on_bound_regress, map, "on_bound_regress",
      map.Choice("on_bound_regress", {"stop", "reload"}));
  Put(settings.settle, map, "settle", map.Duration("settle"));
  Put(settings.settle_values, map, "settle_values",
      map.Integer("settle_values", 0, int64_t{1} << 40));
  Put(settings.max_ahead, map, "max_ahead", map.Duration("max_ahead"));
  ReadRetries(settings, map, problems);
  Put(settings.bound, map, "bound", map.Choice("bound", {"max", "clock"}));
  Put(settings.read_connections, map, "read_connections", map.Integer("read_connections", 1, 1000));
  PutSchemaPolicy(settings.on_schema_change, map);
  map.Later({"delete_missing", "hash", "force_after", "on_change", "scd2", "sql", "sql_file",
             "initial", "on_gap", "late_after", "dbt", "rename", "track", "compact"});
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
      new std::vector<std::string>{"full", "incremental", "partition"};
  return *kNames;
}

const std::vector<std::string>& LaterStrategyNames() {
  static const auto* const kNames = new std::vector<std::string>{"static", "scd2", "query", "cdc"};
  return *kNames;
}

std::optional<Strategy> StrategyNamed(absl::string_view name) {
  if (name == "full") return Strategy::kFull;
  if (name == "incremental") return Strategy::kIncremental;
  if (name == "partition") return Strategy::kPartition;
  return std::nullopt;
}

}  // namespace headwater
