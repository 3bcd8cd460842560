#include "coordinator/garbage_thread.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr size_t kQueueCapacity = 16;  // Above the one effect that the core has under way.

}  // namespace

GarbageThread::GarbageThread(GarbageCollectorFactory* factory,
                             std::function<TableLocation(const std::string&)> locate,
                             std::function<void(Input)> post)
    : factory_(factory),
      locate_(std::move(locate)),
      post_(std::move(post)),
      work_(kQueueCapacity) {}

GarbageThread::~GarbageThread() { Stop(); }

void GarbageThread::Run(CollectGarbage effect) {
  if (!thread_.joinable()) thread_ = std::thread([this] { Loop(); });
  TableLocation location = locate_(effect.table);
  (void)work_.TryPush({std::move(location), std::move(effect)});
}

GarbageReport GarbageThread::Collect(const Work& work) {
  GarbageReport report;
  report.status = [&]() -> absl::Status {
    if (stop_.stop_requested()) return absl::CancelledError("the coordinator is ending");
    if (factory_ == nullptr) return absl::UnimplementedError("nothing is collected here");
    ASSIGN_OR_RETURN(const std::unique_ptr<GarbageCollector> collector,
                     factory_->Open(work.location));
    report = collector->Collect(work.effect.request, stop_.get_token());
    return report.status;
  }();
  return report;
}

void GarbageThread::Loop() {
  while (std::optional<Work> work = work_.Pop()) {
    GarbageCollected answer{work->effect.table, work->effect.call, work->effect.request.dry_run,
                            Collect(*work)};
    const GarbageReport& report = answer.report;
    if (!report.status.ok() && !absl::IsCancelled(report.status)) {
      Log(LogLevel::kWarning, "garbage of a table was not collected",
          {{"table", answer.table}, {"why", report.status.ToString()}});
    }
    for (const std::string& problem : report.problems) {
      Log(LogLevel::kWarning, "some garbage of a table stays",
          {{"table", answer.table}, {"why", problem}});
    }
    if (!answer.dry_run && report.files + report.log_entries > 0) {
      Log(LogLevel::kInfo, "garbage collected",
          {{"table", answer.table},
           {"files", absl::StrCat(report.files)},
           {"bytes", absl::StrCat(report.bytes)},
           {"log_entries", absl::StrCat(report.log_entries)}});
    }
    post_(std::move(answer));
  }
}

void GarbageThread::Stop() {
  Interrupt();
  work_.Close();
  if (thread_.joinable()) thread_.join();
}

}  // namespace headwater
