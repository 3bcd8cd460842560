// The flags that every command takes.
#ifndef HEADWATER_CLI_COMMAND_LINE_GLOBALS_H_
#define HEADWATER_CLI_COMMAND_LINE_GLOBALS_H_

#include <CLI/CLI.hpp>
#include <string>

#include "cli/commands.h"

namespace headwater {

class GlobalFlags {
 public:
  // This object must outlive `app`'s parsing.
  void AddTo(CLI::App& app);

  // Words to values, once everything is parsed. What is wrong with them; empty: nothing.
  // `for_worker`: of the command that cannot do without a coordinator.
  std::string Finish(bool for_worker);

  const GlobalOptions& options() const { return options_; }

 private:
  GlobalOptions options_;
  std::string output_ = "table", progress_ = "auto", ledger_;
};

}  // namespace headwater

#endif  // HEADWATER_CLI_COMMAND_LINE_GLOBALS_H_
