#include <unistd.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/local_cluster.h"
#include "cli/run_session.h"
#include "worker/worker.h"

namespace headwater {

int RunWorker(const WorkerCommandOptions& options) {
  absl::StatusOr<std::unique_ptr<Worker>> worker =
      StartWorker({options.global.coordinator, options.name, options.slots});
  if (!worker.ok()) return Complain(worker.status());
  std::cerr << "headwater worker: " << options.slots << " slots, coordinator "
            << options.global.coordinator << "\n";
  {
    const InterruptWatch interrupts([&](int count) {
      if (count > 1) _exit(kExitInterrupted);
      std::cerr << "headwater worker: draining; a second signal ends it at once\n";
      (*worker)->BeginDrain();
    });
    (*worker)->WaitUntilDrained();
  }
  (*worker)->Shutdown();
  return kExitDone;
}

}  // namespace headwater
