// What ended runs did, for people.
#include <optional>
#include <set>
#include <utility>

#include "absl/synchronization/notification.h"
#include "common/base/status.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/run_query.h"
#include "coordinator/service/admin_service.h"
#include "coordinator/service/demands.h"

namespace headwater {

absl::StatusOr<v1::GetHistoryResponse> AdminService::HistoryOf(
    const v1::GetHistoryRequest& request) const {
  ASSIGN_OR_RETURN(RunQuery query, QueryOf(request));
  if (request.selection().ByteSizeLong() > 0) {
    ASSIGN_OR_RETURN(const auto datasets, Resolve(*config_, request.selection()));
    query.datasets.emplace();
    for (const DatasetConfig* dataset : datasets) query.datasets->insert(dataset->spec.id);
  }
  absl::Notification answered;
  absl::StatusOr<v1::GetHistoryResponse> history;
  coordinator_->GetHistory(query, [&](absl::StatusOr<v1::GetHistoryResponse> answer) {
    history = std::move(answer);
    answered.Notify();
  });
  // On this thread, which serves commands only. First the ledger, then the files: a run that goes
  // from one to the other meanwhile is in both, and not in none.
  answered.WaitForNotification();
  if (history.ok() && archive_ != nullptr) archive_->AddTo(query, *history);
  return history;
}

grpc::ServerUnaryReactor* AdminService::GetHistory(grpc::CallbackServerContext* context,
                                                   const v1::GetHistoryRequest* request,
                                                   v1::GetHistoryResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<v1::GetHistoryResponse> history = HistoryOf(*request);
  const absl::Status status = history.status();
  if (history.ok()) *response = *std::move(history);
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace headwater
