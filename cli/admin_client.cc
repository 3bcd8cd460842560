#include "cli/admin_client.h"

#include <grpcpp/client_context.h>

#include <utility>

#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "headwater/v1/admin.grpc.pb.h"

namespace headwater {
namespace {

// The service never answers CANCELLED, and nothing is cancelled here: a server that is shutting
// down cuts off whatever reaches it then. To the caller that is a coordinator which is gone.
absl::Status Outcome(const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::CANCELLED)
    return absl::UnavailableError("the coordinator ended before it answered");
  return FromGrpcStatus(status);
}

}  // namespace

struct AdminClient::Impl {
  explicit Impl(Endpoint&& where)
      : endpoint(std::move(where)),
        channel(OpenChannel(endpoint)),
        stub(v1::AdminService::NewStub(channel)) {}

  template <typename Response, typename Request, typename Method>
  absl::StatusOr<Response> Call(Method method, const Request& request) {
    grpc::ClientContext context;
    Response response;
    RETURN_IF_ERROR(Outcome((stub.get()->*method)(&context, request, &response)));
    return response;
  }

  Endpoint endpoint;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::AdminService::Stub> stub;
};

AdminClient::AdminClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminClient::~AdminClient() = default;

absl::StatusOr<std::unique_ptr<AdminClient>> AdminClient::Create(const std::string& address) {
  ASSIGN_OR_RETURN(Endpoint endpoint, Endpoint::Parse(address));
  return std::unique_ptr<AdminClient>(new AdminClient(std::make_unique<Impl>(std::move(endpoint))));
}

bool AdminClient::WaitUntilReachable(absl::Duration wait) {
  return impl_->channel->WaitForConnected(absl::ToChronoTime(absl::Now() + wait));
}

absl::StatusOr<v1::SubmitRunResponse> AdminClient::SubmitRun(const v1::SubmitRunRequest& request) {
  return impl_->Call<v1::SubmitRunResponse>(&v1::AdminService::Stub::SubmitRun, request);
}

absl::StatusOr<v1::WatchRunResponse> AdminClient::WatchRun(
    const std::string& run_id, const std::function<void(const v1::WatchRunResponse&)>& update) {
  grpc::ClientContext context;
  v1::WatchRunRequest request;
  request.set_run_id(run_id);
  const auto stream = impl_->stub->WatchRun(&context, request);
  v1::WatchRunResponse message;
  while (stream->Read(&message)) {
    update(message);
  }
  RETURN_IF_ERROR(Outcome(stream->Finish()));
  if (!message.ended()) return absl::UnavailableError("the coordinator ended before the run did");
  return message;
}

absl::Status AdminClient::CancelRun(const std::string& run_id) {
  v1::CancelRunRequest request;
  request.set_run_id(run_id);
  return impl_->Call<v1::CancelRunResponse>(&v1::AdminService::Stub::CancelRun, request).status();
}

absl::StatusOr<v1::PlanResponse> AdminClient::Plan(const v1::PlanRequest& request) {
  return impl_->Call<v1::PlanResponse>(&v1::AdminService::Stub::Plan, request);
}

absl::StatusOr<v1::VerifyResponse> AdminClient::Verify(const v1::VerifyRequest& request) {
  return impl_->Call<v1::VerifyResponse>(&v1::AdminService::Stub::Verify, request);
}

absl::StatusOr<v1::CollectGarbageResponse> AdminClient::CollectGarbage(
    const v1::CollectGarbageRequest& request) {
  return impl_->Call<v1::CollectGarbageResponse>(&v1::AdminService::Stub::CollectGarbage, request);
}

absl::StatusOr<v1::GetStatusResponse> AdminClient::GetStatus(const v1::GetStatusRequest& request) {
  return impl_->Call<v1::GetStatusResponse>(&v1::AdminService::Stub::GetStatus, request);
}

absl::StatusOr<v1::GetHistoryResponse> AdminClient::GetHistory(
    const v1::GetHistoryRequest& request) {
  return impl_->Call<v1::GetHistoryResponse>(&v1::AdminService::Stub::GetHistory, request);
}

absl::StatusOr<v1::GetStateResponse> AdminClient::GetState(const v1::GetStateRequest& request) {
  return impl_->Call<v1::GetStateResponse>(&v1::AdminService::Stub::GetState, request);
}

absl::StatusOr<v1::ChangeStateResponse> AdminClient::ChangeState(
    const v1::ChangeStateRequest& request) {
  return impl_->Call<v1::ChangeStateResponse>(&v1::AdminService::Stub::ChangeState, request);
}

absl::StatusOr<v1::ExplainResponse> AdminClient::Explain(const v1::ExplainRequest& request) {
  return impl_->Call<v1::ExplainResponse>(&v1::AdminService::Stub::Explain, request);
}

}  // namespace headwater
