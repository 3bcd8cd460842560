// Tells ThreadSanitizer what gRPC's completion queues order: what a thread did before it started a
// batch of operations happens before whatever takes the batch's tag off the queue. gRPC says so by
// atomics inside of libraries that are not instrumented; see absl_under_tsan.cc for how these
// definitions come before the library's.
#include <dlfcn.h>
#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace {

// The library's function of that name, looked up at the first call.
template <typename Function>
Function* Find(std::atomic<void*>& known, const char* name) {
  void* found = known.load(std::memory_order_acquire);
  if (found == nullptr) {
    found = dlsym(RTLD_NEXT, name);
    if (found == nullptr) {
      std::fprintf(stderr, "grpc_under_tsan: no library has %s\n", name);
      std::abort();
    }
    known.store(found, std::memory_order_release);
  }
  return reinterpret_cast<Function*>(found);
}

constinit std::atomic<void*> start_batch = nullptr;
constinit std::atomic<void*> next = nullptr;
constinit std::atomic<void*> pluck = nullptr;

grpc_event Taken(grpc_event event) {
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

}  // namespace

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count, void* tag,
                                      void* reserved) {
  if (tag != nullptr) __tsan_release(tag);
  return Find<decltype(grpc_call_start_batch)>(start_batch, "grpc_call_start_batch")(
      call, ops, count, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  return Taken(Find<decltype(grpc_completion_queue_next)>(next, "grpc_completion_queue_next")(
      queue, deadline, reserved));
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  return Taken(Find<decltype(grpc_completion_queue_pluck)>(pluck, "grpc_completion_queue_pluck")(
      queue, tag, deadline, reserved));
}

}  // extern "C"
