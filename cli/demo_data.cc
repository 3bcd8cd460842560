#include "cli/demo_data.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/demo_changes.h"
#include "cli/demo_server.h"
#include "common/base/check.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr absl::string_view kServers[] = {"ewr", "jfk", "lga"};

constexpr DemoKind kInteger = DemoKind::kInteger;
constexpr DemoKind kReal = DemoKind::kReal;
constexpr DemoKind kText = DemoKind::kText;

constexpr DemoColumn kFlightColumns[] = {{"year", kInteger},
                                         {"month", kInteger},
                                         {"day", kInteger},
                                         {"dep_time", kInteger},
                                         {"sched_dep_time", kInteger},
                                         {"dep_delay", kInteger},
                                         {"arr_time", kInteger},
                                         {"sched_arr_time", kInteger},
                                         {"arr_delay", kInteger},
                                         {"carrier", kText},
                                         {"flight", kInteger},
                                         {"tailnum", kText},
                                         {"origin", kText},
                                         {"dest", kText},
                                         {"air_time", kInteger},
                                         {"distance", kInteger},
                                         {"hour", kInteger},
                                         {"minute", kInteger},
                                         {"time_hour", DemoKind::kTimestamp}};
constexpr size_t kFlightCarrier = 9;
constexpr size_t kFlightTailnum = 11;
constexpr size_t kFlightOrigin = 12;

constexpr DemoColumn kWeatherColumns[] = {
    {"origin", kText},     {"year", kInteger},   {"month", kInteger},
    {"day", kInteger},     {"hour", kInteger},   {"temp", kReal},
    {"dewp", kReal},       {"humid", kReal},     {"wind_dir", kInteger},
    {"wind_speed", kReal}, {"wind_gust", kReal}, {"precip", kReal},
    {"pressure", kReal},   {"visib", kReal},     {"time_hour", DemoKind::kTimestamp}};
constexpr size_t kWeatherOrigin = 0;

constexpr DemoColumn kPlaneColumns[] = {
    {"tailnum", kText},      {"year", kInteger},  {"type", kText},
    {"manufacturer", kText}, {"model", kText},    {"engines", kInteger},
    {"seats", kInteger},     {"speed", kInteger}, {"engine", kText}};
constexpr DemoColumn kAirlineColumns[] = {{"carrier", kText}, {"name", kText}};

const DemoTable kFlights = {"flights", kFlightColumns};
const DemoTable kWeather = {"weather", kWeatherColumns};
const DemoTable kPlanes = {"planes", kPlaneColumns};
const DemoTable kAirlines = {"airlines", kAirlineColumns};

absl::StatusOr<CsvFile> ReadTable(const std::string& csv_dir, const DemoTable& table) {
  std::vector<absl::string_view> names;
  for (const DemoColumn& column : table.columns) names.push_back(column.name);
  return CsvFile::Read(absl::StrCat(csv_dir, "/", table.name, ".csv"), names);
}

// Of "2013-01-01T10:00:00Z". absl::ParseTime() would take a second for all rows.
bool ParseTimeHour(absl::string_view text, absl::Time& time) {
  constexpr absl::string_view kPattern = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != kPattern.size()) return false;
  int numbers[6] = {};
  int at = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (kPattern[i] == 'd' && absl::ascii_isdigit(text[i])) {
      numbers[at] = numbers[at] * 10 + (text[i] - '0');
    } else if (kPattern[i] != 'd' && kPattern[i] == text[i]) {
      ++at;
    } else {
      return false;
    }
  }
  const absl::CivilSecond second(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4],
                                 numbers[5]);
  // A CivilSecond carries what is too much: a February 30 has become another day.
  if (second.month() != numbers[1] || second.day() != numbers[2] || second.hour() != numbers[3] ||
      second.minute() != numbers[4] || second.second() != numbers[5]) {
    return false;
  }
  time = absl::FromCivil(second, absl::UTCTimeZone());
  return true;
}

absl::Status InsertRow(DemoServer::Inserter& inserter, const CsvFile& file, size_t row,
                       std::vector<absl::string_view>& fields) {
  file.Fields(row, fields);
  const absl::Status status = inserter.Insert(fields);
  return status.ok() ? status : Annotate(status, file.Place(row));
}

absl::Status InsertRows(DemoServer& file, const DemoTable& table, const CsvFile& csv,
                        const std::vector<size_t>& rows) {
  ASSIGN_OR_RETURN(DemoServer::Inserter inserter, file.PrepareInsert(table));
  std::vector<absl::string_view> fields;
  for (const size_t row : rows) RETURN_IF_ERROR(InsertRow(inserter, csv, row, fields));
  return absl::OkStatus();
}

// True when `dir` has the data set.
bool HasData(const std::filesystem::path& dir) {
  std::error_code ignored;
  return std::filesystem::exists(dir / "flights.csv", ignored);
}

absl::Status NoData(absl::string_view looked_in) {
  return absl::NotFoundError(absl::StrCat("no flights.csv in ", looked_in,
                                          "; to download the demo's data set run ./dev setup"));
}

}  // namespace

DemoData::DemoData(CsvFile flights, CsvFile weather, CsvFile planes, CsvFile airlines)
    : flights_(std::move(flights)),
      weather_(std::move(weather)),
      planes_(std::move(planes)),
      airlines_(std::move(airlines)) {}

absl::StatusOr<DemoData> DemoData::Load(const std::string& csv_dir) {
  ASSIGN_OR_RETURN(CsvFile flights, ReadTable(csv_dir, kFlights));
  ASSIGN_OR_RETURN(CsvFile weather, ReadTable(csv_dir, kWeather));
  ASSIGN_OR_RETURN(CsvFile planes, ReadTable(csv_dir, kPlanes));
  ASSIGN_OR_RETURN(CsvFile airlines, ReadTable(csv_dir, kAirlines));
  DemoData data(std::move(flights), std::move(weather), std::move(planes), std::move(airlines));
  RETURN_IF_ERROR(data.Deal());
  return data;
}

absl::Status DemoData::Deal() {
  // A zone that cannot be loaded is UTC, and the answer alone tells.
  if (!absl::LoadTimeZone("America/New_York", &new_york_)) {
    return absl::NotFoundError("no time zone America/New_York here; install tzdata");
  }
  for (const absl::string_view name : kServers) servers_.emplace(std::string(name), Server());
  RETURN_IF_ERROR(DealStamped(flights_, kFlightOrigin, &Server::flights));
  RETURN_IF_ERROR(DealStamped(weather_, kWeatherOrigin, &Server::weather));
  DealPlanesAndAirlines();
  return absl::OkStatus();
}

absl::Status DemoData::DealStamped(const CsvFile& file, size_t origin_column,
                                   std::vector<StampedRow> Server::*rows) {
  const absl::Time held_from = absl::FromCivil(absl::CivilDay(2013, 3, 8), new_york_);
  const absl::Time held_to = absl::FromCivil(absl::CivilDay(2013, 3, 11), new_york_);
  std::vector<absl::string_view> fields;
  for (size_t row = 0; row < file.row_count(); ++row) {
    file.Fields(row, fields);
    absl::Time time;
    if (!ParseTimeHour(fields.back(), time)) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.Place(row), ": expected a time_hour like 2013-01-01T10:00:00Z, found ",
                       fields.back().substr(0, 100)));
    }
    const auto server = servers_.find(absl::AsciiStrToLower(fields[origin_column]));
    if (server == servers_.end()) {
      return absl::InvalidArgumentError(absl::StrCat(file.Place(row),
                                                     ": expected origin EWR, JFK or LGA, found ",
                                                     fields[origin_column].substr(0, 100)));
    }
    const bool held_back = server->first == "jfk" && time >= held_from && time < held_to;
    (server->second.*rows).push_back({time, row, held_back});
  }
  for (auto& [name, server] : servers_) {
    std::stable_sort(
        (server.*rows).begin(), (server.*rows).end(),
        [](const StampedRow& a, const StampedRow& b) { return a.time_hour < b.time_hour; });
  }
  return absl::OkStatus();
}

void DemoData::DealPlanesAndAirlines() {
  std::vector<absl::string_view> fields;
  for (auto& [name, server] : servers_) {
    std::set<absl::string_view> tailnums;
    std::set<absl::string_view> carriers;
    for (const StampedRow& flight : server.flights) {
      flights_.Fields(flight.row, fields);
      tailnums.insert(fields[kFlightTailnum]);
      carriers.insert(fields[kFlightCarrier]);
    }
    for (size_t row = 0; row < planes_.row_count(); ++row) {
      planes_.Fields(row, fields);
      if (tailnums.count(fields[0]) > 0) server.planes.push_back(row);
    }
    for (size_t row = 0; row < airlines_.row_count(); ++row) {
      airlines_.Fields(row, fields);
      if (carriers.count(fields[0]) > 0) server.airlines.push_back(row);
    }
  }
}

absl::StatusOr<DemoData::Server*> DemoData::Find(absl::string_view name) {
  const auto found = servers_.find(name);
  if (found == servers_.end()) {
    return absl::NotFoundError(
        absl::StrCat("the demo has no server ", name, "; it has ewr, jfk and lga"));
  }
  HW_CHECK(!found->second.path.empty());  // CreateServers() was called.
  return &found->second;
}

absl::Status DemoData::CreateServers(const std::string& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return absl::InternalError(absl::StrCat("making ", dir, ": ", error.message()));
  for (auto& [name, server] : servers_) {
    server.path = absl::StrCat(dir, "/", name, ".db");
    server.has_planes_and_airlines = false;
    server.arrived_flight_count = 0;
    std::filesystem::remove(server.path, error);
    if (error) {
      return absl::InternalError(absl::StrCat("removing ", server.path, ": ", error.message()));
    }
    ASSIGN_OR_RETURN(DemoServer file, DemoServer::Open(server.path));
    RETURN_IF_ERROR(file.Begin());
    for (const DemoTable& table : {kFlights, kWeather, kPlanes, kAirlines}) {
      RETURN_IF_ERROR(file.CreateTable(table));
    }
    RETURN_IF_ERROR(file.Execute("CREATE TABLE demo_clock (value TIMESTAMP)"));
    RETURN_IF_ERROR(file.Execute("INSERT INTO demo_clock VALUES ('2013-01-01 00:00:00')"));
    RETURN_IF_ERROR(file.Commit());
  }
  return absl::OkStatus();
}

absl::Status DemoData::Insert(Server& server, absl::Time from, absl::Time to, bool held_back,
                              bool first) {
  ASSIGN_OR_RETURN(DemoServer file, DemoServer::Open(server.path));
  RETURN_IF_ERROR(file.Begin());
  const auto wanted = [&](const std::vector<StampedRow>& rows) {
    std::vector<size_t> chosen;
    for (const StampedRow& row : rows) {
      const bool inside = row.time_hour >= from && row.time_hour < to;
      if (inside && row.held_back == held_back) chosen.push_back(row.row);
    }
    return chosen;
  };
  const std::vector<size_t> flights = wanted(server.flights);
  RETURN_IF_ERROR(InsertRows(file, kFlights, flights_, flights));
  RETURN_IF_ERROR(InsertRows(file, kWeather, weather_, wanted(server.weather)));
  if (first) {
    RETURN_IF_ERROR(InsertRows(file, kPlanes, planes_, server.planes));
    RETURN_IF_ERROR(InsertRows(file, kAirlines, airlines_, server.airlines));
  }
  RETURN_IF_ERROR(file.Commit());
  server.has_planes_and_airlines |= first;
  server.arrived_flight_count += static_cast<int64_t>(flights.size());
  return absl::OkStatus();
}

absl::Status DemoData::Arrive(absl::string_view server, absl::Time from, absl::Time to) {
  ASSIGN_OR_RETURN(Server* const found, Find(server));
  return Insert(*found, from, to, /*held_back=*/false, !found->has_planes_and_airlines);
}

absl::Status DemoData::ArriveLate() {
  ASSIGN_OR_RETURN(Server* const jfk, Find("jfk"));
  return Insert(*jfk, absl::InfinitePast(), absl::InfiniteFuture(), /*held_back=*/true,
                /*first=*/false);
}

absl::Status DemoData::SetClock(absl::string_view server, absl::Time now) {
  ASSIGN_OR_RETURN(Server* const found, Find(server));
  ASSIGN_OR_RETURN(DemoServer file, DemoServer::Open(found->path));
  return file.Execute(absl::StrCat("UPDATE demo_clock SET value = '", DemoTimestamp(now), "'"));
}

std::vector<FlightChange> DemoData::ChangesOf(const Server& server, int month, int day,
                                              size_t count) const {
  const absl::CivilDay civil_day(2013, month, day);
  std::vector<size_t> rows;
  for (const StampedRow& flight : server.flights) {
    if (absl::ToCivilDay(flight.time_hour, new_york_) == civil_day) rows.push_back(flight.row);
  }
  return ChooseFlightChanges(flights_, rows, count);
}

absl::StatusOr<int> DemoData::ChangeFlights(const std::string& changes_json_path) {
  ASSIGN_OR_RETURN(Server* const ewr, Find("ewr"));
  std::vector<FlightChange> changes = ChangesOf(*ewr, 12, 29, 3);
  for (FlightChange& change : ChangesOf(*ewr, 12, 30, 2)) changes.push_back(std::move(change));
  ASSIGN_OR_RETURN(DemoServer file, DemoServer::Open(ewr->path));
  RETURN_IF_ERROR(ApplyFlightChanges(file, changes));
  RETURN_IF_ERROR(WriteFlightChanges(changes, "ewr", changes_json_path));
  RETURN_IF_ERROR(file.Commit());
  return static_cast<int>(changes.size());
}

absl::Status DemoData::ChangeOldFlight(const std::string& changes_json_path) {
  ASSIGN_OR_RETURN(Server* const jfk, Find("jfk"));
  const std::vector<FlightChange> changes = ChangesOf(*jfk, 2, 3, 1);
  ASSIGN_OR_RETURN(DemoServer file, DemoServer::Open(jfk->path));
  RETURN_IF_ERROR(ApplyFlightChanges(file, changes));
  RETURN_IF_ERROR(WriteFlightChanges(changes, "jfk", changes_json_path));
  return file.Commit();
}

absl::Status DemoData::RefitPlanes() {
  ASSIGN_OR_RETURN(Server* const ewr, Find("ewr"));
  ASSIGN_OR_RETURN(DemoServer file, DemoServer::Open(ewr->path));
  return file.Execute(
      "UPDATE planes SET seats = seats + 1 WHERE tailnum IN (SELECT tailnum FROM planes ORDER BY "
      "tailnum LIMIT 2)");
}

int64_t DemoData::arrived_flight_count(absl::string_view server) const {
  const auto found = servers_.find(server);
  return found == servers_.end() ? 0 : found->second.arrived_flight_count;
}

absl::StatusOr<std::string> FindDemoData(const std::string& option) {
  const char* const variable = std::getenv("HEADWATER_DEMO_DATA");
  const bool has_variable = variable != nullptr && *variable != '\0';
  if (!option.empty() || has_variable) {
    const std::string named = option.empty() ? variable : option;
    if (HasData(named)) return named;
    return NoData(named);
  }
  std::error_code ignored;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::filesystem::path starts[] = {program.parent_path(),
                                          std::filesystem::current_path(ignored)};
  for (const std::filesystem::path& start : starts) {
    for (std::filesystem::path dir = start; !dir.empty(); dir = dir.parent_path()) {
      const std::filesystem::path candidate = dir / ".cache" / "nycflights13";
      if (HasData(candidate)) return candidate.string();
      if (dir == dir.root_path()) break;
    }
  }
  return NoData(absl::StrCat(".cache/nycflights13 at or above ", starts[0].string(), " and ",
                             starts[1].string()));
}

}  // namespace headwater
