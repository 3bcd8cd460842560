#include "worker/compare/chained_reader.h"

#include <utility>

namespace headwater {

absl::StatusOr<std::unique_ptr<RowBatch>> ChainedReader::Next() {
  while (status_.ok()) {
    SourceReader* reader = nullptr;
    {
      const absl::MutexLock lock(&mutex_);
      if (cancelled_) status_ = absl::CancelledError("the read was cancelled");
      reader = current_.get();
    }
    if (!status_.ok()) break;
    if (reader == nullptr) {
      if (next_ == openers_.size()) return nullptr;
      // Not under the lock: it may take as long as a connection does.
      absl::StatusOr<std::unique_ptr<SourceReader>> opened = openers_[next_++]();
      if (!opened.ok()) {
        status_ = opened.status();
        break;
      }
      const absl::MutexLock lock(&mutex_);
      current_ = *std::move(opened);
      continue;
    }
    absl::StatusOr<std::unique_ptr<RowBatch>> batch = reader->Next();
    if (!batch.ok()) {
      status_ = batch.status();
      break;
    }
    if (*batch != nullptr) return batch;
    std::unique_ptr<SourceReader> ended;
    const absl::MutexLock lock(&mutex_);
    ended = std::move(current_);
  }
  return status_;
}

void ChainedReader::Cancel() {
  const absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  if (current_ != nullptr) current_->Cancel();
}

}  // namespace headwater
