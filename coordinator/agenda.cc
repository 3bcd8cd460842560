#include "coordinator/agenda.h"

namespace headwater {

void Agenda::Wake(const DatasetId& id) {
  Forget(id);
  servers_[id.server].awake.insert(id);
}

void Agenda::Sleep(const DatasetId& id, absl::Time until) {
  Forget(id);
  servers_[id.server].awake.erase(id);
  if (until == absl::InfiniteFuture()) return;
  hours_.emplace(id, until);
  by_hour_.emplace(until, id);
}

void Agenda::WakeDue(absl::Time now) {
  while (!by_hour_.empty() && by_hour_.begin()->first <= now) {
    Wake(DatasetId(by_hour_.begin()->second));
  }
}

absl::Time Agenda::NextWake() const {
  return by_hour_.empty() ? absl::InfiniteFuture() : by_hour_.begin()->first;
}

void Agenda::Forget(const DatasetId& id) {
  const auto hour = hours_.find(id);
  if (hour == hours_.end()) return;
  by_hour_.erase({hour->second, id});
  hours_.erase(hour);
}

}  // namespace headwater
