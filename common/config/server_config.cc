#include "common/config/server_config.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/config/connection_string.h"
#include "common/config/secret.h"

namespace headwater {
namespace {

// The keys of a server, a fleet, or a member, as far as they are given.
struct Keys {
  Setting<std::string> url, user, password, timezone, clock, transactions_from;
  Setting<int64_t> max_connections, max_tasks_per_minute;
  Setting<absl::Duration> silent_after, statement_timeout;
  Setting<std::vector<std::string>> quiet_windows;
  TableSettings defaults;
};

template <typename T>
void Put(Setting<T>& setting, MapReader& map, absl::string_view key, std::optional<T> value) {
  if (value.has_value()) setting = {std::move(value), map.PlaceOf(key)};
}

Keys ReadKeys(MapReader& map, Problems& problems) {
  Keys keys;
  Put(keys.url, map, "url", map.Text("url"));
  Put(keys.user, map, "user", map.Text("user"));
  Put(keys.password, map, "password", map.Text("password"));
  Put(keys.timezone, map, "timezone", map.Text("timezone"));
  Put(keys.clock, map, "clock", map.Text("clock"));
  Put(keys.transactions_from, map, "transactions_from", map.Text("transactions_from"));
  Put(keys.max_connections, map, "max_connections", map.Integer("max_connections", 1, 1000));
  Put(keys.max_tasks_per_minute, map, "max_tasks_per_minute",
      map.Integer("max_tasks_per_minute", 1, 1'000'000));
  Put(keys.quiet_windows, map, "quiet_windows", map.TextList("quiet_windows"));
  Put(keys.silent_after, map, "silent_after", map.Duration("silent_after"));
  Put(keys.statement_timeout, map, "statement_timeout", map.Duration("statement_timeout"));
  keys.defaults = ReadDefaults(map, problems);
  map.Later({"query_tag", "read_intent", "driver", "tls"});
  return keys;
}

template <typename T>
void Take(Setting<T>& mine, const Setting<T>& nearer) {
  if (nearer.has()) mine = nearer;
}

Keys Overlay(Keys keys, const Keys& nearer) {
  Take(keys.url, nearer.url);
  Take(keys.user, nearer.user);
  Take(keys.password, nearer.password);
  Take(keys.timezone, nearer.timezone);
  Take(keys.clock, nearer.clock);
  Take(keys.transactions_from, nearer.transactions_from);
  Take(keys.max_connections, nearer.max_connections);
  Take(keys.max_tasks_per_minute, nearer.max_tasks_per_minute);
  Take(keys.quiet_windows, nearer.quiet_windows);
  Take(keys.silent_after, nearer.silent_after);
  Take(keys.statement_timeout, nearer.statement_timeout);
  keys.defaults.Overlay(nearer.defaults);
  return keys;
}

bool IsServerName(absl::string_view name) {
  return !name.empty() && name.size() <= 100 && absl::ascii_isalnum(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
         });
}

// Messages of this function never quote the url: it may hold a password.
bool CheckUrl(const std::string& url, const Place& place, Problems& problems) {
  if (absl::Status status = CheckReferences(url); !status.ok()) {
    problems.Add(place, absl::StrCat("'url': ", status.message()));
    return false;
  }
  if (absl::StartsWith(url, "${") || IsOdbc(url) || IsPostgresUrl(url) || IsMariaDbUrl(url)) {
    return true;
  }
  const std::string scheme = HasScheme(url) ? url.substr(0, url.find("://") + 3) : "";
  problems.Add(place,
               scheme.empty()
                   ? "'url': expected postgresql://host/database, mariadb://host/database or "
                     "odbc:Driver=...;..."
                   : absl::StrCat("'url': ", scheme,
                                  " is not in this version; expected postgresql://, mariadb:// or "
                                  "odbc:Driver=...;..."));
  return false;
}

class ServerReader {
 public:
  ServerReader(const std::string& config_dir, const std::string& timezone, ServerSet& set,
               Problems& problems)
      : config_dir_(EscapeReferences(config_dir)),
        timezone_(timezone),
        set_(set),
        problems_(problems) {}

  void ReadServer(const YamlNode::Entry& entry) {
    MapReader map(entry.value, absl::StrCat("server '", entry.key, "'"), problems_);
    const Keys keys = ReadKeys(map, problems_);
    map.Finish();
    Add(entry.key, entry.place, "", keys);
  }

  void ReadFleet(const YamlNode::Entry& entry) {
    MapReader map(entry.value, absl::StrCat("fleet '", entry.key, "'"), problems_);
    const Keys keys = ReadKeys(map, problems_);
    const YamlNode* members = map.Child("members");
    map.Finish();
    if (set_.servers.contains(entry.key)) {
      problems_.Add(entry.place,
                    absl::StrCat("'", entry.key, "' is a server already, at ",
                                 ToString(set_.servers[entry.key].place), "; rename one"));
    }
    std::vector<std::string>& names = set_.fleets[entry.key];
    if (members == nullptr || members->kind != YamlNode::Kind::kList || members->items.empty()) {
      problems_.Add(
          members == nullptr ? entry.place : members->place,
          absl::StrCat("fleet '", entry.key, "': 'members' expected, a list such as [p1, p2]"));
      return;
    }
    for (const YamlNode& member : members->items) {
      if (member.kind == YamlNode::Kind::kScalar) {
        if (Add(member.scalar, member.place, entry.key, keys)) names.push_back(member.scalar);
        continue;
      }
      MapReader own(member, absl::StrCat("member of fleet '", entry.key, "'"), problems_);
      const std::optional<std::string> name = own.Text("name");
      const Keys nearer = ReadKeys(own, problems_);
      own.Finish();
      if (!name.has_value()) {
        problems_.Add(member.place,
                      absl::StrCat("member of fleet '", entry.key, "': 'name' is missing"));
      } else if (Add(*name, member.place, entry.key, Overlay(keys, nearer))) {
        names.push_back(*name);
      }
    }
  }

  // Once all are known: gives each replica the url of the server that it follows.
  void FollowPrimaries() {
    for (const auto& [name, place] : followers_) {
      ServerSpec& replica = set_.servers.at(name).spec;
      const auto primary = set_.servers.find(replica.transactions_from);
      const std::string what = absl::StrCat("server '", name, "': 'transactions_from': ");
      if (primary == set_.servers.end()) {
        problems_.Add(place, absl::StrCat(what, "no server '", replica.transactions_from,
                                          "'; name the server that it follows"));
      } else if (primary->first == name) {
        problems_.Add(place, absl::StrCat(what,
                                          "expected the server that it follows, found the "
                                          "server itself"));
      } else if (DriverOf(primary->second.spec.url) != DriverOf(replica.url)) {
        problems_.Add(place, absl::StrCat(what, "'", primary->first,
                                          "' is read with another driver; a replica and the server "
                                          "that it follows are of one kind"));
      } else {
        replica.transactions_url = primary->second.spec.url;
      }
    }
  }

 private:
  std::string Expand(const std::string& text, const std::string& member) const {
    return absl::StrReplaceAll(text, {{"{member}", member}, {"{config_dir}", config_dir_}});
  }

  bool Add(const std::string& name, const Place& place, const std::string& fleet,
           const Keys& keys) {
    if (!IsServerName(name)) {
      problems_.Add(place, absl::StrCat("'", name,
                                        "' is no server's name; expected letters, "
                                        "digits, '_', '-' and '.'"));
      return false;
    }
    if (const auto same = set_.servers.find(name); same != set_.servers.end()) {
      problems_.Add(place, absl::StrCat("server '", name, "' stands here and at ",
                                        ToString(same->second.place), "; remove one"));
      return false;
    }
    ServerConfig server;
    server.place = place;
    server.defaults = keys.defaults;
    server.spec.name = name;
    server.spec.fleet = fleet;
    server.spec.timezone = keys.timezone.Or(timezone_);
    if (keys.timezone.has()) CheckZone(*keys.timezone.value, keys.timezone.place, problems_);
    server.spec.clock_sql = Expand(keys.clock.Or(""), name);
    server.spec.max_connections = static_cast<int>(keys.max_connections.Or(4));
    server.spec.max_tasks_per_minute = static_cast<int>(keys.max_tasks_per_minute.Or(0));
    SetQuietWindows(keys, server.spec);
    server.spec.silent_after = keys.silent_after.Or(absl::InfiniteDuration());
    SetStatementTimeout(keys, server.spec);
    SetUrl(name, place, keys, server.spec);
    if (keys.transactions_from.has()) {
      server.spec.transactions_from = Expand(*keys.transactions_from.value, name);
      followers_.emplace_back(name, keys.transactions_from.place);
    }
    set_.servers.emplace(name, std::move(server));
    return true;
  }

  void SetQuietWindows(const Keys& keys, ServerSpec& spec) {
    if (!keys.quiet_windows.has()) return;
    for (const std::string& text : *keys.quiet_windows.value) {
      const absl::StatusOr<QuietWindow> window = ParseQuietWindow(text);
      if (window.ok()) {
        spec.quiet_windows.push_back(*window);
      } else {
        problems_.Add(keys.quiet_windows.place,
                      absl::StrCat("'quiet_windows': ", window.status().message()));
      }
    }
    if (LeaveRoom(spec.quiet_windows)) return;
    problems_.Add(keys.quiet_windows.place,
                  "'quiet_windows': they leave no minute of the week; nothing would ever be read");
  }

  void SetStatementTimeout(const Keys& keys, ServerSpec& spec) {
    spec.statement_timeout = keys.statement_timeout.Or(absl::InfiniteDuration());
    // Zero would mean "none" to a server.
    if (spec.statement_timeout >= absl::Milliseconds(1)) return;
    problems_.Add(keys.statement_timeout.place,
                  "'statement_timeout': expected at least 1ms; leave it out for none");
  }

  void SetUrl(const std::string& name, const Place& place, const Keys& keys, ServerSpec& spec) {
    if (!keys.url.has()) {
      problems_.Add(place, absl::StrCat("server '", name, "': 'url' is missing"));
      return;
    }
    const std::string url = Expand(*keys.url.value, name);
    if (!CheckUrl(url, keys.url.place, problems_)) return;
    absl::StatusOr<std::string> folded =
        FoldCredentials(url, Expand(keys.user.Or(""), name), Expand(keys.password.Or(""), name));
    absl::Status status = folded.ok() ? CheckReferences(*folded) : folded.status();
    if (!status.ok()) {
      problems_.Add(keys.password.has() ? keys.password.place : keys.user.place,
                    absl::StrCat("server '", name, "': ", status.message()));
      return;
    }
    if (HasLiteralSecret(*folded)) {
      problems_.Add(keys.password.has() ? keys.password.place : keys.url.place,
                    absl::StrCat("server '", name,
                                 "': a password is written out here; write a reference that the "
                                 "worker resolves: ${VAR}, ${file:/path} or ${cred:name}"));
      return;
    }
    spec.url = *std::move(folded);
  }

  const std::string config_dir_;
  const std::string& timezone_;
  std::vector<std::pair<std::string, Place>> followers_;  // Servers with `transactions_from`.
  ServerSet& set_;
  Problems& problems_;
};

}  // namespace

std::vector<const ServerConfig*> ServerSet::Named(const std::string& name) const {
  std::vector<const ServerConfig*> named;
  if (const auto server = servers.find(name); server != servers.end()) {
    named.push_back(&server->second);
  } else if (const auto fleet = fleets.find(name); fleet != fleets.end()) {
    for (const std::string& member : fleet->second) named.push_back(&servers.at(member));
  }
  return named;
}

std::vector<std::string> ServerSet::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, fleet] : fleets) names.push_back(name);
  for (const auto& [name, server] : servers) names.push_back(name);
  return names;
}

ServerSet ReadServers(MapReader& root, const std::string& config_dir, const std::string& timezone,
                      Problems& problems) {
  ServerSet set;
  ServerReader reader(config_dir, timezone, set, problems);
  for (const char* key : {"servers", "fleets"}) {
    const YamlNode* node = root.Child(key);
    if (node == nullptr) continue;
    if (node->kind != YamlNode::Kind::kMap) {
      problems.Add(node->place,
                   absl::StrCat("'", key, "': expected a map of names, found ", KindName(*node)));
      continue;
    }
    for (const YamlNode::Entry& entry : node->entries) {
      if (absl::string_view(key) == "servers") {
        reader.ReadServer(entry);
      } else {
        reader.ReadFleet(entry);
      }
    }
  }
  reader.FollowPrimaries();
  return set;
}

}  // namespace headwater
