#include "common/config/selector.h"

#include <algorithm>
#include <functional>
#include <set>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/glob.h"
#include "common/config/yaml_reader.h"

namespace headwater {
namespace {

bool ServerMatches(const DatasetConfig& dataset, absl::string_view glob) {
  const ServerSpec& server = dataset.spec.server;
  return GlobMatches(glob, server.name) ||
         (!server.fleet.empty() && GlobMatches(glob, server.fleet));
}

bool TableMatches(const DatasetConfig& dataset, absl::string_view glob) {
  if (GlobMatches(glob, dataset.spec.id.table) || GlobMatches(glob, dataset.spec.relation)) {
    return true;
  }
  return !dataset.database.empty() &&
         GlobMatches(glob, absl::StrCat(dataset.database, ".", dataset.spec.relation));
}

bool PatternMatches(const DatasetConfig& dataset, absl::string_view pattern) {
  const size_t slash = pattern.find('/');
  if (slash == absl::string_view::npos) return TableMatches(dataset, pattern);
  return ServerMatches(dataset, pattern.substr(0, slash)) &&
         TableMatches(dataset, pattern.substr(slash + 1));
}

// One list of a selector: what it is called, what it says, how it matches, what it could have said.
struct Filter {
  std::string flag;
  const std::vector<std::string>& values;
  std::function<bool(const DatasetConfig&, const std::string&)> matches;
  std::function<std::vector<std::string>(const DatasetConfig&)> names;
};

std::vector<Filter> FiltersOf(const Selector& selector) {
  using Names = std::vector<std::string>;
  return {
      {"", selector.patterns, PatternMatches,
       [](const DatasetConfig& d) {
         return Names{ToString(d.spec.id), d.spec.id.table};
       }},
      {"--server ", selector.servers, ServerMatches,
       [](const DatasetConfig& d) {
         return Names{d.spec.server.name, d.spec.server.fleet};
       }},
      {"--table ", selector.tables, TableMatches,
       [](const DatasetConfig& d) { return Names{d.spec.id.table}; }},
      {"--tag ", selector.tags,
       [](const DatasetConfig& d, const std::string& v) {
         return absl::c_any_of(d.tags, [&](const std::string& tag) { return GlobMatches(v, tag); });
       },
       [](const DatasetConfig& d) { return d.tags; }},
      {"--frequency ", selector.frequencies,
       [](const DatasetConfig& d, const std::string& v) { return GlobMatches(v, d.frequency); },
       [](const DatasetConfig& d) { return Names{d.frequency}; }},
      {"--strategy ", selector.strategies,
       [](const DatasetConfig& d, const std::string& v) {
         return GlobMatches(v, StrategyToString(d.spec.strategy));
       },
       [](const DatasetConfig& d) { return Names{StrategyToString(d.spec.strategy)}; }},
  };
}

absl::Status NothingNamed(const Config& config, const Filter& filter, const std::string& value) {
  std::set<std::string> distinct;
  bool server = false;
  for (const DatasetConfig& dataset : config.datasets) {
    for (std::string& name : filter.names(dataset)) {
      if (!name.empty()) distinct.insert(std::move(name));
    }
    server = server || ServerMatches(dataset, value);
  }
  const std::vector<std::string> names(distinct.begin(), distinct.end());
  std::string hint;
  if (filter.flag.empty() && server) {
    hint = absl::StrCat("; did you mean '", value, "/*'?");
  } else {
    hint = DidYouMean(value, names);
  }
  if (hint.empty() && !names.empty()) {
    constexpr size_t kShown = 8;
    const auto end = names.begin() + std::min(kShown, names.size());
    hint = absl::StrCat("; there are ", absl::StrJoin(names.begin(), end, ", "),
                        names.size() > kShown ? ", ..." : "");
  }
  return absl::NotFoundError(absl::StrCat("'", filter.flag, value, "' names no dataset", hint));
}

}  // namespace

absl::StatusOr<std::vector<const DatasetConfig*>> Select(const Config& config,
                                                         const Selector& selector) {
  const std::vector<Filter> filters = FiltersOf(selector);
  for (const Filter& filter : filters) {
    for (const std::string& value : filter.values) {
      const bool names = absl::c_any_of(config.datasets, [&](const DatasetConfig& dataset) {
        return filter.matches(dataset, value);
      });
      if (!names) return NothingNamed(config, filter, value);
    }
  }
  std::vector<const DatasetConfig*> selected;
  for (const DatasetConfig& dataset : config.datasets) {
    const bool all = absl::c_all_of(filters, [&](const Filter& filter) {
      return filter.values.empty() || absl::c_any_of(filter.values, [&](const std::string& value) {
               return filter.matches(dataset, value);
             });
    });
    if (all) selected.push_back(&dataset);
  }
  if (selected.empty() && !config.datasets.empty()) {
    return absl::NotFoundError("no dataset matches all of the patterns and filters together");
  }
  return selected;
}

}  // namespace headwater
