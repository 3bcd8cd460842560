#include "worker/source_pool.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

// A server whose URL or session settings were changed is another server.
std::string KeyOf(const ServerSpec& server) {
  return absl::StrCat(server.name, "\n", server.url, "\n", server.timezone, "\n", server.clock_sql,
                      "\n", absl::FormatDuration(server.statement_timeout), "\n",
                      server.transactions_url);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Source>> SourcePool::Get(const ServerSpec& server, int connections) {
  std::unique_ptr<Source> found;
  std::vector<std::unique_ptr<Source>> closing;  // Closed without the lock: it may take a while.
  {
    absl::MutexLock lock(&mutex_);
    std::deque<Idle>& idle = sources_[server.name];
    const auto same = std::find_if(idle.rbegin(), idle.rend(),
                                   [&](const Idle& one) { return one.key == KeyOf(server); });
    if (same != idle.rend()) {
      found = std::move(same->source);
      idle.erase(std::next(same).base());
      --connections;
    }
    for (; connections > 0 && !idle.empty(); --connections) {
      closing.push_back(std::move(idle.front().source));
      idle.pop_front();
    }
    if (idle.empty()) sources_.erase(server.name);
  }
  closing.clear();
  if (found != nullptr) return found;
  return open_(server);
}

void SourcePool::Return(const ServerSpec& server, std::unique_ptr<Source> source) {
  absl::MutexLock lock(&mutex_);
  sources_[server.name].push_back(
      {.key = KeyOf(server), .source = std::move(source), .until = clock_->Now() + idle_});
}

absl::Time SourcePool::CloseIdle() {
  std::vector<std::unique_ptr<Source>> closing;  // As above.
  absl::Time next = absl::InfiniteFuture();
  {
    absl::MutexLock lock(&mutex_);
    const absl::Time now = clock_->Now();
    for (auto it = sources_.begin(); it != sources_.end();) {
      std::deque<Idle>& idle = it->second;
      while (!idle.empty() && idle.front().until <= now) {
        closing.push_back(std::move(idle.front().source));
        idle.pop_front();
      }
      if (!idle.empty()) next = std::min(next, idle.front().until);
      it = idle.empty() ? sources_.erase(it) : std::next(it);
    }
  }
  return next;
}

}  // namespace headwater
