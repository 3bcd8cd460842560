// The wire side of worker sessions: parse, convert, hand on. No policy: what a frame means is the
// core's to say.
#ifndef HEADWATER_COORDINATOR_SERVICE_SESSION_SERVICE_H_
#define HEADWATER_COORDINATOR_SERVICE_SESSION_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "coordinator/coordinator.h"
#include "headwater/v1/session.grpc.pb.h"

namespace headwater {

// Protocol versions that this coordinator speaks.
inline constexpr int kProtocolMin = 1;
inline constexpr int kProtocolMax = 1;

// Thread-safe. Streams and calls under way must have ended (grpc::Server::Shutdown(deadline), then
// Wait()) before it is destroyed, and the coordinator outlives it.
class SessionService : public v1::SessionService::CallbackService {
 public:
  explicit SessionService(Coordinator* coordinator) : coordinator_(coordinator) {}

  // INVALID_ARGUMENT: a frame that does not convert, or a first frame other than Hello;
  // FAILED_PRECONDITION: no protocol version in common. Either ends the stream, which for the core
  // is a closed session: the worker may come back and keep what it holds.
  grpc::ServerBidiReactor<v1::WorkerFrame, v1::CoordinatorFrame>* Session(
      grpc::CallbackServerContext* context) override;

  // Answered once durable, one verdict for each outcome. One that does not convert gets
  // INVALID_ARGUMENT and does not hinder the others.
  grpc::ServerUnaryReactor* Deliver(grpc::CallbackServerContext* context,
                                    const v1::DeliverRequest* request,
                                    v1::DeliverResponse* response) override;

 private:
  Coordinator* const coordinator_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_SERVICE_SESSION_SERVICE_H_
