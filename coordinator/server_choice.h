// Which server is served next, and with what: what dispatch (core_dispatch.cc) goes by.
#ifndef HEADWATER_COORDINATOR_SERVER_CHOICE_H_
#define HEADWATER_COORDINATOR_SERVER_CHOICE_H_

#include <string>

#include "common/model/dataset_spec.h"
#include "coordinator/agenda.h"
#include "coordinator/state/run_state.h"

namespace headwater {

// Which microbatches go first: what a person waits for, then what a schedule asked for, then
// repairs, then backfills.
enum Band { kManual, kIncremental, kRepair, kBackfill, kBands };
inline Band BandOf(const RunState& run) {
  if (run.kind == v1::RUN_KIND_REPAIR) return kRepair;
  if (run.kind == v1::RUN_KIND_BACKFILL) return kBackfill;  // `retry` is what a person waits for.
  return run.by_person ? kManual : kIncremental;
}

// These never take a server's last connection, where there is more than one.
inline bool SparesLast(Band band) { return band == kRepair || band == kBackfill; }

// A server while tasks are handed out. What it once had none of, it has none of until the round
// ends: handing out only takes tasks, connections and credit away.
struct ServerChoice {
  int load = 0;     // Connections of live leases.
  double used = 0;  // ServerGate::Used().
  int cap = 0;      // ServerGate::Limit().
  const std::string* server = nullptr;
  const ServerSpec* spec = nullptr;
  const Agenda::Server* work = nullptr;
  bool no_probe = false;
  bool no_microbatch[kBands] = {};
  bool no_verification = false;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_SERVER_CHOICE_H_
