// Writes the rows of live files of a keyed table anew, with what has changed of them.
#ifndef HEADWATER_WORKER_CHANGE_FILE_REWRITER_H_
#define HEADWATER_WORKER_CHANGE_FILE_REWRITER_H_

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/schema.h"
#include "worker/change/file_plan.h"
#include "worker/change/keyed_columns.h"
#include "worker/change/time_columns.h"
#include "worker/stage/staging_writer.h"

namespace headwater {

// Confined to one thread.
class FileRewriter {
 public:
  // `compared` are the columns of which `spec_version` is, by the dataset's algorithm. All outlive
  // the rewriter.
  FileRewriter(const StagingOptions& options, const Schema& file_schema, const Schema& compared,
               const std::string& spec_version);

  // Hands the rows of `file` (at `path`) to `put` in batches with the columns of the file schema,
  // in their order, but for what `plan` says. Rows without a hash, or with one of other columns
  // or by another algorithm, get one anew. Errors: of reading, and of `put`.
  using Put = absl::FunctionRef<absl::Status(std::shared_ptr<arrow::RecordBatch> rows)>;
  absl::Status Rewrite(const StagedFile& file, const std::string& path, FilePlan& plan, Put put);

  // Hands the rows of all files of `base`, which are in `folder`, that a plan touches to `put`, and
  // names those files as replaced; counts the rows of the others in `table_rows`. CANCELLED: after
  // the options' `stop`.
  absl::Status RewriteTouched(const TableBase& base, const std::string& folder, FilePlans& plans,
                              KeyedChange& change, Put put);

 private:
  // A row that is written, and what changes of it; null: nothing.
  struct Written {
    int32_t row;
    const RowChange* change;
  };

  std::vector<Written> RowsOf(const FilePlan& plan, int64_t first_row, int64_t count);
  absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> Change(
      const std::shared_ptr<arrow::RecordBatch>& rows, const std::vector<Written>& written) const;
  absl::Status SetTimes(const std::vector<Written>& written, arrow::ArrayVector& columns) const;
  absl::Status SetHashes(const arrow::RecordBatch& rows, arrow::ArrayVector& columns);

  const StagingOptions& options_;
  const Schema& file_schema_;
  const std::string& spec_version_;
  const Schema& compared_;
  const std::shared_ptr<arrow::Schema> arrow_schema_;
  size_t next_ = 0;  // Of the plan's changes.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_FILE_REWRITER_H_
