// The only door through which rows enter a worker: one query over one extent, batch by batch.
// tests/contract/source_contract.h says in code what every implementation must do.
#ifndef HEADWATER_WORKER_SOURCE_SOURCE_READER_H_
#define HEADWATER_WORKER_SOURCE_SOURCE_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/row_batch.h"
#include "common/data/row_checksum.h"
#include "common/data/schema.h"
#include "common/data/schema_drift.h"
#include "common/model/dataset_spec.h"
#include "common/model/extent.h"
#include "common/model/task.h"

namespace headwater {

// Confined to one thread, except Cancel().
class SourceReader {
 public:
  virtual ~SourceReader() = default;

  // Columns of every batch, in source order. Fixed once open; lives as long as the reader.
  virtual const Schema& schema() const = 0;

  // Returns the next batch, or null when the extent is exhausted. A batch has rows or bad rows or
  // both, fits ReadOptions::batch_bytes unless one row alone exceeds it, and may outlive the
  // reader. Errors: UNAVAILABLE       connection lost; a fresh reader may succeed.
  //         DATA_LOSS         bytes do not decode as the declared type.
  //         INVALID_ARGUMENT  a value does not fit its column's type: names column, key and value.
  //                           With BadRowPolicy::kQuarantine only where it is the cursor's; else
  //                           the row is one of RowBatch::bad_rows().
  //         CANCELLED         after Cancel().
  // The first error is final: later calls repeat it.
  virtual absl::StatusOr<std::unique_ptr<RowBatch>> Next() = 0;

  // Makes a blocked or future Next() return CANCELLED soon. Thread-safe; repeatable. May block
  // while the server is asked, as long as a connection to it may take: not for threads that others
  // need.
  virtual void Cancel() = 0;
};

struct ReadOptions {
  int64_t batch_bytes = 4 << 20;
  CursorType cursor_type = CursorType::kNone;
  int64_t domain_end = 0;  // Cursors at or beyond it belong to the `outside` rows.
  // What the server's administrators see, in the query's leading comment and, as far as it fits,
  // in application_name: `run=r-12 fence=77 dataset=jfk/flights range=[…)`.
  std::string query_tag;
  // One more condition on the rows, as SQL of the source (key_split.h); empty: none.
  std::string within;
};

// What Source::Checksums() sums of each row.
struct ChecksumOptions {
  // kMd5: docs/source-checksum.md, comparable with what RowChecksummer makes, see below. kFast: SQL
  // Server's own, which costs it a fraction: 32 bits, in which changes may cancel each other;
  // comparable with the same question to the same server only. No other.
  ChecksumKind kind = ChecksumKind::kMd5;
  // The columns of a table: then what is summed is what ConformToTable() (conforming_reader.h)
  // gives rows of this source, in its order, by `policy`. None: the dataset's columns as the source
  // has them.
  Schema table = {};
  SchemaPolicy policy = SchemaPolicy::kEvolve;
};

struct ExtentChecksums {
  Schema columns;  // That were summed, in their order: those of RowChecksummer::Create().
  // Those of them, by name, whose sums cannot be told to be a RowChecksummer's: DifferingColumns()
  // of checksum_query.h. If there are none, and no bad row in an extent, and no value was cut to
  // microseconds, then an extent's checksum is that of the rows that Read() gives of it.
  std::vector<std::string> differing = {};
  std::vector<RowChecksum> extents = {};  // As they were asked for.
};

// How the rows of a dataset can be divided by ranges of a key.
struct DividingKey {
  std::string column;               // Orders as KeyParts does; empty: none does.
  std::vector<std::string> unique;  // Columns of which no two rows have the same; may be empty.
};

// What is summed of an extent's rows, each part by itself: part 0 is what lies below the first
// border, and rows whose key is NULL; the others begin with the border before them.
struct PartChecksums {
  Schema columns;                      // As ExtentChecksums has them,
  std::vector<std::string> differing;  // and these.
  std::vector<std::string> borders;    // Those that were asked for and can be written in SQL.
  std::vector<RowChecksum> parts;      // One more than the borders.
  std::vector<std::string> within;     // By part: ReadOptions::within that selects its rows alone.
};

struct ExtentCount {
  int64_t rows = 0;                   // Of the whole extent, bad ones too.
  std::optional<int64_t> max_cursor;  // The largest in its range; none: no row is in it.
  friend bool operator==(const ExtentCount&, const ExtentCount&) = default;
};

// One source server, as one slot of a worker sees it: holds at most one connection, opened when
// first needed; more only while the readers of ReadParts() are there. Confined to one thread.
class Source {
 public:
  virtual ~Source() = default;

  // Reads clock, bound, minimum, outside counts and tail checks in one snapshot where the source
  // has them. NOT_FOUND: the relation or the cursor column does not exist (names what does).
  // UNAVAILABLE: the server cannot be reached (the driver's words). PERMISSION_DENIED.
  // INVALID_ARGUMENT: the cursor column's type cannot order rows.
  virtual absl::StatusOr<ProbeResult> Probe(const DatasetSpec& dataset, const ProbeTask& task,
                                            std::stop_token stop) = 0;

  // Starts reading `extent`. The reader must be gone before the next call on this source. CANCELLED
  // soon after `stop`, also while a statement waits to begin; connecting ends by itself.
  virtual absl::StatusOr<std::unique_ptr<SourceReader>> Read(const DatasetSpec& dataset,
                                                             const Extent& extent,
                                                             const ReadOptions& options,
                                                             std::stop_token stop) = 0;
  absl::StatusOr<std::unique_ptr<SourceReader>> Read(const DatasetSpec& dataset,
                                                     const Extent& extent,
                                                     const ReadOptions& options) {
    return Read(dataset, extent, options, std::stop_token());
  }

  // After a read of `range` that found no rows: `range` with all around it that has none now
  // either, to the ends of the numbers if there is none at all. Errors: as of Probe(), and
  // UNIMPLEMENTED.
  virtual absl::StatusOr<Range> EmptyAround(const DatasetSpec& /*dataset*/, const Range& /*range*/,
                                            const std::string& /*query_tag*/,
                                            std::stop_token /*stop*/) {
    return absl::UnimplementedError("this source does not tell where its next rows are");
  }

  // What the source itself sums of each extent's rows, all in one snapshot where it has them. The
  // rows are those that Read() would give with the same `options`, and its bad rows: the source
  // sums what it holds. So where rows were quarantined, or values cut to microseconds
  // (on_fine_time: truncate), its sum is no longer that of what was stored, and still the same as
  // it was as long as the rows are. CANCELLED soon after `stop`. Errors: as of Read(), of
  // PlanSchema() where `checksum` names a table, and
  //   UNIMPLEMENTED  the source has no such checksum: an unknown driver, or one of SQLite with a
  //                  library of its own, which lacks the functions that we give ours.
  //   DATA_LOSS      the server could not make the text of a row.
  virtual absl::StatusOr<ExtentChecksums> Checksums(const DatasetSpec& /*dataset*/,
                                                    const std::vector<Extent>& /*extents*/,
                                                    const ReadOptions& /*options*/,
                                                    const ChecksumOptions& /*checksum*/,
                                                    std::stop_token /*stop*/) {
    return absl::UnimplementedError("this source makes no checksums");
  }

  // By what ChecksumParts() can divide the dataset's rows: its own key, else one that the source
  // declares, else the cursor. Errors: as of Read(), and UNIMPLEMENTED: it makes no checksums.
  virtual absl::StatusOr<DividingKey> KeyToDivideBy(const DatasetSpec& /*dataset*/,
                                                    const ReadOptions& /*options*/,
                                                    std::stop_token /*stop*/) {
    return absl::UnimplementedError("this source makes no checksums");
  }

  // The checksum of each part into which `borders`, ascending values of `key` as the source or
  // Arrow prints them, divide what Checksums() would sum. At most kMaxKeyParts parts. Errors: as of
  // Checksums(), and INVALID_ARGUMENT: `key` does not divide rows.
  virtual absl::StatusOr<PartChecksums> ChecksumParts(
      const DatasetSpec& /*dataset*/, const Extent& /*extent*/, const ReadOptions& /*options*/,
      const ChecksumOptions& /*checksum*/, const std::string& /*key*/,
      const std::vector<std::string>& /*borders*/, std::stop_token /*stop*/) {
    return absl::UnimplementedError("this source makes no checksums");
  }

  // The number of each extent's rows and the largest cursor in its range, all in one snapshot where
  // the source has them; the rows are those of Checksums(). CANCELLED soon after `stop`. Errors: as
  // of Read(), and UNIMPLEMENTED.
  virtual absl::StatusOr<std::vector<ExtentCount>> Counts(const DatasetSpec& /*dataset*/,
                                                          const std::vector<Extent>& /*extents*/,
                                                          const ReadOptions& /*options*/,
                                                          std::stop_token /*stop*/) {
    return absl::UnimplementedError("this source does not count");
  }

  // The source's clock, or the one that the dataset's server is configured to have. Errors: as of
  // Probe(), and UNIMPLEMENTED.
  virtual absl::StatusOr<absl::Time> Clock(const DatasetSpec& /*dataset*/,
                                           std::stop_token /*stop*/) {
    return absl::UnimplementedError("this source does not tell its clock");
  }

  // Starts reading `extent` in up to `connections` parts, which see one state of the source and
  // together give each row exactly once. Each reader has a connection of its own, closed with it,
  // and may be used on another thread than the others. At least one reader comes back: just one
  // where the source or the relation does not divide, or for one connection. Errors: as of Read().
  virtual absl::StatusOr<std::vector<std::unique_ptr<SourceReader>>> ReadParts(
      const DatasetSpec& dataset, const Extent& extent, const ReadOptions& options,
      int /*connections*/, std::stop_token stop) {
    absl::StatusOr<std::unique_ptr<SourceReader>> whole =
        Read(dataset, extent, options, std::move(stop));
    if (!whole.ok()) return whole.status();
    std::vector<std::unique_ptr<SourceReader>> readers;
    readers.push_back(*std::move(whole));
    return readers;
  }
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_SOURCE_READER_H_
