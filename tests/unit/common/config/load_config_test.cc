#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/config/config.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// A folder of its own for each case, removed at its end.
class LoadConfigTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  absl::StatusOr<Config> Load() { return LoadConfig(folder_.string()); }
  absl::StatusOr<Config> Load(const std::string& text) {
    Write("headwater.yaml", text);
    return Load();
  }
  // The error of loading `text`, with the folder's own name removed.
  std::string ErrorOf(const std::string& text) {
    const absl::StatusOr<Config> config = Load(text);
    if (config.ok()) return "no error";
    return absl::StrReplaceAll(std::string(config.status().message()),
                               {{absl::StrCat(folder_.string(), "/"), ""}});
  }

  TempFolder temp_;
  const std::filesystem::path folder_ = temp_.path();
};

constexpr char kAirports[] = R"(
version: 1
servers:
  crm: {url: "postgresql://crm-replica/crm", user: bob, password: "${cred:crm}", timezone: Europe/Oslo}
fleets:
  airports:
    url: "odbc:Driver=SQLite3;Database={config_dir}/data/{member}.db;StepAPI=1;NoCreat=1"
    timezone: America/New_York
    clock: "SELECT value FROM demo_clock"
    statement_timeout: 10m
    quiet_windows: ["mon-fri 08:00-16:30"]
    members: [ewr, jfk, {name: lga, silent_after: 7d, max_connections: 2, statement_timeout: 90s, quiet_windows: sun, max_tasks_per_minute: 30}]
targets:
  lake: {delta: "./lake"}
schedules:
  hourly: {cron: "0 0 * * * ?"}
  daily:  {cron: "0 5 * * *", includes: [hourly]}
defaults: {target: lake, frequency: daily}
tables:
  - {from: airports/flights, strategy: partition, cursor: time_hour, cursor_timezone: UTC, unit: 1d, lookback: 2}
  - {from: airports/weather, strategy: incremental, cursor: time_hour, unit: 30d, frequency: hourly}
  - {from: 'airports/"{member}_planes"', strategy: full, target_table: planes, tags: [b, a, b]}
  - {from: crm/public.orders, strategy: full, read_connections: 3}
)";

TEST_F(LoadConfigTest, ExpandsAFleetAndAppliesDefaults) {
  const absl::StatusOr<Config> config = Load(kAirports);
  ASSERT_TRUE(config.ok()) << config.status();
  std::vector<std::string> names;
  for (const DatasetConfig& dataset : config->datasets) names.push_back(ToString(dataset.spec.id));
  EXPECT_THAT(names,
              ElementsAre("ewr/flights", "jfk/flights", "lga/flights", "crm/orders", "ewr/planes",
                          "jfk/planes", "lga/planes", "ewr/weather", "jfk/weather", "lga/weather"));

  const DatasetSpec& flights = config->datasets[2].spec;
  EXPECT_EQ(flights.server.url, absl::StrCat("odbc:Driver=SQLite3;Database=", folder_.string(),
                                             "/data/lga.db;StepAPI=1;NoCreat=1"));
  EXPECT_EQ(flights.server.fleet, "airports");
  EXPECT_EQ(flights.server.timezone, "America/New_York");
  EXPECT_EQ(flights.server.silent_after, absl::Hours(24 * 7));
  EXPECT_EQ(flights.server.max_connections, 2);
  EXPECT_EQ(flights.server.statement_timeout, absl::Seconds(90));
  EXPECT_EQ(flights.server.max_tasks_per_minute, 30);
  EXPECT_THAT(flights.server.quiet_windows, ElementsAre(QuietWindow{1 << 6, 0, 1440}));
  EXPECT_THAT(config->datasets[0].spec.server.quiet_windows,
              ElementsAre(QuietWindow{0b0011111, 480, 990}));
  EXPECT_EQ(config->datasets[0].spec.server.statement_timeout, absl::Minutes(10));
  EXPECT_EQ(config->datasets[3].spec.server.statement_timeout, absl::InfiniteDuration());
  EXPECT_EQ(flights.server.clock_sql, "SELECT value FROM demo_clock");
  EXPECT_EQ(flights.strategy, Strategy::kPartition);
  EXPECT_EQ(flights.cursor_timezone, "UTC");
  EXPECT_EQ(flights.partition_by, flights.unit);
  EXPECT_EQ(flights.lookback_units, 2);
  EXPECT_EQ(flights.target_uri, absl::StrCat(folder_.string(), "/lake/flights"));
  EXPECT_EQ(config->datasets[2].frequency, "daily");
  EXPECT_THAT(config->datasets[2].location, HasSubstr("headwater.yaml:20:5"));

  EXPECT_EQ(config->datasets[3].spec.relation, "public.orders");
  EXPECT_EQ(config->datasets[3].spec.read_connections, 3);
  EXPECT_EQ(config->datasets[4].spec.read_connections, 0);
  EXPECT_EQ(config->datasets[3].spec.server.url, "postgresql://bob:${cred:crm}@crm-replica/crm");
  EXPECT_EQ(config->datasets[5].spec.relation, "jfk_planes");
  EXPECT_THAT(config->datasets[5].tags, ElementsAre("a", "b"));
  EXPECT_EQ(config->datasets[8].spec.cursor_timezone, "America/New_York");
  EXPECT_EQ(config->datasets[8].spec.partition_by, Unit{});
  EXPECT_EQ(config->datasets[8].frequency, "hourly");
  EXPECT_EQ(config->datasets[8].spec.server.max_connections, 4);
}

TEST_F(LoadConfigTest, AReplicaKnowsTheServerThatItFollows) {
  const auto config = Load(R"(
servers: {a: {url: "postgresql://a/{database}", user: u, password: "${A}"}, b2: {url: "postgresql://b/x"}}
fleets: {copies: {url: "postgresql://c/{database}", transactions_from: "{member}2", members: [
  {name: copy, transactions_from: a}, b]}}
targets: {lake: {delta: a}}
defaults: {strategy: full, target: lake}
tables: [{from: copies/sales.public.deals}]
)");
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->datasets[0].spec.id.server, "b");
  EXPECT_EQ(config->datasets[0].spec.server.transactions_from, "b2");
  EXPECT_EQ(config->datasets[0].spec.server.transactions_url, "postgresql://b/x");
  EXPECT_EQ(config->datasets[1].spec.server.transactions_url, "postgresql://u:${A}@a/sales");
}

TEST_F(LoadConfigTest, RetentionIsTheTargetsThenTheConfigurationsThenTheDefault) {
  const char* const kTables = R"(
servers: {s: {url: "odbc:DSN=s"}}
defaults: {strategy: full}
tables: [{from: s/a, target: one}, {from: s/b, target: two}]
)";
  auto config = Load(absl::StrCat("targets: {one: {delta: a}, two: {delta: b}}", kTables));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->datasets[0].retention,
            (Retention{absl::Hours(24 * 7), absl::Hours(24 * 30), absl::Hours(1)}));
  const std::string digest = config->digest;
  config =
      Load(absl::StrCat("retention: {files: 2d, attempts: 10m}\n"
                        "targets: {one: {delta: a}, two: {delta: b, retention: {files: 1h, "
                        "log: 5d}}}",
                        kTables));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->datasets[0].retention,
            (Retention{absl::Hours(48), absl::Hours(24 * 30), absl::Minutes(10)}));
  EXPECT_EQ(config->datasets[1].retention,
            (Retention{absl::Hours(1), absl::Hours(24 * 5), absl::Minutes(10)}));
  EXPECT_NE(config->digest, digest);
}

TEST_F(LoadConfigTest, RetentionBelowWhatIsSafeIsRefused) {
  const std::string error = ErrorOf(R"(
retention: {files: 59m, log: 1s, attempts: 9m, file: 1d}
targets: {one: {delta: a, retention: {files: 5}}}
servers: {s: {url: "odbc:DSN=s"}}
tables: [{from: s/a, target: one, strategy: full}]
)");
  EXPECT_THAT(error,
              HasSubstr("headwater.yaml:2:20: 'files': at least 1h: whoever reads an older"));
  EXPECT_THAT(error, HasSubstr("headwater.yaml:2:30: 'log': at least 1h: "));
  EXPECT_THAT(error, HasSubstr("headwater.yaml:2:44: 'attempts': at least 10m: "));
  EXPECT_THAT(error, HasSubstr("unknown key 'file'; did you mean 'files'?"));
  EXPECT_THAT(error, HasSubstr("headwater.yaml:3:46: 'files'"));
}

TEST_F(LoadConfigTest, HistoryIsKeptAsLongAsItSays) {
  const char* const kTables = R"(
targets: {one: {delta: a}}
servers: {s: {url: "odbc:DSN=s"}}
tables: [{from: s/a, target: one, strategy: full}]
)";
  auto config = Load(kTables);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->history_kept, absl::Hours(24 * 30));
  const std::string digest = config->digest;
  config = Load(absl::StrCat("history: {keep: 90d}", kTables));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->history_kept, absl::Hours(24 * 90));
  EXPECT_NE(config->digest, digest);
  EXPECT_THAT(ErrorOf(absl::StrCat("history: {keep: 500ms}", kTables)),
              HasSubstr("headwater.yaml:1:17: 'keep': at least 1s"));
  EXPECT_THAT(ErrorOf(absl::StrCat("history: {kept: 5d}", kTables)),
              HasSubstr("unknown key 'kept'; known here: keep"));
}

TEST_F(LoadConfigTest, TheNearestDefaultWins) {
  const absl::StatusOr<Config> config = Load(R"(
targets: {lake: {delta: lake}}
defaults: {target: lake, strategy: full, retries: 1, settle: 1m, on_schema_change: freeze}
fleets:
  f:
    url: "odbc:DSN={member}"
    defaults: {retries: 2, settle: 2m}
    members: [a, {name: b, defaults: {retries: 3}}]
tables:
  - {from: f/x}
  - {from: f/y, retries: {max: 9}, on_schema_change: ignore, on_bad_row: quarantine,
     max_bad_rows: 0.5%, on_fine_time: truncate, on_bound_regress: reload,
     columns: {cast: {price: string, at: string}}}
)");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->datasets[0].spec.retries, 2);
  EXPECT_EQ(config->datasets[0].spec.settle, absl::Minutes(2));
  EXPECT_EQ(config->datasets[1].spec.retries, 3);
  EXPECT_EQ(config->datasets[2].spec.retries, 9);
  EXPECT_EQ(config->datasets[3].spec.retries, 9);
  EXPECT_EQ(config->datasets[0].spec.on_schema_change, SchemaPolicy::kFreeze);
  EXPECT_EQ(config->datasets[2].spec.on_schema_change, SchemaPolicy::kIgnore);
  EXPECT_EQ(config->datasets[0].spec.on_bad_row, BadRowPolicy::kFail);
  EXPECT_EQ(config->datasets[0].spec.max_bad_rows.rows, 100);
  EXPECT_EQ(config->datasets[3].spec.on_bad_row, BadRowPolicy::kQuarantine);
  EXPECT_EQ(config->datasets[3].spec.max_bad_rows.percent, 0.5);
  EXPECT_FALSE(config->datasets[0].spec.reload_on_regress);
  EXPECT_TRUE(config->datasets[3].spec.reload_on_regress);
  EXPECT_FALSE(config->datasets[0].spec.truncate_fine_time);
  EXPECT_TRUE(config->datasets[3].spec.truncate_fine_time);
  EXPECT_THAT(config->datasets[3].spec.text_columns, ElementsAre("price", "at"));
}

constexpr char kFolderRoot[] = R"(
servers: {crm: {url: "postgresql://h/sales"}}
targets: {lake: {delta: lake}}
defaults: {target: lake}
)";

TEST_F(LoadConfigTest, AFolderMeansTheSameAsOneFile) {
  Write("headwater.yaml", kFolderRoot);
  Write("incremental/crm/sales.yaml", R"(
defaults: {cursor: created_at}
schemas:
  public:
    tables: [orders, {from: lines, unit: 1mo}]
  audit:
    defaults: {tags: [audit]}
    tables: [log]
)");
  Write("full/crm/sales.yaml", "schemas: {public: {tables: [customers]}}\n");
  const absl::StatusOr<Config> folder = Load();
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_THAT(folder->datasets[3].location, HasSubstr("incremental/crm/sales.yaml:5:14"));

  std::filesystem::remove_all(folder_ / "incremental");
  std::filesystem::remove_all(folder_ / "full");
  const absl::StatusOr<Config> file = Load(absl::StrCat(kFolderRoot, R"(
tables:   # In another order, with a comment.
  - {from: crm/sales.audit.log, tags: [audit], strategy: incremental, cursor: created_at}
  - {strategy: full, from: crm/sales.public.customers}
  - {from: crm/sales.public.orders, strategy: incremental, cursor: created_at}
  - {from: crm/sales.public.lines, strategy: incremental, cursor: created_at, unit: 1mo}
)"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(folder->digest, file->digest);
  EXPECT_EQ(file->digest.size(), 32u);

  const absl::StatusOr<Config> other = Load(absl::StrCat(kFolderRoot, R"(
tables: [{from: crm/sales.public.customers, strategy: full}]
)"));
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other->digest, file->digest);
}

TEST_F(LoadConfigTest, AFileBesideItsFoldersIsTheFolder) {
  Write("headwater.yaml", kFolderRoot);
  Write("full/crm/sales.yaml", "schemas: {public: {tables: [customers]}}\n");
  const absl::StatusOr<Config> config = LoadConfig((folder_ / "headwater.yaml").string());
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->datasets.size(), 1u);
}

TEST_F(LoadConfigTest, ANameNearAStrategyIsAMistake) {
  Write("partitoin/crm/sales.yaml", "schemas: {public: {tables: [customers]}}\n");
  Write("data/crm/unrelated.yaml", "a: 1\n");
  const std::string error = ErrorOf(kFolderRoot);
  EXPECT_THAT(error, HasSubstr("partitoin:1:1: unknown strategy 'partitoin'; did you mean "
                               "'partition'?"));
  EXPECT_THAT(error, Not(HasSubstr("unrelated")));
}

TEST_F(LoadConfigTest, TheDatabaseIsFilledIntoTheUrlOrNamedInTheRelation) {
  const absl::StatusOr<Config> config = Load(R"(
servers:
  a: {url: "postgresql://h/{database}"}
  b: {url: "odbc:Driver=X;Server=h;Database=master"}
  c: {url: "odbc:Driver=X;Server=h;Database=CMS"}
targets: {lake: {delta: lake}}
defaults: {target: lake, strategy: full, cursor: at}
tables:
  - {from: a/sales.public.t}
  - {from: b/CMS.dbo.t}
  - {from: c/CMS.dbo.t}
)");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->datasets[0].spec.server.url, "postgresql://h/sales");
  EXPECT_EQ(config->datasets[0].spec.relation, "public.t");
  EXPECT_EQ(config->datasets[1].spec.relation, "CMS.dbo.t");
  EXPECT_EQ(config->datasets[2].spec.relation, "dbo.t");
  EXPECT_EQ(config->datasets[2].database, "CMS");
}

TEST_F(LoadConfigTest, AMissingFileSaysWhereItLooked) {
  const absl::StatusOr<Config> config = LoadConfig((folder_ / "no.yaml").string());
  EXPECT_EQ(config.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("/no.yaml"));
}

TEST_F(LoadConfigTest, ReportsManyProblemsInTheOrderOfTheFileAndThenStops) {
  std::string text = "targets: {lake: {delta: lake}}\ntables:\n";
  for (int i = 0; i < 30; ++i) absl::StrAppend(&text, "  - {from: x/t", i, ", zzzz: 1}\n");
  const std::string error = ErrorOf(text);
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 20);
  EXPECT_THAT(error, ::testing::StartsWith("headwater.yaml:3:18: table: unknown key 'zzzz'"));
  EXPECT_THAT(error, HasSubstr(" more"));
}

TEST_F(LoadConfigTest, APasswordIsInNoError) {
  for (const std::string server :
       {"{url: 'postgresql://bob:Pl4nted@h/db', password: Pl4nted, maxx: 1}",
        "{url: 'odbc:Driver=X;PWD=Pl4nted', password: Pl4nted, timezone: Nowhere}",
        "{url: 'mssql://bob:Pl4nted@h/db'}", "{url: 'bob:Pl4nted@h'}",
        "{url: '${X:-${Pl4nted', max_connections: many}", "{url: ['Pl4nted']}",
        "{url: '${VAR}', password: {a: Pl4nted}}", "{url: 'odbc:A=b', password: '${X:Pl4nted}'}"}) {
    const std::string error = ErrorOf(absl::StrCat("servers: {s: ", server, "}\n"));
    EXPECT_THAT(error, HasSubstr("headwater.yaml:1:")) << server;
    EXPECT_THAT(error, Not(HasSubstr("Pl4nted"))) << server;
  }
}

}  // namespace
}  // namespace headwater
