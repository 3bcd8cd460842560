#include "cli/usage_error.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/config/yaml_reader.h"

namespace headwater {
namespace {

bool Has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The first argument that is neither an option nor its value.
std::string FirstWord(const UsageError& error) {
  for (size_t i = 0; i < error.arguments.size(); ++i) {
    const std::string& argument = error.arguments[i];
    if (!argument.empty() && argument[0] != '-') return argument;
    if (Has(error.with_value, argument)) ++i;
  }
  return "";
}

}  // namespace

std::string DescribeUsageError(const UsageError& error) {
  const std::string see = absl::StrCat("\nSee: headwater ", error.command,
                                       error.command.empty() ? "" : " ", "--help\n");
  for (const std::string& argument : error.arguments) {
    const std::string flag = argument.substr(0, argument.find('='));
    if (!absl::StartsWith(flag, "--") || Has(error.flags, flag)) continue;
    return absl::StrCat("headwater: unknown option '", flag, "'", DidYouMean(flag, error.flags),
                        see);
  }
  if (!error.command.empty()) {
    return absl::StrCat("headwater ", error.command, ": ", error.what, see);
  }
  const std::string word = FirstWord(error);
  if (word.empty()) return "";
  return absl::StrCat("headwater: unknown command '", word, "'", DidYouMean(word, error.commands),
                      see);
}

}  // namespace headwater
