// The configuration that the demo runs with, as a new user would write it.
#ifndef HEADWATER_CLI_DEMO_CONFIG_H_
#define HEADWATER_CLI_DEMO_CONFIG_H_

#include <string>

#include "absl/status/status.h"

namespace headwater {

// Writes `headwater.yaml` into the existing folder `dir`, over one that is there: the fleet
// airports, whose members are the SQLite files `data/{member}.db` beside it (cli/demo_data.h), and
// four tables, 12 datasets in all, loaded into Delta tables under `lake`. Short comments in it say
// what each part is for. Errors: INTERNAL, the file cannot be written.
absl::Status WriteDemoConfig(const std::string& dir);

}  // namespace headwater

#endif  // HEADWATER_CLI_DEMO_CONFIG_H_
