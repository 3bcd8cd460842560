// Makes things on a thread of its own while earlier ones are used.
#ifndef HEADWATER_WORKER_SOURCE_AHEAD_H_
#define HEADWATER_WORKER_SOURCE_AHEAD_H_

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace headwater {

// Runs `make` again and again, until it returns null or an error, at most two things ahead of
// Next(): one that waits and one that is being made. An error comes after what was made before it.
//
// Next() is confined to one thread; Cancel() is thread-safe and takes effect at once: a blocked or
// future Next() returns CANCELLED, also if things wait. Destroying it cancels, and waits until
// `make` has returned.
template <typename T>
class Ahead {
 public:
  // From here on `make` is called by the thread alone. It must not use what is destroyed before
  // this object is.
  using Make = std::function<absl::StatusOr<std::unique_ptr<T>>()>;
  explicit Ahead(Make make) : make_(std::move(make)), thread_([this] { Run(); }) {}

  ~Ahead() {
    Cancel();
    thread_.join();
  }

  // The next thing, or null at the end.
  absl::StatusOr<std::unique_ptr<T>> Next() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_, absl::Condition(this, &Ahead::HasAnswer));
    if (cancelled_) return absl::CancelledError("reading was cancelled");
    if (!waiting_.empty()) {
      std::unique_ptr<T> next = std::move(waiting_.front());
      waiting_.pop_front();
      return next;
    }
    if (!end_status_.ok()) return end_status_;
    return nullptr;
  }

  // False if `make` had ended before: there is nothing to be interrupted.
  bool Cancel() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
    return !ended_;
  }

 private:
  static constexpr size_t kMostWaiting = 2;

  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return cancelled_ || waiting_.size() < kMostWaiting;
  }
  bool HasAnswer() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return cancelled_ || ended_ || !waiting_.empty();
  }

  absl::StatusOr<std::unique_ptr<T>> GuardedMake() {
    try {
      return make_();
    } catch (const std::bad_alloc&) {  // Retried, like any other want of memory.
      return absl::ResourceExhaustedError("reading: out of memory");
    } catch (const std::exception& e) {  // On this thread it would end the process.
      return absl::InternalError(absl::StrCat("reading: ", e.what()));
    }
  }

  void Run() ABSL_LOCKS_EXCLUDED(mutex_) {
    while (true) {
      {
        absl::MutexLock lock(&mutex_, absl::Condition(this, &Ahead::HasRoom));
        if (cancelled_) return;
      }
      absl::StatusOr<std::unique_ptr<T>> made = GuardedMake();
      absl::MutexLock lock(&mutex_);
      if (!made.ok() || *made == nullptr) {
        ended_ = true;
        end_status_ = made.status();
        return;
      }
      waiting_.push_back(*std::move(made));
    }
  }

  const Make make_;
  absl::Mutex mutex_;
  std::deque<std::unique_ptr<T>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;       // Nothing more will be made.
  absl::Status end_status_ ABSL_GUARDED_BY(mutex_);  // OK: exhausted.
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_AHEAD_H_
