#include "coordinator/ledger/log_format.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace headwater {

int64_t LogChecksum(absl::string_view bytes, int64_t sequence) {
  return static_cast<int64_t>(
      XXH3_64bits_withSeed(bytes.data(), bytes.size(), static_cast<uint64_t>(sequence)));
}

absl::StatusOr<FloorRaises> FloorRaises::Parse(absl::string_view text) {
  FloorRaises raises;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(part, '-');
    Raise& raise = raises.raises_.emplace_back();
    if (!absl::SimpleAtoi(ends.first, &raise.from) || !absl::SimpleAtoi(ends.second, &raise.to))
      return absl::DataLossError("its floors cannot be read");
  }
  return raises;
}

std::string FloorRaises::Text() const {
  return absl::StrJoin(raises_, ",", [](std::string* out, const Raise& raise) {
    absl::StrAppend(out, raise.from, "-", raise.to);
  });
}

bool FloorRaises::Follows(int64_t at, int64_t before) const {
  return at == before + 1 || std::any_of(raises_.begin(), raises_.end(), [&](const Raise& raise) {
           return raise.from <= before && before <= raise.to && at == raise.to + 1;
         });
}

int64_t ServedEvents::LastToDrop(int64_t appended) const {
  return std::min(served, first + 2 * appended - 1);
}

void ServedEvents::Appended(int64_t first_sequence, int64_t appended) {
  if (first == 0) first = first_sequence;
  if (first <= served) first = LastToDrop(appended) + 1;
}

}  // namespace headwater
