#include "coordinator/commit/delta/piece_index.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/data/fingerprint.h"
#include "common/data/system_columns.h"
#include "coordinator/commit/delta/delta_schema.h"

namespace headwater {
namespace {

constexpr char kOutside[] = "outside";
constexpr char kKeyed[] = "keyed";
constexpr char kAdopted[] = "adopted";
constexpr char kServerTag[] = "headwater.server";  // Where no partition says it.

std::string PieceText(const Extent& extent) {
  if (!extent.range.has_value()) return kOutside;
  return absl::StrCat("range:", extent.range->from, ":", extent.range->to);
}

std::map<std::string, std::string> AttemptTags(const Replacement& replacement) {
  std::map<std::string, std::string> tags = {
      {"headwater.fence", absl::StrCat(replacement.fence)},
      {"headwater.settled_to", absl::StrCat(replacement.settled_to)}};
  if (replacement.server_column.empty()) tags[kServerTag] = replacement.dataset.server;
  return tags;
}

std::string TagOf(const DeltaAdd& add, const std::string& name) {
  const auto it = add.tags.find(name);
  return it == add.tags.end() ? "" : it->second;
}

int64_t NumberOf(const DeltaAdd& add, const std::string& name, int64_t otherwise) {
  int64_t number = otherwise;
  return absl::SimpleAtoi(TagOf(add, name), &number) ? number : otherwise;
}

// 32 hex digits.
Hash128 HashOf(const std::string& hex) {
  constexpr size_t kHalf = 16;
  Hash128 hash;
  if (hex.size() != 2 * kHalf || !absl::SimpleHexAtoi(hex.substr(0, kHalf), &hash.high) ||
      !absl::SimpleHexAtoi(hex.substr(kHalf), &hash.low)) {
    return {};
  }
  return hash;
}

}  // namespace

PieceFacts FactsOf(const DeltaAdd& add) {
  return {{NumberOf(add, "headwater.rows", 0), HashOf(TagOf(add, "headwater.sum"))},
          NumberOf(add, "headwater.bad_rows", 0),
          TagOf(add, "headwater.spec"),
          NumberOf(add, "headwater.settled_to", INT64_MIN)};
}

// A parser would cost more than all the rest of taking a file in.
int64_t RowsOf(const DeltaAdd& add) {
  constexpr absl::string_view kKey = "\"numRecords\":";
  const size_t at = add.stats.find(kKey.data(), 0, kKey.size());
  if (at == std::string::npos) return -1;
  absl::string_view rest = add.stats;
  rest.remove_prefix(at + kKey.size());
  rest = absl::StripLeadingAsciiWhitespace(rest);
  int64_t rows = 0;
  return absl::SimpleAtoi(rest.substr(0, rest.find_first_not_of("0123456789")), &rows) ? rows : -1;
}

std::map<std::string, std::string> TagsOf(const Replacement& replacement, const StagedFile& file) {
  std::map<std::string, std::string> tags = AttemptTags(replacement);
  tags["headwater.piece"] = kKeyed;
  tags["headwater.spec"] = file.spec_version;
  return tags;
}

std::map<std::string, std::string> TagsOf(const Replacement& replacement,
                                          const StagedPiece& piece) {
  std::map<std::string, std::string> tags = AttemptTags(replacement);
  tags["headwater.piece"] = PieceText(piece.extent);
  tags["headwater.rows"] = absl::StrCat(piece.fingerprint.rows);
  tags["headwater.sum"] = HexOf(piece.fingerprint.sum);
  tags["headwater.spec"] = replacement.manifest.spec_version;
  if (piece.bad_rows > 0) tags["headwater.bad_rows"] = absl::StrCat(piece.bad_rows);
  return tags;
}

std::map<std::string, std::string> ForeignTags(const std::string& server, bool keyed) {
  return {{"headwater.fence", "0"},
          {"headwater.piece", keyed ? kKeyed : kAdopted},
          {"headwater.spec", ""},
          {kServerTag, server}};
}

std::optional<PieceTags> ParseTags(const DeltaAdd& add) {
  const auto piece = add.tags.find("headwater.piece");
  const auto fence = add.tags.find("headwater.fence");
  PieceTags tags;
  if (piece == add.tags.end() || fence == add.tags.end() ||
      !absl::SimpleAtoi(fence->second, &tags.fence)) {
    return std::nullopt;
  }
  if (piece->second == kOutside) {
    tags.extent.outside = true;
    return tags;
  }
  if (piece->second == kKeyed) {
    tags.keyed = true;
    return tags;
  }
  if (piece->second == kAdopted) {
    tags.adopted = true;
    return tags;
  }
  const std::vector<std::string> parts = absl::StrSplit(piece->second, ':');
  Range range;
  if (parts.size() != 3 || parts[0] != "range" || !absl::SimpleAtoi(parts[1], &range.from) ||
      !absl::SimpleAtoi(parts[2], &range.to)) {
    return std::nullopt;
  }
  tags.extent.range = range;
  return tags;
}

void PieceIndex::TakeColumns(const std::optional<DeltaMetadata>& metadata) {
  if (!metadata.has_value()) return;
  const absl::StatusOr<Schema> schema = SchemaFromJson(metadata->schema_string);
  if (!schema.ok()) return;  // Whoever needs the columns says so.
  const int at = FindSystemColumn(*schema, SystemColumn::kServerSource);
  server_column_ = at < 0 ? "" : schema->columns[static_cast<size_t>(at)].name;
}

std::string PieceIndex::ServerOf(const DeltaAdd& add) const {
  if (server_column_.empty()) {
    const auto tag = add.tags.find(kServerTag);
    return tag == add.tags.end() ? "" : tag->second;
  }
  const auto it = add.partition_values.find(server_column_);
  return it == add.partition_values.end() ? "" : it->second.value_or("");
}

void PieceIndex::Insert(const DeltaAdd& add) {
  File file{ServerOf(add), ParseTags(add), RowsOf(add)};
  Server& server = servers_[file.server];
  if (!file.tags.has_value()) {
    server.untagged[add.path] = true;
  } else if (file.tags->keyed) {
    server.keyed[add.path] = true;
  } else if (file.tags->adopted) {
    server.adopted[add.path] = true;
  } else if (file.tags->extent.range.has_value()) {
    server.ranges[file.tags->extent.range->from][add.path] = file.tags->extent.range->to;
  } else {
    server.outside[add.path] = true;
  }
  files_.emplace(add.path, std::move(file));
}

void PieceIndex::Erase(const std::string& path) {
  const auto it = files_.find(path);
  if (it == files_.end()) return;  // Others may remove what is not there.
  Server& server = servers_[it->second.server];
  server.untagged.erase(path);
  server.outside.erase(path);
  server.keyed.erase(path);
  server.adopted.erase(path);
  if (it->second.tags.has_value() && it->second.tags->extent.range.has_value()) {
    const auto range = server.ranges.find(it->second.tags->extent.range->from);
    range->second.erase(path);
    if (range->second.empty()) server.ranges.erase(range);
  }
  files_.erase(it);
}

void PieceIndex::Reset(const DeltaSnapshot& snapshot) {
  files_.clear();
  servers_.clear();
  TakeColumns(snapshot.metadata());
  for (const auto& [path, add] : snapshot.files()) Insert(add);
}

void PieceIndex::Apply(const DeltaVersion& actions) {
  TakeColumns(actions.metadata);
  for (const DeltaRemove& remove : actions.removes) Erase(remove.path);
  for (const DeltaAdd& add : actions.adds) {
    Erase(add.path);  // A file that is added again may have other tags.
    Insert(add);
  }
}

PieceIndex::Hit PieceIndex::Find(const std::string& server_name, const Extent& extent) const {
  Hit hit;
  const auto found = servers_.find(server_name);
  if (found == servers_.end()) return hit;
  const Server& server = found->second;
  if (extent.outside) {
    for (const auto& [path, yes] : server.outside) hit.paths.push_back(path);
  }
  if (!extent.range.has_value()) return hit;
  auto it = server.ranges.lower_bound(extent.range->from);
  // Pieces do not overlap, so only the one just before can reach in.
  if (it != server.ranges.begin()) --it;
  for (; it != server.ranges.end() && it->first < extent.range->to; ++it) {
    for (const auto& [path, to] : it->second) {
      const Range piece{it->first, to};
      if (!piece.Overlaps(*extent.range)) continue;
      if (!extent.range->Contains(piece)) hit.straddling = Extent{piece, false};
      hit.paths.push_back(path);
    }
  }
  return hit;
}

PieceIndex::Hit PieceIndex::FindExactly(const std::string& server, const Extent& extent) const {
  Hit hit = Find(server, extent);
  hit.straddling.reset();
  std::erase_if(hit.paths,
                [&](const std::string& path) { return !(files_.at(path).tags->extent == extent); });
  return hit;
}

bool PieceIndex::IsWhole(const PublishedPiece& piece) const {
  if (piece.rows == 0) return true;
  if (piece.keyed) {
    const int64_t found = KeyedRows(piece.dataset.server);
    return found < 0 || found == piece.rows;
  }
  int64_t rows = 0;
  for (const std::string& path : Find(piece.dataset.server, piece.extent).paths) {
    const File& file = files_.at(path);
    if (file.tags->fence != piece.fence || !(file.tags->extent == piece.extent)) return false;
    if (file.rows < 0) return true;
    rows += file.rows;
  }
  return rows == piece.rows;
}

std::vector<StagedFile> PieceIndex::FilesOf(const PublishedPiece& piece,
                                            const DeltaSnapshot& snapshot) const {
  std::vector<StagedFile> files;
  if (!IsWhole(piece)) return files;
  for (const std::string& path : FindExactly(piece.dataset.server, piece.extent).paths) {
    const DeltaAdd& add = snapshot.files().at(path);
    const int64_t rows = files_.at(path).rows;
    if (rows <= 0) return {};
    files.push_back({DecodePath(path),
                     add.size_bytes,
                     rows,
                     {add.partition_values.begin(), add.partition_values.end()},
                     ""});
  }
  return files;
}

bool PieceIndex::HoldsJust(const std::string& server, const Extent& extent,
                           const std::vector<PublishedPiece>& pieces) const {
  const std::vector<std::string> paths = Find(server, extent).paths;
  const auto is_theirs = [&](const std::string& path) {
    return std::any_of(pieces.begin(), pieces.end(), [&](const PublishedPiece& piece) {
      return piece.extent == files_.at(path).tags->extent;
    });
  };
  return std::all_of(paths.begin(), paths.end(), is_theirs) &&
         std::all_of(pieces.begin(), pieces.end(),
                     [&](const PublishedPiece& piece) { return IsWhole(piece); });
}

std::vector<std::string> PieceIndex::Keyed(const std::string& server) const {
  std::vector<std::string> paths;
  const auto it = servers_.find(server);
  if (it == servers_.end()) return paths;
  for (const auto& [path, yes] : it->second.keyed) paths.push_back(path);
  return paths;
}

std::vector<std::string> PieceIndex::Adopted(const std::string& server) const {
  std::vector<std::string> paths;
  const auto it = servers_.find(server);
  if (it == servers_.end()) return paths;
  for (const auto& [path, yes] : it->second.adopted) paths.push_back(path);
  return paths;
}

std::vector<StagedFile> PieceIndex::KeyedFilesOf(const std::string& server,
                                                 const DeltaSnapshot& snapshot) const {
  std::vector<StagedFile> files;
  for (const std::string& path : Keyed(server)) {
    const DeltaAdd& add = snapshot.files().at(path);
    files.push_back({DecodePath(path),
                     add.size_bytes,
                     files_.at(path).rows,
                     {add.partition_values.begin(), add.partition_values.end()},
                     add.stats,
                     TagOf(add, "headwater.spec")});
  }
  return files;
}

int64_t PieceIndex::KeyedRows(const std::string& server) const {
  int64_t rows = 0;
  for (const std::string& path : Keyed(server)) {
    if (files_.at(path).rows < 0) return -1;
    rows += files_.at(path).rows;
  }
  return rows;
}

bool PieceIndex::HasPieces(const std::string& server) const {
  const auto it = servers_.find(server);
  return it != servers_.end() && !(it->second.ranges.empty() && it->second.outside.empty());
}

std::optional<std::string> PieceIndex::Untagged(const std::string& server) const {
  auto it = servers_.find(server);
  // Nothing says whose a file is that has neither tag nor partition.
  if (server_column_.empty() && (it == servers_.end() || it->second.untagged.empty()))
    it = servers_.find("");
  if (it == servers_.end() || it->second.untagged.empty()) return std::nullopt;
  return it->second.untagged.begin()->first;
}

}  // namespace headwater
