#include "coordinator/service/standby_server.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "headwater/v1/session.pb.h"

namespace headwater {
namespace {

grpc::Status StandsBy(const std::string& leader) {
  return {grpc::StatusCode::UNAVAILABLE,
          leader.empty() ? "this coordinator stands by, and none leads yet"
                         : absl::StrCat("this coordinator stands by; ", leader, " leads")};
}

class Answer final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Answer(const std::string& leader) : status_(StandsBy(leader)) {}

  void Reject() { Finish(status_); }
  void TellSession(const std::string& leader) {
    v1::CoordinatorFrame frame;
    frame.mutable_not_leader()->set_leader_address(leader);
    const grpc::Slice bytes(frame.SerializeAsString());
    message_ = grpc::ByteBuffer(&bytes, 1);
    StartWriteAndFinish(&message_, {}, status_);
  }
  void OnDone() override { delete this; }

 private:
  const grpc::Status status_;
  grpc::ByteBuffer message_;
};

class Service final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    std::string leader;
    {
      const absl::MutexLock lock(&mutex_);
      leader = leader_;
    }
    context->AddTrailingMetadata(kLeaderKey, leader);
    auto* answer = new Answer(leader);
    if (absl::EndsWith(context->method(), ".SessionService/Session")) {
      answer->TellSession(leader);
    } else {
      answer->Reject();
    }
    return answer;
  }
  void SetLeader(std::string address) {
    const absl::MutexLock lock(&mutex_);
    leader_ = std::move(address);
  }

 private:
  absl::Mutex mutex_;
  std::string leader_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

struct StandbyServer::Impl {
  explicit Impl(Endpoint where) : endpoint(std::move(where)) {}

  const Endpoint endpoint;
  int port = 0;
  Service service;
  std::unique_ptr<grpc::Server> server;
};

StandbyServer::StandbyServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

StandbyServer::~StandbyServer() {
  impl_->server->Shutdown(std::chrono::system_clock::now());
  impl_->server->Wait();
}

absl::StatusOr<std::unique_ptr<StandbyServer>> StandbyServer::Start(const std::string& address) {
  ASSIGN_OR_RETURN(Endpoint endpoint, Endpoint::Parse(address));
  auto impl = std::make_unique<Impl>(std::move(endpoint));
  grpc::ServerBuilder builder;
  Listen(builder, impl->endpoint, &impl->port);
  builder.RegisterCallbackGenericService(&impl->service);
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || impl->port == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen at ", address, "; is another program using it?"));
  }
  return std::unique_ptr<StandbyServer>(new StandbyServer(std::move(impl)));
}

int StandbyServer::port() const { return impl_->port; }
void StandbyServer::SetLeader(std::string address) { impl_->service.SetLeader(std::move(address)); }

}  // namespace headwater
