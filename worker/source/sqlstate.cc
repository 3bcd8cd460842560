#include "worker/source/sqlstate.h"

#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/data/utf8.h"

namespace headwater {
namespace {

struct Meaning {
  absl::string_view prefix;  // Of the SQLSTATE, or a part of the words for HY000.
  absl::StatusCode code;
};

// The first match counts: exact states stand before their class.
constexpr std::array<Meaning, 24> kStates = {{
    {"IM002", absl::StatusCode::kInvalidArgument},
    {"IM003", absl::StatusCode::kInvalidArgument},
    {"HY008", absl::StatusCode::kCancelled},
    {"HY001", absl::StatusCode::kResourceExhausted},
    {"HY014", absl::StatusCode::kResourceExhausted},
    {"HYT", absl::StatusCode::kUnavailable},
    {"57014", absl::StatusCode::kCancelled},
    {"57P", absl::StatusCode::kUnavailable},
    {"53", absl::StatusCode::kResourceExhausted},
    {"08004", absl::StatusCode::kResourceExhausted},
    {"08", absl::StatusCode::kUnavailable},
    {"28", absl::StatusCode::kPermissionDenied},
    {"42501", absl::StatusCode::kPermissionDenied},
    {"42S02", absl::StatusCode::kNotFound},
    {"42S22", absl::StatusCode::kNotFound},
    {"42P01", absl::StatusCode::kNotFound},
    {"42703", absl::StatusCode::kNotFound},
    {"3D000", absl::StatusCode::kNotFound},
    {"3F000", absl::StatusCode::kNotFound},
    {"40", absl::StatusCode::kAborted},
    {"22", absl::StatusCode::kInvalidArgument},
    {"42", absl::StatusCode::kInvalidArgument},
    {"07", absl::StatusCode::kInvalidArgument},
    {"XX001", absl::StatusCode::kDataLoss},
}};

constexpr std::array<Meaning, 13> kSqliteWords = {{
    {"no such table", absl::StatusCode::kNotFound},
    {"no such column", absl::StatusCode::kNotFound},
    {"no such function", absl::StatusCode::kUnimplemented},
    {"unknown database", absl::StatusCode::kNotFound},
    {"is locked", absl::StatusCode::kUnavailable},
    {"unable to open database", absl::StatusCode::kUnavailable},
    {"disk I/O error", absl::StatusCode::kUnavailable},
    {"interrupted", absl::StatusCode::kCancelled},
    {"malformed", absl::StatusCode::kDataLoss},
    {"not a database", absl::StatusCode::kInvalidArgument},
    {"syntax error", absl::StatusCode::kInvalidArgument},
    {"JSON cannot hold BLOB", absl::StatusCode::kInvalidArgument},
    {"out of memory", absl::StatusCode::kResourceExhausted},
}};

// MariaDB and SQL Server give 42000, a syntax error's state, for missing rights too.
bool IsDenial(absl::string_view words) {
  return absl::StrContains(words, "Access denied; you need") ||
         absl::StrContains(words, "permission was denied");
}

// A server that ends a statement because it took too long says the same state as for one that
// somebody cancelled; only its words differ. Tried again, not dropped.
bool IsStatementTimeout(absl::string_view words) {
  return absl::StrContains(words, "due to statement timeout") ||
         absl::StrContains(words, "max_statement_time exceeded") ||
         absl::StrContains(words, "maximum statement execution time exceeded");
}

absl::StatusCode CodeOf(absl::string_view sqlstate, absl::string_view words) {
  if (IsStatementTimeout(words)) return absl::StatusCode::kDeadlineExceeded;
  if (IsDenial(words)) return absl::StatusCode::kPermissionDenied;
  for (const Meaning& meaning : kStates) {
    if (absl::StartsWith(sqlstate, meaning.prefix)) return meaning.code;
  }
  for (const Meaning& meaning : kSqliteWords) {
    if (absl::StrContains(words, meaning.prefix)) return meaning.code;
  }
  return absl::StatusCode::kUnknown;
}

}  // namespace

std::string ServerWords(absl::string_view words) {
  words = absl::StripAsciiWhitespace(words);
  return IsValidUtf8(words) ? std::string(words) : absl::CHexEscape(words);
}

absl::Status StatusFromSqlstate(absl::string_view sqlstate, absl::string_view words) {
  absl::Status status(CodeOf(sqlstate, words), words);
  status.SetPayload(kSqlstatePayload, absl::Cord(sqlstate));
  return status;
}

}  // namespace headwater
