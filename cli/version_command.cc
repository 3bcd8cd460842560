#include <iostream>

#include "cli/commands.h"
#include "cli/exit_code.h"

namespace headwater {

int RunVersion(const VersionOptions& options) {
  if (options.global.output == OutputFormat::kJson) {
    std::cout << "{\"schema\":\"headwater.version/v1\",\"version\":\"" HEADWATER_VERSION "\"}\n";
  } else {
    std::cout << "headwater " HEADWATER_VERSION "\n";
  }
  return kExitDone;
}

}  // namespace headwater
