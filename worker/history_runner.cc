#include "worker/history_runner.h"

#include <utility>
#include <variant>

#include "worker/guarded_task.h"

namespace headwater {
namespace {

using Result = decltype(Outcome::result);

template <typename Task>
absl::StatusOr<Manifest> Look(const DatasetSpec& dataset, const TaskSpec& spec, const Task& task,
                              const HistoryWork::Function& look, const std::stop_token& stop,
                              const ProgressCallback& progress) {
  if (!task.base.has_value())
    return absl::InternalError("histories are to be looked at, and no files were named");
  HistoryOptions options{dataset, spec.lease, task.cursor_type, task.table_schema, *task.base};
  options.progress = [&](int64_t rows) {
    if (progress) progress(TaskProgress{TaskPhase::kReading, rows, 0});
  };
  return look(options, stop);
}

}  // namespace

Outcome RunHistories(const DatasetSpec& dataset, const TaskSpec& task, const HistoryWork& work,
                     std::stop_token stop, const ProgressCallback& progress) {
  return RunGuarded(dataset, task, stop, [&]() -> Result {
    const auto* microbatch = std::get_if<MicrobatchTask>(&task.kind);
    absl::StatusOr<Manifest> manifest =
        microbatch != nullptr ? Look(dataset, task, *microbatch, work.mend, stop, progress)
                              : Look(dataset, task, std::get<VerificationTask>(task.kind),
                                     work.check, stop, progress);
    if (!manifest.ok()) return Failure{FailureKind::kTask, manifest.status()};
    if (microbatch == nullptr) return Verification{*std::move(manifest)};
    return *std::move(manifest);
  });
}

}  // namespace headwater
