// One grammar that says which datasets are meant: globs `server/[database.]schema.table` and
// filters.
#ifndef HEADWATER_COMMON_CONFIG_SELECTOR_H_
#define HEADWATER_COMMON_CONFIG_SELECTOR_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/config/config.h"

namespace headwater {

// `jfk/flights`, `*/flights`, `airports/*` (a fleet stands for its members), `flights` (any
// server). A pattern matches the source relation or the sink table; `*` and `?` do not cross the
// `/`. Within a list any may match; lists are and-ed.
struct Selector {
  std::vector<std::string> patterns;
  std::vector<std::string> servers;
  std::vector<std::string> tables;
  std::vector<std::string> tags;
  std::vector<std::string> frequencies;
  std::vector<std::string> strategies;
};

// The datasets that `selector` names, in the configuration's order; all when it is empty.
// NOT_FOUND: a pattern or a filter that names nothing (with the nearest names).
absl::StatusOr<std::vector<const DatasetConfig*>> Select(const Config& config,
                                                         const Selector& selector);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_SELECTOR_H_
