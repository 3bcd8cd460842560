// Every mistake a person can make in headwater.yaml: where it is reported, and with what hint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/config/config.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

struct Mistake {
  std::string name;
  std::string line;   // Line 5 of the file.
  std::string place;  // "5:3"
  std::string message;

  friend void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.line; }
};

// Lines 1 to 4 are right.
constexpr char kBefore[] = R"(servers: {crm: {url: "postgresql://h/crm"}, b: {url: "odbc:DSN=b"}}
targets: {lake: {delta: lake}}
defaults: {target: lake}
tables:
)";

class ConfigProblem : public ::testing::TestWithParam<Mistake> {};

TEST_P(ConfigProblem, IsReportedAtItsPlace) {
  const TempFolder folder;
  std::ofstream(folder.path() + "/headwater.yaml") << kBefore << GetParam().line << "\n";
  const absl::StatusOr<Config> config = LoadConfig(folder.path());
  ASSERT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string error = absl::StrReplaceAll(std::string(config.status().message()),
                                                {{absl::StrCat(folder.path(), "/"), ""}});
  EXPECT_THAT(error, HasSubstr(absl::StrCat("headwater.yaml:", GetParam().place, ": ")));
  EXPECT_THAT(error, HasSubstr(GetParam().message));
}

const Mistake kMistakes[] = {
    {"UnknownKey", "  - {from: crm/t, strategie: full}", "5:19",
     "unknown key 'strategie'; did you mean 'strategy'?"},
    {"WrongType", "  - {from: crm/t, strategy: [full]}", "5:29",
     "'strategy': expected full, incremental, partition, static, scd2, found a list"},
    {"TableIsNoMap", "  - crm/t", "5:5", "table: expected a map, found text"},
    {"NoNumber", "  - {from: crm/t, strategy: full, retries: many}", "5:44",
     "'retries': expected a number, found 'many'"},
    {"NumberTooLarge", "  - {from: crm/t, strategy: full, retries: 500}", "5:44",
     "expected a number from 0 to 100, found 500"},
    {"BadRowsOfNothing", "  - {from: crm/t, strategy: full, max_bad_rows: 0}", "5:49",
     "expected a number of rows from 1 on, or a share of up to 100%, as in 100 or 0.5%; found '0'"},
    {"BadRowsBeyondAll", "  - {from: crm/t, strategy: full, max_bad_rows: 101%}", "5:49",
     "found '101%'"},
    {"NoBadRowPolicy", "  - {from: crm/t, strategy: full, on_bad_row: skip}", "5:47",
     "'on_bad_row': expected fail, quarantine, found 'skip'"},
    {"NoRegressPolicy", "  - {from: crm/t, strategy: full, on_bound_regress: go}", "5:53",
     "'on_bound_regress': expected stop, reload, found 'go'"},
    {"NoFineTimePolicy", "  - {from: crm/t, strategy: full, on_fine_time: round}", "5:49",
     "'on_fine_time': expected fail, truncate, found 'round'"},
    {"CastToAnotherType", "  - {from: crm/t, strategy: full, columns: {cast: {n: long}}}", "5:55",
     "'n': expected string, found 'long'"},
    {"CastOfNothing", "  - {from: crm/t, strategy: full, columns: {cast: [n]}}", "5:51",
     "cast: expected a map, found a list"},
    {"CastOfTheCursor",
     "  - {from: crm/t, strategy: incremental, cursor: at, columns: {cast: {at: string}}}", "5:70",
     "column 'at' is the cursor: as text it would not order rows"},
    {"AQuarantinesName", "  - {from: crm/t__quarantine, strategy: full}", "5:12",
     "set another 'target_table'"},
    {"DuplicateKey", "  - {from: crm/t, strategy: full, from: crm/u}", "5:35",
     "key 'from' stands here and at headwater.yaml:5:6"},
    {"TimeoutOfNothing", "fleets: {f: {url: \"odbc:DSN=x\", statement_timeout: 0s, members: [m]}}",
     "5:52", "'statement_timeout': expected at least 1ms"},
    {"UnknownPrimary", "fleets: {f: {url: \"odbc:DSN=x\", transactions_from: a, members: [m]}}",
     "5:52", "server 'm': 'transactions_from': no server 'a'"},
    {"OwnPrimary", "fleets: {f: {url: \"odbc:DSN=x\", transactions_from: m, members: [m]}}", "5:52",
     "found the server itself"},
    {"PrimaryOfAnotherKind",
     "fleets: {f: {url: \"odbc:DSN=x\", transactions_from: crm, members: [m]}}", "5:52",
     "'crm' is read with another driver"},
    {"BadDuration", "  - {from: crm/t, strategy: full, settle: 5}", "5:43",
     "'settle': expected a duration such as 500ms, 5s, 10m, 2h or 30d, found '5'"},
    {"UnknownZone", "  - {from: crm/t, strategy: full, cursor_timezone: Europe/Olso}", "5:52",
     "unknown time zone 'Europe/Olso'"},
    {"UnknownStrategy", "  - {from: crm/t, strategy: partitions, cursor: c}", "5:29",
     "found 'partitions'; did you mean 'partition'?"},
    {"LaterStrategy", "  - {from: crm/t, strategy: query}", "5:29",
     "'strategy: query' is not in this version; expected full, incremental, partition, static, "
     "scd2"},
    {"LaterWrite", "  - {from: crm/t, strategy: full, write: append}", "5:42",
     "'write: append' is not in this version"},
    {"LaterKey", "  - {from: crm/t, strategy: full, late_after: 1d}", "5:35",
     "'late_after' is not in this version"},
    {"LaterColumns", "  - {from: crm/t, strategy: full, columns: {rename: {a: b}}}", "5:45",
     "'rename' is not in this version"},
    {"ModifiedCursor", "  - {from: crm/t, strategy: incremental, cursor: c, cursor_kind: modified}",
     "5:66", "'cursor_kind: modified' needs 'write: merge' and 'key', or strategy scd2"},
    {"MergeWithoutKey", "  - {from: crm/t, strategy: full, write: merge}", "5:5",
     "'write: merge' needs 'key', the columns that tell rows apart"},
    {"MergeOfPartitions",
     "  - {from: crm/t, strategy: partition, cursor: c, write: merge, key: [k]}", "5:58",
     "strategy partition writes 'replace_range', found 'merge'"},
    {"VersionsWithoutKey", "  - {from: crm/t, strategy: scd2}", "5:5", "strategy scd2 needs 'key'"},
    {"PartitionedByKey",
     "  - {from: crm/t, strategy: incremental, cursor: c, write: merge, key: [k], partition_by: "
     "1d}",
     "5:5", "such a table is partitioned by server only; remove 'partition_by'"},
    {"DeletesOfAModifiedCursor",
     "  - {from: crm/t, strategy: incremental, cursor: c, cursor_kind: modified, write: merge, "
     "key: "
     "[k], delete_missing: hard}",
     "5:116", "an update takes a row out of its range: it would count as deleted"},
    {"DeletesWithoutKey", "  - {from: crm/t, strategy: full, delete_missing: soft}", "5:51",
     "'delete_missing' goes with 'write: merge'"},
    {"QuarantineAndDeletes",
     "  - {from: crm/t, strategy: static, key: [k], on_bad_row: quarantine}", "5:5",
     "a row in quarantine cannot be looked up by its key"},
    {"ClosesInRanges",
     "  - {from: crm/t, strategy: scd2, cursor: c, key: [k], scd2: {deletes: close}}", "5:72",
     "a row that is absent says nothing"},
    {"WholeHistoryInUnits", "  - {from: crm/t, strategy: scd2, key: [k], unit: 1d}", "5:51",
     "strategy scd2 without a cursor reads the whole dataset and takes no 'unit'"},
    {"ForcedIncrement", "  - {from: crm/t, strategy: full, force_after: 1d}", "5:48",
     "'force_after' goes with strategy static"},
    {"UpsertWithoutKey", "  - {from: crm/t, strategy: static, on_change: upsert}", "5:48",
     "'on_change: upsert' needs 'key'"},
    {"BadHashAlgorithm", "  - {from: crm/t, strategy: full, hash: {algorithm: sha-256}}", "5:53",
     "'algorithm': expected xxh3, md5, sha256, found 'sha-256'; did you mean 'sha256'?"},
    {"BadDedup", "  - {from: crm/t, strategy: static, key: [k], dedup: newest}", "5:54",
     "'dedup': expected error, or latest by <column>"},
    {"HistoryWithoutTimes", "  - {from: crm/t, strategy: scd2, key: [k], scd2: {valid_to: false}}",
     "5:5", "strategy scd2 needs valid_from, valid_to, is_current and confirmed_at"},
    {"ServersInHiddenFolders",
     "  - {from: crm/t, strategy: full, system_columns: {server_source: _s}}", "5:67",
     "readers skip folders that begin with '_'"},
    {"MissingCursor", "  - {from: crm/t, strategy: incremental}", "5:29",
     "strategy incremental needs 'cursor'"},
    {"MissingStrategy", "  - {from: crm/t}", "5:5", "'strategy' is missing"},
    {"CursorOnFull", "  - {from: crm/t, strategy: full, cursor: c}", "5:43",
     "strategy full reads the whole dataset and takes no 'cursor'"},
    {"ReadConnectionsOfRanges",
     "  - {from: crm/t, strategy: partition, cursor: c, read_connections: 2}", "5:69",
     "'read_connections' divides a read of the whole, and strategy partition reads ranges"},
    {"PartitionUnit", "  - {from: crm/t, strategy: partition, cursor: c, unit: 30d}", "5:57",
     "takes 'unit' 1h, 1d, 1mo or 1y, found 30d"},
    {"PartitionBy",
     "  - {from: crm/t, strategy: partition, cursor: c, unit: 1d, partition_by: 1mo}", "5:75",
     "'partition_by' is its unit 1d; found 1mo"},
    {"BadUnit", "  - {from: crm/t, strategy: partition, cursor: c, unit: 1w}", "5:57",
     "'unit': not a unit: '1w'"},
    {"ExcludedCursor", "  - {from: crm/t, strategy: partition, cursor: c, columns: {exclude: [c]}}",
     "5:70", "column 'c' is the cursor and cannot be excluded"},
    {"UnknownServer", "  - {from: crn/t, strategy: full}", "5:12",
     "unknown server or fleet 'crn'; did you mean 'crm'?"},
    {"UnknownTarget", "  - {from: crm/t, strategy: full, target: lakes}", "5:43",
     "unknown target 'lakes'; did you mean 'lake'?"},
    {"BadFrom", "  - {from: t, strategy: full}", "5:12", "expected server/table"},
    {"NoFrom", "  - {strategy: full}", "5:5", "'from' is missing"},
    {"BadTargetTable", "  - {from: crm/t, strategy: full, target_table: ../x}", "5:49",
     "'../x' is no table's name"},
    {"TwiceTheSame", "  - {from: crm/t, strategy: full}\n  - {from: crm/t, strategy: full}", "6:5",
     "table 't' of server 'crm' stands here and at headwater.yaml:5:5"},
    {"TwoShapes",
     "  - {from: crm/t, strategy: partition, cursor: c, unit: 1mo}\n"
     "  - {from: b/t, strategy: partition, cursor: c, unit: 1d}",
     "5:5", "is partitioned by 1mo here and by 1d at headwater.yaml:6:5"},
    {"OtherDatabase", "  - {from: crm/sales.public.t, strategy: full}", "5:12",
     "'from' names database 'sales', but the url of server 'crm' connects to 'crm'"},
    {"ClockWithoutBegin", "  - {from: crm/t, strategy: incremental, cursor: c, bound: clock}",
     "5:60", "say it with 'begin'"},
    {"NotYaml", "  - {from: crm/t, strategy: full", "6:1", "not valid YAML"},
    {"UnknownRootKey", "sheduls: {}", "5:1", "unknown key 'sheduls'; did you mean 'schedules'?"},
    {"BadCron", "schedules: {daily: {cron: '5 *'}}", "5:27", "five fields"},
    {"BadCronField", "schedules: {daily: {cron: '0 25 * * *'}}", "5:27",
     "schedule 'daily': 'cron': hour: expected 0 to 23, found '25'"},
    {"NoCron", "schedules: {daily: {}}", "5:20", "five fields"},
    {"UnknownIncluded", "schedules: {daily: {cron: '0 5 * * *', includes: [hourli]}}", "5:50",
     "unknown schedule 'hourli'"},
    {"ServerWithoutUrl", "fleets: {f: {members: [x]}}", "5:24", "server 'x': 'url' is missing"},
    {"MemberTwice", "fleets: {f: {url: 'odbc:DSN=x', members: [crm]}}", "5:43",
     "server 'crm' stands here and at headwater.yaml:1:11"},
    {"NoMembers", "fleets: {f: {url: 'odbc:DSN=x'}}", "5:10", "'members' expected"},
    {"OtherScheme", "fleets: {f: {url: 'mssql://h', members: [x]}}", "5:19",
     "mssql:// is not in this version"},
    {"QuietWindow", "fleets: {f: {url: 'odbc:DSN=x', quiet_windows: [8-16], members: [x]}}", "5:48",
     "'8-16' is no quiet window; expected days, hours or both"},
    {"AlwaysQuiet", "fleets: {f: {url: 'odbc:DSN=x', quiet_windows: mon-sun, members: [x]}}",
     "5:48", "they leave no minute of the week"},
    {"Version", "version: 2", "5:10", "'version': expected a number from 1 to 1, found 2"},
};

INSTANTIATE_TEST_SUITE_P(All, ConfigProblem, ::testing::ValuesIn(kMistakes),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace headwater
