// The year 2013 at the three airports of New York, played again: what the demo's source servers
// hold, and when it arrives there.
#ifndef HEADWATER_CLI_DEMO_DATA_H_
#define HEADWATER_CLI_DEMO_DATA_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/csv_file.h"
#include "cli/demo_changes.h"

namespace headwater {

// Three SQLite files, one for each origin of the data set nycflights13:
//
//   ewr.db  jfk.db  lga.db
//     flights   19 columns as in flights.csv; time_hour TIMESTAMP in UTC, with an index
//     weather   15 columns as in weather.csv; likewise
//     planes    those that occur in this server's flights
//     airlines  likewise
//     demo_clock(value TIMESTAMP)   one row, UTC: what the server takes for the present
//
// Rows are sorted by time_hour before they arrive. A story needs things that go wrong, so jfk's
// flights and weather of the local days 2013-03-08 to 2013-03-10 (the last has 23 hours) are held
// back from Arrive(), and come with ArriveLate().
//
// Thread-compatible. Movable. Keeps the CSV files in memory (about 45 MB), and no SQLite file open
// between calls. Errors of SQLite are as in cli/demo_server.h; a call that fails changes nothing.
class DemoData {
 public:
  // Reads flights.csv, weather.csv, planes.csv and airlines.csv of the folder.
  // Errors: NOT_FOUND         a file is missing.
  //         INVALID_ARGUMENT  a file is not what the data set has; names file and line.
  static absl::StatusOr<DemoData> Load(const std::string& csv_dir);

  // Makes the three files in `dir`, and the folder itself, with empty tables and a clock that
  // stands at 2013-01-01 00:00:00. Files of an earlier demo are replaced. All other methods but
  // Load() require it.
  absl::Status CreateServers(const std::string& dir);

  // Inserts flights and weather of `server` with from <= time_hour < to, but not what is held back,
  // in one transaction. The first call for a server also inserts all its planes and airlines, those
  // of later flights too, so that these tables never change afterwards.
  // Requires: no instant is asked for twice. Errors: NOT_FOUND, no server of that name.
  absl::Status Arrive(absl::string_view server, absl::Time from, absl::Time to);

  // Inserts what was held back at jfk. Requires: not called before.
  absl::Status ArriveLate();

  // Sets what `server` takes for the present. Errors: NOT_FOUND, no server of that name.
  absl::Status SetClock(absl::string_view server, absl::Time now);

  // Corrects five flights of ewr, three of local December 29 and two of December 30, in one
  // transaction, and lists what it did in a JSON file:
  //
  //   [{"table": "flights", "server": "ewr",
  //     "key": {"time_hour": "2013-12-29 11:00:00", "carrier": "UA", "flight": 1545,
  //             "sched_dep_time": 615},
  //     "column": "arr_delay", "old": 11, "new": 4}, ...]
  //
  // A key stands for exactly one row of the server, and `time_hour` is in UTC, as stored.
  // Returns how many rows were changed. Requires: these days have arrived.
  // Errors: FAILED_PRECONDITION  a key does not stand for exactly one row with the old value.
  //         INTERNAL             the JSON file cannot be written.
  absl::StatusOr<int> ChangeFlights(const std::string& changes_json_path);

  // Corrects one flight of jfk of local February 3, which has settled long ago and is in no
  // lookback, and lists it in a file like that of ChangeFlights(). Errors and what it requires: as
  // there.
  absl::Status ChangeOldFlight(const std::string& changes_json_path);

  // Gives the two planes of ewr that come first by tailnum one seat more each.
  absl::Status RefitPlanes();

  // Flights that have arrived at `server` so far; 0 for an unknown one.
  int64_t arrived_flight_count(absl::string_view server) const;

 private:
  // A row of flights.csv or weather.csv.
  struct StampedRow {
    absl::Time time_hour;
    size_t row;
    bool held_back;
  };
  struct Server {
    std::string path;                 // Empty before CreateServers().
    std::vector<StampedRow> flights;  // Sorted by time_hour, as are those of weather.
    std::vector<StampedRow> weather;
    std::vector<size_t> planes;  // Rows of their files.
    std::vector<size_t> airlines;
    bool has_planes_and_airlines = false;
    int64_t arrived_flight_count = 0;
  };

  DemoData(CsvFile flights, CsvFile weather, CsvFile planes, CsvFile airlines);

  absl::Status Deal();  // The rows of all files to their servers.
  absl::Status DealStamped(const CsvFile& file, size_t origin_column,
                           std::vector<StampedRow> Server::*rows);
  void DealPlanesAndAirlines();
  absl::StatusOr<Server*> Find(absl::string_view name);
  // Corrections of so many flights of a local day of 2013.
  std::vector<FlightChange> ChangesOf(const Server& server, int month, int day, size_t count) const;
  // Inserts the rows of [from, to) with this `held_back`, and with `first` planes and airlines.
  absl::Status Insert(Server& server, absl::Time from, absl::Time to, bool held_back, bool first);

  absl::TimeZone new_york_;
  CsvFile flights_;
  CsvFile weather_;
  CsvFile planes_;
  CsvFile airlines_;
  std::map<std::string, Server, std::less<>> servers_;
};

// The folder with the data set: `option` when given, else $HEADWATER_DEMO_DATA when set, else
// `.cache/nycflights13` in the folder of this program, the working folder, or one above them.
// Errors: NOT_FOUND  there is none with a flights.csv; says where it looked, and what to run.
absl::StatusOr<std::string> FindDemoData(const std::string& option);

}  // namespace headwater

#endif  // HEADWATER_CLI_DEMO_DATA_H_
