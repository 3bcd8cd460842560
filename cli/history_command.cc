#include <iostream>
#include <set>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/ledger_lock.h"
#include "cli/ledger_view.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/run_session.h"
#include "common/base/status.h"
#include "common/data/instant.h"
#include "common/storage/local_store.h"
#include "coordinator/history/run_archive.h"
#include "coordinator/run_query.h"

namespace headwater {
namespace {

absl::StatusOr<v1::GetHistoryRequest> RequestOf(const HistoryCommandOptions& options,
                                                absl::Time now) {
  v1::GetHistoryRequest request;
  const auto set = [&](const std::string& text, auto* at) -> absl::Status {
    ASSIGN_OR_RETURN(const absl::Time time, ParseInstant(text, now, absl::UTCTimeZone()));
    *at = ToTimestamp(time);
    return absl::OkStatus();
  };
  if (!options.from.empty())
    RETURN_IF_ERROR(Annotate(set(options.from, request.mutable_from()), "--from"));
  if (!options.to.empty()) RETURN_IF_ERROR(Annotate(set(options.to, request.mutable_to()), "--to"));
  request.set_limit(options.last);
  return request;
}

absl::StatusOr<v1::GetHistoryResponse> History(const HistoryCommandOptions& options,
                                               const Config& config) {
  ASSIGN_OR_RETURN(v1::GetHistoryRequest request, RequestOf(options, absl::Now()));
  ASSIGN_OR_RETURN(RunQuery query, QueryOf(request));
  const v1::Selection selection = SelectionOf(options.selector);
  ASSIGN_OR_RETURN(const LedgerView view, OpenLedgerView(options.global, config));
  if (view.client != nullptr) {
    *request.mutable_selection() = selection;
    return view.client->GetHistory(request);
  }
  if (selection.ByteSizeLong() > 0) {  // Else of datasets that are not configured any more, too.
    ASSIGN_OR_RETURN(const auto datasets, Select(config, options.selector));
    query.datasets.emplace();
    for (const DatasetConfig* dataset : datasets) query.datasets->insert(dataset->spec.id);
  }
  v1::GetHistoryResponse history = FindEndedRuns(*view.state, query);
  RunArchive(OpenLocalStore(HistoryFolder(config.directory))).AddTo(query, history);
  return history;
}

}  // namespace

int RunHistory(const HistoryCommandOptions& options) {
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  const absl::StatusOr<v1::GetHistoryResponse> history = History(options, *config);
  if (!history.ok()) return Complain(history.status());
  std::cout << (options.global.output == OutputFormat::kJson
                    ? MessageToJson(*history, "history") + "\n"
                    : PastRunsReport(*history));
  return kExitDone;
}

}  // namespace headwater
