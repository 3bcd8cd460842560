// The demo: three small source servers, a year that plays again, and the commands a user would
// type, each a process of its own as it would be on a terminal.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/commands.h"
#include "cli/demo_config.h"
#include "cli/demo_data.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/run_session.h"
#include "common/base/status.h"
#include "google/protobuf/util/json_util.h"
#include "headwater/v1/admin.pb.h"

extern char** environ;

namespace headwater {
namespace {

namespace fs = std::filesystem;

// Midnights in New York, where the three airports are.
absl::Time Midnight(int year, int month, int day) {
  absl::TimeZone zone;
  absl::LoadTimeZone("America/New_York", &zone);
  return absl::FromCivil(absl::CivilDay(year, month, day), zone);
}

class Demo {
 public:
  Demo(std::string directory, DemoData data)
      : directory_(std::move(directory)), data_(std::move(data)) {}

  absl::Status Play();

 private:
  void Say(absl::string_view text) { std::cout << "\n" << Wrap(text, 0) << "\n" << std::flush; }
  absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& arguments, const std::string& output);
  absl::Status Wait(pid_t child, const std::vector<std::string>& arguments,
                    int expected = kExitDone);
  absl::Status Type(const std::vector<std::string>& arguments, int expected = kExitDone);
  absl::Status Load(const std::vector<std::string>& arguments);
  absl::Status SetClocks(absl::Time time);
  absl::Status FirstHalf();
  absl::Status SecondHalf();
  absl::Status LateRows();
  absl::Status ChangedRows();
  absl::Status LastServer();
  absl::Status ChangedPlanes();
  absl::Status BehindItsBack();
  absl::Status Summary();

  std::string directory_;
  DemoData data_;
  absl::Duration loading_;
};

std::string Quoted(const std::string& argument) {
  return argument.find_first_of("* ") == std::string::npos ? argument
                                                           : absl::StrCat("'", argument, "'");
}

std::string Typed(const std::vector<std::string>& arguments) {
  std::vector<std::string> quoted;
  for (const std::string& argument : arguments) quoted.push_back(Quoted(argument));
  return absl::StrCat("headwater ", absl::StrJoin(quoted, " "));
}

absl::StatusOr<pid_t> Demo::Spawn(const std::vector<std::string>& arguments,
                                  const std::string& output) {
  const std::string binary = fs::read_symlink("/proc/self/exe").string();
  std::vector<std::string> words = {"headwater", "-c", directory_ + "/headwater.yaml"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (!output.empty()) {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  }
  pid_t child = 0;
  const int error = posix_spawn(&child, binary.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return absl::InternalError(absl::StrCat("cannot start ", binary, ": error ", error));
  return child;
}

absl::Status Demo::Wait(pid_t child, const std::vector<std::string>& arguments, int expected) {
  int state = 0;
  while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  const int code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  if (code == expected) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("`", Typed(arguments), "` ended with exit code ", code,
                                         ", expected ", expected));
}

// Echoes the command and runs it in the foreground.
absl::Status Demo::Type(const std::vector<std::string>& arguments, int expected) {
  std::cout << "\n$ " << Typed(arguments) << "\n" << std::flush;
  ASSIGN_OR_RETURN(const pid_t child, Spawn(arguments, ""));
  return Wait(child, arguments, expected);
}

absl::Status Demo::Load(const std::vector<std::string>& arguments) {
  const absl::Time start = absl::Now();
  RETURN_IF_ERROR(Type(arguments));
  loading_ += absl::Now() - start;
  return absl::OkStatus();
}

absl::Status Demo::SetClocks(absl::Time time) {
  for (const char* server : {"ewr", "jfk", "lga"}) RETURN_IF_ERROR(data_.SetClock(server, time));
  return absl::OkStatus();
}

absl::Status Demo::FirstHalf() {
  const absl::Time july = Midnight(2013, 7, 1);
  for (const char* server : {"ewr", "jfk", "lga"})
    RETURN_IF_ERROR(data_.Arrive(server, absl::InfinitePast(), july));
  RETURN_IF_ERROR(SetClocks(july + absl::Minutes(10)));
  Say("1. Three servers (SQLite files, read through ODBC) hold January to June. What would be "
      "loaded?");
  RETURN_IF_ERROR(Type({"validate"}));
  RETURN_IF_ERROR(Type({"plan"}));
  return Load({"run"});
}

absl::Status Demo::SecondHalf() {
  const absl::Time july = Midnight(2013, 7, 1), november = Midnight(2013, 11, 1),
                   end = Midnight(2014, 1, 1);
  for (const char* server : {"ewr", "jfk", "lga"})
    RETURN_IF_ERROR(data_.Arrive(server, july, november));
  for (const char* server : {"ewr", "jfk"}) RETURN_IF_ERROR(data_.Arrive(server, november, end));
  RETURN_IF_ERROR(SetClocks(end + absl::Minutes(10)));
  Say("2. The clocks now show New Year. July to October have arrived everywhere, November and "
      "December at ewr and "
      "jfk only: lga is silent, and holds nobody up.");
  return Load({"run"});
}

absl::Status Demo::LateRows() {
  RETURN_IF_ERROR(data_.ArriveLate());
  RETURN_IF_ERROR(SetClocks(Midnight(2014, 1, 1) + absl::Minutes(70)));
  Say("3. Rows of 8 to 10 March, long past, turn up at jfk. A backfill fetches them while the "
      "other servers' run goes "
      "on: two commands at once, the second one attaches to the first.");
  const std::vector<std::string> backfill = {"backfill",   "jfk/flights", "jfk/weather", "--from",
                                             "2013-03-01", "--to",        "2013-04-01"};
  const std::string output = directory_ + "/backfill.log";
  std::cout << "\n$ " << Typed(backfill) << " > backfill.log 2>&1 &\n" << std::flush;
  const absl::Time start = absl::Now();
  ASSIGN_OR_RETURN(const pid_t child, Spawn(backfill, output));
  const absl::Status others = Type({"run", "--server", "ewr", "--server", "lga"});
  RETURN_IF_ERROR(Wait(child, backfill));
  RETURN_IF_ERROR(others);
  loading_ += absl::Now() - start;
  std::cout << "\n$ cat backfill.log\n" << std::ifstream(output).rdbuf() << std::flush;
  return absl::OkStatus();
}

absl::Status Demo::ChangedRows() {
  RETURN_IF_ERROR(data_.ChangeFlights(directory_ + "/changes.json").status());
  RETURN_IF_ERROR(SetClocks(Midnight(2014, 1, 1) + absl::Minutes(130)));
  Say("4. Five flights of the last days of December are corrected at ewr (changes.json lists "
      "them). `lookback: 2` reads "
      "those days again; row hashes tell which ones changed, and only they are written.");
  return Load({"run", "ewr/flights"});
}

absl::Status Demo::LastServer() {
  RETURN_IF_ERROR(data_.Arrive("lga", Midnight(2013, 11, 1), Midnight(2014, 1, 1)));
  RETURN_IF_ERROR(SetClocks(Midnight(2014, 1, 1) + absl::Minutes(190)));
  Say("5. lga's November and December arrive after all.");
  return Load({"run", "--server", "lga"});
}

absl::Status Demo::ChangedPlanes() {
  RETURN_IF_ERROR(data_.RefitPlanes());
  RETURN_IF_ERROR(SetClocks(Midnight(2014, 1, 2)));
  Say("6. Two planes of ewr get another seat. planes_history keeps the rows as they were, with an "
      "end, beside the new ones. Of the airlines nothing changed: no file, no version.");
  return Load({"run", "--table", "planes_history", "--table", "airlines"});
}

absl::Status Demo::BehindItsBack() {
  RETURN_IF_ERROR(data_.ChangeOldFlight(directory_ + "/changed_behind.json"));
  Say("7. Somebody corrects a flight of February at jfk (changed_behind.json). No run looks that "
      "far "
      "back. Does every table equal its sources?");
  RETURN_IF_ERROR(Type({"verify"}, kExitVerification));
  Say("It does not, and says where. `repair` compares once more and reads again just what "
      "differs.");
  RETURN_IF_ERROR(Load({"repair", "jfk/flights"}));
  return Type({"verify"});
}

// Rows by table and server, from `status -o json`; how fast; and how to read them.
absl::Status Demo::Summary() {
  const std::string output = directory_ + "/status.json";
  const std::vector<std::string> arguments = {"status", "-o", "json"};
  ASSIGN_OR_RETURN(const pid_t child, Spawn(arguments, output));
  RETURN_IF_ERROR(Wait(child, arguments));
  std::stringstream json;
  json << std::ifstream(output).rdbuf();
  fs::remove(output);
  v1::GetStatusResponse status;
  google::protobuf::util::JsonParseOptions lenient;
  lenient.ignore_unknown_fields = true;
  if (!google::protobuf::util::JsonStringToMessage(json.str(), &status, lenient).ok()) {
    return absl::InternalError("`headwater status -o json` did not answer JSON");
  }
  TextTable table({{"TABLE"}, {"EWR", true}, {"JFK", true}, {"LGA", true}, {"ALL ROWS", true}});
  int64_t total = 0;
  for (const char* name : {"flights", "weather", "planes_history", "airlines"}) {
    std::map<std::string, int64_t> rows;
    int64_t all = 0;
    for (const v1::DatasetStatus& dataset : status.datasets()) {
      if (dataset.dataset().table() != name) continue;
      rows[dataset.dataset().server()] = dataset.rows();
      all += dataset.rows();
    }
    total += all;
    table.AddRow({name, FormatCount(rows["ewr"]), FormatCount(rows["jfk"]),
                  FormatCount(rows["lga"]), FormatCount(all)});
  }
  const double seconds = absl::ToDoubleSeconds(loading_);
  std::cout << "\nLoaded, by server and table:\n\n"
            << table.Render() << "\n"
            << FormatCount(total) << " rows in " << FormatSeconds(seconds)
            << " of loading, start-up of each command included ("
            << FormatRate(static_cast<double>(total) / seconds) << ").\n";
  return absl::OkStatus();
}

absl::Status Demo::Play() {
  RETURN_IF_ERROR(FirstHalf());
  RETURN_IF_ERROR(SecondHalf());
  RETURN_IF_ERROR(LateRows());
  RETURN_IF_ERROR(ChangedRows());
  RETURN_IF_ERROR(LastServer());
  RETURN_IF_ERROR(ChangedPlanes());
  RETURN_IF_ERROR(BehindItsBack());
  RETURN_IF_ERROR(Type({"status"}));
  return Summary();
}

void SayHowToRead(const std::string& directory) {
  const std::string python = fs::exists(".venv/bin/python") ? ".venv/bin/python" : "python3";
  const std::string flights = directory + "/lake/flights";
  std::cout << "\nRead the tables with DuckDB or Polars (paste a line):\n\n"
            << "  " << python << " -c \"import duckdb, deltalake; f = deltalake.DeltaTable('"
            << flights
            << "').to_pyarrow_dataset(); duckdb.sql('select server_source, count(*) n from f group "
               "by 1 order by 1').show()\"\n"
            << "  " << python << " -c \"import polars as pl; print(pl.scan_delta('" << flights
            << "').group_by('server_source').len().sort('server_source').collect())\"\n";
}

absl::StatusOr<std::string> MakeFolder(const std::string& keep) {
  std::error_code error;
  if (keep.empty()) {
    std::string name = (fs::temp_directory_path() / "headwater-demo-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      return absl::PermissionDeniedError("cannot create a folder in " +
                                         fs::temp_directory_path().string());
    return name;
  }
  const std::string folder = fs::absolute(keep, error).lexically_normal().string();
  fs::create_directories(folder, error);
  if (error)
    return absl::PermissionDeniedError(
        absl::StrCat("cannot create ", folder, ": ", error.message()));
  if (!fs::is_empty(folder, error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        folder, " is not empty; the demo needs a new folder. Name another, or remove it"));
  }
  return folder;
}

absl::Status Prepare(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::string csv, FindDemoData(""));
  const absl::Time start = absl::Now();
  ASSIGN_OR_RETURN(DemoData data, DemoData::Load(csv));
  RETURN_IF_ERROR(data.CreateServers(directory + "/data"));
  RETURN_IF_ERROR(WriteDemoConfig(directory));
  std::cout
      << "The demo's folder is " << directory
      << " (sources in data/, headwater.yaml, tables in lake/).\n"
      << "Its data are the 336,776 flights that left New York's airports in 2013 (nycflights13).\n";
  RETURN_IF_ERROR(Demo(directory, std::move(data)).Play());
  std::cout << "The whole demo took " << FormatSeconds(absl::ToDoubleSeconds(absl::Now() - start))
            << ".\n";
  return absl::OkStatus();
}

}  // namespace

int RunDemo(const DemoOptions& options) {
  const absl::StatusOr<std::string> directory = MakeFolder(options.keep);
  if (!directory.ok()) return Complain(directory.status());
  const absl::Status played = Prepare(*directory);
  if (!played.ok()) {
    std::cerr << "headwater demo: " << std::string(played.message())
              << "\nIts folder is left for a look: " << *directory << "\n";
    return kExitPartial;
  }
  SayHowToRead(*directory);
  if (options.keep.empty()) std::cout << "\nRemove it all with: rm -r " << *directory << "\n";
  return kExitDone;
}

}  // namespace headwater
