// References to secrets and their resolution. A resolved secret is a type that cannot be printed.
#ifndef HEADWATER_COMMON_CONFIG_SECRET_H_
#define HEADWATER_COMMON_CONFIG_SECRET_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace headwater {

// A value that logs, errors and protos never show: it has no stream operator and no conversion.
class Secret {
 public:
  explicit Secret(std::string value) : value_(std::move(value)) {}
  // The one way out. Call it where the value is handed to a driver, and nowhere else.
  const std::string& Reveal() const { return value_; }

 private:
  std::string value_;
};

// Expands `${VAR}`, `${VAR:-x}`, `${VAR:?message}`, `${file:/path}` and `${cred:name}` in `text`
// (`$${` is a literal `${`). INVALID_ARGUMENT: names the reference, never a value; a secret file
// that others may read is refused.
absl::StatusOr<Secret> ResolveReferences(absl::string_view text);

// `message` with every password of `url` and the values of `secret` replaced by `***`, fit for
// people.
std::string Redact(absl::string_view message, const Secret& secret);

// A URL or connection string without user's password, fit for messages.
std::string DisplayUrl(absl::string_view url);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_SECRET_H_
