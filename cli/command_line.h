// From argv to one command of the table. The only file that meets CLI11.
#ifndef HEADWATER_CLI_COMMAND_LINE_H_
#define HEADWATER_CLI_COMMAND_LINE_H_

#include <ostream>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace headwater {

// Parses `arguments` (without the program's name), runs the command that they name and returns its
// exit code. Help goes to `out` and is 0; what cannot be parsed is said on `err`, with the nearest
// command or option, and is kExitUsage. Reads HEADWATER_CONFIG.
int RunCommandLine(const std::vector<std::string>& arguments, const CommandTable& commands,
                   std::ostream& out, std::ostream& err);

}  // namespace headwater

#endif  // HEADWATER_CLI_COMMAND_LINE_H_
