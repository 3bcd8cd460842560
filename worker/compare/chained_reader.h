// Several readers, one after the other, as one.
#ifndef HEADWATER_WORKER_COMPARE_CHAINED_READER_H_
#define HEADWATER_WORKER_COMPARE_CHAINED_READER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/data/schema.h"
#include "worker/source/source_reader.h"

namespace headwater {

// Each is opened when the one before it has come to its end and is gone, so that all can use one
// connection. As a SourceReader: confined to one thread, except Cancel().
class ChainedReader final : public SourceReader {
 public:
  using Opener = std::function<absl::StatusOr<std::unique_ptr<SourceReader>>()>;

  // Requires: the rows of all have `columns`.
  ChainedReader(Schema columns, std::vector<Opener> openers)
      : columns_(std::move(columns)), openers_(std::move(openers)) {}

  const Schema& schema() const override { return columns_; }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override;
  void Cancel() override;

 private:
  const Schema columns_;
  const std::vector<Opener> openers_;
  size_t next_ = 0;
  absl::Status status_;
  absl::Mutex mutex_;
  std::unique_ptr<SourceReader> current_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

// Passes rows on, and adds up what it passed on.
class CountingReader final : public SourceReader {
 public:
  struct Counts {
    int64_t rows = 0;
    int64_t bytes = 0;  // In memory.
  };
  // `counts` is written by the thread that reads, and outlives the reader.
  CountingReader(std::unique_ptr<SourceReader> inner, Counts& counts)
      : inner_(std::move(inner)), counts_(counts) {}

  const Schema& schema() const override { return inner_->schema(); }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override {
    absl::StatusOr<std::unique_ptr<RowBatch>> batch = inner_->Next();
    if (batch.ok() && *batch != nullptr) {
      counts_.rows += (*batch)->rows();
      counts_.bytes += (*batch)->size_bytes();
    }
    return batch;
  }
  void Cancel() override { inner_->Cancel(); }

 private:
  const std::unique_ptr<SourceReader> inner_;
  Counts& counts_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_COMPARE_CHAINED_READER_H_
