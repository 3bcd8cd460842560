// What `--help` shows before the options.
#ifndef HEADWATER_CLI_EXAMPLES_H_
#define HEADWATER_CLI_EXAMPLES_H_

#include <map>
#include <string>

namespace headwater {

// By command; "": the program's own.
const std::map<std::string, std::string>& Examples();

}  // namespace headwater

#endif  // HEADWATER_CLI_EXAMPLES_H_
