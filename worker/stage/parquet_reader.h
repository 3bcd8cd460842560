// Reads a data file of a table again, batch by batch.
#ifndef HEADWATER_WORKER_STAGE_PARQUET_READER_H_
#define HEADWATER_WORKER_STAGE_PARQUET_READER_H_

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/data/schema.h"

namespace parquet::arrow {
class FileReader;
}  // namespace parquet::arrow

namespace headwater {

// Confined to one thread, and uses no other. Needs memory for a batch and the pages that it is
// decoded from, not for a row group.
class ParquetReader {
 public:
  // Of the file's columns those that `only` names, in the order of the file; all if it is null.
  // INTERNAL: the file cannot be read (names it). UNIMPLEMENTED: a column that we never write.
  static absl::StatusOr<std::unique_ptr<ParquetReader>> Open(
      const std::string& path, const std::vector<std::string>* only = nullptr);
  ~ParquetReader();

  // Of the batches. Nothing says in a file which columns are Headwater's (MarkSystemColumns()).
  const Schema& schema() const { return schema_; }

  // The next rows, in the order of the file; null at the end.
  absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> Next();

 private:
  ParquetReader() = default;

  std::string doing_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // Gone before its reader.
  Schema schema_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_PARQUET_READER_H_
