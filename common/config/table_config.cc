#include "common/config/table_config.h"

#include <algorithm>
#include <tuple>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/config/connection_string.h"
#include "common/config/secret.h"

namespace headwater {
namespace {

// The literal database that `url` connects to; empty when there is none or a reference names it.
std::string DatabaseOf(const std::string& url) {
  if (IsOdbc(url)) {
    for (const Attribute& attribute : OdbcAttributes(url)) {
      const std::string key = url.substr(attribute.key.from, attribute.key.to - attribute.key.from);
      if (absl::EqualsIgnoreCase(key, "database") || absl::EqualsIgnoreCase(key, "dbq")) {
        return OdbcUnquote(
            url.substr(attribute.value.from, attribute.value.to - attribute.value.from));
      }
    }
    return "";
  }
  if (!HasScheme(url)) return "";
  const size_t start = std::max(url.find("://") + 3, Userinfo(url).to);
  const size_t slash = url.find('/', start);
  if (slash == std::string::npos) return "";
  return PercentDecode(url.substr(slash + 1, url.find_first_of("?#", slash) - slash - 1));
}

// One entry on one server.
class DatasetBuilder {
 public:
  DatasetBuilder(const TableEntry& entry, const ServerConfig& server,
                 const ExpansionContext& context, Problems& problems)
      : entry_(entry), server_(server), context_(context), problems_(problems) {
    settings_ = *context.defaults;
    settings_.Overlay(server.defaults);
    settings_.Overlay(entry.outer);
    settings_.Overlay(entry.own);
  }

  DatasetConfig Build() {
    DatasetConfig dataset;
    dataset.location = ToString(entry_.place);
    dataset.tags = settings_.tags.Or({});
    absl::c_sort(dataset.tags);
    dataset.tags.erase(std::unique(dataset.tags.begin(), dataset.tags.end()), dataset.tags.end());
    dataset.spec.id = {entry_.target_table, server_.spec.name};
    dataset.spec.server = server_.spec;
    SetRelation(dataset);
    SetFrequency(dataset);
    SetTarget(dataset);
    SetStrategy(dataset.spec);
    SetColumns(dataset.spec);
    SetLimits(dataset.spec);
    SetWrite(
        settings_.writes, entry_.own.writes, entry_.place,
        [this](const Place& place, absl::string_view text) { Problem(place, text); }, dataset.spec);
    return dataset;
  }

 private:
  void Problem(const Place& place, absl::string_view text) {
    problems_.Add(place, absl::StrCat("table '", entry_.target_table, "': ", text));
  }
  template <typename T>
  const Place& PlaceOf(const Setting<T>& setting) const {
    return setting.has() ? setting.place : entry_.place;
  }

  std::string Expand(const std::string& text) const {
    return absl::StrReplaceAll(text, {{"{member}", server_.spec.name}});
  }

  // The relation names its database only where the connection does not already.
  void SetRelation(DatasetConfig& dataset) {
    const std::string database = Expand(entry_.from.database);
    const std::string schema = Expand(entry_.from.schema);
    dataset.database = database;
    dataset.spec.relation =
        absl::StrCat(schema, schema.empty() ? "" : ".", Expand(entry_.from.table));
    if (dataset.spec.relation.find_first_of("{}") != std::string::npos) {
      Problem(entry_.from_place, "unknown '{...}' in 'from'; only {member} is filled in");
    }
    std::string& url = dataset.spec.server.url;
    if (absl::StrContains(url, "{database}")) {
      if (database.empty()) {
        Problem(entry_.from_place,
                "the server's url has {database}, so 'from' must be "
                "server/database.schema.table");
      }
      url = absl::StrReplaceAll(url, {{"{database}", database}});
      std::string& primary = dataset.spec.server.transactions_url;
      primary = absl::StrReplaceAll(primary, {{"{database}", database}});
      return;
    }
    if (database.empty()) return;
    const std::string connected = DatabaseOf(url);
    if (connected == database) return;
    const bool file = connected.find_first_of("/\\.") != std::string::npos;
    if (IsOdbc(url) && !file) {
      dataset.spec.relation = absl::StrCat(database, ".", dataset.spec.relation);
    } else if (!IsOdbc(url) && !connected.empty() && !absl::StrContains(connected, "${")) {
      Problem(entry_.from_place,
              absl::StrCat("'from' names database '", database, "', but the url of server '",
                           server_.spec.name, "' connects to '", connected,
                           "'; write {database} in the url"));
    }
  }

  void SetFrequency(DatasetConfig& dataset) {
    dataset.frequency = settings_.frequency.Or("");
    if (dataset.frequency.empty() || context_.schedules->empty()) return;
    std::vector<std::string> names;
    for (const Schedule& schedule : *context_.schedules) names.push_back(schedule.name);
    if (absl::c_linear_search(names, dataset.frequency)) return;
    Problem(settings_.frequency.place, absl::StrCat("unknown schedule '", dataset.frequency, "'",
                                                    DidYouMean(dataset.frequency, names)));
  }

  void SetTarget(DatasetConfig& dataset) {
    if (!settings_.target.has()) {
      Problem(entry_.place, "'target' is missing; name one here or in 'defaults'");
      return;
    }
    std::vector<std::string> names;
    for (const TargetConfig& target : *context_.targets) {
      names.push_back(target.name);
      if (target.name == *settings_.target.value) {
        dataset.spec.target_uri = absl::StrCat(target.uri, "/", entry_.target_table);
        dataset.retention = target.retention;
        return;
      }
    }
    Problem(settings_.target.place, absl::StrCat("unknown target '", *settings_.target.value, "'",
                                                 DidYouMean(*settings_.target.value, names)));
  }

  void SetStrategy(DatasetSpec& spec) {
    if (!settings_.strategy.has()) {
      Problem(entry_.place,
              "'strategy' is missing; expected full, incremental, partition, static, scd2");
      return;
    }
    spec.strategy = *settings_.strategy.value;
    const std::string name = StrategyToString(spec.strategy);
    const bool may_be_whole = spec.strategy == Strategy::kScd2 && !entry_.own.cursor.has();
    if (spec.strategy == Strategy::kFull || spec.strategy == Strategy::kStatic || may_be_whole) {
      RefuseRanges(name);
      spec.read_connections = static_cast<int>(settings_.read_connections.Or(0));
      return;
    }
    if (!settings_.cursor.has() || settings_.cursor.value->empty()) {
      Problem(PlaceOf(settings_.strategy),
              absl::StrCat("strategy ", name, " needs 'cursor', the column that orders its rows"));
    }
    spec.cursor = settings_.cursor.Or("");
    spec.cursor_timezone = settings_.cursor_timezone.Or(spec.server.timezone);
    spec.lookback_units = static_cast<int>(settings_.lookback.Or(0));
    spec.begin = settings_.begin.Or("");
    spec.clock_bound = settings_.bound.Or("max") == "clock";
    if (spec.clock_bound && spec.begin.empty()) {
      Problem(
          PlaceOf(settings_.bound),
          "'bound: clock' does not ask the source where its rows begin; say it with 'begin', as "
          "in begin: 2013-01-01");
    }
    if (entry_.own.read_connections.has()) {
      Problem(entry_.own.read_connections.place,
              absl::StrCat("'read_connections' divides a read of the whole, and strategy ", name,
                           " reads ranges, each over a connection of its own; remove it, or use "
                           "strategy full"));
    }
    SetUnits(spec);
  }

  // Only what the entry itself says is refused: defaults are meant for tables with a cursor too.
  void RefuseRanges(const std::string& strategy) {
    const auto refuse = [&](const auto& setting, absl::string_view key) {
      if (!setting.has()) return;
      Problem(setting.place,
              absl::StrCat("strategy ", strategy, strategy == "scd2" ? " without a cursor" : "",
                           " reads the whole dataset and takes no '", key,
                           "'; remove it, or use incremental or partition"));
    };
    refuse(entry_.own.cursor, "cursor");
    refuse(entry_.own.unit, "unit");
    refuse(entry_.own.lookback, "lookback");
    refuse(entry_.own.begin, "begin");
    refuse(entry_.own.partition_by, "partition_by");
  }

  void SetUnits(DatasetSpec& spec) {
    const Unit day{.kind = Unit::Kind::kDay, .count = 1};
    spec.unit = settings_.unit.Or(day);
    const auto equals_partition = [](const Unit& unit) {
      return unit.count == 1 && unit.kind != Unit::Kind::kNone && unit.kind != Unit::Kind::kValues;
    };
    if (spec.unit.kind == Unit::Kind::kNone) {
      Problem(settings_.unit.place,
              "'unit: none' cuts nothing; expected 1h, 1d, 30d, 1mo, 1y or a "
              "number of values");
    }
    if (spec.strategy == Strategy::kPartition) {
      if (!equals_partition(spec.unit)) {
        Problem(PlaceOf(settings_.unit),
                absl::StrCat("strategy partition takes 'unit' 1h, 1d, 1mo or 1y, found ",
                             UnitToString(spec.unit), "; use incremental for other units"));
      }
      spec.partition_by = spec.unit;
      if (settings_.partition_by.has() && *settings_.partition_by.value != spec.unit) {
        Problem(settings_.partition_by.place,
                absl::StrCat("strategy partition replaces whole partitions, so 'partition_by' is "
                             "its unit ",
                             UnitToString(spec.unit), "; found ",
                             UnitToString(*settings_.partition_by.value)));
      }
      return;
    }
    spec.partition_by = settings_.partition_by.Or(Unit{});
    if (spec.partition_by.kind != Unit::Kind::kNone && !equals_partition(spec.partition_by)) {
      Problem(settings_.partition_by.place,
              absl::StrCat("'partition_by' takes 1h, 1d, 1mo, 1y or none, found ",
                           UnitToString(spec.partition_by)));
    }
  }

  void SetColumns(DatasetSpec& spec) {
    spec.include_columns = settings_.include_columns.Or({});
    spec.exclude_columns = settings_.exclude_columns.Or({});
    spec.key_columns = settings_.key.Or({});
    spec.text_columns = settings_.text_columns.Or({});
    if (!spec.cursor.empty() && absl::c_linear_search(spec.text_columns, spec.cursor)) {
      Problem(settings_.text_columns.place,
              absl::StrCat("column '", spec.cursor,
                           "' is the cursor: as text it would not order rows; take it out of "
                           "'cast' (on_fine_time: truncate loads times finer than a microsecond)"));
    }
    std::vector<std::string> needed = spec.key_columns;
    if (!spec.cursor.empty()) needed.push_back(spec.cursor);
    for (const std::string& column : needed) {
      const char* role = column == spec.cursor ? "cursor" : "key";
      if (absl::c_linear_search(spec.exclude_columns, column)) {
        Problem(settings_.exclude_columns.place,
                absl::StrCat("column '", column, "' is the ", role, " and cannot be excluded"));
      } else if (!spec.include_columns.empty() &&
                 !absl::c_linear_search(spec.include_columns, column)) {
        Problem(settings_.include_columns.place,
                absl::StrCat("column '", column, "' is the ", role, "; add it to 'include'"));
      }
    }
    for (const std::string& column : spec.include_columns) {
      if (absl::c_linear_search(spec.exclude_columns, column)) {
        Problem(settings_.exclude_columns.place,
                absl::StrCat("column '", column, "' is both included and excluded"));
      }
    }
  }

  void SetLimits(DatasetSpec& spec) {
    spec.on_null_cursor = settings_.on_null_cursor.Or(spec.on_null_cursor);
    spec.on_future_cursor = settings_.on_future_cursor.Or(spec.on_future_cursor);
    spec.on_bad_row = settings_.on_bad_row.Or(spec.on_bad_row);
    spec.max_bad_rows = settings_.max_bad_rows.Or(spec.max_bad_rows);
    spec.truncate_fine_time = settings_.on_fine_time.Or("fail") == "truncate";
    spec.reload_on_regress = settings_.on_bound_regress.Or("stop") == "reload";
    spec.settle = settings_.settle.Or(spec.settle);
    spec.settle_values = settings_.settle_values.Or(spec.settle_values);
    spec.max_ahead = settings_.max_ahead.Or(spec.max_ahead);
    spec.on_schema_change = settings_.on_schema_change.Or(spec.on_schema_change);
    spec.retries = static_cast<int>(settings_.retries.Or(spec.retries));
  }

  const TableEntry& entry_;
  const ServerConfig& server_;
  const ExpansionContext& context_;
  Problems& problems_;
  TableSettings settings_;
};

// A dataset and the entry that it came from.
struct Placed {
  DatasetConfig dataset;
  const TableEntry* entry;
};

// Neighbours in the sorted list that cannot both be.
void CheckPair(const Placed& first, const Placed& second, Problems& problems) {
  const DatasetSpec& a = first.dataset.spec;
  const DatasetSpec& b = second.dataset.spec;
  if (a.id.table != b.id.table) return;
  const Place& place = second.entry->place;
  const std::string there = absl::StrCat(" at ", first.dataset.location);
  if (a.id == b.id) {
    problems.Add(place, absl::StrCat("table '", a.id.table, "' of server '", a.id.server,
                                     "' stands here and", there,
                                     "; remove one, or give it another 'target_table'"));
    return;
  }
  if (a.system_columns.server_source.empty()) {
    problems.Add(place, absl::StrCat("table '", a.id.table, "' has rows of more than one server (",
                                     a.id.server, ", ", b.id.server,
                                     "), so that 'server_source' cannot be left out"));
    return;
  }
  if (first.entry == second.entry && a.partition_by == b.partition_by &&
      a.target_uri == b.target_uri) {
    return;
  }
  std::string difference;
  if (a.target_uri != b.target_uri) {
    difference = "goes to another target";
  } else if (a.partition_by != b.partition_by) {
    difference = absl::StrCat("is partitioned by ", UnitToString(b.partition_by), " here and by ",
                              UnitToString(a.partition_by));
  } else if (std::tie(a.include_columns, a.exclude_columns) !=
             std::tie(b.include_columns, b.exclude_columns)) {
    difference = "selects other columns than";
  } else if (std::tie(a.write, a.system_columns) != std::tie(b.write, b.system_columns)) {
    difference = "is written otherwise, or has other system_columns, than";
  } else {
    return;
  }
  problems.Add(place, absl::StrCat("table '", a.id.table, "' of server '", b.id.server, "' ",
                                   difference, there, " (server '", a.id.server,
                                   "'); one sink table has one shape: make them equal, or give it "
                                   "another 'target_table'"));
}

}  // namespace

std::vector<DatasetConfig> ExpandTables(const std::vector<TableEntry>& entries,
                                        const ExpansionContext& context, Problems& problems) {
  std::vector<Placed> placed;
  for (const TableEntry& entry : entries) {
    const std::vector<const ServerConfig*> servers = context.servers->Named(entry.from.server);
    if (servers.empty() && !context.servers->fleets.contains(entry.from.server)) {
      problems.Add(entry.from_place,
                   absl::StrCat("unknown server or fleet '", entry.from.server, "'",
                                DidYouMean(entry.from.server, context.servers->Names())));
    }
    // What is wrong with an entry is mostly wrong on every server: it is said once.
    bool first = true;
    for (const ServerConfig* server : servers) {
      Problems own;
      placed.push_back(
          {DatasetBuilder(entry, *server, context, first ? problems : own).Build(), &entry});
      if (!first && own.count() > 0 && problems.empty()) {
        DatasetBuilder(entry, *server, context, problems).Build();
      }
      first = false;
    }
  }
  absl::c_stable_sort(placed, [](const Placed& a, const Placed& b) {
    return a.dataset.spec.id < b.dataset.spec.id;
  });
  for (size_t i = 1; i < placed.size(); ++i) CheckPair(placed[i - 1], placed[i], problems);
  std::vector<DatasetConfig> datasets;
  for (Placed& one : placed) datasets.push_back(std::move(one.dataset));
  return datasets;
}

}  // namespace headwater
