#include "common/config/ledger_config.h"

#include <optional>

#include "absl/strings/match.h"
#include "common/base/status.h"
#include "common/config/connection_string.h"
#include "common/config/secret.h"

namespace headwater {
namespace {

struct LedgerKeys {
  std::string url, user, password;
  Place place;
};

LedgerKeys ReadKeys(const YamlNode& node, Problems& problems) {
  if (node.kind == YamlNode::Kind::kScalar) return {node.scalar, "", "", node.place};
  MapReader map(node, "ledger", problems);
  LedgerKeys keys = {map.Text("url").value_or(""), map.Text("user").value_or(""),
                     map.Text("password").value_or(""), map.PlaceOf("url")};
  if (!map.Has("url")) problems.Add(map.place(), "ledger: 'url' is missing");
  map.Finish();
  return keys;
}

}  // namespace

absl::StatusOr<std::string> CheckLedgerUrl(absl::string_view url) {
  if (url == "sqlite") return "";
  RETURN_IF_ERROR(CheckReferences(url));
  if (!IsPostgresUrl(url) && !absl::StartsWith(url, "${")) {
    return absl::InvalidArgumentError(
        "the ledger: expected postgresql://host/database, or sqlite for the file beside the "
        "configuration");
  }
  if (HasLiteralSecret(url)) {
    return absl::InvalidArgumentError(
        "the ledger: a password is written out here; write a reference that the coordinator "
        "resolves: ${VAR}, ${file:/path} or ${cred:name}, or set PGPASSFILE");
  }
  return std::string(url);
}

std::string ReadLedger(MapReader& root, Problems& problems) {
  const YamlNode* node = root.Child("ledger");
  if (node == nullptr) return "";
  const LedgerKeys keys = ReadKeys(*node, problems);
  if (keys.url.empty()) return "";
  absl::StatusOr<std::string> folded = keys.url;
  if (!keys.user.empty() || !keys.password.empty())
    folded = FoldCredentials(keys.url, keys.user, keys.password);
  absl::StatusOr<std::string> checked = folded.ok() ? CheckLedgerUrl(*folded) : folded.status();
  if (checked.ok()) return *std::move(checked);
  problems.Add(keys.place, checked.status().message());
  return "";
}

}  // namespace headwater
