#include "worker/session_stream.h"

#include <utility>

#include "common/rpc/grpc_status.h"

namespace headwater {

SessionStream::SessionStream(v1::SessionService::Stub& stub,
                             std::function<void(v1::CoordinatorFrame)> received,
                             std::function<void(absl::Status)> closed)
    : received_(std::move(received)), closed_(std::move(closed)) {
  stub.async()->Session(&context_, this);
  AddHold();  // Writes start outside of reactions; gRPC must not end the stream between them.
  StartRead(&read_);
  StartCall();
}

SessionStream::~SessionStream() {
  context_.TryCancel();
  done_.WaitForNotification();
}

void SessionStream::Write(v1::WorkerFrame frame) {
  absl::MutexLock lock(&mutex_);
  if (ended_ || half_close_) return;
  frames_.push_back(std::move(frame));
  WriteNext();
}

void SessionStream::CloseWrites() {
  absl::MutexLock lock(&mutex_);
  if (ended_ || half_close_) return;
  half_close_ = true;
  WriteNext();
}

void SessionStream::WriteNext() {
  if (writing_ || ended_) return;
  if (!frames_.empty()) {
    write_ = std::move(frames_.front());
    frames_.pop_front();
    writing_ = true;
    StartWrite(&write_);
  } else if (half_close_) {
    StartWritesDone();
  }
}

void SessionStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  if (ok) WriteNext();  // Else the stream is broken: OnReadDone() will hear of it.
}

void SessionStream::OnReadDone(bool ok) {
  if (ok) {
    received_(std::move(read_));
    read_.Clear();
    StartRead(&read_);
    return;
  }
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    frames_.clear();
  }
  RemoveHold();
}

void SessionStream::OnDone(const grpc::Status& status) {
  closed_(FromGrpcStatus(status));
  done_.Notify();
}

}  // namespace headwater
