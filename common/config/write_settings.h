// What a table may set about how its rows are written and compared: a part of TableSettings, read,
// overlaid and checked like the rest.
#ifndef HEADWATER_COMMON_CONFIG_WRITE_SETTINGS_H_
#define HEADWATER_COMMON_CONFIG_WRITE_SETTINGS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/config/setting.h"
#include "common/config/yaml_reader.h"
#include "common/data/system_columns.h"
#include "common/model/dataset_spec.h"

namespace headwater {

struct WriteSettings {
  Setting<std::string> write;           // replace_range, replace, merge
  Setting<std::string> cursor_kind;     // created, modified
  Setting<std::string> delete_missing;  // none, soft, hard
  Setting<std::string> dedup_by;        // `dedup: latest by <column>`; empty: `dedup: error`
  Setting<std::string> on_change;       // Strategy static: replace, upsert
  Setting<absl::Duration> force_after;
  Setting<std::string> checksum;        // md5, fast, counts, none
  Setting<std::string> hash_algorithm;  // xxh3, md5, sha256
  Setting<std::vector<std::string>> hash_exclude;
  Setting<std::vector<std::string>> track, ignore;     // Of `scd2`,
  Setting<std::string> deletes;                        // as this: close, keep
  std::map<SystemColumn, Setting<std::string>> names;  // An empty one: left out.

  // Every value that `nearer` has replaces the one here.
  void Overlay(const WriteSettings& nearer);
};

// Reads these keys from `map`, each checked by itself.
WriteSettings ReadWriteSettings(MapReader& map, Problems& problems);

// Says how rows of `spec`, whose strategy, cursor, key, partition and policies are set, are written
// and compared. `own` are the settings of the table's entry itself: only what that says is refused
// where it does not go with the strategy, since defaults are meant for other tables too. `problem`
// takes what does not go together, and where.
void SetWrite(const WriteSettings& settings, const WriteSettings& own, const Place& table,
              const std::function<void(const Place&, absl::string_view)>& problem,
              DatasetSpec& spec);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_WRITE_SETTINGS_H_
