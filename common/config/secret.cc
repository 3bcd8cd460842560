#include "common/config/secret.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "common/config/connection_string.h"

namespace headwater {
namespace {

constexpr char kHidden[] = "***";
constexpr size_t kMaxSecretBytes = 64 * 1024;  // Keys and certificates are far smaller.

absl::Status Refuse(absl::string_view reference, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("${", reference, "}: ", why));
}

absl::StatusOr<std::string> ReadSecretFile(const std::string& path, absl::string_view reference) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return Refuse(reference, "no such file");
  if (!S_ISREG(info.st_mode)) return Refuse(reference, "not a regular file");
  if ((info.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return Refuse(reference,
                  absl::StrCat("others may read or write that file; run: chmod o-rw ", path));
  }
  std::ifstream file(path, std::ios::binary);
  std::string value(std::istreambuf_iterator<char>(file), {});
  if (!file.good() && !file.eof()) return Refuse(reference, "cannot be read");
  if (value.size() > kMaxSecretBytes) return Refuse(reference, "larger than 64 KiB");
  if (absl::EndsWith(value, "\n")) value.pop_back();
  if (absl::EndsWith(value, "\r")) value.pop_back();
  return value;
}

bool IsName(absl::string_view text) {
  if (text.empty() || absl::ascii_isdigit(text[0])) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

// A reference taken apart. The default or message of a variable may itself be a secret.
struct Reference {
  enum class Kind { kVariable, kFile, kCredential } kind = Kind::kVariable;
  std::string name;
  std::string shown;   // For messages: without a default.
  char otherwise = 0;  // '-' or '?' of `:-` and `:?`.
  std::string word;
};

absl::StatusOr<Reference> ParseReference(absl::string_view body) {
  Reference reference;
  if (absl::StartsWith(body, "file:")) {
    reference.kind = Reference::Kind::kFile;
    reference.name = std::string(body.substr(5));
    reference.shown = std::string(body);
    if (!absl::StartsWith(reference.name, "/")) {
      return Refuse(body, "expected an absolute path, as in ${file:/run/secrets/crm}");
    }
    return reference;
  }
  if (absl::StartsWith(body, "cred:")) {
    reference.kind = Reference::Kind::kCredential;
    reference.name = std::string(body.substr(5));
    reference.shown = std::string(body);
    if (reference.name.empty() || reference.name[0] == '.' ||
        absl::StrContains(reference.name, "/")) {
      return Refuse(body, "expected the name of a credential, as in ${cred:crm}");
    }
    return reference;
  }
  const size_t colon = body.find(':');
  reference.name = std::string(body.substr(0, colon));
  reference.shown = reference.name;
  if (!IsName(reference.name)) {
    return absl::InvalidArgumentError(
        "not a reference: expected ${VAR}, ${VAR:-x}, ${VAR:?message}, ${file:/path} or "
        "${cred:name} (write $${ for a literal ${)");
  }
  if (colon == absl::string_view::npos) return reference;
  const absl::string_view rest = body.substr(colon + 1);
  if (rest.empty() || (rest[0] != '-' && rest[0] != '?')) {
    return Refuse(reference.name, "expected ':-' and a default or ':?' and a message after it");
  }
  reference.otherwise = rest[0];
  reference.word = std::string(rest.substr(1));
  return reference;
}

absl::StatusOr<std::string> ValueOf(const Reference& reference) {
  if (reference.kind == Reference::Kind::kFile) {
    return ReadSecretFile(reference.name, reference.shown);
  }
  if (reference.kind == Reference::Kind::kCredential) {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr) {
      return Refuse(reference.shown,
                    "CREDENTIALS_DIRECTORY is not set; systemd sets it for LoadCredential=");
    }
    return ReadSecretFile(absl::StrCat(folder, "/", reference.name), reference.shown);
  }
  const char* value = std::getenv(reference.name.c_str());
  if (value != nullptr && (*value != '\0' || reference.otherwise == 0)) return std::string(value);
  if (reference.otherwise == '-') return reference.word;
  if (reference.otherwise == '?' && !reference.word.empty()) {
    return Refuse(reference.shown, reference.word);
  }
  return Refuse(reference.shown, "the environment variable is not set");
}

// Copies `text`; each reference is replaced by what `value_of` gives for it and where it begins.
absl::StatusOr<std::string> Expand(
    absl::string_view text,
    const std::function<absl::StatusOr<std::string>(const Reference&, Span)>& value_of) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    if (absl::StartsWith(text.substr(i), "$${")) {
      result += "${";
      i += 3;
      continue;
    }
    if (!absl::StartsWith(text.substr(i), "${")) {
      result.push_back(text[i++]);
      continue;
    }
    const size_t end = ReferenceEnd(text, i);
    if (end == absl::string_view::npos) {
      return absl::InvalidArgumentError("a reference '${' is not closed by '}'");
    }
    ASSIGN_OR_RETURN(Reference reference, ParseReference(text.substr(i + 2, end - i - 3)));
    ASSIGN_OR_RETURN(std::string value, value_of(reference, (Span{i, end})));
    result += value;
    i = end;
  }
  return result;
}

bool Inside(const Span& outer, const Span& inner) {
  return outer.from <= inner.from && inner.to <= outer.to;
}

// How a value is written where `at` lies in `text`.
std::string Encoded(absl::string_view text, const Span& at, const std::string& value) {
  if (IsOdbc(text)) {
    for (const Attribute& attribute : OdbcAttributes(text)) {
      if (!Inside(attribute.value, at)) continue;
      if (attribute.value == at) return OdbcQuote(value);
      const bool braced = text[attribute.value.from] == '{';
      return braced ? absl::StrReplaceAll(value, {{"}", "}}"}}) : value;
    }
    return value;
  }
  if (!HasScheme(text)) return value;
  if (Inside(Userinfo(text), at)) return PercentEncode(value);
  for (const Attribute& attribute : QueryAttributes(text)) {
    if (Inside(attribute.value, at)) return PercentEncode(value);
  }
  return value;
}

// `text` with literal parts encoded by `encode` and references kept.
absl::StatusOr<std::string> EncodeLiterals(
    absl::string_view text, const std::function<std::string(absl::string_view)>& encode) {
  std::string result;
  std::string literal;
  for (size_t i = 0; i < text.size();) {
    if (absl::StartsWith(text.substr(i), "$${")) {
      literal += "${";
      i += 3;
    } else if (absl::StartsWith(text.substr(i), "${")) {
      const size_t end = ReferenceEnd(text, i);
      if (end == absl::string_view::npos) {
        return absl::InvalidArgumentError("a reference '${' is not closed by '}'");
      }
      absl::StrAppend(&result, encode(literal), text.substr(i, end - i));
      literal.clear();
      i = end;
    } else {
      literal.push_back(text[i++]);
    }
  }
  return result + encode(literal);
}

absl::StatusOr<std::string> OdbcValue(absl::string_view text) {
  if (!absl::StrContains(text, "${")) return OdbcQuote(text);
  if (absl::StartsWith(text, "${") && ReferenceEnd(text, 0) == text.size()) {
    return std::string(text);  // Quoted when it is resolved.
  }
  ASSIGN_OR_RETURN(std::string inner, EncodeLiterals(text, [](absl::string_view literal) {
                     return EscapeReferences(absl::StrReplaceAll(literal, {{"}", "}}"}}));
                   }));
  return absl::StrCat("{", inner, "}");
}

absl::StatusOr<std::string> FoldOdbc(absl::string_view url, absl::string_view user,
                                     absl::string_view password) {
  for (const Attribute& attribute : OdbcAttributes(url)) {
    const absl::string_view key =
        url.substr(attribute.key.from, attribute.key.to - attribute.key.from);
    for (const auto& [word, value] : {std::pair("UID", user), std::pair("PWD", password)}) {
      if (!value.empty() && absl::EqualsIgnoreCase(key, word)) {
        return absl::InvalidArgumentError(
            absl::StrCat("the url has ", word, "= already; give it once"));
      }
    }
  }
  std::string folded(url);
  for (const auto& [word, value] : {std::pair("UID", user), std::pair("PWD", password)}) {
    if (value.empty()) continue;
    ASSIGN_OR_RETURN(std::string quoted, OdbcValue(value));
    absl::StrAppend(&folded, absl::EndsWith(folded, ";") ? "" : ";", word, "=", quoted);
  }
  return folded;
}

}  // namespace

absl::StatusOr<Secret> ResolveReferences(absl::string_view text) {
  absl::StatusOr<std::string> value =
      Expand(text, [&](const Reference& reference, Span at) -> absl::StatusOr<std::string> {
        ASSIGN_OR_RETURN(std::string found, ValueOf(reference));
        return Encoded(text, at, found);
      });
  if (!value.ok()) return value.status();
  return Secret(*std::move(value));
}

absl::Status CheckReferences(absl::string_view text) {
  return Expand(text, [](const Reference&, Span) { return std::string(); }).status();
}

std::string EscapeReferences(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"${", "$${"}});
}

absl::StatusOr<std::string> FoldCredentials(absl::string_view url, absl::string_view user,
                                            absl::string_view password) {
  if (user.empty() && password.empty()) return std::string(url);
  if (IsOdbc(url)) return FoldOdbc(url, user, password);
  if (!HasScheme(url)) {
    return absl::InvalidArgumentError(
        "user and password go with a url that begins with postgresql://, mariadb:// or odbc:, not "
        "with one that is a reference as a whole");
  }
  const size_t start = url.find("://") + 3;
  const Span userinfo = Userinfo(url);
  std::string name(url.substr(userinfo.from, userinfo.to - userinfo.from));
  if (!name.empty() && !user.empty()) {
    return absl::InvalidArgumentError("the url has a user already; give it once");
  }
  if (!password.empty() && !SecretSpans(url).empty()) {
    return absl::InvalidArgumentError("the url has a password already; give it once");
  }
  if (!user.empty()) {
    ASSIGN_OR_RETURN(name, EncodeLiterals(user, PercentEncode));
  }
  ASSIGN_OR_RETURN(std::string secret, EncodeLiterals(password, PercentEncode));
  const size_t rest = name.empty() || !user.empty() ? start : userinfo.to + 1;
  return absl::StrCat(url.substr(0, start), name, password.empty() ? "" : ":", secret, "@",
                      url.substr(rest));
}

bool HasLiteralSecret(absl::string_view url) {
  for (const Span& span : SecretSpans(url)) {
    absl::string_view part = url.substr(span.from, span.to - span.from);
    if (absl::ConsumePrefix(&part, "{")) absl::ConsumeSuffix(&part, "}");
    const absl::StatusOr<std::string> literal = Expand(part, [](const Reference& reference, Span) {
      return absl::StatusOr<std::string>(reference.otherwise == '-' ? reference.word : "");
    });
    if (!literal.ok() || !literal->empty()) return true;
  }
  bool found = false;  // A default may be a whole URL.
  (void)Expand(url, [&](const Reference& reference, Span) {
    found = found || (reference.otherwise == '-' && HasLiteralSecret(reference.word));
    return absl::StatusOr<std::string>("");
  });
  return found;
}

std::string Redact(absl::string_view message, const Secret& secret) {
  const std::string& value = secret.Reveal();
  std::vector<std::string> hidden;
  if (HasScheme(value) || IsOdbc(value)) {
    for (const Span& span : SecretSpans(value)) {
      const std::string part = value.substr(span.from, span.to - span.from);
      hidden.push_back(part);
      hidden.push_back(OdbcUnquote(part));
      hidden.push_back(PercentDecode(part));
    }
  } else {
    hidden.push_back(value);
  }
  // The longest first: one may be a part of another.
  std::sort(hidden.begin(), hidden.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  std::string result(message);
  for (const std::string& part : hidden) {
    if (!part.empty() && part != kHidden) {
      result = absl::StrReplaceAll(result, {{part, kHidden}});
    }
  }
  return result;
}

std::string DisplayUrl(absl::string_view url) {
  std::string result;
  size_t at = 0;
  for (const Span& span : SecretSpans(url)) {
    absl::StrAppend(&result, url.substr(at, span.from - at), kHidden);
    at = span.to;
  }
  absl::StrAppend(&result, url.substr(at));
  if (HasScheme(url) || IsOdbc(url)) return result;
  // A default or a message inside a reference may be a whole URL.
  std::string shown;
  for (size_t i = 0; i < result.size();) {
    const bool reference = absl::StartsWith(absl::string_view(result).substr(i), "${");
    const size_t end = reference ? ReferenceEnd(result, i) : absl::string_view::npos;
    if (end == absl::string_view::npos) {
      shown.push_back(result[i++]);
      continue;
    }
    const std::string body = result.substr(i, end - i);
    const size_t otherwise = body.find(":-");
    shown += otherwise == std::string::npos ? body : body.substr(0, otherwise) + ":-***}";
    i = end;
  }
  return shown;
}

}  // namespace headwater
