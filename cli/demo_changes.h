// The flights that the demo corrects after they were loaded, so that a lookback has something to
// find: which, in which rows, and as a list that a test can apply to the data set.
#ifndef HEADWATER_CLI_DEMO_CHANGES_H_
#define HEADWATER_CLI_DEMO_CHANGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/csv_file.h"
#include "cli/demo_server.h"

namespace headwater {

// One value of one row of `flights`. The first four fields are the row's key on its server.
struct FlightChange {
  std::string time_hour;  // UTC, as stored: "2013-12-29 11:00:00".
  std::string carrier;
  int64_t flight = 0;
  int64_t sched_dep_time = 0;
  std::string column;
  int64_t old_value = 0;
  int64_t new_value = 0;
};

// Chooses `count` of `rows` of flights.csv, evenly spread, and corrects their arr_delay and
// dep_delay in turn by some minutes. Passes over rows where one of them is missing; gives fewer
// changes when too few are left. Chooses the same rows each time.
std::vector<FlightChange> ChooseFlightChanges(const CsvFile& flights,
                                              const std::vector<size_t>& rows, size_t count);

// Begins a transaction in `file` and makes the changes; the caller commits.
// Errors: FAILED_PRECONDITION  a key does not stand for exactly one row, or the row does not hold
//                              the old value.
absl::Status ApplyFlightChanges(DemoServer& file, const std::vector<FlightChange>& changes);

// Writes the list of what was changed on `server` as JSON (cli/demo_data.h shows it). Errors:
// INTERNAL, it cannot be written.
absl::Status WriteFlightChanges(const std::vector<FlightChange>& changes, const std::string& server,
                                const std::string& path);

}  // namespace headwater

#endif  // HEADWATER_CLI_DEMO_CHANGES_H_
