// Reads ahead while earlier rows are written: a decorator, so that neither side knows of it.
#ifndef HEADWATER_WORKER_SOURCE_PREFETCHING_READER_H_
#define HEADWATER_WORKER_SOURCE_PREFETCHING_READER_H_

#include <deque>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "worker/source/source_reader.h"

namespace headwater {

// Runs the inner reader on a thread of its own, at most two batches ahead of Next(): one that waits
// and one that is being read. Its error comes after the batches read before it.
//
// As a SourceReader: confined to one thread, except Cancel(), which takes effect at once in every
// state: a blocked or future Next() returns CANCELLED, also if batches wait. Destroying it cancels,
// and waits until the inner Next() has returned.
class PrefetchingReader final : public SourceReader {
 public:
  // Starts reading. From here on the inner reader is used by the thread alone, except schema() and
  // Cancel().
  explicit PrefetchingReader(std::unique_ptr<SourceReader> inner);
  ~PrefetchingReader() override;

  const Schema& schema() const override { return inner_->schema(); }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override ABSL_LOCKS_EXCLUDED(mutex_);
  void Cancel() override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void ReadAhead() ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasAnswer() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<SourceReader> inner_;
  absl::Mutex mutex_;
  std::deque<std::unique_ptr<RowBatch>> batches_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;       // The inner reader will not be asked again.
  absl::Status end_status_ ABSL_GUARDED_BY(mutex_);  // OK: exhausted.
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_PREFETCHING_READER_H_
