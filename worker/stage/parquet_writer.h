// One Parquet file: zstd level 1, a row group per call, and only encodings that DuckDB, Polars and
// delta-rs all read.
//   integers, dates, timestamps, decimals to 18 digits   DELTA_BINARY_PACKED (decimals as integers)
//   text, binary                                         DELTA_BYTE_ARRAY
//   floats, wider decimals, booleans                     PLAIN
//   any column whose first row group repeats few values  dictionary
// A dictionary of unique values costs 15 % of a load's time and saves nothing (bench notes), so the
// first row group is sampled and each column gets one only where it pays.
#ifndef HEADWATER_WORKER_STAGE_PARQUET_WRITER_H_
#define HEADWATER_WORKER_STAGE_PARQUET_WRITER_H_

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/schema.h"
#include "worker/stage/output_file.h"

namespace parquet::arrow {
class FileWriter;
}  // namespace parquet::arrow

namespace headwater {

struct ClosedParquetFile {
  int64_t size_bytes = 0;
  int64_t rows = 0;
  std::string stats_json;  // DeltaStatistics().
};

// Confined to one thread, and uses no other (`use_threads` on many files at once can deadlock).
// Holds one descriptor until Close(). The file itself belongs to the caller, also after an error.
class ParquetWriter {
 public:
  // Creates the file; `first` is looked at for encodings and not written.
  // Errors: as OutputFile and FileError.
  static absl::StatusOr<std::unique_ptr<ParquetWriter>> Create(const std::string& path,
                                                               const Schema& schema,
                                                               const arrow::Table& first);
  ~ParquetWriter();

  // Writes `rows` as one row group. Requires: the columns of the schema, 1 to 2^20 rows.
  // RESOURCE_EXHAUSTED: the disk is full.
  absl::Status WriteRowGroup(const arrow::Table& rows);

  // Bytes of the file so far, without its footer.
  int64_t size_bytes() const;

  // Writes the footer, makes the file durable (not its folder) and describes it. At most once.
  absl::StatusOr<ClosedParquetFile> Close();

 private:
  ParquetWriter(std::string path, Schema schema, std::shared_ptr<OutputFile> file);
  absl::Status StatusOf(const arrow::Status& status) const;
  void NoteUnbounded(const arrow::Table& rows);

  const std::string path_;
  const Schema schema_;
  const std::shared_ptr<arrow::Schema> written_schema_;  // The same file's, as Arrow writes it.
  const std::shared_ptr<OutputFile> file_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::vector<bool> unbounded_;  // By column, as DeltaStatistics() takes it.
  int64_t rows_ = 0;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_PARQUET_WRITER_H_
