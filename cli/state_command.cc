#include "cli/commands.h"
#include "cli/run_session.h"
#include "cli/state_heal.h"

namespace headwater {

int RunStateCommand(const StateOptions& options) {
  switch (options.action) {
    case StateAction::kHeal:
      return HealState(options);
    default:
      return Complain(absl::UnimplementedError("not in this version"));
  }
}

}  // namespace headwater
