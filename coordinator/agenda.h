// Which datasets dispatch has to look at, so that a step costs what changed and not what exists.
#ifndef HEADWATER_COORDINATOR_AGENDA_H_
#define HEADWATER_COORDINATOR_AGENDA_H_

#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "common/model/dataset_spec.h"

namespace headwater {

// A dataset is awake while a microbatch of it may be claimable. Dispatch puts it to sleep when it
// finds none; whatever changes the dataset wakes it, or time does. Thread-compatible.
class Agenda {
 public:
  struct Server {
    std::set<DatasetId> probes;  // Somebody waits for a probe of these, or did.
    std::set<DatasetId> awake;
    bool empty() const { return probes.empty() && awake.empty(); }
  };

  // By server, also those with nothing left; an entry lives as long as the agenda.
  const std::map<std::string, Server>& servers() const { return servers_; }
  // Gives a server its entry, which it may have nothing in.
  void Know(const std::string& server) { servers_.try_emplace(server); }

  void WantProbe(const DatasetId& id) { servers_[id.server].probes.insert(id); }
  void DropProbe(const DatasetId& id) { servers_[id.server].probes.erase(id); }

  void Wake(const DatasetId& id);
  // Until Wake(), or until WakeDue() at `until` or later. InfiniteFuture: time alone does not help.
  void Sleep(const DatasetId& id, absl::Time until);
  void WakeDue(absl::Time now);

  // When WakeDue() has something to do; InfiniteFuture: never.
  absl::Time NextWake() const;

 private:
  void Forget(const DatasetId& id);  // Its hour.

  std::map<std::string, Server> servers_;
  std::map<DatasetId, absl::Time> hours_;               // Of sleepers that time wakes.
  std::set<std::pair<absl::Time, DatasetId>> by_hour_;  // The same, the first one first.
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_AGENDA_H_
