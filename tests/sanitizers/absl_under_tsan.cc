// Tells ThreadSanitizer what Abseil's locks order.
//
// The sanitizer learns of pthread's locks by itself, but absl::Mutex is made of atomics and futexes
// inside of a system library that is not instrumented: each field that such a mutex guards would be
// reported as a race. So a program built for ThreadSanitizer defines Abseil's locking functions
// itself. The dynamic linker prefers a program's definition to a library's, for the calls of gRPC
// and of Abseil itself too; each function does what the library does, and says what follows from
// it.
//
// What is said is "happens before" only (__tsan_release, __tsan_acquire). That finds races, not
// inversions of lock order. Readers of one mutex seem to be ordered although they are not; nothing
// of ours locks for reading.
//
// This file is compiled without the sanitizer, so that its own atomics order nothing.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/base/config.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace {

#define HEADWATER_TEXT_OF(name) #name
#define HEADWATER_TEXT(name) HEADWATER_TEXT_OF(name)

// The library's own function, looked up at the first call. Looking it up twice does no harm.
template <typename Function>
class Library;

template <typename Result, typename... Arguments>
class Library<Result(Arguments...)> {
 public:
  // `name` is the mangled name's part after Abseil's inline namespace.
  explicit constexpr Library(const char* name, bool is_const = false)
      : prefix_(is_const ? "_ZNK" : "_ZN"), name_(name) {}

  Result operator()(Arguments... arguments) {
    void* function = function_.load(std::memory_order_acquire);
    if (function == nullptr) function_.store(function = Find(), std::memory_order_release);
    return reinterpret_cast<Result (*)(Arguments...)>(function)(arguments...);
  }

 private:
  void* Find() const {
    constexpr const char* kInline = HEADWATER_TEXT(ABSL_OPTION_INLINE_NAMESPACE_NAME);
    std::array<char, 200> mangled;
    std::snprintf(mangled.data(), mangled.size(), "%s4absl%zu%s%s", prefix_, std::strlen(kInline),
                  kInline, name_);
    void* const found = dlsym(RTLD_NEXT, mangled.data());
    if (found != nullptr) return found;
    std::fprintf(stderr, "absl_under_tsan: no library has %s\n", mangled.data());
    std::abort();
  }

  const char* prefix_;
  const char* name_;
  std::atomic<void*> function_ = nullptr;
};

// The mutex on whose behalf this thread is inside of Abseil. Whoever unlocks evaluates the
// conditions of those that wait, while it still holds the lock.
thread_local constinit absl::Mutex* current = nullptr;

class Inside {
 public:
  explicit Inside(absl::Mutex* mutex) : before_(std::exchange(current, mutex)) {}
  ~Inside() { current = before_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  absl::Mutex* before_;
};

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN
namespace {

constinit Library<void(Mutex*)> real_lock("5Mutex4LockEv");
constinit Library<bool(Mutex*)> real_try_lock("5Mutex7TryLockEv");
constinit Library<void(Mutex*)> real_unlock("5Mutex6UnlockEv");
constinit Library<void(Mutex*)> real_reader_lock("5Mutex10ReaderLockEv");
constinit Library<bool(Mutex*)> real_reader_try_lock("5Mutex13ReaderTryLockEv");
constinit Library<void(Mutex*)> real_reader_unlock("5Mutex12ReaderUnlockEv");
constinit Library<void(Mutex*, const Condition&)> real_lock_when(
    "5Mutex8LockWhenERKNS0_9ConditionE");
constinit Library<void(Mutex*, const Condition&)> real_reader_lock_when(
    "5Mutex14ReaderLockWhenERKNS0_9ConditionE");
constinit Library<bool(Mutex*, const Condition&, Duration)> real_lock_when_with_timeout(
    "5Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE");
constinit Library<bool(Mutex*, const Condition&, Time)> real_lock_when_with_deadline(
    "5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE");
constinit Library<void(Mutex*, const Condition&)> real_await("5Mutex5AwaitERKNS0_9ConditionE");
constinit Library<bool(Mutex*, const Condition&, Duration)> real_await_with_timeout(
    "5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
constinit Library<bool(Mutex*, const Condition&, Time)> real_await_with_deadline(
    "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
constinit Library<bool(const Condition*)> real_eval("9Condition4EvalEv", /*is_const=*/true);
constinit Library<void(CondVar*, Mutex*)> real_wait("7CondVar4WaitEPNS0_5MutexE");
constinit Library<bool(CondVar*, Mutex*, Duration)> real_wait_with_timeout(
    "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
constinit Library<bool(CondVar*, Mutex*, Time)> real_wait_with_deadline(
    "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
constinit Library<void(Notification*)> real_notify("12Notification6NotifyEv");
constinit Library<void(const Notification*)> real_wait_for_notification(
    "12Notification19WaitForNotificationEv", /*is_const=*/true);
constinit Library<void(uintptr_t)> real_unref("6Status15UnrefNonInlinedEm");

// Who waits for a condition without the lock shows it to those that will evaluate it.
void Publish(const Condition& condition) { __tsan_release(const_cast<Condition*>(&condition)); }

}  // namespace

void Mutex::Lock() {
  const Inside inside(this);
  real_lock(this);
  __tsan_acquire(this);
}

bool Mutex::TryLock() {
  const Inside inside(this);
  const bool locked = real_try_lock(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::Unlock() {
  const Inside inside(this);
  __tsan_release(this);
  real_unlock(this);  // From here on it may be gone.
}

void Mutex::ReaderLock() {
  const Inside inside(this);
  real_reader_lock(this);
  __tsan_acquire(this);
}

bool Mutex::ReaderTryLock() {
  const Inside inside(this);
  const bool locked = real_reader_try_lock(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::ReaderUnlock() {
  const Inside inside(this);
  __tsan_release(this);
  real_reader_unlock(this);
}

void Mutex::LockWhen(const Condition& condition) {
  const Inside inside(this);
  Publish(condition);
  real_lock_when(this, condition);
  __tsan_acquire(this);
}

void Mutex::ReaderLockWhen(const Condition& condition) {
  const Inside inside(this);
  Publish(condition);
  real_reader_lock_when(this, condition);
  __tsan_acquire(this);
}

bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) {
  const Inside inside(this);
  Publish(condition);
  const bool held = real_lock_when_with_timeout(this, condition, timeout);
  __tsan_acquire(this);
  return held;
}

bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  const Inside inside(this);
  Publish(condition);
  const bool held = real_lock_when_with_deadline(this, condition, deadline);
  __tsan_acquire(this);
  return held;
}

void Mutex::Await(const Condition& condition) {
  const Inside inside(this);
  __tsan_release(this);
  real_await(this, condition);
  __tsan_acquire(this);
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  const Inside inside(this);
  __tsan_release(this);
  const bool held = real_await_with_timeout(this, condition, timeout);
  __tsan_acquire(this);
  return held;
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  const Inside inside(this);
  __tsan_release(this);
  const bool held = real_await_with_deadline(this, condition, deadline);
  __tsan_acquire(this);
  return held;
}

bool Condition::Eval() const {
  __tsan_acquire(const_cast<Condition*>(this));
  Mutex* const held = current;
  if (held != nullptr) __tsan_acquire(held);
  const bool result = real_eval(this);
  if (held != nullptr) __tsan_release(held);
  return result;
}

void CondVar::Wait(Mutex* mutex) {
  const Inside inside(mutex);
  __tsan_release(mutex);
  real_wait(this, mutex);
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  const Inside inside(mutex);
  __tsan_release(mutex);
  const bool late = real_wait_with_timeout(this, mutex, timeout);
  __tsan_acquire(mutex);
  return late;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  const Inside inside(mutex);
  __tsan_release(mutex);
  const bool late = real_wait_with_deadline(this, mutex, deadline);
  __tsan_acquire(mutex);
  return late;
}

void Notification::Notify() {
  __tsan_release(this);
  real_notify(this);
}

void Notification::WaitForNotification() const {
  real_wait_for_notification(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

// Statuses share what they say and count who shares it; the last one deletes it. The lock makes
// what is said here agree with the order in which the library counts.
void Status::UnrefNonInlined(uintptr_t rep) {
  static constinit std::atomic_flag counting;
  void* const shared = reinterpret_cast<void*>(rep);
  while (counting.test_and_set(std::memory_order_acquire)) {
  }
  __tsan_release(shared);
  __tsan_acquire(shared);
  real_unref(rep);
  counting.clear(std::memory_order_release);
}

ABSL_NAMESPACE_END
}  // namespace absl
