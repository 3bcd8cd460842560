// Histories as tests write them: contents are letters.
#ifndef HEADWATER_TESTS_UNIT_WORKER_CHANGE_HISTORY_TEXT_H_
#define HEADWATER_TESTS_UNIT_WORKER_CHANGE_HISTORY_TEXT_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "worker/change/version.h"

namespace headwater {

inline Hash128 HashOf(char content) { return {static_cast<uint64_t>(content), 7}; }
inline char ContentOf(const Hash128& hash) { return static_cast<char>(hash.high); }

// A version that is current exactly if it has no end.
inline Version Sound(char content, int64_t from, std::optional<int64_t> to = std::nullopt,
                     std::vector<int64_t> confirmed = {}) {
  return {from, to, !to.has_value(), HashOf(content), std::move(confirmed)};
}

// "A 1-4 +2 +3": content, begin, end, confirmations. Without an end: "A 1-", "!" after it where
// is_current does not say the same.
inline std::string TextOf(const Version& version) {
  std::string text =
      absl::StrCat(std::string(1, ContentOf(version.hash)), " ", version.valid_from, "-");
  if (version.valid_to.has_value()) absl::StrAppend(&text, *version.valid_to);
  if (version.is_current == version.valid_to.has_value()) absl::StrAppend(&text, "!");
  for (const int64_t at : version.confirmed) absl::StrAppend(&text, " +", at);
  if (!version.confirmed_readable) absl::StrAppend(&text, " +?");
  return text;
}

// By begin: "A 1-4 +2 | B 4-".
inline std::string TextOf(absl::Span<const Version> versions) {
  std::vector<std::string> texts;
  for (const int index : OrderOf(versions)) {
    texts.push_back(TextOf(versions[static_cast<size_t>(index)]));
  }
  return absl::StrJoin(texts, " | ");
}

inline Version With(Version version, const VersionTimes& times) {
  version.valid_from = times.valid_from;
  version.valid_to = times.valid_to;
  version.is_current = times.is_current;
  version.confirmed = times.confirmed;
  version.confirmed_readable = true;
  return version;
}

// The seeds of a property: `count` of them; HEADWATER_HISTORY_SEEDS sets how many,
// HEADWATER_HISTORY_SEED repeats one.
inline std::pair<int64_t, int64_t> HistorySeeds(int64_t count) {
  if (const char* only = std::getenv("HEADWATER_HISTORY_SEED"); only != nullptr) {
    return {std::atoll(only), std::atoll(only) + 1};
  }
  const char* given = std::getenv("HEADWATER_HISTORY_SEEDS");
  return {0, given == nullptr ? count : std::atoll(given)};
}

}  // namespace headwater

#endif  // HEADWATER_TESTS_UNIT_WORKER_CHANGE_HISTORY_TEXT_H_
