#include "cli/admin_client.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/service/standby_server.h"
#include "headwater/v1/admin.grpc.pb.h"

namespace headwater {
namespace {

// A leader's time is over after 5 s, and the next one has to take its ledger in.
constexpr absl::Duration kUntilOneLeads = absl::Seconds(15);
constexpr absl::Duration kAgain = absl::Milliseconds(200);
constexpr absl::Duration kTurn = absl::Milliseconds(500);

// The service never answers CANCELLED, and nothing is cancelled here: a server that is shutting
// down cuts off whatever reaches it then. To the caller that is a coordinator which is gone.
absl::Status Outcome(const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::CANCELLED)
    return absl::UnavailableError("the coordinator ended before it answered");
  return FromGrpcStatus(status);
}

}  // namespace

// One coordinator that may be the one.
struct Candidate {
  Candidate(std::string name, Endpoint&& where)
      : address(std::move(name)),
        endpoint(std::move(where)),
        channel(OpenChannel(endpoint)),
        stub(v1::AdminService::NewStub(channel)) {}

  const std::string address;
  const Endpoint endpoint;
  const std::shared_ptr<grpc::Channel> channel;
  const std::unique_ptr<v1::AdminService::Stub> stub;
};

struct AdminClient::Impl {
  // Asks, and asks the leader where a coordinator that stands by names it. Where several may lead
  // and none does, or one that led is gone, again and again until one does, for a while.
  absl::Status Ask(
      absl::FunctionRef<grpc::Status(v1::AdminService::Stub&, grpc::ClientContext&)> ask) {
    const Clock& clock = Clock::Real();
    absl::Time until = clock.Now() + kUntilOneLeads;
    while (true) {
      const absl::Time began = clock.Now();
      grpc::ClientContext context;
      const grpc::Status status = ask(*Current()->stub, context);
      if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return Outcome(status);
      // Whoever answered for as long led: what there is to wait for begins now.
      if (clock.Now() - began > kTurn) until = clock.Now() + kUntilOneLeads;
      if (clock.Now() >= until || !FindAnother(context)) return Outcome(status);
    }
  }

  template <typename Response, typename Request, typename Method>
  absl::StatusOr<Response> Call(Method method, const Request& request) {
    Response response;
    RETURN_IF_ERROR(Ask([&](v1::AdminService::Stub& stub, grpc::ClientContext& context) {
      return (stub.*method)(&context, request, &response);
    }));
    return response;
  }

  std::shared_ptr<Candidate> Current() const {
    const absl::MutexLock lock(&mutex);
    return current;
  }

  // Whom to ask next, after a pause where it is not a leader that was named just now. False: there
  // is only one coordinator to ask.
  bool FindAnother(const grpc::ClientContext& context) {
    const auto& trailing = context.GetServerTrailingMetadata();
    const auto leader = trailing.find(kLeaderKey);
    if (leader != trailing.end() && Follow({leader->second.data(), leader->second.size()}))
      return true;
    {
      const absl::MutexLock lock(&mutex);
      if (leader == trailing.end() && named.size() == 1 && current == named.front()) return false;
      turn = (turn + 1) % named.size();
      current = named[turn];
    }
    absl::SleepFor(kAgain);
    return true;
  }

  // False: it is not known, not an address, or the one that was asked.
  bool Follow(const std::string& address) {
    const absl::MutexLock lock(&mutex);
    if (address.empty() || address == current->address) return false;
    absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(address);
    if (!endpoint.ok()) return false;
    current = std::make_shared<Candidate>(address, *std::move(endpoint));
    return true;
  }

  std::vector<std::shared_ptr<Candidate>> named;
  mutable absl::Mutex mutex;
  std::shared_ptr<Candidate> current ABSL_GUARDED_BY(mutex);
  size_t turn ABSL_GUARDED_BY(mutex) = 0;
};

AdminClient::AdminClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminClient::~AdminClient() = default;

absl::StatusOr<std::unique_ptr<AdminClient>> AdminClient::Create(const std::string& addresses) {
  auto impl = std::make_unique<Impl>();
  for (const absl::string_view address : absl::StrSplit(addresses, ',')) {
    ASSIGN_OR_RETURN(Endpoint endpoint, Endpoint::Parse(address));
    impl->named.push_back(std::make_shared<Candidate>(std::string(address), std::move(endpoint)));
  }
  {
    const absl::MutexLock lock(&impl->mutex);
    impl->current = impl->named.front();
  }
  return std::unique_ptr<AdminClient>(new AdminClient(std::move(impl)));
}

bool AdminClient::WaitUntilReachable(absl::Duration wait) {
  // One after the other, so that one that is away does not use up the time of all.
  const absl::Time until = Clock::Real().Now() + wait;
  const absl::Duration turn = impl_->named.size() == 1 ? wait : std::min(wait, kTurn);
  do {
    for (const auto& candidate : impl_->named) {
      if (!candidate->channel->WaitForConnected(absl::ToChronoTime(absl::Now() + turn))) continue;
      const absl::MutexLock lock(&impl_->mutex);
      impl_->current = candidate;
      return true;
    }
  } while (Clock::Real().Now() < until);
  return false;
}

absl::StatusOr<v1::SubmitRunResponse> AdminClient::SubmitRun(const v1::SubmitRunRequest& request) {
  return impl_->Call<v1::SubmitRunResponse>(&v1::AdminService::Stub::SubmitRun, request);
}

absl::StatusOr<v1::WatchRunResponse> AdminClient::WatchRun(
    const std::string& run_id, const std::function<void(const v1::WatchRunResponse&)>& update) {
  v1::WatchRunRequest request;
  request.set_run_id(run_id);
  v1::WatchRunResponse message;
  RETURN_IF_ERROR(impl_->Ask([&](v1::AdminService::Stub& stub, grpc::ClientContext& context) {
    const auto stream = stub.WatchRun(&context, request);
    while (stream->Read(&message)) update(message);
    return stream->Finish();
  }));
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
