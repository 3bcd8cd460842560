#include "coordinator/archive_thread.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"

namespace headwater {
namespace {

constexpr size_t kQueueCapacity = 2;  // Above the one effect that the core has under way.

}  // namespace

ArchiveThread::ArchiveThread(PutRuns put, std::function<void(Input)> post)
    : put_(std::move(put)), post_(std::move(post)), work_(kQueueCapacity) {}

ArchiveThread::~ArchiveThread() { Stop(); }

void ArchiveThread::Run(ArchiveRuns effect) {
  if (!thread_.joinable()) thread_ = std::thread([this] { Loop(); });
  (void)work_.TryPush(std::move(effect));
}

void ArchiveThread::Loop() {
  while (std::optional<ArchiveRuns> work = work_.Pop()) {
    absl::Status status = absl::CancelledError("the coordinator is ending");
    if (put_ == nullptr) {
      status = absl::UnimplementedError("nothing is archived here");
    } else if (!interrupted_) {
      status = put_(work->runs);
    }
    if (status.ok()) {
      Log(LogLevel::kInfo, "ended runs archived", {{"runs", absl::StrCat(work->runs.size())}});
    } else if (!absl::IsCancelled(status)) {
      Log(LogLevel::kWarning, "ended runs were not archived; they stay in the ledger",
          {{"why", status.ToString()}});
    }
    post_(RunsWritten{std::move(status)});
  }
}

void ArchiveThread::Stop() {
  Interrupt();
  work_.Close();
  if (thread_.joinable()) thread_.join();
}

}  // namespace headwater
