#include "worker/change/version.h"

#include <algorithm>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace headwater {

VersionTimes TimesOf(const Version& version) {
  return {version.valid_from, version.valid_to, version.is_current, version.confirmed};
}

bool VersionPlan::ChangesNothing() const {
  return inserted.empty() && std::all_of(changes.begin(), changes.end(), [](const auto& change) {
           return change.kind == VersionChange::Kind::kKeep;
         });
}

std::vector<int> OrderOf(absl::Span<const Version> versions) {
  std::vector<int> order(versions.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return versions[static_cast<size_t>(a)].valid_from <
           versions[static_cast<size_t>(b)].valid_from;
  });
  return order;
}

std::optional<std::string> EncodeConfirmed(absl::Span<const int64_t> confirmed) {
  if (confirmed.empty()) return std::nullopt;
  return absl::StrJoin(confirmed, " ");
}

absl::StatusOr<std::vector<int64_t>> DecodeConfirmed(std::optional<absl::string_view> text) {
  std::vector<int64_t> confirmed;
  if (!text.has_value()) return confirmed;
  for (const absl::string_view part : absl::StrSplit(*text, ' ')) {
    int64_t instant = 0;
    // Written back it must be what was read: SimpleAtoi takes "+1", "01" and tabs.
    if (!absl::SimpleAtoi(part, &instant) || absl::StrCat(instant) != part) {
      return absl::InvalidArgumentError(absl::StrCat(
          "confirmations '", text->substr(0, 100),
          "' cannot be read: expected whole numbers with one blank between two, found '",
          part.substr(0, 30), "'; run headwater verify --scd2"));
    }
    confirmed.push_back(instant);
  }
  return confirmed;
}

}  // namespace headwater
