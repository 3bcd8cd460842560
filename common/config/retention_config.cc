#include "common/config/retention_config.h"

#include <optional>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

void ReadOne(MapReader& map, absl::string_view key, absl::Duration least, absl::string_view why,
             absl::Duration& value, Problems& problems) {
  const std::optional<absl::Duration> given = map.Duration(key);
  if (!given.has_value()) return;
  value = *given;
  if (value >= least) return;
  problems.Add(map.PlaceOf(key), absl::StrCat("'", key, "': at least ",
                                              least == absl::Hours(1) ? "1h" : "10m", ": ", why));
}

}  // namespace

Retention ReadRetention(MapReader& map, const Retention& outer, Problems& problems) {
  Retention retention = outer;
  const YamlNode* node = map.Child("retention");
  if (node == nullptr) return retention;
  MapReader kept(*node, "retention", problems);
  ReadOne(kept, "files", kLeastFiles,
          "whoever reads an older version of a table would find its files gone", retention.files,
          problems);
  ReadOne(kept, "log", kLeastLog,
          "whoever has begun to read a table's log would find its entries gone", retention.log,
          problems);
  ReadOne(kept, "attempts", kLeastAttempts,
          "clocks differ, and files that are being written would look old", retention.attempts,
          problems);
  kept.Finish();
  return retention;
}

absl::Duration ReadHistoryKept(MapReader& root, Problems& problems) {
  absl::Duration keep = kHistoryKept;
  const YamlNode* node = root.Child("history");
  if (node == nullptr) return keep;
  MapReader history(*node, "history", problems);
  keep = history.Duration("keep").value_or(keep);
  if (keep < kLeastHistory) {
    problems.Add(history.PlaceOf("keep"),
                 "'keep': at least 1s: whoever asked for a run would not find how it ended");
  }
  history.Finish();
  return keep;
}

}  // namespace headwater
