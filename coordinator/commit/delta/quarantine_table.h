// The Delta table <table>__quarantine in the folder beside a table: the rows of each of the table's
// pieces that did not fit. common/data/bad_row.h has its columns.
//
// Its files carry the tags of the same pieces, and each intent of the table is committed here
// first, under the same sequence and hash. So a row is in one of the two tables at any time, and
// whoever commits the intent again after a crash finds what is done. An intent that was committed
// here and then abandoned leaves rows of pieces that were never published; the reading that follows
// replaces whole every file of this table that it touches.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_QUARANTINE_TABLE_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_QUARANTINE_TABLE_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/storage/object_store.h"
#include "coordinator/commit/committer.h"

namespace headwater {

// Confined to one thread.
class QuarantineTable {
 public:
  // `committer` is one for the quarantine's own folder, which `store` shows.
  QuarantineTable(std::unique_ptr<TableCommitter> committer, std::unique_ptr<ObjectStore> store)
      : committer_(std::move(committer)), store_(std::move(store)) {}

  // As TableCommitter::Check(), for the part of `replacements` that belongs here: what is not OK
  // replaces the OK of the same place in `statuses`.
  absl::Status Check(const std::vector<Replacement>& replacements,
                     std::vector<absl::Status>& statuses);

  // Adds to `lost` those of `pieces` with bad rows whose rows here are not those of the attempt
  // that published them.
  absl::Status FindLost(const std::vector<PublishedPiece>& pieces,
                        std::vector<PublishedPiece>& lost);

  // Publishes the bad rows of `intent`, or finds that they are: idempotent. Makes no version where
  // nothing changes. Errors: those of TableCommitter::Commit().
  absl::Status Commit(const Intent& intent);

  // As PublishedTable::collected_before: collecting goes through both tables.
  void Collected(absl::Time before) { committer_->Expect({.collected_before = before}); }

  // Raises sequence and fence of `contents` to what is found here: it may be ahead by one intent.
  absl::Status Inspect(TableContents& contents);

 private:
  // Whether there is something to do at all: most tables never have a quarantine.
  absl::StatusOr<bool> IsNeeded(const std::vector<Replacement>& replacements) const;

  const std::unique_ptr<TableCommitter> committer_;
  const std::unique_ptr<ObjectStore> store_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_QUARANTINE_TABLE_H_
