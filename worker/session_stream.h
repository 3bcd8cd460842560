// The gRPC half of a session: one stream that brings its frames as events, and Deliver calls.
// Private to session_client.cc.
#ifndef HEADWATER_WORKER_SESSION_STREAM_H_
#define HEADWATER_WORKER_SESSION_STREAM_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <deque>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "headwater/v1/session.grpc.pb.h"

namespace headwater {

// Thread-safe. Frames that are written wait for their turn; the stream's end drops them.
class SessionStream : public grpc::ClientBidiReactor<v1::WorkerFrame, v1::CoordinatorFrame> {
 public:
  // Callbacks come one at a time on gRPC's threads and may block; `closed` is the last.
  SessionStream(v1::SessionService::Stub& stub, std::function<void(v1::CoordinatorFrame)> received,
                std::function<void(absl::Status)> closed);
  ~SessionStream() override;  // Cancels, and waits for `closed` to have returned.

  void Write(v1::WorkerFrame frame);
  // Half-closes once everything written has left.
  void CloseWrites();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<void(v1::CoordinatorFrame)> received_;
  const std::function<void(absl::Status)> closed_;
  grpc::ClientContext context_;
  v1::CoordinatorFrame read_;
  absl::Notification done_;

  absl::Mutex mutex_;
  std::deque<v1::WorkerFrame> frames_ ABSL_GUARDED_BY(mutex_);
  v1::WorkerFrame write_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool half_close_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;  // No more writes may start.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SESSION_STREAM_H_
