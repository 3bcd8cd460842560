// Options that several commands have.
#ifndef HEADWATER_CLI_COMMAND_LINE_OPTIONS_H_
#define HEADWATER_CLI_COMMAND_LINE_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "common/config/selector.h"

namespace headwater {

// SEL and its filters. `command` may be null: then nobody can give it.
inline void AddSelector(CLI::App* command, Selector& selector) {
  if (command == nullptr) return;
  command->add_option("SEL", selector.patterns,
                      "Datasets: globs server/[database.]schema.table, server/table or table");
  const auto filter = [&](const char* flag, std::vector<std::string>& values, const char* text) {
    command->add_option(flag, values, text)
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("NAME");
  };
  filter("--server", selector.servers, "Only these servers or fleets (repeatable, or a,b)");
  filter("--table", selector.tables, "Only these tables");
  filter("--tag", selector.tags, "Only tables with one of these tags");
  filter("--frequency", selector.frequencies, "Only tables of these schedules");
  filter("--strategy", selector.strategies, "Only tables of these strategies");
}

// What a backfill reads and how; both ends or none, unless they are `required`.
inline void AddWindow(CLI::App* command, WindowOptions& window, bool required) {
  if (command == nullptr) return;
  CLI::Option* start = command->add_option("--from", window.from,
                                           "Start, included: 2013-03-01, 2013-03, -7d, a number");
  CLI::Option* end = command->add_option("--to", window.to, "End, excluded; `now` is allowed");
  start->type_name("T")->required(required)->needs(end);
  end->type_name("T")->required(required)->needs(start);
  command
      ->add_option("--only", window.only,
                   "missing: what was never read; stale: what has moved since; failed: what "
                   "failed too often; all: everything again")
      ->check(CLI::IsMember({"missing", "stale", "failed", "all"}))
      ->type_name("WHICH");
  command->add_option("--columns", window.columns, "Only what was written without these columns")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME");
  command->add_option("--every", window.every, "How much one microbatch reads: 1h, 7d, 1mo")
      ->type_name("UNIT");
  command->add_flag("--newest-first", window.newest_first, "Begin with the end of the window");
  command->add_option("--max-active", window.max_active, "Microbatches of this run at once")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N");
  command->add_option("--per-server", window.per_server, "The same on each server")
      ->check(CLI::Range(1, 1'000))
      ->type_name("N");
}

}  // namespace headwater

#endif  // HEADWATER_CLI_COMMAND_LINE_OPTIONS_H_
