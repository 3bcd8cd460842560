// What a command line that does not parse was probably meant to be.
#ifndef HEADWATER_CLI_USAGE_ERROR_H_
#define HEADWATER_CLI_USAGE_ERROR_H_

#include <string>
#include <vector>

namespace headwater {

struct UsageError {
  std::vector<std::string> arguments;
  std::string what;     // As the parser says it.
  std::string command;  // That the arguments name; empty: none.
  // All with their dashes: those that the command takes, and of the global ones those with a value.
  std::vector<std::string> flags, with_value;
  std::vector<std::string> commands;
};

// Lines that end in '\n': what is wrong, the nearest word, and where to read more. Empty: nothing
// was asked, and the help says it all.
std::string DescribeUsageError(const UsageError& error);

}  // namespace headwater

#endif  // HEADWATER_CLI_USAGE_ERROR_H_
