// A queue between threads that blocks its producers instead of growing.
#ifndef HEADWATER_COMMON_BASE_BOUNDED_QUEUE_H_
#define HEADWATER_COMMON_BASE_BOUNDED_QUEUE_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"

namespace headwater {

// First in, first out. Closing it refuses newcomers and lets consumers take what is inside.
// Thread-safe: any number of producers and consumers. Everybody must have left before it is
// destroyed.
template <typename T>
class BoundedQueue {
 public:
  // Requires: capacity >= 1.
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  // Blocks while the queue is full. False, and `value` is dropped, when it is or becomes closed.
  bool Push(T value) {
    absl::MutexLock lock(&mutex_, absl::Condition(this, &BoundedQueue::HasRoomOrClosed));
    return Add(value);
  }

  // Never blocks: false when the queue is full or closed.
  bool TryPush(T value) {
    absl::MutexLock lock(&mutex_);
    return items_.size() < capacity_ && Add(value);
  }

  // Blocks until there is an item. None when the queue is closed and empty.
  std::optional<T> Pop() {
    absl::MutexLock lock(&mutex_, absl::Condition(this, &BoundedQueue::HasItemOrClosed));
    if (items_.empty()) return std::nullopt;
    T value = std::move(items_.front());
    items_.pop_front();
    return value;
  }

  // Blocks until there is an item, `deadline` by `clock`, or the end; takes at most `limit`, in
  // order. Empty when the deadline has passed, or when the queue is closed and empty.
  std::vector<T> PopBatch(size_t limit, const Clock& clock, absl::Time deadline) {
    absl::MutexLock lock(&mutex_);
    clock.Await(mutex_, absl::Condition(this, &BoundedQueue::HasItemOrClosed), deadline);
    std::vector<T> batch;
    while (!items_.empty() && batch.size() < limit) {
      batch.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    return batch;
  }

  // Wakes everybody who waits. Repeatable.
  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }

  // True once the queue is closed and everything in it was taken.
  bool Finished() const {
    absl::MutexLock lock(&mutex_);
    return closed_ && items_.empty();
  }

 private:
  bool HasRoomOrClosed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return items_.size() < capacity_ || closed_;
  }
  bool HasItemOrClosed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !items_.empty() || closed_;
  }
  bool Add(T& value) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (closed_) return false;
    items_.push_back(std::move(value));
    return true;
  }

  const size_t capacity_;
  mutable absl::Mutex mutex_;
  std::deque<T> items_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_BASE_BOUNDED_QUEUE_H_
