#include <iostream>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/ledger_view.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/run_session.h"
#include "common/base/status.h"
#include "coordinator/explain.h"

namespace headwater {
namespace {

absl::StatusOr<v1::ExplainResponse> FromLedger(const ClusterState& state, const Config& config,
                                               const Selector& selector, const std::string& id) {
  std::vector<DatasetId> wanted;
  if (!id.empty()) {
    const RunState* run = state.FindRun(id);
    if (run == nullptr) {
      return absl::NotFoundError("no dataset and no run '" + id +
                                 "' is known; tasks are only while a coordinator is running");
    }
    for (const auto& [dataset, demand] : run->demands) wanted.push_back(dataset);
  } else {
    ASSIGN_OR_RETURN(const auto selected, Select(config, selector));
    for (const DatasetConfig* dataset : selected) wanted.push_back(dataset->spec.id);
  }
  v1::ExplainResponse response;
  for (const DatasetId& one : wanted) {
    const DatasetState* dataset = state.FindDataset(one);
    if (dataset != nullptr) Explain(state, *dataset, WithoutCoordinator(), absl::Now(), response);
  }
  return response;
}

absl::StatusOr<v1::ExplainResponse> Answer(const ExplainOptions& options, const Config& config,
                                           const std::string& id) {
  ASSIGN_OR_RETURN(const LedgerView view, OpenLedgerView(options.global, config));
  if (view.client == nullptr) return FromLedger(*view.state, config, options.selector, id);
  v1::ExplainRequest request;
  if (id.empty()) *request.mutable_selection() = SelectionOf(options.selector);
  request.set_id(id);
  return view.client->Explain(request);
}

}  // namespace

int RunExplain(const ExplainOptions& options) {
  const absl::StatusOr<Config> config = LoadConfig(options.global.config_path);
  if (!config.ok()) return Complain(config.status());
  const absl::Status selects = Select(*config, options.selector).status();
  // What names no dataset may name a run, a task or a fence.
  const bool one_word = options.selector.patterns.size() == 1;
  if (!selects.ok() && !one_word) return Complain(selects);
  const absl::StatusOr<v1::ExplainResponse> answer =
      Answer(options, *config, selects.ok() ? "" : options.selector.patterns.front());
  if (!answer.ok()) return Complain(answer.status());
  std::cout << (options.global.output == OutputFormat::kJson
                    ? MessageToJson(*answer, "explain") + "\n"
                    : ExplainReport(*answer));
  return kExitDone;
}

}  // namespace headwater
