// What a source tells of an extent's pieces without their rows: by checksums that it makes itself
// (docs/source-checksum.md). A piece whose checksum is the one that was kept is not read.
#ifndef HEADWATER_WORKER_PIECE_CHECKS_H_
#define HEADWATER_WORKER_PIECE_CHECKS_H_

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/schema.h"
#include "common/data/schema_drift.h"
#include "common/model/task.h"
#include "worker/source/source_reader.h"
#include "worker/stage/staging_writer.h"

namespace headwater {

// Confined to one thread.
class PieceChecks {
 public:
  // Of the source, on behalf of a task: what its rows' columns become, and how it is named there.
  struct Asking {
    Source& source;
    const Schema& table;  // As ChecksumOptions::table.
    SchemaPolicy policy = SchemaPolicy::kEvolve;
    const std::string& query_tag;
    std::stop_token stop;
  };

  // Asks for the checksums of the pieces that `staging` makes. A source that has none, or cannot
  // make one of some row, tells nothing; that is no error. Others: of Source::Checksums().
  static absl::StatusOr<PieceChecks> Ask(const Asking& asking, const StagingOptions& staging);

  // The checksum of each of `extents`, if the source makes one.
  static absl::StatusOr<std::vector<std::optional<ExtentChecksum>>> Sums(
      const Asking& asking, const StagingOptions& staging, const std::vector<Extent>& extents);

  // All pieces are as they were: there is nothing to read, and this is what is told of it.
  bool all_unchanged() const;
  Manifest Unread(const DatasetSpec& dataset) const;

  // Leaves in `staging` only what has to be read, and has the rows be summed on the way where that
  // gives the source's own checksum. Requires: not all_unchanged().
  void Narrow(StagingOptions& staging) const;

  // Completes the manifest of what was read: with the pieces that were not, and with checksums
  // where the rows were not summed. Those the source makes once more, and they are kept only where
  // they are the same as before the read: else rows came in between. Errors: as of Ask().
  absl::Status Complete(const Asking& asking, const StagingOptions& whole, Manifest& manifest);

 private:
  struct PieceState {
    Extent extent;
    std::optional<ExtentChecksum> before;  // What the source said.
    const KnownPiece* known = nullptr;
    bool unchanged = false;
  };

  absl::Status Sum(const Asking& asking, const StagingOptions& staging);
  absl::Status SumThose(const Asking& asking, const StagingOptions& staging,
                        const std::vector<PieceState*>& pieces);

  std::vector<PieceState> pieces_;
  bool tells_ = false;         // The source makes checksums.
  bool rows_give_it_ = false;  // The source's checksum can be made of rows that were read.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_PIECE_CHECKS_H_
