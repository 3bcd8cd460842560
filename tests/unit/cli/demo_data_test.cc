#include "cli/demo_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "cli/demo_config.h"
#include "common/config/config.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The rows of a query, each with its values joined by '|'; a value is shown with its type when it
// is not text: i:5, r:1.5, NULL.
std::vector<std::string> Query(const std::string& path, const std::string& sql) {
  sqlite3* connection = nullptr;
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &connection, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(connection, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
      << sqlite3_errmsg(connection);
  std::vector<std::string> rows;
  while (statement != nullptr && sqlite3_step(statement) == SQLITE_ROW) {
    std::string row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const int type = sqlite3_column_type(statement, i);
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
      absl::StrAppend(&row, i == 0 ? "" : "|",
                      type == SQLITE_INTEGER ? "i:" : (type == SQLITE_FLOAT ? "r:" : ""),
                      text == nullptr ? "NULL" : text);
    }
    rows.push_back(row);
  }
  sqlite3_finalize(statement);
  sqlite3_close(connection);
  return rows;
}

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

absl::Time Utc(int month, int day, int hour = 0) {
  return absl::FromCivil(absl::CivilHour(2013, month, day, hour), absl::UTCTimeZone());
}

class DemoDataTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<DemoData> data = DemoData::Load(HEADWATER_TEST_DATA "/nycflights13");
    ASSERT_TRUE(data.ok()) << data.status();
    data_ = std::make_unique<DemoData>(*std::move(data));
    ASSERT_EQ(data_->CreateServers(folder_.path() + "/data"), absl::OkStatus());
  }

  std::string Path(const std::string& server) {
    return absl::StrCat(folder_.path(), "/data/", server, ".db");
  }
  std::vector<std::string> Flights(const std::string& server) {
    return Query(Path(server), "SELECT flight FROM flights ORDER BY rowid");
  }
  void ArriveAll() {
    for (const char* server : {"ewr", "jfk", "lga"}) {
      ASSERT_EQ(data_->Arrive(server, absl::InfinitePast(), absl::InfiniteFuture()),
                absl::OkStatus());
    }
  }
  // A copy of the fixture's folder in which one file is something else.
  std::string FolderWith(const std::string& name, const std::string& content) {
    std::string dir = folder_.path() + "/csv";
    std::filesystem::copy(HEADWATER_TEST_DATA "/nycflights13", dir);
    std::ofstream(dir + "/" + name, std::ios::trunc) << content;
    return dir;
  }

  TempFolder folder_;
  std::unique_ptr<DemoData> data_;
};

TEST_F(DemoDataTest, RowsAreTypedAndMissingValuesAreNull) {
  ArriveAll();
  EXPECT_THAT(
      Query(Path("ewr"), "SELECT * FROM flights WHERE flight = 1"),
      ElementsAre("i:2013|i:1|i:1|i:517|i:515|i:2|i:715|i:715|i:11|XA|i:1|N1XA|EWR|AAA|i:110|"
                  "i:700|i:5|i:15|2013-01-01 10:00:00"));
  EXPECT_THAT(Query(Path("jfk"),
                    "SELECT dep_time, dep_delay, arr_delay, tailnum, air_time FROM flights "
                    "WHERE flight = 3"),
              ElementsAre("NULL|NULL|NULL|NULL|NULL"));
  EXPECT_THAT(Query(Path("ewr"), "SELECT * FROM weather WHERE month = 1"),
              ElementsAre("EWR|i:2013|i:1|i:1|i:1|r:39.02|r:26.06|r:59.37|i:270|r:10.35702|NULL|"
                          "r:0.0|r:1012.3|r:10.0|2013-01-01 06:00:00"));
  EXPECT_THAT(Query(Path("ewr"), "SELECT wind_speed = 10.357019999999999 FROM weather LIMIT 1"),
              ElementsAre("i:1"));
}

TEST_F(DemoDataTest, TablesAreDeclaredWithTypesAndIndexed) {
  EXPECT_THAT(Query(Path("lga"),
                    "SELECT count(*), sum(type = 'INTEGER'), sum(type = 'TEXT'), "
                    "sum(type = 'TIMESTAMP') FROM pragma_table_info('flights')"),
              ElementsAre("i:19|i:14|i:4|i:1"));
  EXPECT_THAT(Query(Path("lga"),
                    "SELECT count(*), sum(type = 'INTEGER'), sum(type = 'REAL'), "
                    "sum(type = 'TIMESTAMP') FROM pragma_table_info('weather')"),
              ElementsAre("i:15|i:5|i:8|i:1"));
  EXPECT_THAT(Query(Path("lga"),
                    "SELECT tbl_name FROM sqlite_master WHERE type = 'index' AND "
                    "sql LIKE '%(time_hour)' ORDER BY 1"),
              ElementsAre("flights", "weather"));
}

TEST_F(DemoDataTest, ArrivalIsHalfOpenAndInTheOrderOfTime) {
  ASSERT_EQ(data_->Arrive("ewr", Utc(1, 1, 10), Utc(10, 15, 10)), absl::OkStatus());
  EXPECT_THAT(Flights("ewr"), ElementsAre("i:1", "i:15"));
  EXPECT_EQ(data_->arrived_flight_count("ewr"), 2);
  ASSERT_EQ(data_->Arrive("ewr", Utc(10, 15, 10), Utc(12, 29)), absl::OkStatus());
  EXPECT_THAT(Flights("ewr"), ElementsAre("i:1", "i:15", "i:4", "i:20"));
  EXPECT_THAT(Flights("jfk"), IsEmpty());
  EXPECT_EQ(data_->Arrive("sea", Utc(1, 1), Utc(2, 1)).code(), absl::StatusCode::kNotFound);
}

TEST_F(DemoDataTest, TheFirstArrivalBringsThePlanesAndAirlinesOfAllFlights) {
  ASSERT_EQ(data_->Arrive("jfk", Utc(1, 1), Utc(1, 2)), absl::OkStatus());
  // N5XD of XD flies only among what is held back; N8YY and XY never fly.
  const auto planes = [&] { return Query(Path("jfk"), "SELECT tailnum FROM planes"); };
  const auto airlines = [&] { return Query(Path("jfk"), "SELECT carrier FROM airlines"); };
  EXPECT_THAT(planes(), ElementsAre("N4XA", "N5XD"));
  EXPECT_THAT(airlines(), ElementsAre("XA", "XD"));
  ASSERT_EQ(data_->Arrive("jfk", Utc(1, 2), Utc(12, 31)), absl::OkStatus());
  ASSERT_EQ(data_->ArriveLate(), absl::OkStatus());
  EXPECT_THAT(planes(), ElementsAre("N4XA", "N5XD"));
  EXPECT_THAT(airlines(), ElementsAre("XA", "XD"));
}

TEST_F(DemoDataTest, ThreeLocalDaysOfJfkComeLate) {
  ArriveAll();
  EXPECT_THAT(Flights("jfk"), ElementsAre("i:3", "i:10", "i:14"));
  const std::string weather = "SELECT time_hour FROM weather ORDER BY rowid";
  EXPECT_THAT(Query(Path("jfk"), weather),
              ElementsAre("2013-01-01 06:00:00", "2013-03-11 04:00:00"));
  ASSERT_EQ(data_->ArriveLate(), absl::OkStatus());
  EXPECT_THAT(Flights("jfk"), ElementsAre("i:3", "i:10", "i:14", "i:11", "i:12", "i:13"));
  EXPECT_EQ(data_->arrived_flight_count("jfk"), 6);
  EXPECT_THAT(Query(Path("jfk"), weather),
              ElementsAre("2013-01-01 06:00:00", "2013-03-11 04:00:00", "2013-03-10 06:00:00",
                          "2013-03-10 08:00:00"));
}

TEST_F(DemoDataTest, TheClockIsOneRowInUtc) {
  ASSERT_EQ(data_->SetClock("ewr", Utc(7, 1, 4)), absl::OkStatus());
  ASSERT_EQ(data_->SetClock("ewr", Utc(11, 1, 5)), absl::OkStatus());
  EXPECT_THAT(Query(Path("ewr"), "SELECT value FROM demo_clock"),
              ElementsAre("2013-11-01 05:00:00"));
  EXPECT_THAT(Query(Path("jfk"), "SELECT value FROM demo_clock"),
              ElementsAre("2013-01-01 00:00:00"));
}

TEST_F(DemoDataTest, FiveFlightsChangeOnTwoDaysAndTheListNamesEach) {
  ArriveAll();
  const std::string all = "SELECT * FROM flights ORDER BY rowid";
  const std::vector<std::string> before = Query(Path("ewr"), all);
  const std::string list = folder_.path() + "/changes.json";
  const absl::StatusOr<int> count = data_->ChangeFlights(list);
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(*count, 5);
  const std::vector<std::string> after = Query(Path("ewr"), all);
  int changed = 0;
  for (size_t i = 0; i < before.size(); ++i) changed += before[i] != after[i] ? 1 : 0;
  EXPECT_EQ(changed, 5);

  rapidjson::Document document;
  document.Parse(ReadFile(list).c_str());
  ASSERT_TRUE(document.IsArray());
  std::map<std::string, int> days;
  std::map<std::string, int> columns;
  for (const auto& change : document.GetArray()) {
    const auto& key = change["key"];
    const std::string column = change["column"].GetString();
    EXPECT_NE(change["old"].GetInt64(), change["new"].GetInt64());
    EXPECT_THAT(
        Query(Path("ewr"),
              absl::StrCat("SELECT ", column, ", month, day FROM flights WHERE ", "time_hour = '",
                           key["time_hour"].GetString(), "' AND carrier = '",
                           key["carrier"].GetString(), "' AND flight = ", key["flight"].GetInt64(),
                           " AND sched_dep_time = ", key["sched_dep_time"].GetInt64())),
        ElementsAre(AllOf(HasSubstr(absl::StrCat("i:", change["new"].GetInt64(), "|i:12|")))));
    ++days[std::string(key["time_hour"].GetString()).substr(0, 10)];
    ++columns[column];
  }
  EXPECT_EQ(columns["arr_delay"], 3);
  EXPECT_EQ(columns["dep_delay"], 2);
  EXPECT_EQ(days.size(), 2u);
}

TEST_F(DemoDataTest, ChangesBeforeTheirDaysArrivedAreRefusedAndChangeNothing) {
  ASSERT_EQ(data_->Arrive("ewr", Utc(12, 29), Utc(12, 30)), absl::OkStatus());
  const std::string all = "SELECT * FROM flights ORDER BY rowid";
  const std::vector<std::string> before = Query(Path("ewr"), all);
  const absl::StatusOr<int> count = data_->ChangeFlights(folder_.path() + "/changes.json");
  EXPECT_EQ(count.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(count.status().message()), HasSubstr("expected one row"));
  EXPECT_EQ(Query(Path("ewr"), all), before);
}

TEST_F(DemoDataTest, AnotherDemoBeginsWithEmptyServers) {
  ArriveAll();
  ASSERT_EQ(data_->CreateServers(folder_.path() + "/data"), absl::OkStatus());
  EXPECT_THAT(Flights("ewr"), IsEmpty());
  EXPECT_EQ(data_->arrived_flight_count("ewr"), 0);
  ArriveAll();
  EXPECT_THAT(Query(Path("lga"), "SELECT count(*) FROM airlines"), ElementsAre("i:1"));
}

TEST_F(DemoDataTest, AFileThatIsNotTheDataSetIsRefusedWithItsLine) {
  const std::string header = "carrier,name\n";
  const std::pair<std::string, std::string> cases[] = {
      {"code,name\nXA,A\n", "airlines.csv:1: expected the columns carrier,name, found code,name"},
      {header + "XA,A\nXB\n", "airlines.csv:3: expected 2 fields, found 1"},
      {header + "XA,A,B\n", "airlines.csv:2: expected 2 fields, found 3"},
      {header + "XA,\n", "airlines.csv:2: a field is empty"},
      {header + ",A\n", "airlines.csv:2: a field is empty"},
      {header + "\n", "airlines.csv:2: a field is empty"},
      {header + "XA,\"A\"\n", "airlines.csv:2: expected plain fields, found a quote"},
      {header + "XA,A\r\n", "airlines.csv:2: expected plain fields, found a carriage return"},
      {header + "XA,A", "airlines.csv:2: the last line has no end"},
  };
  for (const auto& [content, message] : cases) {
    const std::string dir = FolderWith("airlines.csv", content);
    const absl::Status status = DemoData::Load(dir).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << content;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    std::filesystem::remove_all(dir);
  }
}

TEST_F(DemoDataTest, AValueOfTheWrongKindIsRefusedWithItsPlaceAndNothingArrives) {
  std::string flights = ReadFile(HEADWATER_TEST_DATA "/nycflights13/flights.csv");
  const size_t delay = flights.find(",2,715,715,11,");
  ASSERT_NE(delay, std::string::npos);
  flights.replace(delay + 1, 1, "1.5");
  absl::StatusOr<DemoData> data = DemoData::Load(FolderWith("flights.csv", flights));
  ASSERT_TRUE(data.ok()) << data.status();
  ASSERT_EQ(data->CreateServers(folder_.path() + "/data"), absl::OkStatus());
  const absl::Status status = data->Arrive("ewr", Utc(1, 1), Utc(12, 31));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("flights.csv:2: column dep_delay: expected INTEGER, found 1.5"));
  EXPECT_THAT(Flights("ewr"), IsEmpty());
  EXPECT_THAT(Query(Path("ewr"), "SELECT tailnum FROM planes"), IsEmpty());
}

TEST_F(DemoDataTest, ATimeThatDoesNotExistIsRefused) {
  for (const std::string time : {"2013-02-30T10:00:00Z", "2013-01-01 10:00:00", "NA"}) {
    const std::string dir =
        FolderWith("weather.csv", ReadFile(HEADWATER_TEST_DATA "/nycflights13/weather.csv") +
                                      "EWR,2013,1,1,1,1,1,1,1,1,1,1,1,1," + time + "\n");
    const absl::Status status = DemoData::Load(dir).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("weather.csv:10: expected a time_hour"));
    std::filesystem::remove_all(dir);
  }
}

TEST_F(DemoDataTest, TheDataIsFoundByOptionOrVariable) {
  EXPECT_EQ(*FindDemoData(HEADWATER_TEST_DATA "/nycflights13"),
            HEADWATER_TEST_DATA "/nycflights13");
  const absl::StatusOr<std::string> missing = FindDemoData(folder_.path());
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()),
              AllOf(HasSubstr(folder_.path()), HasSubstr("./dev setup")));

  const std::string cache = folder_.path() + "/.cache/nycflights13";
  std::filesystem::create_directories(cache);
  std::ofstream(cache + "/flights.csv") << "";
  ASSERT_EQ(setenv("HEADWATER_DEMO_DATA", cache.c_str(), 1), 0);
  EXPECT_EQ(*FindDemoData(""), cache);
  ASSERT_EQ(unsetenv("HEADWATER_DEMO_DATA"), 0);
}

TEST(DemoConfig, LoadsAsTwelveDatasets) {
  TempFolder folder;
  ASSERT_EQ(WriteDemoConfig(folder.path()), absl::OkStatus());
  const absl::StatusOr<Config> config = LoadConfig(folder.path());
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->datasets.size(), 12u);
  const auto find = [&](const std::string& server, const std::string& table) {
    for (const DatasetConfig& dataset : config->datasets) {
      if (dataset.spec.id == DatasetId{table, server}) return dataset;
    }
    ADD_FAILURE() << "no dataset " << server << "/" << table;
    return DatasetConfig{};
  };
  const DatasetConfig flights = find("lga", "flights");
  EXPECT_EQ(flights.spec.strategy, Strategy::kPartition);
  EXPECT_EQ(flights.spec.lookback_units, 2);
  EXPECT_EQ(flights.spec.cursor_timezone, "UTC");
  EXPECT_EQ(flights.spec.server.timezone, "America/New_York");
  EXPECT_EQ(flights.spec.server.silent_after, absl::Hours(7 * 24));
  EXPECT_EQ(PartitionColumn(flights.spec.partition_by), "cursor_day");
  EXPECT_THAT(flights.spec.server.url, HasSubstr(folder.path() + "/data/lga.db"));
  EXPECT_EQ(find("jfk", "flights").spec.server.silent_after, absl::InfiniteDuration());
  EXPECT_EQ(find("ewr", "weather").spec.strategy, Strategy::kIncremental);
  EXPECT_EQ(find("ewr", "planes_history").spec.strategy, Strategy::kScd2);
  EXPECT_EQ(find("ewr", "airlines").spec.write, WriteMode::kMerge);
  EXPECT_EQ(find("ewr", "airlines").spec.target_uri, folder.path() + "/lake/airlines");
}

TEST(DemoConfig, AFolderThatIsMissingIsAnError) {
  TempFolder folder;
  EXPECT_EQ(WriteDemoConfig(folder.path() + "/none").code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace headwater
