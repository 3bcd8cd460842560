// `state heal`: a new ledger, of what the tables' own logs say.
#ifndef HEADWATER_CLI_STATE_HEAL_H_
#define HEADWATER_CLI_STATE_HEAL_H_

#include "cli/commands.h"

namespace headwater {

int HealState(const StateOptions& options);

}  // namespace headwater

#endif  // HEADWATER_CLI_STATE_HEAL_H_
