// Where the secret parts of a URL or an ODBC connection string lie. Knows nothing of references'
// values: a reference `${...}` is skipped as a whole, so both templates and resolved strings parse.
// Pure functions.
#ifndef HEADWATER_COMMON_CONFIG_CONNECTION_STRING_H_
#define HEADWATER_COMMON_CONFIG_CONNECTION_STRING_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace headwater {

// Half-open offsets into a text.
struct Span {
  size_t from = 0;
  size_t to = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

// One `key=value` of an ODBC string or of a URL's query. `value` is as written, braces included.
struct Attribute {
  Span key;
  Span value;
};

// The end of the reference that begins at `at` (`text[at]` is `$`, then `{`), or npos when it is
// not closed. Braces nest.
size_t ReferenceEnd(absl::string_view text, size_t at);

bool IsOdbc(absl::string_view url);         // `odbc:...`
bool HasScheme(absl::string_view url);      // `word://...`
bool IsPostgresUrl(absl::string_view url);  // `postgresql://...` or `postgres://...`
bool IsMariaDbUrl(absl::string_view url);   // `mariadb://...` or `mysql://...`

// What a worker needs to read there: `postgresql`, `mariadb`, `odbc`; empty when only the worker
// can tell, from a reference.
std::string DriverOf(absl::string_view url);

// Attributes of the part after `odbc:`. A value in braces ends at its brace; `}}` stands for one.
std::vector<Attribute> OdbcAttributes(absl::string_view url);

// `user:password` between `://` and `@`; empty when there is none. A password with a raw `/`, `?`
// or
// `@`, which drivers would misread, still lies inside.
Span Userinfo(absl::string_view url);
std::vector<Attribute> QueryAttributes(absl::string_view url);

// True for PWD, password, sslpassword, AccessToken, client_secret and their like.
bool IsSecretKey(absl::string_view key);

// Every part of `url` that must not be shown, in ascending order.
std::vector<Span> SecretSpans(absl::string_view url);

std::string PercentEncode(absl::string_view text);
std::string PercentDecode(absl::string_view text);

// `text` as an ODBC value: in braces when it needs them.
std::string OdbcQuote(absl::string_view text);
std::string OdbcUnquote(absl::string_view value);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_CONNECTION_STRING_H_
