// The binary `headwater`: the table of its commands, and nothing else.
#include <iostream>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  headwater::CommandTable commands;
  commands.validate = &headwater::RunValidate;
  commands.version = &headwater::RunVersion;
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return headwater::RunCommandLine(arguments, commands, std::cout, std::cerr);
}
