#include "cli/demo_changes.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/status.h"

namespace headwater {
namespace {

// Columns of flights.csv.
constexpr size_t kSchedDepTime = 4;
constexpr size_t kDepDelay = 5;
constexpr size_t kArrDelay = 8;
constexpr size_t kCarrier = 9;
constexpr size_t kFlight = 10;
constexpr size_t kTimeHour = 18;
constexpr int64_t kCorrectionMinutes = 7;

std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'");
}

std::string KeyCondition(const FlightChange& change) {
  return absl::StrCat("time_hour = ", Quoted(change.time_hour),
                      " AND carrier = ", Quoted(change.carrier), " AND flight = ", change.flight,
                      " AND sched_dep_time = ", change.sched_dep_time);
}

}  // namespace

std::vector<FlightChange> ChooseFlightChanges(const CsvFile& flights,
                                              const std::vector<size_t>& rows, size_t count) {
  std::vector<FlightChange> candidates;
  std::vector<absl::string_view> fields;
  for (const size_t row : rows) {
    flights.Fields(row, fields);
    FlightChange change;
    change.time_hour =
        absl::StrCat(fields[kTimeHour].substr(0, 10), " ", fields[kTimeHour].substr(11, 8));
    change.carrier = std::string(fields[kCarrier]);
    int64_t dep_delay = 0;
    int64_t arr_delay = 0;
    if (!absl::SimpleAtoi(fields[kFlight], &change.flight) ||
        !absl::SimpleAtoi(fields[kSchedDepTime], &change.sched_dep_time) ||
        !absl::SimpleAtoi(fields[kDepDelay], &dep_delay) ||
        !absl::SimpleAtoi(fields[kArrDelay], &arr_delay)) {
      continue;
    }
    const bool arrival = candidates.size() % 2 == 0;
    change.column = arrival ? "arr_delay" : "dep_delay";
    change.old_value = arrival ? arr_delay : dep_delay;
    change.new_value = change.old_value + kCorrectionMinutes;
    candidates.push_back(std::move(change));
  }
  if (candidates.size() <= count) return candidates;
  // An odd stride, so that both columns have their turn.
  const size_t stride = (candidates.size() / count - 1) | 1;
  std::vector<FlightChange> chosen;
  for (size_t i = 0; i < count; ++i) chosen.push_back(candidates[(i * stride) % candidates.size()]);
  return chosen;
}

absl::Status ApplyFlightChanges(DemoServer& file, const std::vector<FlightChange>& changes) {
  RETURN_IF_ERROR(file.Begin());
  for (const FlightChange& change : changes) {
    const std::string key = KeyCondition(change);
    // Two updates, one that counts the rows of the key and one that insists on the old value.
    RETURN_IF_ERROR(file.Execute(
        absl::StrCat("UPDATE flights SET ", change.column, " = ", change.column, " WHERE ", key)));
    if (file.ChangedCount() != 1) {
      return absl::FailedPreconditionError(absl::StrCat("changing flights: expected one row with ",
                                                        key, ", found ", file.ChangedCount()));
    }
    RETURN_IF_ERROR(file.Execute(absl::StrCat("UPDATE flights SET ", change.column, " = ",
                                              change.new_value, " WHERE ", key, " AND ",
                                              change.column, " = ", change.old_value)));
    if (file.ChangedCount() != 1) {
      return absl::FailedPreconditionError(absl::StrCat("changing flights: the row with ", key,
                                                        " does not have ", change.column, " = ",
                                                        change.old_value));
    }
  }
  return absl::OkStatus();
}

absl::Status WriteFlightChanges(const std::vector<FlightChange>& changes, const std::string& server,
                                const std::string& path) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  writer.StartArray();
  for (const FlightChange& change : changes) {
    writer.StartObject();
    writer.Key("table");
    writer.String("flights");
    writer.Key("server");
    writer.String(server.c_str());
    writer.Key("key");
    writer.StartObject();
    writer.Key("time_hour");
    writer.String(change.time_hour.c_str());
    writer.Key("carrier");
    writer.String(change.carrier.c_str());
    writer.Key("flight");
    writer.Int64(change.flight);
    writer.Key("sched_dep_time");
    writer.Int64(change.sched_dep_time);
    writer.EndObject();
    writer.Key("column");
    writer.String(change.column.c_str());
    writer.Key("old");
    writer.Int64(change.old_value);
    writer.Key("new");
    writer.Int64(change.new_value);
    writer.EndObject();
  }
  writer.EndArray();
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << buffer.GetString() << '\n';
  stream.close();
  if (stream) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("cannot write ", path));
}

}  // namespace headwater
