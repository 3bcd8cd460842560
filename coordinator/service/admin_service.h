// The wire side of people's commands: resolves what they selected and asks the coordinator. No
// policy.
#ifndef HEADWATER_COORDINATOR_SERVICE_ADMIN_SERVICE_H_
#define HEADWATER_COORDINATOR_SERVICE_ADMIN_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/config/config.h"
#include "coordinator/coordinator.h"
#include "coordinator/core.h"
#include "coordinator/history/run_archive.h"
#include "headwater/v1/admin.grpc.pb.h"

namespace headwater {

// Thread-safe. `config` is the one that the coordinator was started with; both outlive the service.
// Streams and calls under way must have ended (grpc::Server::Shutdown(deadline), then Wait())
// before it is destroyed. Requests with another config_digest than the coordinator's are refused
// with FAILED_PRECONDITION; a selection that names nothing with NOT_FOUND.
class AdminService : public v1::AdminService::CallbackService {
 public:
  // `own_worker`: a worker runs in this process, which is to be told with the status. `tables`,
  // which outlives the service, shows what tables have to those who import state; null: nobody
  // does. `archive`, likewise, has the runs that the ledger let go; null: there are none.
  AdminService(Coordinator* coordinator, const Config* config, bool own_worker = false,
               const Clock* clock = &Clock::Real(), TakeoverFactory* tables = nullptr,
               const RunArchive* archive = nullptr)
      : coordinator_(coordinator),
        config_(config),
        own_worker_(own_worker),
        clock_(clock),
        tables_(tables),
        archive_(archive) {}

  // Key: idempotency_key; empty: a new run each time.
  grpc::ServerUnaryReactor* SubmitRun(grpc::CallbackServerContext* context,
                                      const v1::SubmitRunRequest* request,
                                      v1::SubmitRunResponse* response) override;
  // A slow reader misses messages in between, never the last one.
  grpc::ServerWriteReactor<v1::WatchRunResponse>* WatchRun(
      grpc::CallbackServerContext* context, const v1::WatchRunRequest* request) override;
  // Key: run_id.
  grpc::ServerUnaryReactor* CancelRun(grpc::CallbackServerContext* context,
                                      const v1::CancelRunRequest* request,
                                      v1::CancelRunResponse* response) override;
  grpc::ServerUnaryReactor* Plan(grpc::CallbackServerContext* context,
                                 const v1::PlanRequest* request,
                                 v1::PlanResponse* response) override;
  grpc::ServerUnaryReactor* Verify(grpc::CallbackServerContext* context,
                                   const v1::VerifyRequest* request,
                                   v1::VerifyResponse* response) override;
  // Tables as a whole, also where only some of their datasets are selected.
  grpc::ServerUnaryReactor* CollectGarbage(grpc::CallbackServerContext* context,
                                           const v1::CollectGarbageRequest* request,
                                           v1::CollectGarbageResponse* response) override;
  // Datasets that are not configured any more are shown only when nothing is selected.
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const v1::ExplainRequest* request,
                                    v1::ExplainResponse* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::GetStatusResponse* response) override;

  // admin_history.cc
  grpc::ServerUnaryReactor* GetHistory(grpc::CallbackServerContext* context,
                                       const v1::GetHistoryRequest* request,
                                       v1::GetHistoryResponse* response) override;

  // admin_state.cc
  grpc::ServerUnaryReactor* GetState(grpc::CallbackServerContext* context,
                                     const v1::GetStateRequest* request,
                                     v1::GetStateResponse* response) override;
  // Key: basis.
  grpc::ServerUnaryReactor* ChangeState(grpc::CallbackServerContext* context,
                                        const v1::ChangeStateRequest* request,
                                        v1::ChangeStateResponse* response) override;

 private:
  absl::StatusOr<v1::GetHistoryResponse> HistoryOf(const v1::GetHistoryRequest& request) const;
  absl::StatusOr<StateChangeRequested> ChangeAskedBy(const v1::ChangeStateRequest& request) const;
  absl::Status CheckDigest(const std::string& digest) const;
  // The datasets that a request selects, if it is of our configuration.
  template <typename Request>
  absl::StatusOr<std::vector<const DatasetConfig*>> SelectedBy(const Request& request) const;
  // What a SubmitRunRequest or PlanRequest asks for, as the core takes it.
  struct Asked {
    std::vector<DemandRequest> demands;
    Pace pace;
    std::vector<v1::Window> windows;
  };
  template <typename Request>
  absl::StatusOr<Asked> AskedBy(const Request& request) const;

  Coordinator* const coordinator_;
  const Config* const config_;
  const bool own_worker_;
  const Clock* const clock_;
  TakeoverFactory* const tables_;
  const RunArchive* const archive_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_SERVICE_ADMIN_SERVICE_H_
