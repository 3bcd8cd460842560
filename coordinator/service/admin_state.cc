// What people ask of the ledger itself: `state show`, `set`, `reset` and `import`.
#include <map>
#include <set>
#include <string>
#include <utility>

#include "common/base/status.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/service/admin_service.h"
#include "coordinator/service/demands.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

// The tables of `datasets`, as they are now.
absl::StatusOr<std::map<std::string, TableSurvey>> Survey(
    const std::vector<const DatasetConfig*>& datasets, const std::string& ledger_id,
    TakeoverFactory& tables) {
  std::map<std::string, TableSurvey> surveys;
  for (const DatasetConfig* dataset : datasets) {
    const std::string& table = dataset->spec.id.table;
    if (surveys.contains(table)) continue;
    ASSIGN_OR_RETURN(const std::unique_ptr<TableTakeover> opened,
                     tables.Open({table, dataset->spec.target_uri, ledger_id}));
    absl::StatusOr<TableSurvey> survey = opened->Survey();
    RETURN_IF_ERROR(Annotate(survey.status(), "table " + table));
    surveys.emplace(table, *std::move(survey));
  }
  return surveys;
}

absl::Status FillMark(const std::vector<const DatasetConfig*>& datasets, const v1::MarkState& mark,
                      absl::Time now, StateChangeRequested& change) {
  change.kind =
      mark.fresh() ? StateChangeRequested::Kind::kFresh : StateChangeRequested::Kind::kStale;
  v1::BackfillWindow window = mark.window();
  window.set_mode(v1::BACKFILL_MODE_ALL);
  ASSIGN_OR_RETURN(change.datasets, MakeDemands(datasets, v1::RUN_KIND_BACKFILL, &window, now));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StateChangeRequested> AdminService::ChangeAskedBy(
    const v1::ChangeStateRequest& request) const {
  RETURN_IF_ERROR(CheckDigest(request.config_digest()));
  ASSIGN_OR_RETURN(const std::vector<const DatasetConfig*> datasets,
                   Resolve(*config_, request.selection()));
  StateChangeRequested change;
  change.dry_run = request.dry_run();
  change.basis = request.basis();
  if (request.has_mark()) {
    RETURN_IF_ERROR(FillMark(datasets, request.mark(), clock_->Now(), change));
    return change;
  }
  for (const DatasetConfig* dataset : datasets)
    change.datasets.emplace_back().dataset = dataset->spec.id;
  if (request.has_reset()) {
    change.kind = StateChangeRequested::Kind::kReset;
    return change;
  }
  if (!request.has_import()) return absl::InvalidArgumentError("change: none of those known");
  if (tables_ == nullptr) return absl::UnimplementedError("this coordinator takes no imports");
  change.kind = StateChangeRequested::Kind::kImport;
  for (const v1::DatasetRecord& record : request.import().datasets())
    change.imported[IdOf(record.dataset())] = record.progress();
  // On this thread, which serves commands only: a table's log is read at most once a command.
  ASSIGN_OR_RETURN(change.surveys, Survey(datasets, coordinator_->ledger_id(), *tables_));
  return change;
}

grpc::ServerUnaryReactor* AdminService::GetState(grpc::CallbackServerContext* context,
                                                 const v1::GetStateRequest* request,
                                                 v1::GetStateResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto datasets = Resolve(*config_, request->selection());
  if (!datasets.ok()) {
    reactor->Finish(ToGrpcStatus(datasets.status()));
    return reactor;
  }
  std::vector<DatasetId> wanted;
  for (const DatasetConfig* dataset : *datasets) wanted.push_back(dataset->spec.id);
  coordinator_->GetState(std::move(wanted),
                         [this, reactor, response](absl::StatusOr<v1::GetStateResponse> answer) {
                           const absl::Status status = answer.status();
                           if (answer.ok()) {
                             *response = *std::move(answer);
                             response->set_ledger_id(coordinator_->ledger_id());
                           }
                           reactor->Finish(ToGrpcStatus(status));
                         });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::ChangeState(grpc::CallbackServerContext* context,
                                                    const v1::ChangeStateRequest* request,
                                                    v1::ChangeStateResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<StateChangeRequested> change = ChangeAskedBy(*request);
  if (!change.ok()) {
    reactor->Finish(ToGrpcStatus(change.status()));
    return reactor;
  }
  coordinator_->ChangeState(
      *std::move(change), [reactor, response](absl::StatusOr<AnswerStateChange> answer) {
        if (answer.ok()) *response = std::move(answer->result);
        reactor->Finish(ToGrpcStatus(answer.ok() ? answer->status : answer.status()));
      });
  return reactor;
}

}  // namespace headwater
