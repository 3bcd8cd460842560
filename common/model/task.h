// What a worker is offered and what it hands in. Twins of the messages in types.proto and
// session.proto; model_proto.h converts and validates.
#ifndef HEADWATER_COMMON_MODEL_TASK_H_
#define HEADWATER_COMMON_MODEL_TASK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/data/cursor.h"
#include "common/data/fingerprint.h"
#include "common/data/hash_algorithm.h"
#include "common/data/schema.h"
#include "common/data/value_spread.h"
#include "common/model/dataset_spec.h"
#include "common/model/extent.h"

namespace headwater {

// Names a task's right to run. Probes and verifications have fence 0.
struct LeaseRef {
  std::string task_id;
  int64_t fence = 0;
  friend auto operator<=>(const LeaseRef&, const LeaseRef&) = default;
  friend bool operator==(const LeaseRef&, const LeaseRef&) = default;
};

// What a source's rows of an extent were summed to, or counted. Two of one kind and spec version
// can be compared.
struct ExtentChecksum {
  ChecksumKind kind = ChecksumKind::kNone;
  int64_t rows = 0;
  uint64_t sum = 0;          // kCounts: the largest cursor, if any.
  std::string spec_version;  // ColumnsVersionOf() those that were summed.
  friend bool operator==(const ExtentChecksum&, const ExtentChecksum&) = default;
};

// Makes of `whole` that of the rows of both; none, where one is not known or the two are not of one
// kind that can be added and of the same columns.
void AddChecksum(const std::optional<ExtentChecksum>& part, std::optional<ExtentChecksum>& whole);

struct TailCheck {
  Range range;
  int64_t rows = 0;
  std::optional<int64_t> max_cursor;
  std::optional<ExtentChecksum> checksum = {};  // If one was kept, or asked for and made.
  friend bool operator==(const TailCheck&, const TailCheck&) = default;
};

struct ProbeTask {
  std::vector<Range> tail;   // At most 8.
  bool estimates = false;    // A plan asks: estimated_rows and spread are wanted of any dataset.
  std::string query_tag;     // Not on the wire: as ReadOptions::query_tag.
  bool checksum = false;     // Of the whole dataset, as its spec says,
  Schema table_schema = {};  // of these columns; none: the source's own.
  // What was published of some of `tail`, with a checksum: where count and maximum are as they
  // were, that is asked too.
  std::vector<TailCheck> known_tail = {};
};

// What one probe read on the source, in one snapshot.
struct ProbeResult {
  CursorType cursor_type = CursorType::kNone;
  Schema schema;  // Selected columns, in source order.
  absl::Time source_clock;
  bool transactions_known = false;
  std::optional<absl::Time> oldest_transaction;  // None open, if known.
  std::optional<absl::Time> replay_time;         // Of a replica.
  std::optional<int64_t> minimum;                // None: no rows in the domain.
  std::optional<int64_t> bound;  // Largest cursor not beyond clock + max_ahead, included.
  int64_t null_rows = 0;
  int64_t future_rows = 0;
  std::vector<TailCheck> tail;
  int64_t estimated_rows = -1;  // -1: unknown, or not asked for.
  // What people should know before they load it: of each column at most one, and of transactions.
  std::vector<std::string> notices;
  bool divisible = false;  // Several connections can read the whole, in one snapshot.
  // Of the cursor's values, by the server's statistics; empty: not asked for, or unknown.
  std::vector<SpreadStep> spread = {};
  std::optional<ExtentChecksum> checksum = {};  // If it was asked for and the source can.
};

// A published piece that a read may find unchanged.
struct KnownPiece {
  Extent extent;
  Fingerprint fingerprint;
  std::string spec_version;
  std::optional<ExtentChecksum> checksum = {};  // If one was kept.
};

// A data file that no reader sees until a commit names it.
struct StagedFile {
  std::string path;  // Relative to the table's folder, '/' separated, not URI-encoded.
  int64_t size_bytes = 0;
  int64_t rows = 0;
  std::vector<std::pair<std::string, std::optional<std::string>>> partition_values;
  std::string stats_json;  // Delta statistics.
  // Of a keyed table's file: of what the stored hashes of its rows were made. Else empty.
  std::string spec_version = {};
};

// Live files of a dataset: all of them, with statistics, where a keyed write starts from them, else
// those of a task's pieces.
struct TableBase {
  std::vector<StagedFile> files;
};

struct MicrobatchTask {
  Extent extent;
  std::vector<int64_t>
      cuts;  // Ascending, strictly inside the range: where one piece ends and the next begins.
  std::vector<KnownPiece> known;
  CursorType cursor_type = CursorType::kNone;
  int64_t domain_end = 0;    // Cursors at or beyond it are `outside`.
  int connections = 1;       // Of the source, that the read may use at once.
  Schema table_schema = {};  // The table's columns from sources; none: rows stay as they are read.
  // A compaction, if there are any: the live files of settled pieces, in the order of their rows.
  // Those become the one piece of `extent`, in the columns that they are in; no source is read.
  std::vector<StagedFile> inputs = {};
  bool look_around = false;            // If there are no rows, where are the next ones?
  std::optional<TableBase> base = {};  // A keyed write, or a repair, if set.
  // Pieces are to have a checksum, and known ones to be compared with theirs before they are read.
  bool checksums = false;
  // A repair: rows of the source are read where they differ from those in `base`, which stay.
  bool differing = false;
  bool histories = false;  // Versions in `base` are mended, and no source is read.
  // A compaction: what its pieces are hashed by. None: as the dataset says.
  std::optional<HashAlgorithm> hash_algorithm = {};
};

// Reads like a microbatch and stages nothing.
struct VerificationTask {
  Extent extent;
  std::vector<int64_t> cuts;
  CursorType cursor_type = CursorType::kNone;
  int64_t domain_end = 0;
  Schema table_schema =
      {};  // With which the pieces were written; none: rows stay as they are read.
  std::vector<KnownPiece> known = {};  // With checksums: what has those is not read.
  // What the table has: rows are compared with those in these files. None: with what was published.
  std::optional<TableBase> base = {};
  bool counts_only = false;  // Pieces are counted, no more.
  bool histories = false;    // Histories in `base` are checked, and no source is asked.
  // What the pieces were hashed by. None: as the dataset says.
  std::optional<HashAlgorithm> hash_algorithm = {};
};

struct TaskSpec {
  LeaseRef lease;
  std::string dataset_digest;
  std::string run_id;  // The run it is done for, of several the first; empty: none.
  std::variant<ProbeTask, MicrobatchTask, VerificationTask> kind;
};

struct StagedPiece {
  Extent extent;
  Fingerprint fingerprint;
  std::optional<int64_t> max_cursor;  // Largest cursor read inside the range.
  bool unchanged = false;             // Equal to the known piece; has no files.
  std::vector<StagedFile> files;
  int64_t bad_rows = 0;                    // Of the fingerprint's rows those that are in bad_files.
  std::vector<StagedFile> bad_files = {};  // Of the table QuarantineName(), relative to its folder.
  std::optional<ExtentChecksum> checksum = {};  // Of the same rows, if the task wanted one.
  // Of a verification: of the rows that the table's files have. None: they were not looked at.
  std::optional<Fingerprint> files_fingerprint = {};
};

// A row, or a key's history, that a verification found to be wrong.
struct Difference {
  enum class Kind { kNotInTable, kNotInSource, kContent, kHistory };
  Kind kind = Kind::kContent;
  std::string key;          // For people: "flight_id = 17".
  std::string found = {};   // kHistory: what is wrong,
  std::string remedy = {};  // and what a repair does about it.
  friend bool operator==(const Difference&, const Difference&) = default;
};

inline constexpr size_t kMaxDifferences = 100;  // Of one manifest, and of one answer's dataset.

// What a keyed write does to a dataset's files. The pieces beside it have none.
struct KeyedChange {
  std::vector<std::string> replaced;  // Live files that go, by path.
  std::vector<StagedFile> files;      // What takes their place, with what is new.
  int64_t new_rows = 0;               // Keys that the table had no row of, or no current version.
  int64_t changed_rows = 0;           // Keys whose row differs,
  int64_t same_rows = 0;              // and those whose does not.
  int64_t deleted_rows = 0;           // Rows removed, marked or closed.
  int64_t table_rows = 0;             // Of the dataset, in all of its files afterwards.
  int64_t duplicate_rows = 0;         // Left out for another row of the read with the same key.

  bool empty() const { return replaced.empty() && files.empty(); }
};

struct Manifest {
  std::vector<StagedPiece> pieces;
  Schema schema;  // Of the files' rows (source columns, then ours), without partition columns.
  int64_t rows_read = 0;
  int64_t bytes_read = 0;
  int64_t bytes_staged = 0;
  std::string spec_version;
  int64_t truncated_values = 0;  // Cut to microseconds, as the dataset asks for.
  // Where nothing was read and the task asked: a range around the extent's in which the source had
  // no rows either. It tells what to read next, never what is covered.
  std::optional<Range> empty_around = {};
  std::optional<KeyedChange> keyed = {};  // Of a keyed write.
  // Told unchanged by a checksum of the source, so that they stayed there.
  int64_t rows_skipped = 0;
  std::vector<Difference> differences = {};  // Of a verification: at most kMaxDifferences of
  int64_t rows_different = 0;                // all these.
};

enum class FailureKind { kSource, kTask, kWorkerDeath, kDrain };

struct Failure {
  FailureKind kind = FailureKind::kTask;
  absl::Status status;
};

struct HandedBack {
  std::string reason;
};

struct Verification {
  Manifest manifest;
};

struct Outcome {
  LeaseRef lease;
  std::variant<Manifest, ProbeResult, Verification, Failure, HandedBack> result;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_MODEL_TASK_H_
