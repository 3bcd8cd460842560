#include "worker/source/dialect.h"

#include <algorithm>
#include <array>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "worker/source/dialects/dialects.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr int64_t kFirstDay = -719'162;  // 0001-01-01.
constexpr int64_t kEndDay = 2'932'897;   // 10000-01-01, excluded.
constexpr size_t kMaxSessionNameBytes = 120;

const std::array<const Dialect*, 5> kDialects = {&dialects::kPostgres, &dialects::kSqlite,
                                                 &dialects::kMariaDb, &dialects::kSqlServer,
                                                 &dialects::kGeneric};

// How long a valid UTF-8 `name` is: every character has one byte that does not continue another,
// and one that takes four bytes is two units of UTF-16.
size_t LengthIn(NameUnit unit, absl::string_view name) {
  if (unit == NameUnit::kBytes) return name.size();
  size_t length = 0;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) != 0x80U) ++length;
    if (unit == NameUnit::kUtf16Units && byte >= 0xF0U) ++length;
  }
  return length;
}

absl::string_view WordOf(NameUnit unit) {
  return unit == NameUnit::kBytes        ? "bytes"
         : unit == NameUnit::kCharacters ? "characters"
                                         : "units of UTF-16";
}

bool IsBeyondBasicPlane(absl::string_view name) {
  return std::any_of(name.begin(), name.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0xF0U; });
}

absl::Status CheckName(const Dialect& dialect, absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("a name on the source is empty");
  if (name.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("a name on the source contains a NUL byte: '",
                     absl::StrReplaceAll(name, {{std::string(1, '\0'), "\\0"}}), "'"));
  }
  if (!IsValidUtf8(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a name on the source is not UTF-8: '", Excerpt(name), "'"));
  }
  if (const size_t length = LengthIn(dialect.name_unit, name); length > dialect.max_name) {
    return absl::InvalidArgumentError(absl::StrCat("the name '", name, "' has ", length, " ",
                                                   WordOf(dialect.name_unit), "; ", dialect.name,
                                                   " keeps ", dialect.max_name));
  }
  if (dialect.basic_plane && (IsBeyondBasicPlane(name) || name.back() == ' ')) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is no name on ", dialect.name,
                     ": it ends in a blank or has characters beyond U+FFFF"));
  }
  return absl::OkStatus();
}

}  // namespace

const Dialect& DialectOf(DialectKind kind) {
  for (const Dialect* dialect : kDialects) {
    if (dialect->kind == kind) return *dialect;
  }
  return dialects::kGeneric;
}

absl::StatusOr<std::string> QuoteIdentifier(const Dialect& dialect, absl::string_view name) {
  RETURN_IF_ERROR(CheckName(dialect, name));
  std::string quoted(1, dialect.quote_open);
  for (const char c : name) {
    quoted.push_back(c);
    if (c == dialect.quote_close) quoted.push_back(c);
  }
  quoted.push_back(dialect.quote_close);
  return quoted;
}

absl::StatusOr<std::string> QuoteRelation(const Dialect& dialect, absl::string_view relation) {
  const std::vector<absl::string_view> parts = absl::StrSplit(relation, '.');
  if (parts.size() > dialect.max_name_parts) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", relation, "' has too many parts; expected table or schema.table"));
  }
  std::string quoted;
  for (const absl::string_view part : parts) {
    ASSIGN_OR_RETURN(const std::string name, QuoteIdentifier(dialect, part));
    absl::StrAppend(&quoted, quoted.empty() ? "" : ".", name);
  }
  return quoted;
}

absl::StatusOr<std::string> QuoteText(const Dialect& dialect, absl::string_view text) {
  if (text.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError("a text for the source contains a NUL byte");
  }
  return dialect.text_literal(text);
}

absl::StatusOr<std::string> QuoteText(absl::string_view text) {
  return QuoteText(dialects::kGeneric, text);
}

int BeyondLiterals(CursorType type, int64_t value) {
  // A bound at the end of int64 means "no bound" for integers too: no row lies beyond it.
  if (value == std::numeric_limits<int64_t>::min()) return -1;
  if (value == std::numeric_limits<int64_t>::max()) return 1;
  if (type == CursorType::kInteger) return 0;
  const int64_t unit = type == CursorType::kDate ? 1 : dialects::kMicrosPerDay;
  if (value < kFirstDay * unit) return -1;
  return value >= kEndDay * unit ? 1 : 0;
}

absl::StatusOr<std::string> CursorLiteral(const Dialect& dialect, const CursorColumn& cursor,
                                          int64_t value) {
  if (cursor.type == CursorType::kNone) {
    return absl::InvalidArgumentError("a dataset without a cursor has no bounds");
  }
  if (BeyondLiterals(cursor.type, value) != 0) {
    return absl::OutOfRangeError(absl::StrCat("the bound ", value, " of cursor '", cursor.name,
                                              "' is outside the years 1 to 9999"));
  }
  return dialect.cursor_literal(cursor, value);
}

std::string CursorAsText(const Dialect& dialect, absl::string_view expression) {
  return dialect.cursor_as_text(expression);
}

std::string ValueAsText(const Dialect& dialect, const std::string& quoted_column,
                        const ColumnType& type, absl::string_view source_type) {
  return dialect.value_as_text(quoted_column, type, source_type);
}

std::vector<std::string> SessionSql(const Dialect& dialect) {
  return absl::StrSplit(dialect.session_sql, '\n', absl::SkipEmpty());
}

std::string StatementTimeoutSql(const Dialect& dialect, absl::Duration timeout) {
  if (dialect.statement_timeout == nullptr || timeout <= absl::ZeroDuration() ||
      timeout == absl::InfiniteDuration()) {
    return std::string();
  }
  // What servers take is an int of milliseconds: 24 days, and as good as none.
  const int64_t milliseconds =
      std::min<int64_t>(absl::ToInt64Milliseconds(absl::Ceil(timeout, absl::Milliseconds(1))),
                        std::numeric_limits<int32_t>::max());
  return dialect.statement_timeout(milliseconds);
}

std::string NameSessionSql(const Dialect& dialect, absl::string_view tag) {
  if (dialect.name_session == nullptr) return std::string();
  // Servers keep little: the words that say what each part is are left out.
  const std::string shorter =
      absl::StrReplaceAll(tag, {{"run=", ""}, {"dataset=", ""}, {"range=", ""}});
  return dialect.name_session(absl::StrCat("headwater ", CleanTag(shorter, kMaxSessionNameBytes)));
}

std::string CleanTag(absl::string_view tag, size_t most) {
  std::string clean;
  for (const char c : tag.substr(0, most)) {
    // `*` and `/` are never kept both: no tag can end or begin a comment.
    const bool kept = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                      absl::string_view(" ._-#:/@=[],()").find(c) != absl::string_view::npos;
    clean.push_back(kept ? c : '_');
  }
  return clean;
}

}  // namespace headwater
