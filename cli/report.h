// Answers of a coordinator as people read them: at a glance, within 100 columns (long names apart).
// Pure functions; each text ends in '\n'. For JSON use MessageToJson of output.h with the kinds
// "run", "plan", "verify", "gc" and "status".
#ifndef HEADWATER_CLI_REPORT_H_
#define HEADWATER_CLI_REPORT_H_

#include <string>

#include "headwater/v1/admin.pb.h"

namespace headwater {

// The summary of a run that has ended: a line for each dataset, then silent servers, rewritten
// pieces, warnings and problems, then totals and, after a failure, what to type next.
std::string RunReport(const v1::WatchRunResponse& run);

// What a run would do: microbatches and why, dataset by dataset.
std::string PlanReport(const v1::PlanResponse& plan);

// What was compared, and every difference; and then what to type next.
std::string DifferencesReport(const v1::VerifyResponse& result);
std::string VerifyReport(const v1::VerifyResponse& result);

// The same of histories: each that is broken, why, and what a repair does to which of its versions.
std::string HistoriesReport(const v1::VerifyResponse& result);
std::string HistoriesToRepairReport(const v1::VerifyResponse& result);

// What went of each table's garbage, or would go: then file by file and why. And what stays.
std::string CollectionReport(const v1::CollectGarbageResponse& result);

// How far every dataset is, then what is wrong, then workers and live runs.
std::string StatusReport(const v1::GetStatusResponse& status);

// Runs that have ended, a line for each, and what went wrong.
std::string PastRunsReport(const v1::GetHistoryResponse& history);

// Dataset by dataset, what of it is how and why.
std::string ExplainReport(const v1::ExplainResponse& response);

}  // namespace headwater

#endif  // HEADWATER_CLI_REPORT_H_
