// What `state show` tells people, and the difference that `state set`, `reset` and `import` show
// before they ask.
#ifndef HEADWATER_CLI_STATE_SHOW_H_
#define HEADWATER_CLI_STATE_SHOW_H_

#include <string>

#include "headwater/v1/admin.pb.h"

namespace headwater {

std::string StateText(const v1::GetStateResponse& state);

// Per dataset what it is (-) and what it would be (+), where the two differ.
std::string StateDiff(const v1::ChangeStateResponse& changes);

}  // namespace headwater

#endif  // HEADWATER_CLI_STATE_SHOW_H_
