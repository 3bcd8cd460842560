// What verifications and repairs have in common: both look for rows in which a table's files and
// the source differ, and read those.
#ifndef HEADWATER_WORKER_COMPARED_READ_H_
#define HEADWATER_WORKER_COMPARED_READ_H_

#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/status.h"
#include "worker/compare/chained_reader.h"
#include "worker/compare/difference_search.h"
#include "worker/compare/row_matcher.h"
#include "worker/compare/table_reader.h"
#include "worker/task_read.h"

namespace headwater {

// The rows that the table has of `extent`; of pieces `base` has no others.
TableRows RowsOf(const StagingOptions& staging, const TableBase& base, const Extent& extent);

// How the source sums its rows for a comparison, whatever the dataset keeps.
ChecksumOptions ChecksumOf(const TaskReading& reading);

// Errors: as of FindDifferingRows().
absl::StatusOr<DifferingRows> Search(const StagingOptions& staging, const TableRows& table,
                                     const Extent& extent, const TaskReading& reading);

// Readers of the source's rows in `within`, given the table's columns. `staging` and `reading`
// outlive them.
std::vector<ChainedReader::Opener> SourceReaders(const StagingOptions& staging,
                                                 const Extent& extent,
                                                 const std::vector<std::string>& within,
                                                 const TaskReading& reading);

// Of the source those rows that may differ, or all, if it could not be told.
absl::StatusOr<std::unique_ptr<SourceReader>> OpenSource(const StagingOptions& staging,
                                                         const Extent& extent,
                                                         const DifferingRows& found,
                                                         const TaskReading& reading);

// Gives the matcher those of `rows` that may differ. Errors: of ForEachTableBatch().
absl::Status AddTable(TableRows rows, const DifferingRows& found, const std::stop_token& stop,
                      RowMatcher& matcher);

// Shows the matcher what passes through.
class MatchedReader final : public SourceReader {
 public:
  MatchedReader(std::unique_ptr<SourceReader> inner, RowMatcher* matcher)
      : inner_(std::move(inner)), matcher_(matcher) {}

  const Schema& schema() const override { return inner_->schema(); }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override {
    absl::StatusOr<std::unique_ptr<RowBatch>> batch = inner_->Next();
    if (batch.ok() && *batch != nullptr && matcher_ != nullptr)
      RETURN_IF_ERROR(matcher_->AddSource(**batch));
    return batch;
  }
  void Cancel() override { inner_->Cancel(); }

 private:
  const std::unique_ptr<SourceReader> inner_;
  RowMatcher* const matcher_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_COMPARED_READ_H_
