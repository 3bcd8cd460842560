// Reads ahead while earlier rows are written: a decorator, so that neither side knows of it.
#ifndef HEADWATER_WORKER_SOURCE_PREFETCHING_READER_H_
#define HEADWATER_WORKER_SOURCE_PREFETCHING_READER_H_

#include <memory>
#include <utility>

#include "worker/source/ahead.h"
#include "worker/source/source_reader.h"

namespace headwater {

// Runs the inner reader on a thread of its own, at most two batches ahead of Next(): one that waits
// and one that is being read. Its error comes after the batches read before it.
//
// As a SourceReader: confined to one thread, except Cancel(), which takes effect at once in every
// state: a blocked or future Next() returns CANCELLED, also if batches wait. Destroying it cancels,
// and waits until the inner Next() has returned. An inner reader that has ended is left alone.
class PrefetchingReader final : public SourceReader {
 public:
  // Starts reading. From here on the inner reader is used by the thread alone, except schema() and
  // Cancel().
  explicit PrefetchingReader(std::unique_ptr<SourceReader> inner)
      : inner_(std::move(inner)), batches_([this] { return inner_->Next(); }) {}
  ~PrefetchingReader() override { Cancel(); }

  const Schema& schema() const override { return inner_->schema(); }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override { return batches_.Next(); }

  void Cancel() override {
    // The connection of one that has ended is fit for the next read, unless it is cancelled.
    if (batches_.Cancel()) inner_->Cancel();
  }

 private:
  const std::unique_ptr<SourceReader> inner_;
  Ahead<RowBatch> batches_;  // Last: it uses the reader.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_PREFETCHING_READER_H_
