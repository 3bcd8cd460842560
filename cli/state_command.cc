#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/exit_code.h"
#include "cli/ledger_view.h"
#include "cli/one_question.h"
#include "cli/run_session.h"
#include "cli/state_heal.h"
#include "cli/state_show.h"
#include "coordinator/describe.h"

namespace headwater {
namespace {

absl::StatusOr<v1::GetStateResponse> ReadState(const StateOptions& options, const Config& config) {
  ASSIGN_OR_RETURN(const LedgerView view, OpenLedgerView(options.global, config));
  if (view.client != nullptr) {
    v1::GetStateRequest request;
    *request.mutable_selection() = SelectionOf(options.selector);
    return view.client->GetState(request);
  }
  ASSIGN_OR_RETURN(const auto selected, Select(config, options.selector));
  std::vector<DatasetId> datasets;
  for (const DatasetConfig* dataset : selected) datasets.push_back(dataset->spec.id);
  v1::GetStateResponse state = DescribeState(*view.state, datasets);
  state.set_ledger_id(view.ledger_id);
  return state;
}

int ShowState(const StateOptions& options, bool json) {
  const absl::StatusOr<Config> config = LoadFor(options.global, options.selector);
  if (!config.ok()) return Complain(config.status());
  const absl::StatusOr<v1::GetStateResponse> state = ReadState(options, *config);
  if (!state.ok()) return Complain(state.status());
  std::cout << (json ? MessageToJson(*state, "state") + "\n" : StateText(*state));
  return kExitDone;
}

// What `state export` wrote.
absl::Status ReadExport(const std::string& name, v1::ImportState& import) {
  std::ifstream file;
  if (name != "-") file.open(name);
  std::istream& in = name == "-" ? std::cin : file;
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.eof() && !in.good()) return absl::NotFoundError(absl::StrCat("cannot read ", name));
  v1::GetStateResponse state;
  google::protobuf::util::JsonParseOptions parse;
  parse.ignore_unknown_fields = true;  // `schema`.
  const auto parsed = google::protobuf::util::JsonStringToMessage(text, &state, parse);
  if (!parsed.ok() || state.datasets_size() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": expected what `headwater state export` writes; ",
                     parsed.ok() ? "it has no datasets" : std::string(parsed.message())));
  }
  *import.mutable_datasets() = state.datasets();
  return absl::OkStatus();
}

// The selection of an import is what the file has.
absl::Status FillChange(const StateOptions& options, v1::ChangeStateRequest& request,
                        Selector& selector) {
  selector = options.selector;
  if (options.action == StateAction::kReset) {
    request.mutable_reset();
    return absl::OkStatus();
  }
  if (options.action == StateAction::kSet) {
    request.mutable_mark()->mutable_window()->set_from(options.from);
    request.mutable_mark()->mutable_window()->set_to(options.to);
    request.mutable_mark()->set_fresh(options.fresh);
    return absl::OkStatus();
  }
  if (options.selector.patterns.size() != 1) {
    return absl::InvalidArgumentError(
        "state import: expected one FILE that `headwater state export` wrote, or - for stdin");
  }
  selector.patterns.clear();
  RETURN_IF_ERROR(ReadExport(options.selector.patterns.front(), *request.mutable_import()));
  for (const v1::DatasetRecord& dataset : request.import().datasets()) {
    selector.patterns.push_back(
        absl::StrCat(dataset.dataset().server(), "/", dataset.dataset().table()));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ChangeStateResponse> Change(const StateOptions& options) {
  v1::ChangeStateRequest request;
  Selector selector;
  RETURN_IF_ERROR(FillChange(options, request, selector));
  ASSIGN_OR_RETURN(const Config config, LoadFor(options.global, selector));
  request.set_dry_run(true);
  ASSIGN_OR_RETURN(v1::ChangeStateResponse shown,
                   Ask(options.global, selector, config, request, &AdminClient::ChangeState));
  const bool json = options.global.output == OutputFormat::kJson;
  if (!json) std::cout << StateDiff(shown) << std::flush;
  const bool changes = std::any_of(shown.datasets().begin(), shown.datasets().end(),
                                   [](const auto& dataset) { return dataset.changed(); });
  if (!changes) return shown;
  RETURN_IF_ERROR(Confirm("Record this? No table is touched.", options.yes));
  request.set_dry_run(false);
  request.set_basis(shown.basis());
  return Ask(options.global, selector, config, request, &AdminClient::ChangeState);
}

int ChangeState(const StateOptions& options) {
  const absl::StatusOr<v1::ChangeStateResponse> changed = Change(options);
  if (!changed.ok()) return Complain(changed.status());
  if (options.global.output == OutputFormat::kJson)
    std::cout << MessageToJson(*changed, "state_change") << "\n";
  return kExitDone;
}

}  // namespace

int RunStateCommand(const StateOptions& options) {
  switch (options.action) {
    case StateAction::kShow:
      return ShowState(options, options.global.output == OutputFormat::kJson);
    case StateAction::kExport:
      return ShowState(options, true);
    case StateAction::kImport:
    case StateAction::kSet:
    case StateAction::kReset:
      return ChangeState(options);
    case StateAction::kHeal:
      return HealState(options);
  }
  return kExitUsage;
}

}  // namespace headwater
