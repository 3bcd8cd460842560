// References to secrets, their resolution, and the forms of a URL that may be shown. A resolved
// secret is a type that cannot be printed.
//
// A configuration keeps references as text all the way to the worker, which resolves them where it
// connects. Grammar of a reference:
//
//   ${VAR}            an environment variable; unset is an error
//   ${VAR:-x}         x where it is unset or empty
//   ${VAR:?message}   an error with that message where it is unset or empty
//   ${file:/path}     a file's content without its last line end
//   ${cred:name}      a systemd credential: the file `name` in $CREDENTIALS_DIRECTORY
//   $${               the two characters ${
//
// Values are taken as they are: a reference in a value is not expanded again. Where a reference
// stands decides how its value is written, so that no value can change a URL's meaning:
//
//   postgresql://bob:${cred:crm}@host/db    percent-encoded: user, password, and a query's values
//   odbc:...;PWD=${cred:crm};...            in braces when it holds ; { } or the like
//   anywhere else                           as it is
#ifndef HEADWATER_COMMON_CONFIG_SECRET_H_
#define HEADWATER_COMMON_CONFIG_SECRET_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
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

// Expands the references in `text` on this machine.
// INVALID_ARGUMENT: names the reference, never a value; a secret file that others may read is
// refused.
absl::StatusOr<Secret> ResolveReferences(absl::string_view text);

// Checks the grammar of every reference in `text` and resolves none.
absl::Status CheckReferences(absl::string_view text);

// `$${` for each `${` of `text`, so that ResolveReferences gives `text` back.
std::string EscapeReferences(absl::string_view text);

// `url` with `user` and `password` (either may be empty; both may hold references) as its userinfo,
// or as UID= and PWD= of an ODBC connection string. Literal characters are encoded here, referenced
// values when they are resolved.
// INVALID_ARGUMENT: the URL has one of them already, or is a reference as a whole.
absl::StatusOr<std::string> FoldCredentials(absl::string_view url, absl::string_view user,
                                            absl::string_view password);

// Whether `url` holds a password or token written out, as a default of a reference included, where
// only a reference keeps it out of the ledger, of messages on the wire and of backups.
bool HasLiteralSecret(absl::string_view url);

// `message` with `secret`, and every password in it when it is a URL or a connection string (as
// written and decoded), replaced by `***`: fit for people.
std::string Redact(absl::string_view message, const Secret& secret);

// A URL or connection string with `***` for passwords and tokens, fit for messages. Takes resolved
// ones and ones with references. In doubt it hides more.
std::string DisplayUrl(absl::string_view url);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_SECRET_H_
