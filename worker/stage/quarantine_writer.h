// The rows of one attempt that do not fit, staged for the table <table>__quarantine beside the
// target (common/data/bad_row.h has its columns). They count in their piece like any other row.
#ifndef HEADWATER_WORKER_STAGE_QUARANTINE_WRITER_H_
#define HEADWATER_WORKER_STAGE_QUARANTINE_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/data/bad_row.h"
#include "common/model/task.h"
#include "worker/stage/bad_row_tally.h"
#include "worker/stage/staged_files.h"
#include "worker/stage/staging_writer.h"

namespace headwater {

// Confined to one thread. Unless Keep() was called, destroying it removes what it wrote.
class QuarantineWriter {
 public:
  // `folder` is the table's, not the quarantine's; nothing is made before a file is.
  QuarantineWriter(const StagingOptions& options, const std::string& folder, size_t pieces);

  // Takes a row of `piece`. Rows wait in memory up to 8 MiB, then go to a file per piece.
  // INVALID_ARGUMENT: more rows than the dataset allows; names the first ones.
  absl::Status Write(size_t piece, const BadRow& row);

  // Writes what waits, without the pieces for which `unchanged` is set, whose files are removed,
  // and makes all of it durable. `rows_read` are those of the microbatch, bad ones too.
  // INVALID_ARGUMENT: as Write(), where the limit is a share and this is the microbatch's only
  // writer.
  absl::Status Finish(const std::vector<bool>& unchanged, int64_t rows_read);

  int64_t rows(size_t piece) const { return pieces_[piece].rows; }
  std::vector<StagedFile> TakeFiles(size_t piece) { return std::move(pieces_[piece].files); }
  // As StagingWriter::Remove().
  absl::Status Remove(const std::vector<StagedFile>& files);
  // The files belong to the manifest from here on.
  void Keep() { files_.Keep(); }

 private:
  struct Piece {
    std::vector<BadRow> waiting;
    int64_t rows = 0;
    std::vector<StagedFile> files;
  };

  absl::Status Flush(size_t piece);

  const StagingOptions options_;
  const std::shared_ptr<BadRowTally> tally_;
  StagedFiles files_;
  std::vector<Piece> pieces_;
  int64_t waiting_bytes_ = 0;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_QUARANTINE_WRITER_H_
