// The question before something is changed that a run would not change by itself.
#ifndef HEADWATER_CLI_CONFIRM_H_
#define HEADWATER_CLI_CONFIRM_H_

#include <iostream>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace headwater {

// OK once a person has said yes, or at once with `yes` (--yes). CANCELLED: they did not.
// FAILED_PRECONDITION: there is nobody to ask (`terminal` is false); says what to do.
absl::Status Confirm(absl::string_view question, bool yes, bool terminal, std::istream& in,
                     std::ostream& err);

// With stdin and stderr.
absl::Status Confirm(absl::string_view question, bool yes);

}  // namespace headwater

#endif  // HEADWATER_CLI_CONFIRM_H_
