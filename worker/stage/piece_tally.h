// What a staging writer knows of the rows that it was given, whatever it makes of them: the piece
// of each, the fingerprints of all pieces, and those that did not fit. Shared by the writers of
// this folder and of worker/change.
#ifndef HEADWATER_WORKER_STAGE_PIECE_TALLY_H_
#define HEADWATER_WORKER_STAGE_PIECE_TALLY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/fingerprint.h"
#include "common/data/row_batch.h"
#include "common/data/row_checksum.h"
#include "common/data/row_hash.h"
#include "worker/stage/partition_router.h"
#include "worker/stage/quarantine_writer.h"
#include "worker/stage/staging_writer.h"

namespace headwater {

// Confined to one thread. Unless Keep() was called, destroying it removes the files of bad rows.
class PieceTally {
 public:
  // `folder` is the table's. INVALID_ARGUMENT: as PartitionRouter::Create(), RowHasher::Create().
  static absl::StatusOr<std::unique_ptr<PieceTally>> Create(const StagingOptions& options,
                                                            const std::string& folder);

  // Counts the rows of `batch` in their pieces and replaces `slots` by one index into
  // router().slots() for each. Errors: as StagingWriter::Write().
  absl::Status Take(const RowBatch& batch, std::vector<int>& slots);

  // All rows are taken: makes what did not fit durable. Errors: as QuarantineWriter::Finish().
  absl::Status Finish();
  void Keep() { quarantine_.Keep(); }

  // Whether the piece has the rows that its known piece has. Requires: all rows are taken.
  bool IsUnchanged(int piece) const;

  // The manifest without data files. Requires: Finish() was called, and this was not.
  Manifest Describe(const Schema& file_schema);

  // As StagingWriter::Remove(), of the rows that did not fit.
  absl::Status RemoveBadFiles(const StagedPiece& piece) {
    return quarantine_.Remove(piece.bad_files);
  }

  const PartitionRouter& router() const { return router_; }
  int64_t bad_rows() const { return bad_rows_; }

 private:
  PieceTally(const StagingOptions& options, const std::string& folder, PartitionRouter router,
             std::unique_ptr<RowHasher> hasher, std::unique_ptr<RowChecksummer> checksummer);
  absl::Status SetAside(const std::vector<BadRow>& rows);

  const StagingOptions options_;
  const std::string spec_version_;
  PartitionRouter router_;
  const std::unique_ptr<RowHasher> hasher_;
  const std::unique_ptr<RowChecksummer> checksummer_;  // Null: no checksums are wanted.
  std::vector<Fingerprint> fingerprints_;              // By piece,
  std::vector<RowChecksum> checksums_;                 // and those of the source.
  QuarantineWriter quarantine_;
  int64_t rows_read_ = 0;
  int64_t bytes_read_ = 0;
  int64_t truncated_values_ = 0;
  int64_t bad_rows_ = 0;
  // Scratch of Take().
  std::vector<Hash128> hashes_;
  std::vector<int> pieces_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_PIECE_TALLY_H_
