// Every command: its options as parsed, and the table by which the command line finds it. A command
// is one function in a file of its own (`validate_command.cc`); it writes data to stdout, talk to
// stderr, and returns an ExitCode.
#ifndef HEADWATER_CLI_COMMANDS_H_
#define HEADWATER_CLI_COMMANDS_H_

#include <optional>
#include <string>
#include <vector>

#include "common/config/selector.h"
#include "headwater/v1/admin.pb.h"

namespace headwater {

enum class OutputFormat { kTable, kJson };
enum class ProgressMode { kAuto, kBar, kPlain, kJson, kOff };

// Accepted before and after the command's name.
struct GlobalOptions {
  std::string config_path = "headwater.yaml";  // -c; else HEADWATER_CONFIG.
  std::string coordinator;            // host:port, or several with commas; empty: the embedded one.
  std::optional<std::string> ledger;  // --ledger, checked; none: as configured.
  OutputFormat output = OutputFormat::kTable;
  ProgressMode progress = ProgressMode::kAuto;
  bool quiet = false;  // Errors only on stderr.
  int workers = 0;     // Worker loops of the embedded cluster; 0: one for each core.
};

struct DemoOptions {
  GlobalOptions global;
  std::string keep;  // Folder for the demo, which stays; empty: a new one among temporary files.
};
struct ValidateOptions {
  GlobalOptions global;
  Selector selector;
};
// What a backfill, or a plan of one, reads and how. As typed; checked when the request is made.
struct WindowOptions {
  std::string from, to;  // ISO, `2013-03`, `-7d`, `now`, or an integer.
  std::string only;      // Empty: as the command has it.
  std::string every;     // A unit; empty: the datasets' own.
  bool newest_first = false;
  int max_active = 0, per_server = 0;  // 0: as many as there is room for.
  std::vector<std::string> columns;
};
struct PlanOptions {
  GlobalOptions global;
  Selector selector;
  WindowOptions window;  // With `from` and `to`: what a backfill would do.
};
struct RunOptions {
  GlobalOptions global;
  Selector selector;
  std::string plan_id;  // Just what this plan said; then without a selector.
  bool force = false;   // Static tables are read whatever their checksums say.
};
struct BackfillOptions {
  GlobalOptions global;
  Selector selector;
  WindowOptions window;  // `from` and `to` are never empty.
  bool dry_run = false;  // Says what it would do, as `plan` does.
};
struct RetryOptions {
  GlobalOptions global;
  std::string run_id;
};
struct StatusOptions {
  GlobalOptions global;
  Selector selector;
  bool watch = false;  // Again every two seconds, until it is interrupted.
};
struct ExplainOptions {
  GlobalOptions global;
  Selector selector;  // One pattern may be a run's, a task's or a fence's instead.
};
struct HistoryCommandOptions {
  GlobalOptions global;
  Selector selector;     // With one: what runs did of these datasets.
  std::string from, to;  // As typed, in UTC; empty: ever, until now.
  int last = 20;
};
struct VerifyOptions {
  GlobalOptions global;
  Selector selector;
  bool counts = false;  // Rows are counted only.
  bool hash = true;     // Their content is compared: so it is, said or not.
  int sample = 0;       // So many pieces of each dataset; 0: all.
  bool scd2 = false;    // Histories are looked at instead, and no source.
};
struct RepairOptions {
  GlobalOptions global;
  Selector selector;
  bool dry_run = false;  // Only says what differs.
  bool scd2 = false;     // Histories are mended instead, and no source is read.
  bool adopt = false;    // Instead: files of other writers are taken over.
  bool yes = false;      // With it: nobody is asked.
};
enum class StateAction { kShow, kExport, kImport, kSet, kReset, kHeal };
struct StateOptions {
  GlobalOptions global;
  StateAction action = StateAction::kShow;
  Selector selector;     // Of kImport the only pattern is a file's name; `-` is stdin.
  std::string from, to;  // kSet: as typed; both or none.
  bool fresh = false;    // kSet: as fresh, not as stale.
  bool yes = false;      // Nobody is asked.
};
struct GcOptions {
  GlobalOptions global;
  Selector selector;
  bool dry_run = false;
};
struct FsckCommandOptions {
  GlobalOptions global;
  Selector selector;
};
struct LedgerCommandOptions {
  GlobalOptions global;
  std::string action;  // "migrate".
  bool yes = false;
};
struct CoordinatorCommandOptions {
  GlobalOptions global;
  std::string listen = "127.0.0.1:7380";
};
struct WorkerCommandOptions {
  GlobalOptions global;  // `coordinator` is never empty.
  std::string name;      // Empty: host name and process id.
  int slots = 2;
};
struct VersionOptions {
  GlobalOptions global;
};

// Implemented in <name>_command.cc.
int RunValidate(const ValidateOptions& options);
int RunVersion(const VersionOptions& options);
int RunPlan(const PlanOptions& options);
int RunRun(const RunOptions& options);
int RunBackfill(const BackfillOptions& options);
int RunRetry(const RetryOptions& options);
int RunStatus(const StatusOptions& options);
int RunExplain(const ExplainOptions& options);
int RunHistory(const HistoryCommandOptions& options);
int RunVerify(const VerifyOptions& options);
int RunRepair(const RepairOptions& options);
int RunStateCommand(const StateOptions& options);
int RunGc(const GcOptions& options);
int RunFsck(const FsckCommandOptions& options);
int RunLedger(const LedgerCommandOptions& options);
int RunCoordinator(const CoordinatorCommandOptions& options);
int RunWorker(const WorkerCommandOptions& options);
int RunDemo(const DemoOptions& options);

// What the command line may start. A null one is unknown to users: neither parsed nor in help.
struct CommandTable {
  int (*demo)(const DemoOptions&) = nullptr;
  int (*validate)(const ValidateOptions&) = nullptr;
  int (*plan)(const PlanOptions&) = nullptr;
  int (*run)(const RunOptions&) = nullptr;
  int (*backfill)(const BackfillOptions&) = nullptr;
  int (*retry)(const RetryOptions&) = nullptr;
  int (*status)(const StatusOptions&) = nullptr;
  int (*explain)(const ExplainOptions&) = nullptr;
  int (*history)(const HistoryCommandOptions&) = nullptr;
  int (*verify)(const VerifyOptions&) = nullptr;
  int (*repair)(const RepairOptions&) = nullptr;
  int (*state)(const StateOptions&) = nullptr;
  int (*gc)(const GcOptions&) = nullptr;
  int (*fsck)(const FsckCommandOptions&) = nullptr;
  int (*ledger)(const LedgerCommandOptions&) = nullptr;
  int (*coordinator)(const CoordinatorCommandOptions&) = nullptr;
  int (*worker)(const WorkerCommandOptions&) = nullptr;
  int (*version)(const VersionOptions&) = nullptr;
};

}  // namespace headwater

#endif  // HEADWATER_CLI_COMMANDS_H_
