// The binary `headwater`: the table of its commands, and nothing else.
#include <iostream>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "worker/registry.h"

// What jemalloc, where it is linked, starts with: freed pages are kept for a minute and not ten
// seconds or less, since a load that frees a block is about to ask for the next one.
extern "C" {
extern const char* const malloc_conf;
const char* const malloc_conf = "dirty_decay_ms:60000,muzzy_decay_ms:60000";
}

int main(int argc, char** argv) {
  headwater::PrepareSources();
  headwater::BlockInterrupts();
  headwater::CommandTable commands;
  commands.validate = &headwater::RunValidate;
  commands.version = &headwater::RunVersion;
  commands.demo = &headwater::RunDemo;
  commands.plan = &headwater::RunPlan;
  commands.run = &headwater::RunRun;
  commands.backfill = &headwater::RunBackfill;
  commands.retry = &headwater::RunRetry;
  commands.status = &headwater::RunStatus;
  commands.explain = &headwater::RunExplain;
  commands.history = &headwater::RunHistory;
  commands.verify = &headwater::RunVerify;
  commands.repair = &headwater::RunRepair;
  commands.state = &headwater::RunStateCommand;
  commands.gc = &headwater::RunGc;
  commands.fsck = &headwater::RunFsck;
  commands.ledger = &headwater::RunLedger;
  commands.coordinator = &headwater::RunCoordinator;
  commands.worker = &headwater::RunWorker;
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return headwater::RunCommandLine(arguments, commands, std::cout, std::cerr);
}
