// Rows of one partition as a sequence of data files, in the order in which they come.
#ifndef HEADWATER_WORKER_STAGE_FILE_SEQUENCE_H_
#define HEADWATER_WORKER_STAGE_FILE_SEQUENCE_H_

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/partition_path.h"
#include "common/data/schema.h"
#include "common/model/task.h"
#include "worker/stage/staged_files.h"

namespace headwater {

class ParquetWriter;

// Confined to one thread. Needs memory for one row group. Closes a file at 128 MiB and begins
// another.
class FileSequence {
 public:
  // `files` names and owns what is written; it outlives the sequence.
  FileSequence(StagedFiles& files, int piece, Schema schema, PartitionValues partition);
  ~FileSequence();
  FileSequence(const FileSequence&) = delete;
  FileSequence& operator=(const FileSequence&) = delete;

  // Requires: the columns of the schema. Errors: as ParquetWriter's.
  absl::Status Add(std::shared_ptr<arrow::RecordBatch> batch);

  // Writes what waits, and describes all files. At most once.
  absl::StatusOr<std::vector<StagedFile>> Finish();

 private:
  absl::Status Flush();
  absl::Status CloseFile();

  StagedFiles& files_;
  const int piece_;
  const Schema schema_;
  const std::shared_ptr<arrow::Schema> arrow_schema_;
  const PartitionValues partition_;
  std::unique_ptr<ParquetWriter> file_;
  std::string path_;  // Of the open file.
  std::vector<StagedFile> closed_;
  arrow::RecordBatchVector waiting_;
  int64_t waiting_rows_ = 0;
  int64_t waiting_bytes_ = 0;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_FILE_SEQUENCE_H_
