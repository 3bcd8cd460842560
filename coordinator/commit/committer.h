// Publication of staged pieces in one table, all or nothing. One implementation per kind of sink;
// tests/contract/committer_contract.h says in code what each must do.
#ifndef HEADWATER_COORDINATOR_COMMIT_COMMITTER_H_
#define HEADWATER_COORDINATOR_COMMIT_COMMITTER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"
#include "common/model/extent.h"
#include "common/model/task.h"

namespace headwater {

// One piece that the ledger calls covered.
struct PublishedPiece {
  DatasetId dataset;
  Extent extent;
  int64_t fence = 0;     // Of the attempt that wrote it.
  int64_t rows = 0;      // In the table,
  int64_t bad_rows = 0;  // and in its quarantine.
  // Of a keyed table, whose files belong to no piece: all rows of the dataset, of any fence and
  // extent.
  bool keyed = false;
};

// One staged attempt on its way into the table.
struct Replacement {
  DatasetId dataset;
  int64_t fence = 0;
  Unit partition_by;                            // Of the dataset's spec,
  std::string server_column = "server_source";  // as this; empty: the table has none.
  Extent extent;  // What the claim covered: live files of the dataset's pieces inside it go, …
  Manifest
      manifest;  // … unless a piece of the manifest is `unchanged`: then that piece's files stay.
  int64_t settled_to = INT64_MIN;  // Tag for `state heal`.
  // A compaction, if there are any: the published pieces with rows that become the manifest's one.
  // No row changes, so readers of changes are shown none.
  std::vector<PublishedPiece> compacted = {};
  // The claim covered all that there is of the dataset: files that were taken over from another
  // writer go with it.
  bool whole = false;
};

// A group of replacements that becomes one version of the table. The same sequence always means the
// same group: the hash proves it.
struct Intent {
  std::string table;
  int64_t sequence = 0;  // Per table, grows by one with each intent.
  std::string hash;      // IntentHash() of everything else.
  std::vector<Replacement> replacements;
};

// Hex digest over table, sequence, fences, extents and files, in order.
std::string IntentHash(const Intent& intent);

struct CommitResult {
  int64_t version = -1;  // Of the table; -1: nothing had to change there.
};

// What a table shows to everybody.
struct TableContents {
  bool exists = false;
  int64_t version = -1;
  int64_t last_sequence = 0;  // Of our last transaction; 0: none.
  int64_t max_fence = 0;      // Of all commits ever made there, also of what is gone since.
};

// What the ledger knows to have become visible in a table. A table that shows less has been lost,
// or is an older copy.
struct PublishedTable {
  int64_t version = -1;  // The highest one; -1: none.
  int64_t sequence = 0;  // Of the last intent that made one.
  // Files that versions removed before this have been collected: the table may forget that it had
  // them. InfiniteFuture: nobody collects, so it does so when it likes.
  absl::Time collected_before = absl::InfiniteFuture();
};

// Confined to one thread.
class TableCommitter {
 public:
  virtual ~TableCommitter() = default;

  // From now on a table that is behind `published` is refused with DATA_LOSS by every call below
  // but Inspect(): it is absent, or its version or our last transaction is lower.
  virtual void Expect(const PublishedTable& published) = 0;

  // Reads the table. NOT_FOUND never: an absent table has exists = false.
  // ALREADY_EXISTS: the folder holds a table or files that are not ours; the message says what to
  // do.
  virtual absl::StatusOr<TableContents> Inspect() = 0;

  // Says for each replacement whether it can be published: one status each, in order.
  // Columns are matched by name; those that the table lacks, and types that are wider than its own
  // (WidenedType of common/data/schema_drift.h), are no hindrance: the commit adds them.
  // INVALID_ARGUMENT: its schema does not fit the table's (with the difference spelled out), or has
  // names that the table cannot tell apart; NOT_FOUND: a staged file, or the live files
  // of an unchanged piece, are gone or not whole: the attempt has failed, its extent is to be read
  // again; or the live files inside of a compaction's extent are not just those of its pieces; or a
  // keyed write was staged against other live files than there are; ALREADY_EXISTS: the table holds
  // live files of this dataset without our tags, or such as are written by key for one that is not,
  // with a history for one without, and the other way round; INTERNAL: its extent cuts a published
  // piece.
  // Reads only. The outer status fails when the table could not be read (UNAVAILABLE), is foreign
  // (ALREADY_EXISTS), is behind the ledger (DATA_LOSS), or asks of its writers what this program
  // does not do (UNIMPLEMENTED).
  virtual absl::StatusOr<std::vector<absl::Status>> Check(
      const std::vector<Replacement>& replacements) = 0;

  // The table's columns as sources fill them: without those of its partitions and Headwater's own.
  // None: there is no table. Reads only. Errors: the outer ones of Check().
  virtual absl::StatusOr<std::optional<Schema>> Columns() = 0;

  // Those of `pieces` whose live files, in the table or in its quarantine, do not hold the rows
  // that were published, or are another attempt's: another writer has removed or restored files.
  // Reads only. Errors: the outer ones of
  // Check().
  virtual absl::StatusOr<std::vector<PublishedPiece>> FindLost(
      const std::vector<PublishedPiece>& pieces) = 0;

  // The live files of each of `pieces`, in order, without their statistics; none for a piece whose
  // files do not hold the rows that were published. Not those in the quarantine. Reads only.
  // Errors: the outer ones of Check().
  virtual absl::StatusOr<std::vector<std::vector<StagedFile>>> Files(
      const std::vector<PublishedPiece>& pieces) = 0;

  // All live files of each dataset of a keyed table, with their statistics, in the order of
  // `datasets`: what a keyed write starts from. Reads only. Of one: ALREADY_EXISTS, it has files
  // that were not written by key. Errors of all: the outer ones of Check().
  virtual absl::StatusOr<std::vector<absl::StatusOr<std::vector<StagedFile>>>> KeyedFiles(
      const std::vector<DatasetId>& datasets) = 0;

  // Publishes `intent`, with the columns that its rows need, or finds that it already was (same
  // sequence, same hash): idempotent. Rows that did not fit (StagedPiece::bad_files) become visible
  // in the table's quarantine before anything of the intent does in the table. Requires: its
  // replacements passed Check(). UNKNOWN, UNAVAILABLE, RESOURCE_EXHAUSTED: try the same intent
  // again. FAILED_PRECONDITION: the table has a higher sequence or another hash under ours: this
  // ledger must stop publishing here. CANCELLED: this intent was abandoned, and is again found to
  // be. Any code of Check(): something has changed since; this intent is to be abandoned.
  virtual absl::StatusOr<CommitResult> Commit(const Intent& intent) = 0;

  // Makes sure `intent` can never be committed: an empty version with its sequence and hash. A
  // table that is not there yet is made for it, with the columns of the first replacement;
  // INVALID_ARGUMENT: there is none, and nothing was written. FAILED_PRECONDITION: as for Commit(),
  // or it was published.
  virtual absl::Status Abandon(const Intent& intent) = 0;
};

// Where a table lives and who owns it.
struct TableLocation {
  std::string table;
  std::string uri;  // Folder.
  std::string ledger_id;
};

class CommitterFactory {
 public:
  virtual ~CommitterFactory() = default;
  virtual absl::StatusOr<std::unique_ptr<TableCommitter>> Open(const TableLocation& location) = 0;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_COMMITTER_H_
