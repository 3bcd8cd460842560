#include "common/config/write_settings.h"

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace headwater {
namespace {

// `dedup: error`, or `dedup: latest by updated_at`.
void ReadDedup(WriteSettings& settings, MapReader& map, Problems& problems) {
  const std::optional<std::string> text = map.Text("dedup");
  if (!text.has_value()) return;
  absl::string_view column = *text;
  if (column == "error") {
    settings.dedup_by = {"", map.PlaceOf("dedup")};
  } else if (absl::ConsumePrefix(&column, "latest by ") && !column.empty()) {
    settings.dedup_by = {std::string(column), map.PlaceOf("dedup")};
  } else {
    problems.Add(map.PlaceOf("dedup"),
                 absl::StrCat("'dedup': expected error, or latest by <column>, as in latest by "
                              "updated_at; found '",
                              *text, "'"));
  }
}

// The name of one of our columns; `false` leaves it out.
void ReadName(WriteSettings& settings, MapReader& map, SystemColumn column,
              const std::string& key) {
  const std::optional<std::string> name = map.Text(key);
  if (!name.has_value()) return;
  settings.names[column] = {*name == "false" ? "" : *name, map.PlaceOf(key)};
}

void ReadSystemColumns(WriteSettings& settings, MapReader& map, Problems& problems) {
  const YamlNode* node = map.Child("system_columns");
  if (node == nullptr) return;
  MapReader names(*node, "system_columns", problems);
  for (const auto& [column, key] : SystemColumnKeys()) ReadName(settings, names, column, key);
  names.Finish();
}

void ReadScd2(WriteSettings& settings, MapReader& map, Problems& problems) {
  const YamlNode* node = map.Child("scd2");
  if (node == nullptr) return;
  MapReader scd2(*node, "scd2", problems);
  ReadName(settings, scd2, SystemColumn::kValidFrom, "valid_from");
  ReadName(settings, scd2, SystemColumn::kValidTo, "valid_to");
  ReadName(settings, scd2, SystemColumn::kIsCurrent, "is_current");
  PutSetting(settings.track, scd2, "track", scd2.TextList("track"));
  PutSetting(settings.ignore, scd2, "ignore", scd2.TextList("ignore"));
  PutSetting(settings.deletes, scd2, "deletes", scd2.Choice("deletes", {"close", "keep"}));
  scd2.Finish();
}

void ReadHash(WriteSettings& settings, MapReader& map, Problems& problems) {
  const YamlNode* node = map.Child("hash");
  if (node == nullptr) return;
  MapReader hash(*node, "hash", problems);
  std::vector<std::string> algorithms;
  for (const HashAlgorithm algorithm : kHashAlgorithms) algorithms.push_back(NameOf(algorithm));
  PutSetting(settings.hash_algorithm, hash, "algorithm", hash.Choice("algorithm", algorithms));
  PutSetting(settings.hash_exclude, hash, "exclude", hash.TextList("exclude"));
  hash.Finish();
}

// Sets one dataset's fields, and says what does not go together.
class WriteBuilder {
 public:
  WriteBuilder(const WriteSettings& settings, const WriteSettings& own, const Place& table,
               const std::function<void(const Place&, absl::string_view)>& problem,
               DatasetSpec& spec)
      : settings_(settings), own_(own), table_(table), problem_(problem), spec_(spec) {}

  void Build() {
    SetMode();
    SetMissing();
    SetCompared();
    SetNames();
    SetChecksum();
    const std::string xxh3 = NameOf(HashAlgorithm::kXxh3);
    spec_.hash_algorithm = *HashAlgorithmNamed(settings_.hash_algorithm.Or(xxh3));
    spec_.dedup_by = spec_.keyed() ? settings_.dedup_by.Or("") : "";
    spec_.cursor_modified = settings_.cursor_kind.Or("created") == "modified";
    if (spec_.strategy == Strategy::kScd2) spec_.cursor_modified = !spec_.cursor.empty();
    CheckModified();
    if (spec_.keyed()) CheckKeyed();
    RefuseWhatDoesNotApply();
  }

 private:
  std::string Name() const { return absl::StrCat("strategy ", StrategyToString(spec_.strategy)); }
  template <typename T>
  const Place& PlaceOf(const Setting<T>& setting) const {
    return setting.has() ? setting.place : table_;
  }
  template <typename T>
  void Refuse(const Setting<T>& own, absl::string_view text) {
    if (own.has()) problem_(own.place, text);
  }

  void SetMode() {
    switch (spec_.strategy) {
      case Strategy::kScd2:
        spec_.write = WriteMode::kVersions;
        break;
      case Strategy::kStatic:
        // With a key, rows are compared one by one, and only what differs is written.
        spec_.write = spec_.key_columns.empty() ? WriteMode::kReplace : WriteMode::kMerge;
        break;
      default:
        spec_.write = settings_.write.Or("") == "merge" ? WriteMode::kMerge : WriteMode::kReplace;
    }
    const bool whole = spec_.strategy == Strategy::kFull;
    const bool chooses = whole || spec_.strategy == Strategy::kIncremental;
    const std::string plain = whole ? "replace" : "replace_range";
    const std::string& word = settings_.write.has() ? *settings_.write.value : plain;
    const bool fits = chooses ? word == plain || word == "merge"
                              : spec_.strategy == Strategy::kPartition && word == plain;
    if (!fits && (chooses || spec_.strategy == Strategy::kPartition || own_.write.has())) {
      problem_(settings_.write.place,
               chooses || spec_.strategy == Strategy::kPartition
                   ? absl::StrCat(Name(), " writes '", plain, "'", chooses ? " or 'merge'" : "",
                                  ", found '", word, "'")
                   : absl::StrCat(Name(), " says by itself how rows are written; remove 'write'"));
    }
  }

  void SetMissing() {
    const std::string word = settings_.delete_missing.Or("none");
    spec_.on_missing = word == "soft"   ? MissingPolicy::kMark
                       : word == "hard" ? MissingPolicy::kRemove
                                        : MissingPolicy::kKeep;
    if (spec_.write == WriteMode::kReplace) spec_.on_missing = MissingPolicy::kKeep;
    if (spec_.write == WriteMode::kVersions) {
      Refuse(own_.delete_missing, absl::StrCat(Name(), " takes 'scd2: {deletes: close | keep}'"));
      const bool closes = settings_.deletes.Or("close") == "close" && spec_.cursor.empty();
      spec_.on_missing = closes ? MissingPolicy::kClose : MissingPolicy::kKeep;
      if (!spec_.cursor.empty() && own_.deletes.Or("keep") == "close") {
        problem_(own_.deletes.place,
                 "rows are read by ranges of the cursor, where a row that is absent says nothing; "
                 "remove 'deletes: close', or the cursor, so that all rows are read each time");
      }
    }
    if (spec_.strategy != Strategy::kStatic) return;
    const bool upsert = settings_.on_change.Or("replace") == "upsert";
    if (upsert && spec_.key_columns.empty())
      problem_(PlaceOf(settings_.on_change), "'on_change: upsert' needs 'key'");
    if (spec_.keyed() && !upsert) {
      Refuse(own_.delete_missing,
             "'on_change: replace' makes the table equal to its source, so that rows that are gone "
             "there go; 'delete_missing' goes with 'on_change: upsert'");
      spec_.on_missing = MissingPolicy::kRemove;
    }
  }

  void SetCompared() {
    if (spec_.write == WriteMode::kVersions) {
      spec_.compared_columns = settings_.track.Or({});
      spec_.uncompared_columns = settings_.ignore.Or({});
      if (!spec_.compared_columns.empty() && !spec_.uncompared_columns.empty())
        problem_(settings_.ignore.place,
                 "'track' names all columns that count, so 'ignore' has "
                 "nothing to except; remove one of the two");
    } else if (spec_.write == WriteMode::kMerge) {
      spec_.uncompared_columns = settings_.hash_exclude.Or({});
    }
  }

  void SetNames() {
    for (const auto& [column, setting] : settings_.names) {
      if (!setting.has()) continue;
      spec_.system_columns.NameOf(column) = *setting.value;
      if (column == SystemColumn::kServerSource && absl::StartsWith(*setting.value, "_")) {
        problem_(setting.place,
                 "'server_source' names a folder of each server, and readers skip "
                 "folders that begin with '_'; choose another name");
      }
    }
    const SystemColumns& names = spec_.system_columns;
    if (spec_.write == WriteMode::kVersions &&
        (names.valid_from.empty() || names.valid_to.empty() || names.is_current.empty() ||
         names.confirmed_at.empty())) {
      problem_(table_,
               "strategy scd2 needs valid_from, valid_to, is_current and confirmed_at; "
               "they can have other names, but cannot be left out");
    }
    if (spec_.on_missing == MissingPolicy::kMark && names.deleted_at.empty())
      problem_(table_, "'delete_missing: soft' needs the column deleted_at, which is left out");
  }

  void SetChecksum() {
    const std::string word = settings_.checksum.Or("md5");
    spec_.checksum = word == "md5"      ? ChecksumKind::kMd5
                     : word == "fast"   ? ChecksumKind::kFast
                     : word == "counts" ? ChecksumKind::kCounts
                                        : ChecksumKind::kNone;
    spec_.force_after = spec_.strategy == Strategy::kStatic
                            ? settings_.force_after.Or(absl::InfiniteDuration())
                            : absl::InfiniteDuration();
  }

  void CheckModified() {
    if (settings_.cursor_kind.Or("created") != "modified" || spec_.cursor.empty()) return;
    if (!spec_.keyed()) {
      problem_(settings_.cursor_kind.place,
               "'cursor_kind: modified' needs 'write: merge' and 'key', or strategy scd2: an "
               "updated row would stay in its old range and appear again in the new one");
    } else if (spec_.write == WriteMode::kMerge && spec_.on_missing != MissingPolicy::kKeep) {
      problem_(PlaceOf(settings_.delete_missing),
               "'delete_missing' looks for the rows of a range, and 'cursor_kind: modified' says "
               "that an update takes a row out of its range: it would count as deleted. Read the "
               "whole (strategy full or static), or leave deletes to `headwater repair`");
    }
  }

  void CheckKeyed() {
    if (spec_.key_columns.empty()) {
      problem_(table_, absl::StrCat(spec_.write == WriteMode::kMerge ? "'write: merge'" : Name(),
                                    " needs 'key', the columns that tell rows apart"));
    }
    if (spec_.partition_by.kind != Unit::Kind::kNone) {
      problem_(table_,
               "rows that are looked up by key may come to lie in another partition, so "
               "such a table is partitioned by server only; remove 'partition_by'");
    }
    if (spec_.on_bad_row == BadRowPolicy::kQuarantine && spec_.on_missing != MissingPolicy::kKeep) {
      problem_(table_,
               "a row in quarantine cannot be looked up by its key, so it would count as "
               "deleted; set 'on_bad_row: fail', or keep missing rows (delete_missing: "
               "none, scd2: {deletes: keep}, on_change: upsert)");
    }
    if (spec_.write == WriteMode::kVersions && !spec_.cursor.empty() &&
        spec_.on_null_cursor == OutsidePolicy::kLoad) {
      spec_.on_null_cursor = OutsidePolicy::kError;  // Such a row has no place in a history.
    }
  }

  void RefuseWhatDoesNotApply() {
    if (spec_.strategy != Strategy::kStatic) {
      Refuse(own_.on_change, "'on_change' goes with strategy static");
      Refuse(own_.force_after, "'force_after' goes with strategy static");
    }
    if (spec_.strategy != Strategy::kScd2) {
      for (const auto* own : {&own_.track, &own_.ignore})
        Refuse(*own,
               "'scd2' goes with strategy scd2; hash: {exclude: …} says what other writes "
               "do not compare");
      Refuse(own_.deletes, "'scd2' goes with strategy scd2; others take 'delete_missing'");
    }
    if (!spec_.keyed()) {
      Refuse(own_.delete_missing,
             "'delete_missing' goes with 'write: merge' or strategy static "
             "with a key: ranges are replaced with all they have");
      Refuse(own_.dedup_by, "'dedup' goes with writes by key (write: merge, static, scd2)");
      Refuse(own_.hash_exclude, "'hash: {exclude: …}' goes with writes by key");
    }
  }

  const WriteSettings& settings_;
  const WriteSettings& own_;
  const Place& table_;
  const std::function<void(const Place&, absl::string_view)>& problem_;
  DatasetSpec& spec_;
};

}  // namespace

void WriteSettings::Overlay(const WriteSettings& nearer) {
  write.Overlay(nearer.write);
  cursor_kind.Overlay(nearer.cursor_kind);
  delete_missing.Overlay(nearer.delete_missing);
  dedup_by.Overlay(nearer.dedup_by);
  on_change.Overlay(nearer.on_change);
  force_after.Overlay(nearer.force_after);
  checksum.Overlay(nearer.checksum);
  hash_algorithm.Overlay(nearer.hash_algorithm);
  hash_exclude.Overlay(nearer.hash_exclude);
  track.Overlay(nearer.track);
  ignore.Overlay(nearer.ignore);
  deletes.Overlay(nearer.deletes);
  for (const auto& [column, name] : nearer.names) names[column].Overlay(name);
}

WriteSettings ReadWriteSettings(MapReader& map, Problems& problems) {
  WriteSettings settings;
  PutSetting(settings.write, map, "write",
             map.Choice("write", {"replace_range", "replace", "merge"}, {"scd2", "append"}));
  PutSetting(settings.cursor_kind, map, "cursor_kind",
             map.Choice("cursor_kind", {"created", "modified"}));
  PutSetting(settings.delete_missing, map, "delete_missing",
             map.Choice("delete_missing", {"none", "soft", "hard"}));
  ReadDedup(settings, map, problems);
  PutSetting(settings.on_change, map, "on_change", map.Choice("on_change", {"replace", "upsert"}));
  PutSetting(settings.force_after, map, "force_after", map.Duration("force_after"));
  PutSetting(settings.checksum, map, "checksum",
             map.Choice("checksum", {"md5", "fast", "counts", "none"}));
  ReadHash(settings, map, problems);
  ReadScd2(settings, map, problems);
  ReadSystemColumns(settings, map, problems);
  return settings;
}

void SetWrite(const WriteSettings& settings, const WriteSettings& own, const Place& table,
              const std::function<void(const Place&, absl::string_view)>& problem,
              DatasetSpec& spec) {
  WriteBuilder(settings, own, table, problem, spec).Build();
}

}  // namespace headwater
