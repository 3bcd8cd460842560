// What a dataset is: everything a worker needs to read one table of one server and stage it.
#ifndef HEADWATER_COMMON_MODEL_DATASET_SPEC_H_
#define HEADWATER_COMMON_MODEL_DATASET_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/data/cursor.h"
#include "common/data/hash_algorithm.h"
#include "common/data/quiet_window.h"
#include "common/data/schema_drift.h"
#include "common/data/system_columns.h"

namespace headwater {

// The axis on which progress is kept.
struct DatasetId {
  std::string table;  // Sink table.
  std::string server;
  friend auto operator<=>(const DatasetId&, const DatasetId&) = default;
  friend bool operator==(const DatasetId&, const DatasetId&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const DatasetId& id) {
    return H::combine(std::move(h), id.table, id.server);
  }
};

std::string ToString(const DatasetId& id);  // "jfk/flights"

struct ServerSpec {
  std::string name;
  std::string
      url;  // Secrets are references; only the worker resolves them (common/config/secret.h).
  std::string timezone = "UTC";
  std::string clock_sql;  // Empty: the source's own clock.
  int max_connections = 4;
  absl::Duration silent_after = absl::InfiniteDuration();
  absl::Duration statement_timeout = absl::InfiniteDuration();  // Infinite: the server's own.
  std::string fleet;                       // Empty when the server is not a member of one.
  std::vector<QuietWindow> quiet_windows;  // Nothing is begun there in these, in `timezone`.
  int max_tasks_per_minute = 0;            // 0: as many as there are.
  // Of a replica: the server that it follows, which tells of open transactions. Empty: none.
  std::string transactions_from = {};
  std::string transactions_url = {};  // That server's, as `url`.
};

enum class Strategy { kFull, kIncremental, kPartition, kStatic, kScd2 };
// What becomes of rows that are read: those of an extent take the place of what was published of
// it; each takes the place of the row with its key; each that differs ends its key's current
// version and begins another.
enum class WriteMode { kReplace, kMerge, kVersions };
// Keyed writes: what becomes of a row of the table inside of what was read that the source did not
// have. It stays; it says since when it is gone; it is removed; its current version ends.
enum class MissingPolicy { kKeep, kMark, kRemove, kClose };
// What a source sums of an extent's rows to tell whether they changed: docs/source-checksum.md.
enum class ChecksumKind { kMd5, kFast, kCounts, kNone };
enum class OutsidePolicy { kLoad, kError, kExclude };
// What a row with a value that does not fit its column does to its microbatch.
enum class BadRowPolicy { kFail, kQuarantine };

// How many rows of one microbatch may go to the quarantine: a count, or a share of what is read.
struct BadRowLimit {
  int64_t rows = 100;
  double percent = 0;  // Instead of `rows`, if not 0.
  friend bool operator==(const BadRowLimit&, const BadRowLimit&) = default;
};

struct DatasetSpec {
  DatasetId id;
  ServerSpec server;
  std::string relation;  // As named on the source: `flights`, `public.flights`.
  Strategy strategy = Strategy::kFull;
  std::string cursor;           // Column name; empty for kFull.
  std::string cursor_timezone;  // Zone of a zoneless cursor; defaults to the server's.
  Unit unit;
  Unit partition_by;  // Kind::kNone: by server_source only.
  int lookback_units = 0;
  std::string begin;                         // As configured; empty: the source's minimum.
  std::vector<std::string> include_columns;  // Empty: all.
  std::vector<std::string> exclude_columns;
  std::vector<std::string> key_columns;
  std::vector<std::string> text_columns;  // Read as text, as the source prints them.
  OutsidePolicy on_null_cursor = OutsidePolicy::kLoad;
  OutsidePolicy on_future_cursor = OutsidePolicy::kLoad;
  BadRowPolicy on_bad_row = BadRowPolicy::kFail;
  BadRowLimit max_bad_rows;
  bool truncate_fine_time = false;  // `on_fine_time: truncate`
  absl::Duration settle = absl::Minutes(5);
  int64_t settle_values = 10'000;
  absl::Duration max_ahead = absl::Hours(24);
  std::string target_uri;          // Folder of the table.
  int retries = 3;                 // Further attempts after the first.
  bool clock_bound = false;        // `bound: clock`
  bool reload_on_regress = false;  // `on_bound_regress: reload`
  int read_connections = 0;        // kFull: at most so many for one read; 0: by the estimated rows.
  SchemaPolicy on_schema_change = SchemaPolicy::kEvolve;

  WriteMode write = WriteMode::kReplace;
  MissingPolicy on_missing = MissingPolicy::kKeep;  // Keyed writes.
  bool cursor_modified = false;  // `cursor_kind: modified`: an update gives a row another cursor.
  std::string dedup_by;          // Of rows with one key in one read the one with the largest value
                                 // wins; empty: such rows are an error.
  // Keyed writes, when rows are compared: these columns; if empty, all but the others.
  std::vector<std::string> compared_columns;
  std::vector<std::string> uncompared_columns;
  ChecksumKind checksum = ChecksumKind::kNone;
  absl::Duration force_after = absl::InfiniteDuration();  // kStatic: read again so long after.
  // Of rows that are written. What was written before may be of another, as its spec version says.
  HashAlgorithm hash_algorithm = HashAlgorithm::kXxh3;
  SystemColumns system_columns;

  // Rows are looked up by key: the dataset's files hold whole keys, and belong to no piece.
  bool keyed() const { return write != WriteMode::kReplace; }
};

std::string StrategyToString(Strategy strategy);  // full, incremental, partition, static, scd2

// Name of the partition column of the cursor (`cursor_day`), or empty for Kind::kNone.
std::string PartitionColumn(const Unit& partition_by);

// The columns that the dataset cannot do without: its cursor and its keys.
std::vector<std::string> NeededColumns(const DatasetSpec& spec);

// How the dataset's cursor values are read and cut, once the source has said of what type they are.
// A cursor without a zone of its own is in the server's. INVALID_ARGUMENT: a zone this machine does
// not know.
absl::StatusOr<CursorCalendar> CalendarOf(const DatasetSpec& spec, CursorType type);

// Hex digest of the whole spec: names it between coordinator and worker.
std::string DigestOf(const DatasetSpec& spec);

}  // namespace headwater

#endif  // HEADWATER_COMMON_MODEL_DATASET_SPEC_H_
