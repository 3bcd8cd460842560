#include "cli/confirm.h"

#include <unistd.h>

#include <string>

#include "absl/strings/ascii.h"

namespace headwater {

absl::Status Confirm(absl::string_view question, bool yes, bool terminal, std::istream& in,
                     std::ostream& err) {
  if (yes) return absl::OkStatus();
  if (!terminal) {
    return absl::FailedPreconditionError(
        "nothing has been changed: this is to be confirmed, and stdin is not a terminal; look at "
        "what it would do, then add --yes");
  }
  err << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(in, answer);
  answer = absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  if (answer == "y" || answer == "yes") return absl::OkStatus();
  return absl::CancelledError("nothing has been changed");
}

absl::Status Confirm(absl::string_view question, bool yes) {
  return Confirm(question, yes, isatty(STDIN_FILENO) != 0, std::cin, std::cerr);
}

}  // namespace headwater
