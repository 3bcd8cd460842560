// What the history of one key must be, without a thought of rows, calls or plans.
#ifndef HEADWATER_TESTS_UNIT_WORKER_CHANGE_HISTORY_ORACLE_H_
#define HEADWATER_TESTS_UNIT_WORKER_CHANGE_HISTORY_ORACLE_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/unit/worker/change/history_text.h"

namespace headwater {

using Contents = std::map<int64_t, char>;  // Of one key, by instant.

// The history of what was observed, as TextOf() has it.
inline std::string Oracle(const Contents& contents) {
  std::string text;
  const char* between = "";
  for (auto next = contents.begin(); next != contents.end();) {
    const auto first = next++;
    std::string confirmed;
    while (next != contents.end() && next->second == first->second) {
      absl::StrAppend(&confirmed, " +", next++->first);
    }
    absl::StrAppend(&text, between, std::string(1, first->second), " ", first->first, "-",
                    next == contents.end() ? "" : absl::StrCat(next->first), confirmed);
    between = " | ";
  }
  return text;
}

}  // namespace headwater

#endif  // HEADWATER_TESTS_UNIT_WORKER_CHANGE_HISTORY_ORACLE_H_
