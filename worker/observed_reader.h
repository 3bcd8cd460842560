// What a task sees of its reader while it runs: progress, and whose fault a failure is.
#ifndef HEADWATER_WORKER_OBSERVED_READER_H_
#define HEADWATER_WORKER_OBSERVED_READER_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/task.h"
#include "worker/source/source_reader.h"
#include "worker/task_host.h"

namespace headwater {

// An error, and the side it came from.
struct SidedError {
  FailureKind kind;
  absl::Status status;
};

// Reports progress batch by batch, and remembers whether it was the reader that failed. As a
// SourceReader: confined to one thread, except Cancel().
class ObservedReader final : public SourceReader {
 public:
  // Both must outlive it.
  ObservedReader(SourceReader& inner, const ProgressCallback& progress)
      : inner_(inner), progress_(progress) {}

  const Schema& schema() const override { return inner_.schema(); }

  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override {
    // The batch before this one has been written by now.
    if (progress_) progress_(seen_);
    reading_ = true;
    absl::StatusOr<std::unique_ptr<RowBatch>> batch = inner_.Next();
    reading_ = !batch.ok();
    if (!batch.ok()) return batch;
    if (*batch == nullptr) {
      seen_.phase = TaskPhase::kFinishing;
      if (progress_) progress_(seen_);
    } else {
      seen_.rows += (*batch)->rows();
      seen_.bytes += (*batch)->size_bytes();
    }
    return batch;
  }

  void Cancel() override { inner_.Cancel(); }

  // True after an error or an exception in the reader.
  bool failed() const { return reading_; }

 private:
  SourceReader& inner_;
  const ProgressCallback& progress_;
  TaskProgress seen_{TaskPhase::kReading};
  bool reading_ = false;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_OBSERVED_READER_H_
