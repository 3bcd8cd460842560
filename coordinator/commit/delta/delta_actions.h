// The actions of a Delta Lake log entry that this program reads and writes, and their JSON form
// (one action a line). Source: PROTOCOL.md of the Delta Lake project, "Actions". Unknown actions
// and fields are skipped on reading.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_ACTIONS_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_ACTIONS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace headwater {

// A NULL partition value is absent.
using PartitionValues = std::map<std::string, std::optional<std::string>>;

struct DeltaProtocol {
  int min_reader = 1;
  int min_writer = 2;
  std::vector<std::string> reader_features;  // Written only with version 3 and 7.
  std::vector<std::string> writer_features;
  friend bool operator==(const DeltaProtocol&, const DeltaProtocol&) = default;
};

struct DeltaMetadata {
  std::string id;
  std::string schema_string;
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> configuration;
  int64_t created_ms = 0;
  std::string name = "";  // Both are others' to give; empty: none.
  std::string description = "";
  friend bool operator==(const DeltaMetadata&, const DeltaMetadata&) = default;
};

struct DeltaAdd {
  std::string path;  // As in the log: relative and URI-encoded.
  PartitionValues partition_values;
  int64_t size_bytes = 0;
  int64_t modified_ms = 0;
  bool data_change = true;
  std::string stats;  // JSON; empty: none.
  std::map<std::string, std::string> tags;
};

struct DeltaRemove {
  std::string path;
  int64_t deleted_ms = 0;
  bool data_change = true;
  PartitionValues partition_values;
  int64_t size_bytes = 0;
};

struct DeltaTxn {
  std::string app_id;
  int64_t version = 0;
};

// What we say of a commit: enough to recognise our own.
struct DeltaCommitInfo {
  int64_t timestamp_ms = 0;
  std::string operation;
  std::string app_id;  // Ours; empty in others' commits.
  int64_t sequence = 0;
  std::string intent_hash;
  bool abandoned = false;
};

// One entry of the log.
struct DeltaVersion {
  std::optional<DeltaCommitInfo> commit_info;
  std::optional<DeltaProtocol> protocol;
  std::optional<DeltaMetadata> metadata;
  std::vector<DeltaTxn> txns;
  std::vector<DeltaRemove> removes;
  std::vector<DeltaAdd> adds;
};

// commitInfo first, then the order of the fields above; each line ends with a newline.
std::string ToJsonLines(const DeltaVersion& version);
// DATA_LOSS: a line that is not a JSON object, or a known action without what it must have.
absl::StatusOr<DeltaVersion> ParseJsonLines(absl::string_view lines);

// A file's path as `add` and `remove` carry it: every byte that a URI path may not have is %XX,
// also the `%` of Hive escapes. And back; what is not an escape stays.
std::string EncodePath(absl::string_view path);
std::string DecodePath(absl::string_view encoded);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_ACTIONS_H_
