// The key `ledger`: where the coordinator keeps its state.
#ifndef HEADWATER_COMMON_CONFIG_LEDGER_CONFIG_H_
#define HEADWATER_COMMON_CONFIG_LEDGER_CONFIG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/config/yaml_reader.h"

namespace headwater {

// `ledger: postgresql://…`, or `{url, user, password}`: the url with references, which the
// coordinator resolves. Empty: a SQLite file beside the configuration.
std::string ReadLedger(MapReader& root, Problems& problems);

// As a flag gives it. INVALID_ARGUMENT: neither `sqlite` (the file beside the configuration, which
// is the empty text here) nor a postgresql:// url, or a password is written out in it. Messages
// never quote it.
absl::StatusOr<std::string> CheckLedgerUrl(absl::string_view url);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_LEDGER_CONFIG_H_
