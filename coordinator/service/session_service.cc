#include "coordinator/service/session_service.h"

#include <deque>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/model/model_proto.h"
#include "common/model/proto_check.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/service/session_frames.h"

namespace headwater {
namespace {

// One stream. Lives until gRPC says OnDone() and the coordinator has dropped its sink.
class SessionStream : public grpc::ServerBidiReactor<v1::WorkerFrame, v1::CoordinatorFrame>,
                      public SessionSink {
 public:
  static SessionStream* Start(Coordinator* coordinator) {
    auto stream = std::shared_ptr<SessionStream>(new SessionStream(coordinator));
    stream->self_ = stream;
    stream->StartRead(&stream->read_);
    return stream.get();
  }

  // On the core thread.
  void Send(SessionEffect effect) override {
    absl::MutexLock lock(&mutex_);
    if (ending_) return;
    effects_.push_back(std::move(effect));
    WriteNext();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return End(grpc::Status::OK);  // Half-closed, or broken.
    if (const absl::Status status = Take(); !status.ok()) {
      Log(LogLevel::kWarning, "a worker's frame was refused",
          {{"session", session_}, {"why", status.ToString()}});
      return End(ToGrpcStatus(status));
    }
    StartRead(&read_);
  }

  void OnWriteDone(bool) override {  // Of a broken stream OnReadDone() hears.
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    WriteNext();
  }

  void OnDone() override {
    if (opened_) coordinator_->CloseSession(session_);
    const std::shared_ptr<SessionStream> last = std::move(self_);
  }

 private:
  explicit SessionStream(Coordinator* coordinator) : coordinator_(coordinator) {}

  absl::Status Take() {
    if (!opened_) {
      if (!read_.has_hello()) return BadField("frame", "the first frame is not Hello");
      absl::StatusOr<SessionOpened> hello = HelloToInput(session_, read_.hello());
      if (!hello.ok()) return hello.status();
      opened_ = true;
      coordinator_->OpenSession(*std::move(hello), self_);
      return absl::OkStatus();
    }
    absl::StatusOr<std::vector<Input>> inputs = FrameToInputs(session_, read_);
    if (!inputs.ok()) return inputs.status();
    for (Input& input : *inputs) {
      if (!coordinator_->Post(std::move(input))) {
        return absl::UnavailableError("the coordinator has ended");
      }
    }
    return absl::OkStatus();
  }

  void End(grpc::Status status) {
    if (opened_) coordinator_->CloseSession(session_);
    absl::MutexLock lock(&mutex_);
    ending_ = true;
    status_ = std::move(status);
    effects_.clear();
    WriteNext();
  }

  // One write at a time; the end waits for it.
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return;
    if (!effects_.empty()) {
      write_ = TakeFrame(effects_);
      writing_ = true;
      StartWrite(&write_);
    } else if (ending_) {
      finished_ = true;
      Finish(status_);
    }
  }

  Coordinator* const coordinator_;
  const SessionId session_ = RandomId();
  std::shared_ptr<SessionStream> self_;
  v1::WorkerFrame read_;
  bool opened_ = false;  // Touched by read callbacks and, after them, by OnDone().

  absl::Mutex mutex_;
  v1::CoordinatorFrame write_ ABSL_GUARDED_BY(mutex_);
  std::deque<SessionEffect> effects_ ABSL_GUARDED_BY(mutex_);
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

void AddVerdict(const absl::Status& status, v1::ItemStatus& item) {
  item.set_code(static_cast<int>(status.code()));
  item.set_message(ValidUtf8(status.message()));
}

}  // namespace

grpc::ServerBidiReactor<v1::WorkerFrame, v1::CoordinatorFrame>* SessionService::Session(
    grpc::CallbackServerContext*) {
  return SessionStream::Start(coordinator_);
}

grpc::ServerUnaryReactor* SessionService::Deliver(grpc::CallbackServerContext* context,
                                                  const v1::DeliverRequest* request,
                                                  v1::DeliverResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Delivered delivered;
  delivered.session = request->session_id();
  std::vector<int> places;  // Of the outcomes that convert, in the answer.
  for (int i = 0; i < request->outcomes_size(); ++i) {
    absl::StatusOr<Outcome> outcome = FromProto(request->outcomes(i));
    AddVerdict(outcome.status(), *response->add_verdicts());
    if (!outcome.ok()) continue;
    delivered.outcomes.push_back(*std::move(outcome));
    places.push_back(i);
  }
  if (places.empty()) {
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  coordinator_->Deliver(std::move(delivered), [reactor, response, places = std::move(places)](
                                                  absl::StatusOr<AnswerDeliver> answer) {
    if (answer.ok() && answer->verdicts.size() != places.size()) {
      answer = absl::InternalError("one verdict for each outcome was expected");
    }
    if (!answer.ok()) return reactor->Finish(ToGrpcStatus(answer.status()));
    for (size_t i = 0; i < places.size(); ++i) {
      AddVerdict(answer->verdicts[i], *response->mutable_verdicts(places[i]));
    }
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

}  // namespace headwater
