#include "worker/source/mariadb/mariadb_url.h"

#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "common/config/connection_string.h"

namespace headwater {
namespace {

constexpr unsigned kMaxPort = 65'535;

absl::Status Refuse(absl::string_view part, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("the url's ", part, ": expected ", expected));
}

absl::StatusOr<bool> Flag(absl::string_view name, absl::string_view value) {
  bool flag = false;
  if (!absl::SimpleAtob(value, &flag)) return Refuse(name, "0 or 1");
  return flag;
}

// What the options ask for, before they are seen together.
struct TlsOptions {
  std::optional<bool> encrypt, verify;
};

absl::Status SetOption(absl::string_view name, const std::string& value, MariaDbTarget& target,
                       TlsOptions& tls) {
  if (name == "socket") {
    target.socket = value;
  } else if (name == "connect-timeout") {
    if (!absl::SimpleAtoi(value, &target.connect_timeout_seconds) ||
        target.connect_timeout_seconds < 1) {
      return Refuse(name, "whole seconds, at least 1");
    }
  } else if (name == "ssl") {
    ASSIGN_OR_RETURN(tls.encrypt, Flag(name, value));
  } else if (name == "ssl-ca") {
    target.ca_file = value;
  } else if (name == "ssl-cert") {
    target.certificate_file = value;
  } else if (name == "ssl-key") {
    target.key_file = value;
  } else if (name == "ssl-verify-server-cert") {
    ASSIGN_OR_RETURN(tls.verify, Flag(name, value));
  } else {
    // The name is not shown: where a password was not encoded, it may be a part of that.
    return Refuse("options",
                  "socket, connect-timeout, ssl, ssl-ca, ssl-cert, ssl-key or "
                  "ssl-verify-server-cert");
  }
  return absl::OkStatus();
}

absl::Status SetTls(const TlsOptions& tls, MariaDbTarget& target) {
  target.verify_certificate = tls.verify.value_or(!target.ca_file.empty());
  const bool implied = target.verify_certificate || !target.ca_file.empty() ||
                       !target.certificate_file.empty() || !target.key_file.empty();
  if (implied && tls.encrypt == false) {
    return Refuse("options", "ssl=1, or no other option of ssl beside ssl=0");
  }
  target.tls = implied || tls.encrypt.value_or(false);
  return absl::OkStatus();
}

// `host`, `host:port`, `[::1]:port`, or nothing.
absl::Status SetHost(absl::string_view text, MariaDbTarget& target) {
  absl::string_view host = text, port;
  if (absl::ConsumePrefix(&host, "[")) {
    const size_t close = host.find(']');
    if (close == absl::string_view::npos) return Refuse("host", "']' behind an IPv6 address");
    port = host.substr(close + 1);
    host = host.substr(0, close);
    if (!port.empty() && !absl::ConsumePrefix(&port, ":")) return Refuse("host", "[address]:port");
  } else if (const size_t colon = host.find(':'); colon != absl::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (!host.empty()) target.host = PercentDecode(host);
  if (port.empty()) return absl::OkStatus();
  if (!absl::SimpleAtoi(port, &target.port) || target.port < 1 || target.port > kMaxPort) {
    return Refuse("port", "a number from 1 to 65535");
  }
  return absl::OkStatus();
}

// QueryAttributes() leaves out what has no value, and `ssl` alone must not pass for `ssl=1`.
absl::Status CheckOptions(absl::string_view url, size_t from) {
  const absl::string_view text = url.substr(0, url.find('#', from));
  const size_t query = text.find('?', from);
  if (query == absl::string_view::npos) return absl::OkStatus();
  for (const absl::string_view option :
       absl::StrSplit(text.substr(query + 1), '&', absl::SkipEmpty())) {
    if (!absl::StrContains(option, '=')) return Refuse("options", "name=value");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MariaDbTarget> ParseMariaDbUrl(absl::string_view url) {
  if (!IsMariaDbUrl(url)) return Refuse("beginning", "mariadb:// or mysql://");
  // The client library takes what ends with NUL.
  if (absl::StrContains(PercentDecode(url), '\0')) return Refuse("parts", "no %00");
  MariaDbTarget target;
  const Span userinfo = Userinfo(url);
  size_t rest = url.find("://") + 3;
  if (userinfo.from < userinfo.to || absl::StartsWith(url.substr(rest), "@")) {
    const absl::string_view both = url.substr(userinfo.from, userinfo.to - userinfo.from);
    const size_t colon = both.find(':');
    target.user = PercentDecode(both.substr(0, colon));
    if (colon != absl::string_view::npos) target.password = PercentDecode(both.substr(colon + 1));
    rest = userinfo.to + 1;
  }
  absl::string_view place = url.substr(rest, url.find_first_of("?#", rest) - rest);
  const size_t slash = place.find('/');
  RETURN_IF_ERROR(SetHost(place.substr(0, slash), target));
  if (slash != absl::string_view::npos) target.database = PercentDecode(place.substr(slash + 1));
  if (target.database.empty()) return Refuse("database", "mariadb://host/database");
  RETURN_IF_ERROR(CheckOptions(url, rest));
  TlsOptions tls;
  for (const Attribute& option : QueryAttributes(url)) {
    const absl::string_view name = url.substr(option.key.from, option.key.to - option.key.from);
    const std::string value =
        PercentDecode(url.substr(option.value.from, option.value.to - option.value.from));
    RETURN_IF_ERROR(SetOption(absl::StrReplaceAll(name, {{"_", "-"}}), value, target, tls));
  }
  RETURN_IF_ERROR(SetTls(tls, target));
  return target;
}

}  // namespace headwater
