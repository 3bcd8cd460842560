#include "worker/source_pool.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

// A server whose URL or session settings were changed is another server.
std::string KeyOf(const ServerSpec& server) {
  return absl::StrCat(server.name, "\n", server.url, "\n", server.timezone, "\n", server.clock_sql,
                      "\n", absl::FormatDuration(server.statement_timeout));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Source>> SourcePool::Get(const ServerSpec& server) {
  {
    absl::MutexLock lock(&mutex_);
    auto end = sources_.upper_bound(KeyOf(server));
    if (end != sources_.begin() && std::prev(end)->first == KeyOf(server)) {
      auto last = std::prev(end);
      std::unique_ptr<Source> source = std::move(last->second.source);
      sources_.erase(last);
      return source;
    }
  }
  return open_(server);
}

void SourcePool::Return(const ServerSpec& server, std::unique_ptr<Source> source) {
  absl::MutexLock lock(&mutex_);
  sources_.emplace(KeyOf(server),
                   Idle{.source = std::move(source), .until = clock_->Now() + idle_});
}

absl::Time SourcePool::CloseIdle() {
  std::vector<std::unique_ptr<Source>> closing;  // Closed without the lock: it may take a while.
  absl::Time next = absl::InfiniteFuture();
  {
    absl::MutexLock lock(&mutex_);
    const absl::Time now = clock_->Now();
    for (auto it = sources_.begin(); it != sources_.end();) {
      if (it->second.until <= now) {
        closing.push_back(std::move(it->second.source));
        it = sources_.erase(it);
      } else {
        next = std::min(next, it->second.until);
        ++it;
      }
    }
  }
  return next;
}

}  // namespace headwater
