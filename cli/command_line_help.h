// How the help of the program and of its commands looks.
#ifndef HEADWATER_CLI_COMMAND_LINE_HELP_H_
#define HEADWATER_CLI_COMMAND_LINE_HELP_H_

#include <CLI/CLI.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/examples.h"

namespace headwater {

// Purpose and examples come before usage and options.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() {
    label("SUBCOMMAND", "COMMAND");
    label("OPTIONS", "options");
    column_width(34);
  }

  std::string make_description(const CLI::App* app) const override {
    const bool root = app->get_parent() == nullptr;
    const auto examples = Examples().find(root ? "" : app->get_name());
    std::string text = app->get_description() + "\n";
    if (examples != Examples().end()) text += "\nExamples:\n" + examples->second;
    return text + "\n";
  }

  std::string make_usage(const CLI::App* app, std::string) const override {
    return CLI::Formatter::make_usage(
        app, app->get_parent() == nullptr ? "headwater" : "headwater " + app->get_name());
  }

  // The value's name and default; checks and environment are in the text.
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    std::string name = option->get_type_name();
    for (const char* check : {":{", ":INT"}) name = name.substr(0, name.find(check));
    const std::string otherwise = option->get_default_str();
    return absl::StrCat(" ", name, otherwise.empty() ? "" : "=", otherwise,
                        option->get_positional() ? "..." : "");
  }
};

}  // namespace headwater

#endif  // HEADWATER_CLI_COMMAND_LINE_HELP_H_
