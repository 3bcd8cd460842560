#include "coordinator/commit/delta/replacement_check.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/system_columns.h"
#include "coordinator/commit/delta/delta_schema.h"
#include "coordinator/commit/delta/table_folder.h"

namespace headwater {
namespace {

// Files of pieces inside `extent`; of a quarantine those of just that piece.
PieceIndex::Hit Inside(const TableFiles& table, const std::string& server, const Extent& extent) {
  return table.is_quarantine ? table.index.Find(server, extent)
                             : table.index.FindExactly(server, extent);
}

// A table's rows of one server are either of pieces or by key.
absl::Status CheckKind(const TableFiles& table, const Replacement& replacement) {
  const std::string& server = replacement.dataset.server;
  const bool keyed = replacement.manifest.keyed.has_value();
  if (keyed ? !table.index.HasPieces(server) : table.index.Keyed(server).empty())
    return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(
      "the table's rows of this server were ", keyed ? "not written" : "written", " by key",
      keyed ? ", and now they are to be (write: merge, strategy static or scd2)"
            : " (write: merge, strategy static or scd2)",
      "; load into another table (target_table), or remove this one"));
}

// Rows with their history, and rows that are the only ones of their keys, would take each other for
// their own.
absl::Status CheckHistory(const TableFiles& table, const Replacement& replacement) {
  if (table.index.Keyed(replacement.dataset.server).empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Schema schema, SchemaFromJson(table.snapshot.metadata()->schema_string));
  const bool has = FindSystemColumn(schema, SystemColumn::kIsCurrent) >= 0;
  if (has == (FindSystemColumn(replacement.manifest.schema, SystemColumn::kIsCurrent) >= 0))
    return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("the table's rows of this server were written with", has ? "" : "out",
                   " their history, and now they are to be written with", has ? "out" : "",
                   " (strategy scd2); load into another table (target_table), or remove this one"));
}

absl::Status CheckKeyed(const TableFiles& table, const Replacement& replacement) {
  const KeyedChange& change = *replacement.manifest.keyed;
  if (!change.empty()) RETURN_IF_ERROR(CheckHistory(table, replacement));
  RETURN_IF_ERROR(CheckStaged(table.store, change.files));
  int64_t rows = table.index.KeyedRows(replacement.dataset.server);
  for (const std::string& path : change.replaced) {
    const auto live = table.snapshot.files().find(EncodePath(path));
    if (live == table.snapshot.files().end()) {
      return absl::NotFoundError(
          absl::StrCat("file ", path, ", which is to be replaced, is gone from the table"));
    }
  }
  const std::set<std::string> replaced(change.replaced.begin(), change.replaced.end());
  for (const StagedFile& file :
       table.index.KeyedFilesOf(replacement.dataset.server, table.snapshot)) {
    if (replaced.contains(file.path)) rows -= file.rows;
  }
  for (const StagedFile& file : change.files) rows += file.rows;
  if (rows == change.table_rows || table.index.KeyedRows(replacement.dataset.server) < 0)
    return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("it was staged against other files than the table has of this server: expected ",
                   change.table_rows, " rows afterwards, found ", rows));
}

absl::Status CheckPieces(const TableFiles& table, const Replacement& replacement) {
  const std::string& server = replacement.dataset.server;
  if (const auto hit = table.index.Find(server, replacement.extent);
      hit.straddling.has_value() && !table.is_quarantine) {
    return absl::InternalError("a published piece is only partly inside of what was read");
  }
  for (const StagedPiece& piece : replacement.manifest.pieces) {
    if (piece.unchanged && piece.fingerprint.rows > piece.bad_rows &&
        Inside(table, server, piece.extent).paths.empty()) {
      return absl::NotFoundError(
          "a piece was read as published before, but its files are gone from the table. Its rows "
          "are to be read again");
    }
    RETURN_IF_ERROR(CheckStaged(table.store, piece.files));
  }
  if (!replacement.compacted.empty() &&
      !table.index.HoldsJust(server, replacement.extent, replacement.compacted)) {
    return absl::NotFoundError("files that were compacted are gone");
  }
  return absl::OkStatus();
}

// Live files inside the claim, staged again or not, but for those of unchanged pieces.
absl::StatusOr<std::vector<std::string>> Replaced(const TableFiles& table,
                                                  const Replacement& replacement) {
  const std::string& server = replacement.dataset.server;
  const PieceIndex::Hit all = table.index.Find(server, replacement.extent);
  std::set<std::string> paths(all.paths.begin(), all.paths.end());
  if (replacement.whole) {
    for (std::string& path : table.index.Adopted(server)) paths.insert(std::move(path));
  }
  for (const StagedPiece& piece : replacement.manifest.pieces) {
    if (!piece.unchanged) continue;
    const PieceIndex::Hit kept = Inside(table, server, piece.extent);
    if (kept.straddling.has_value()) {
      return absl::InternalError(absl::StrCat(ToString(replacement.dataset), " into table ",
                                              replacement.dataset.table,
                                              ": an unchanged piece is only part of a published "
                                              "one"));
    }
    for (const std::string& path : kept.paths) paths.erase(path);
  }
  return std::vector<std::string>(paths.begin(), paths.end());
}

void Add(const std::vector<StagedFile>& files, const std::map<std::string, std::string>& tags,
         int64_t now_ms, bool rows_change, DeltaVersion& actions) {
  for (const StagedFile& file : files) {
    DeltaAdd add{EncodePath(file.path), {},  file.size_bytes, now_ms, rows_change,
                 file.stats_json,       tags};
    for (const auto& [column, value] : file.partition_values) add.partition_values[column] = value;
    actions.adds.push_back(std::move(add));
  }
}

}  // namespace

absl::Status CheckReplacement(const TableFiles& table, const Replacement& replacement) {
  if (const auto path = table.index.Untagged(replacement.dataset.server); path.has_value()) {
    return absl::AlreadyExistsError(
        absl::StrCat("the table holds a file of this server that Headwater did not write (", *path,
                     "); nothing more is published there until it is removed, or taken over: "
                     "headwater repair --adopt"));
  }
  if (!replacement.whole && !table.index.Adopted(replacement.dataset.server).empty()) {
    return absl::AlreadyExistsError(
        "the table holds files that were taken over from another writer, which go when everything "
        "of this server is read in one; the ledger does not know of them: headwater repair "
        "--adopt");
  }
  RETURN_IF_ERROR(CheckKind(table, replacement));
  return replacement.manifest.keyed.has_value() ? CheckKeyed(table, replacement)
                                                : CheckPieces(table, replacement);
}

absl::Status PutReplacement(const TableFiles& table, const Replacement& replacement, int64_t now_ms,
                            DeltaVersion& actions) {
  const bool rows_change = replacement.compacted.empty();
  const auto remove = [&](const std::string& path) {
    const DeltaAdd& old = table.snapshot.files().at(path);
    actions.removes.push_back({path, now_ms, rows_change, old.partition_values, old.size_bytes});
  };
  if (const std::optional<KeyedChange>& keyed = replacement.manifest.keyed; keyed.has_value()) {
    for (const std::string& path : keyed->replaced) remove(EncodePath(path));
    for (const StagedFile& file : keyed->files)
      Add({file}, TagsOf(replacement, file), now_ms, rows_change, actions);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> replaced, Replaced(table, replacement));
  for (const std::string& path : replaced) remove(path);
  for (const StagedPiece& piece : replacement.manifest.pieces) {
    if (!piece.unchanged)
      Add(piece.files, TagsOf(replacement, piece), now_ms, rows_change, actions);
  }
  return absl::OkStatus();
}

}  // namespace headwater
