#include "common/config/connection_string.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace headwater {
namespace {

constexpr size_t kNone = absl::string_view::npos;

bool ReferenceAt(absl::string_view text, size_t at) {
  return text[at] == '$' && at + 1 < text.size() && text[at + 1] == '{';
}

// The first of `stops` at or after `at` and before `end`, references skipped; `end` if none.
size_t FindOutside(absl::string_view text, absl::string_view stops, size_t at, size_t end) {
  while (at < end) {
    if (ReferenceAt(text, at)) {
      const size_t close = ReferenceEnd(text, at);
      if (close == kNone) return end;
      at = close;
      continue;
    }
    if (absl::StrContains(stops, text.substr(at, 1))) return at;
    ++at;
  }
  return end;
}

size_t FindLastOutside(absl::string_view text, char stop, size_t at, size_t end) {
  size_t found = end;
  const std::string stops(1, stop);
  for (at = FindOutside(text, stops, at, end); at < end;
       at = FindOutside(text, stops, at + 1, end)) {
    found = at;
  }
  return found;
}

bool AllDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
}

}  // namespace

size_t ReferenceEnd(absl::string_view text, size_t at) {
  int depth = 0;
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i + 1;
  }
  return kNone;
}

bool IsOdbc(absl::string_view url) { return absl::StartsWithIgnoreCase(url, "odbc:"); }

bool IsPostgresUrl(absl::string_view url) {
  return absl::StartsWith(url, "postgresql://") || absl::StartsWith(url, "postgres://");
}

bool IsMariaDbUrl(absl::string_view url) {
  return absl::StartsWith(url, "mariadb://") || absl::StartsWith(url, "mysql://");
}

std::string DriverOf(absl::string_view url) {
  if (IsPostgresUrl(url)) return "postgresql";
  if (IsMariaDbUrl(url)) return "mariadb";
  return IsOdbc(url) ? "odbc" : "";
}

bool HasScheme(absl::string_view url) {
  const size_t colon = url.find("://");
  if (colon == kNone || colon == 0) return false;
  return std::all_of(url.begin(), url.begin() + colon,
                     [](char c) { return absl::ascii_isalnum(c) || c == '+' || c == '-'; });
}

std::vector<Attribute> OdbcAttributes(absl::string_view url) {
  std::vector<Attribute> attributes;
  size_t at = IsOdbc(url) ? 5 : 0;
  while (at < url.size()) {
    const size_t equals = FindOutside(url, "=;", at, url.size());
    if (equals == url.size()) break;
    if (url[equals] == ';') {
      at = equals + 1;
      continue;
    }
    size_t end = equals + 1;
    if (end < url.size() && url[end] == '{') {
      for (++end; end < url.size(); ++end) {
        if (ReferenceAt(url, end)) {
          const size_t close = ReferenceEnd(url, end);
          if (close == kNone) break;
          end = close - 1;
        } else if (url[end] == '}') {
          if (end + 1 == url.size() || url[end + 1] != '}') break;
          ++end;
        }
      }
    }
    end = FindOutside(url, ";", std::min(end, url.size()), url.size());
    attributes.push_back({{at, equals}, {equals + 1, end}});
    at = end + 1;
  }
  return attributes;
}

Span Userinfo(absl::string_view url) {
  if (!HasScheme(url)) return {};
  const size_t start = url.find("://") + 3;
  const size_t query = FindOutside(url, "?#", start, url.size());
  const size_t authority = FindOutside(url, "/?#", start, url.size());
  const size_t in_path = FindLastOutside(url, '@', start, query);
  if (in_path < query) {
    // An '@' in the path of `host:5432/a@b` is no userinfo; in `u:p/w@host` it is.
    const size_t in_authority = FindLastOutside(url, '@', start, authority);
    const size_t colon = FindOutside(url, ":", start, authority);
    const bool port = colon < authority && AllDigits(url.substr(colon + 1, authority - colon - 1));
    if (in_authority < authority) return {start, in_path};
    if (colon == authority || port) return {};
    return {start, in_path};
  }
  const size_t colon = FindOutside(url, ":", start, authority);
  const size_t anywhere = FindLastOutside(url, '@', start, url.size());
  if (colon < authority && anywhere < url.size() &&
      !AllDigits(url.substr(colon + 1, authority - colon - 1))) {
    return {start, anywhere};  // `u:p?w@host`
  }
  return {};
}

std::vector<Attribute> QueryAttributes(absl::string_view url) {
  std::vector<Attribute> attributes;
  if (!HasScheme(url)) return attributes;
  const Span userinfo = Userinfo(url);
  const size_t from = std::max(url.find("://") + 3, userinfo.to);
  const size_t end = FindOutside(url, "#", from, url.size());
  size_t at = FindOutside(url, "?", from, end);
  while (at < end) {
    const size_t start = at + 1;
    const size_t next = FindOutside(url, "&", start, end);
    const size_t equals = FindOutside(url, "=", start, next);
    if (equals < next) attributes.push_back({{start, equals}, {equals + 1, next}});
    at = next;
  }
  return attributes;
}

bool IsSecretKey(absl::string_view key) {
  const std::string lower = absl::AsciiStrToLower(absl::StripAsciiWhitespace(key));
  for (const char* word : {"pwd", "password", "passwd", "passphrase", "secret", "token"}) {
    if (absl::StrContains(lower, word)) return true;
  }
  return false;
}

namespace {

// A value in braces may be settings itself, as psqlODBC's `pqopt={user=bob password=x}`: everything
// behind the first secret key in it, or an empty span.
Span SecretInside(absl::string_view url, const Span& value) {
  if (value.from >= value.to || url[value.from] != '{') return {};
  const size_t end = url[value.to - 1] == '}' ? value.to - 1 : value.to;
  for (size_t at = value.from + 1; at < end; ++at) {
    if (url[at] != '=') continue;
    absl::string_view key = url.substr(value.from + 1, at - value.from - 1);
    key = absl::StripTrailingAsciiWhitespace(key);
    if (const size_t space = key.find_last_of(" ;&\t"); space != absl::string_view::npos) {
      key.remove_prefix(space + 1);
    }
    if (IsSecretKey(key)) return {at + 1, end};
  }
  return {};
}

}  // namespace

std::vector<Span> SecretSpans(absl::string_view url) {
  std::vector<Span> spans;
  if (HasScheme(url)) {
    const Span userinfo = Userinfo(url);
    const size_t colon = FindOutside(url, ":", userinfo.from, userinfo.to);
    if (colon < userinfo.to && colon + 1 < userinfo.to) spans.push_back({colon + 1, userinfo.to});
  }
  for (const Attribute& attribute : IsOdbc(url) ? OdbcAttributes(url) : QueryAttributes(url)) {
    const absl::string_view key =
        url.substr(attribute.key.from, attribute.key.to - attribute.key.from);
    if (IsSecretKey(key) && attribute.value.from < attribute.value.to) {
      spans.push_back(attribute.value);
    } else if (IsOdbc(url)) {
      if (const Span inner = SecretInside(url, attribute.value); inner.from < inner.to) {
        spans.push_back(inner);
      }
    }
  }
  return spans;
}

std::string PercentEncode(absl::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (absl::ascii_isalnum(c) || absl::StrContains("-._~", absl::string_view(&c, 1))) {
      encoded.push_back(c);
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string PercentDecode(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && absl::ascii_isxdigit(text[i + 1]) &&
        absl::ascii_isxdigit(text[i + 2])) {
      decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

std::string OdbcQuote(absl::string_view text) {
  const bool plain = text.find_first_of("[]{}(),;?*=!@") == kNone &&
                     absl::StripAsciiWhitespace(text).size() == text.size();
  if (plain) return std::string(text);
  return absl::StrCat("{", absl::StrReplaceAll(text, {{"}", "}}"}}), "}");
}

std::string OdbcUnquote(absl::string_view value) {
  if (value.size() < 2 || value.front() != '{' || value.back() != '}') return std::string(value);
  return absl::StrReplaceAll(value.substr(1, value.size() - 2), {{"}}", "}"}});
}

}  // namespace headwater
