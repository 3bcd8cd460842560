#include "coordinator/service/admin_service.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/ids.h"
#include "common/base/status.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/service/demands.h"

namespace headwater {
namespace {

grpc::ServerUnaryReactor* FinishNow(grpc::ServerUnaryReactor* reactor, const absl::Status& status) {
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

// One watcher's stream. Keeps the newest message only: each holds the whole progress.
class WatchStream : public grpc::ServerWriteReactor<v1::WatchRunResponse> {
 public:
  static WatchStream* Start(Coordinator* coordinator, const std::string& run_id) {
    auto stream = std::shared_ptr<WatchStream>(new WatchStream(coordinator));
    WatchStream* raw = stream.get();
    raw->self_ = stream;
    // The callback holds the stream: it may come before gRPC's OnDone() or after it.
    const Coordinator::WatchId watch = coordinator->WatchRun(
        run_id,
        [stream](absl::StatusOr<v1::WatchRunResponse> now) { stream->Take(std::move(now)); });
    bool gone;
    {
      absl::MutexLock lock(&stream->mutex_);
      stream->watch_ = watch;
      gone = stream->done_;
    }
    if (gone) coordinator->Unwatch(watch);
    return raw;
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok && !end_.has_value()) end_ = grpc::Status(grpc::StatusCode::CANCELLED, "gone");
    if (!ok) next_.reset();
    WriteNext();
  }

  void OnCancel() override {
    absl::MutexLock lock(&mutex_);
    if (!end_.has_value()) end_ = grpc::Status(grpc::StatusCode::CANCELLED, "gone");
    next_.reset();
    WriteNext();
  }

  void OnDone() override {
    const std::shared_ptr<WatchStream> last = std::move(self_);
    std::optional<Coordinator::WatchId> watch;
    {
      absl::MutexLock lock(&mutex_);
      done_ = true;
      watch = watch_;
    }
    if (watch.has_value()) coordinator_->Unwatch(*watch);
  }

 private:
  explicit WatchStream(Coordinator* coordinator) : coordinator_(coordinator) {}

  void Take(absl::StatusOr<v1::WatchRunResponse> now) {  // On the core thread.
    absl::MutexLock lock(&mutex_);
    if (end_.has_value()) return;
    if (!now.ok()) {
      end_ = ToGrpcStatus(now.status());
    } else {
      if (now->ended()) end_ = grpc::Status::OK;
      next_ = *std::move(now);
    }
    WriteNext();
  }

  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return;
    if (next_.has_value()) {
      write_ = *std::exchange(next_, std::nullopt);
      writing_ = true;
      StartWrite(&write_);
    } else if (end_.has_value()) {
      finished_ = true;
      Finish(*end_);
    }
  }

  Coordinator* const coordinator_;
  std::shared_ptr<WatchStream> self_;
  absl::Mutex mutex_;
  std::optional<Coordinator::WatchId> watch_ ABSL_GUARDED_BY(mutex_);
  v1::WatchRunResponse write_ ABSL_GUARDED_BY(mutex_);
  std::optional<v1::WatchRunResponse> next_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

absl::Status AdminService::CheckDigest(const std::string& digest) const {
  if (digest == config_->digest) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the configuration differs from the one that the running coordinator has loaded (yours ",
      digest, ", its ", config_->digest,
      "): wait until it has ended, or start it again with the new configuration"));
}

template <typename Request>
absl::StatusOr<std::vector<const DatasetConfig*>> AdminService::SelectedBy(
    const Request& request) const {
  RETURN_IF_ERROR(CheckDigest(request.config_digest()));
  return Resolve(*config_, request.selection());
}

template <typename Request>
absl::StatusOr<AdminService::Asked> AdminService::AskedBy(const Request& request) const {
  ASSIGN_OR_RETURN(const std::vector<const DatasetConfig*> datasets, SelectedBy(request));
  Asked asked;
  const absl::Time now = clock_->Now();
  ASSIGN_OR_RETURN(asked.demands,
                   MakeDemands(datasets, request.kind(),
                               request.has_window() ? &request.window() : nullptr, now));
  ASSIGN_OR_RETURN(asked.pace, MakePace(request.pace(), datasets));
  if (request.has_window()) asked.windows = DescribeWindows(datasets, request.window(), now);
  return asked;
}

grpc::ServerUnaryReactor* AdminService::SubmitRun(grpc::CallbackServerContext* context,
                                                  const v1::SubmitRunRequest* request,
                                                  v1::SubmitRunResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<Asked> asked = AskedBy(*request);
  if (!asked.ok()) return FinishNow(reactor, asked.status());
  response->mutable_windows()->Assign(asked->windows.begin(), asked->windows.end());
  RunSubmitted submitted;
  submitted.run_id = RandomRunId(clock_->Now());
  submitted.idempotency_key =
      request->idempotency_key().empty() ? RandomId() : request->idempotency_key();
  submitted.kind = request->kind();
  submitted.by_person = request->by_person();
  submitted.demands = std::move(asked->demands);
  for (DemandRequest& demand : submitted.demands) demand.force = request->force();
  submitted.pace = asked->pace;
  submitted.retry_of = request->retry_of();
  submitted.plan_id = request->plan_id();
  coordinator_->SubmitRun(std::move(submitted),
                          [reactor, response](absl::StatusOr<AnswerRun> answer) {
                            if (!answer.ok()) {
                              return reactor->Finish(ToGrpcStatus(answer.status()));
                            }
                            response->set_run_id(answer->run_id);
                            response->set_attached(answer->attached);
                            reactor->Finish(ToGrpcStatus(answer->status));
                          });
  return reactor;
}

grpc::ServerWriteReactor<v1::WatchRunResponse>* AdminService::WatchRun(
    grpc::CallbackServerContext*, const v1::WatchRunRequest* request) {
  return WatchStream::Start(coordinator_, request->run_id());
}

grpc::ServerUnaryReactor* AdminService::CancelRun(grpc::CallbackServerContext* context,
                                                  const v1::CancelRunRequest* request,
                                                  v1::CancelRunResponse*) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  RunCancelRequested cancel;
  cancel.run_id = request->run_id();
  coordinator_->CancelRun(std::move(cancel), [reactor](absl::StatusOr<AnswerCancel> answer) {
    reactor->Finish(ToGrpcStatus(answer.ok() ? answer->status : answer.status()));
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::Plan(grpc::CallbackServerContext* context,
                                             const v1::PlanRequest* request,
                                             v1::PlanResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<Asked> asked = AskedBy(*request);
  if (!asked.ok()) return FinishNow(reactor, asked.status());
  response->mutable_windows()->Assign(asked->windows.begin(), asked->windows.end());
  PlanRequested plan;
  plan.kind = request->kind();
  plan.demands = std::move(asked->demands);
  plan.pace = asked->pace;
  plan.plan_id = RandomPlanId(clock_->Now());
  coordinator_->Plan(std::move(plan), [reactor, response](absl::StatusOr<AnswerPlan> answer) {
    if (answer.ok()) {
      response->mutable_datasets()->Swap(answer->plan.mutable_datasets());
      response->set_plan_id(answer->plan.plan_id());
    }
    reactor->Finish(ToGrpcStatus(answer.status()));
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::Verify(grpc::CallbackServerContext* context,
                                               const v1::VerifyRequest* request,
                                               v1::VerifyResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto datasets = SelectedBy(*request);
  if (!datasets.ok()) return FinishNow(reactor, datasets.status());
  VerifyRequested verify;
  for (const DatasetConfig* dataset : *datasets) verify.datasets.push_back(dataset->spec.id);
  if (request->histories()) {
    if (const absl::Status askable = CheckHistoryRequest(*request, *datasets); !askable.ok())
      return FinishNow(reactor, askable);
  }
  if (request->sample() < 0) {
    return FinishNow(reactor, absl::InvalidArgumentError(absl::StrCat(
                                  "--sample: expected 1 or more, found ", request->sample())));
  }
  verify.counts_only = request->counts_only();
  verify.histories = request->histories();
  verify.sample = request->sample();
  verify.plan_id = RandomPlanId(clock_->Now());
  constexpr int kHexDigits = 15;
  verify.seed = std::stoull(RandomId().substr(0, kHexDigits), nullptr, 16);
  coordinator_->Verify(std::move(verify), [reactor, response](absl::StatusOr<AnswerVerify> answer) {
    if (answer.ok()) *response = std::move(answer->result);
    reactor->Finish(ToGrpcStatus(answer.status()));
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::CollectGarbage(grpc::CallbackServerContext* context,
                                                       const v1::CollectGarbageRequest* request,
                                                       v1::CollectGarbageResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto datasets = SelectedBy(*request);
  if (!datasets.ok()) return FinishNow(reactor, datasets.status());
  std::set<std::string> tables;
  for (const DatasetConfig* dataset : *datasets) tables.insert(dataset->spec.id.table);
  GarbageRequested garbage;
  garbage.tables.assign(tables.begin(), tables.end());
  garbage.dry_run = request->dry_run();
  coordinator_->Collect(std::move(garbage),
                        [reactor, response](absl::StatusOr<AnswerGarbage> answer) {
                          if (answer.ok()) *response = std::move(answer->result);
                          reactor->Finish(ToGrpcStatus(answer.status()));
                        });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::GetStatus(grpc::CallbackServerContext* context,
                                                  const v1::GetStatusRequest* request,
                                                  v1::GetStatusResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  std::optional<std::set<DatasetId>> wanted;
  if (request->has_selection() && request->selection().ByteSizeLong() > 0) {
    absl::StatusOr<std::vector<const DatasetConfig*>> datasets =
        Resolve(*config_, request->selection());
    if (!datasets.ok()) return FinishNow(reactor, datasets.status());
    wanted.emplace();
    for (const DatasetConfig* dataset : *datasets) wanted->insert(dataset->spec.id);
  }
  coordinator_->GetStatus([this, reactor, response, wanted = std::move(wanted)](
                              absl::StatusOr<v1::GetStatusResponse> answer) {
    if (!answer.ok()) return reactor->Finish(ToGrpcStatus(answer.status()));
    *response = *std::move(answer);
    response->set_ledger_id(coordinator_->ledger_id());
    response->set_live(true);
    response->set_own_worker(own_worker_);
    if (wanted.has_value()) {
      auto* datasets = response->mutable_datasets();
      datasets->erase(
          std::remove_if(datasets->begin(), datasets->end(),
                         [&](const v1::DatasetStatus& status) {
                           return !wanted->contains({.table = status.dataset().table(),
                                                     .server = status.dataset().server()});
                         }),
          datasets->end());
    }
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::Explain(grpc::CallbackServerContext* context,
                                                const v1::ExplainRequest* request,
                                                v1::ExplainResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<std::vector<const DatasetConfig*>> datasets =
      Resolve(*config_, request->selection());
  if (!datasets.ok()) return FinishNow(reactor, datasets.status());
  std::vector<DatasetId> wanted;
  for (const DatasetConfig* dataset : *datasets) wanted.push_back(dataset->spec.id);
  coordinator_->Explain(std::move(wanted), request->id(),
                        [reactor, response](absl::StatusOr<v1::ExplainResponse> answer) {
                          const absl::Status status = answer.status();
                          if (answer.ok()) *response = *std::move(answer);
                          reactor->Finish(ToGrpcStatus(status));
                        });
  return reactor;
}

}  // namespace headwater
