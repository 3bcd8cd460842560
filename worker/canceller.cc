#include "worker/canceller.h"

#include <utility>

namespace headwater {

Canceller::Canceller(int thread_count) {
  for (int i = 0; i < thread_count; ++i) threads_.emplace_back([this] { Run(); });
}

Canceller::~Canceller() { End(); }

void Canceller::Request(std::stop_source stop) {
  absl::MutexLock lock(&mutex_);
  if (!ended_) waiting_.push_back(std::move(stop));
}

void Canceller::End() {
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Canceller::Run() {
  while (true) {
    std::stop_source stop(std::nostopstate);
    {
      absl::MutexLock lock(&mutex_, absl::Condition(this, &Canceller::HasWorkOrEnded));
      if (waiting_.empty()) return;
      stop = std::move(waiting_.front());
      waiting_.pop_front();
    }
    stop.request_stop();
  }
}

}  // namespace headwater
