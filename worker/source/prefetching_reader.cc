#include "worker/source/prefetching_reader.h"

#include <exception>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

constexpr size_t kMaxBatchesAhead = 2;

absl::StatusOr<std::unique_ptr<RowBatch>> GuardedNext(SourceReader& reader) {
  try {
    return reader.Next();
  } catch (const std::bad_alloc&) {  // Retried, like any other want of memory.
    return absl::ResourceExhaustedError("reading: out of memory");
  } catch (const std::exception& e) {  // On this thread it would end the process.
    return absl::InternalError(absl::StrCat("reading: ", e.what()));
  }
}

}  // namespace

PrefetchingReader::PrefetchingReader(std::unique_ptr<SourceReader> inner)
    : inner_(std::move(inner)), thread_([this] { ReadAhead(); }) {}

PrefetchingReader::~PrefetchingReader() {
  Cancel();
  thread_.join();
}

bool PrefetchingReader::HasRoom() const { return cancelled_ || batches_.size() < kMaxBatchesAhead; }

bool PrefetchingReader::HasAnswer() const { return cancelled_ || ended_ || !batches_.empty(); }

void PrefetchingReader::ReadAhead() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_, absl::Condition(this, &PrefetchingReader::HasRoom));
      if (cancelled_) return;
    }
    absl::StatusOr<std::unique_ptr<RowBatch>> batch = GuardedNext(*inner_);
    absl::MutexLock lock(&mutex_);
    if (!batch.ok() || *batch == nullptr) {
      ended_ = true;
      end_status_ = batch.status();
      return;
    }
    batches_.push_back(*std::move(batch));
  }
}

absl::StatusOr<std::unique_ptr<RowBatch>> PrefetchingReader::Next() {
  absl::MutexLock lock(&mutex_, absl::Condition(this, &PrefetchingReader::HasAnswer));
  if (cancelled_) return absl::CancelledError("reading was cancelled");
  if (!batches_.empty()) {
    std::unique_ptr<RowBatch> batch = std::move(batches_.front());
    batches_.pop_front();
    return batch;
  }
  if (!end_status_.ok()) return end_status_;
  return nullptr;
}

void PrefetchingReader::Cancel() {
  {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
  }
  inner_->Cancel();  // Outside the lock: it may wait for the driver.
}

}  // namespace headwater
