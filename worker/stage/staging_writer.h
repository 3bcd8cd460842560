// Output of one attempt, written where no reader looks. Finish() makes it durable and describes it;
// only the coordinator publishes.
#ifndef HEADWATER_WORKER_STAGE_STAGING_WRITER_H_
#define HEADWATER_WORKER_STAGE_STAGING_WRITER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/data/row_batch.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"

namespace headwater {

class BadRowTally;
struct KeyRangeSet;  // common/data/key_range_set.h

struct StagingOptions {
  DatasetSpec dataset;
  LeaseRef lease;
  Extent extent;
  std::vector<int64_t> cuts;  // As in MicrobatchTask.
  std::vector<KnownPiece> known;
  CursorType cursor_type = CursorType::kNone;
  int64_t domain_end = 0;
  Schema source_schema;             // Of the rows to come.
  absl::Time loaded_at;             // Value of _hw_loaded_at.
  bool fingerprints_only = false;   // Verification: no file is written.
  int64_t memory_bytes = 64 << 20;  // Budget for rows that wait in open files.
  // Shared by the writers of one microbatch; whoever opens them calls CheckShare(). Null: there is
  // one writer, which does it all itself.
  std::shared_ptr<BadRowTally> bad_rows = nullptr;
  // Each piece is to have the checksum that its source makes of it, made of the rows as they come.
  bool checksums = false;
  // Keyed writes: what the table has of the dataset, when its rows were read by the source's clock
  // (of whole reads), and what ends Finish() early.
  std::optional<TableBase> base = {};
  // Of the table's rows only these are looked at: all others are known to be as the source has
  // them. Null: all are.
  std::shared_ptr<const KeyRangeSet> only = nullptr;
  absl::Time read_at = absl::UnixEpoch();
  std::stop_token stop = {};
};

// Splits rows into pieces (by `cuts`) and partitions, hashes them, and writes one Parquet file or
// more per piece and partition. Destroying an unfinished writer removes what it wrote. Confined to
// one thread.
class StagingWriter {
 public:
  virtual ~StagingWriter() = default;

  // Blocks at the memory budget. INVALID_ARGUMENT: a row outside `extent`, or a value the sink
  // cannot hold. RESOURCE_EXHAUSTED: the disk is full (names the folder). The first error is final.
  virtual absl::Status Write(const RowBatch& batch) = 0;

  // Syncs files and folders, drops those of pieces that equal their known piece, and describes the
  // rest. Every piece that `extent` and `cuts` make is in the manifest, also those without rows. At
  // most once. Requires: every Write() was OK.
  virtual absl::StatusOr<Manifest> Finish() = 0;

  // After Finish(): removes the files of a piece of its manifest that nobody is to publish after
  // all.
  virtual absl::Status Remove(const StagedPiece& piece) = 0;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_STAGING_WRITER_H_
