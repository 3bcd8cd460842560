#include "worker/source/odbc/sqlite_functions.h"

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/data/field_text_arrow.h"
#include "common/data/row_checksum.h"
#include "worker/source/odbc/sqlite_column.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

// Of one function of one connection, which runs one statement at a time.
struct RowText {
  std::optional<RowTextHasher> hasher;
  std::string text;
};

absl::string_view BytesOf(sqlite3_value* value) {
  const void* bytes = sqlite3_value_blob(value);  // Before its size: it may have to be printed.
  return {static_cast<const char*>(bytes), static_cast<size_t>(sqlite3_value_bytes(value))};
}

// In UTF-8, whatever the file's encoding.
absl::string_view TextOf(sqlite3_value* value) {
  const unsigned char* text = sqlite3_value_text(value);
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(sqlite3_value_bytes(value))};
}

// A value of fixed width.
template <typename T>
bool Put(TypeKind kind, T value, std::string& text, int scale = 0) {
  ColumnView view;
  view.type.kind = kind;
  view.type.scale = scale;
  view.values = reinterpret_cast<const uint8_t*>(&value);
  const size_t before = text.size();
  text.resize(before + kMaxFixedText);
  text.resize(static_cast<size_t>(PutField(view, 0, text.data() + before) - text.data()));
  return true;
}

bool PutReal(sqlite3_value* value, std::string& text) {
  const int storage = sqlite3_value_type(value);
  std::optional<double> real;
  if (storage == SQLITE_FLOAT) real = sqlite3_value_double(value);
  if (storage == SQLITE_INTEGER) real = RealOfInteger(sqlite3_value_int64(value));
  if (storage == SQLITE_TEXT) real = ParseDouble(TextOf(value));
  return real.has_value() && Put(TypeKind::kDouble, *real, text);
}

// `type` is what follows the letter: `18,6`.
bool PutDecimal(sqlite3_value* value, absl::string_view digits, std::string& text) {
  ColumnType type{TypeKind::kDecimal};
  int* number = &type.precision;
  for (const char c : digits) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      *number = *number * 10 + (c - '0');
    } else {
      number = &type.scale;
    }
  }
  const int storage = sqlite3_value_type(value);
  std::optional<__int128> unscaled;
  if (storage == SQLITE_FLOAT) unscaled = DecimalOfReal(sqlite3_value_double(value), type);
  if (storage == SQLITE_INTEGER) unscaled = ParseDecimal(TextOf(value), type.precision, type.scale);
  if (storage == SQLITE_TEXT) {
    const std::optional<double> real = ParseDouble(TextOf(value));
    if (real.has_value()) unscaled = DecimalOfReal(*real, type);
  }
  return unscaled.has_value() && Put(TypeKind::kDecimal, *unscaled, text, type.scale);
}

bool PutTime(CursorType type, sqlite3_value* value, std::string& text) {
  if (sqlite3_value_type(value) != SQLITE_TEXT) return false;
  bool finer = false;
  const std::optional<int64_t> number = ParseCursor(type, TextOf(value), &finer);
  if (!number.has_value() || finer) return false;
  if (type == CursorType::kWallClock) return Put(TypeKind::kTimestampNtz, *number, text);
  return Put(TypeKind::kDate, static_cast<int32_t>(*number), text);
}

// False: the value is none of the code's type, and nothing was put.
bool PutValue(absl::string_view code, sqlite3_value* value, std::string& text) {
  const int storage = sqlite3_value_type(value);
  switch (code[0]) {
    case 'b': {
      const int64_t integer = storage == SQLITE_INTEGER ? sqlite3_value_int64(value) : -1;
      return (integer == 0 || integer == 1) && Put(TypeKind::kLong, integer, text);
    }
    case 'l':
      return storage == SQLITE_INTEGER && Put(TypeKind::kLong, sqlite3_value_int64(value), text);
    case 'd':
      return PutReal(value, text);
    case 'm':
      return PutDecimal(value, code.substr(1), text);
    case 'D':
      return PutTime(CursorType::kDate, value, text);
    case 'T':
      return PutTime(CursorType::kWallClock, value, text);
    case 'x':
      if (storage != SQLITE_BLOB) return false;
      text.append(absl::BytesToHexString(BytesOf(value)));
      return true;
    default: {
      if (storage != SQLITE_TEXT && storage != SQLITE_INTEGER) return false;
      const absl::string_view characters = TextOf(value);
      absl::StrAppend(&text, characters.size(), ":", characters);
      return true;
    }
  }
}

void PutUnfit(int storage, sqlite3_value* value, std::string& text) {
  const char letter = storage == SQLITE_INTEGER ? 'i'
                      : storage == SQLITE_FLOAT ? 'r'
                      : storage == SQLITE_TEXT  ? 't'
                                                : 'b';
  absl::StrAppend(&text, "!", absl::string_view(&letter, 1),
                  absl::BytesToHexString(BytesOf(value)));
}

// False: the arguments are no fields.
bool PutFields(int count, sqlite3_value** arguments, std::string& text) {
  text.clear();
  for (int i = 0; i < count; ++i) {
    const absl::string_view code = TextOf(arguments[i]);
    if (code == "~") {
      text.append("~,");
      continue;
    }
    if (code.empty() || ++i == count) return false;
    sqlite3_value* const value = arguments[i];
    const int storage = sqlite3_value_type(value);  // Before its text is asked for.
    if (code == "t") {
      absl::StrAppend(&text, BytesOf(value));
      continue;
    }
    if (storage == SQLITE_NULL) {
      text.push_back('~');
    } else if (!PutValue(code, value, text)) {
      PutUnfit(storage, value, text);
    }
    text.push_back(',');
  }
  return true;
}

constexpr char kNoFields[] = "expected fields as worker/source/odbc/sqlite_functions.h has them";

void TextFunction(sqlite3_context* context, int count, sqlite3_value** arguments) {
  std::string& text = static_cast<RowText*>(sqlite3_user_data(context))->text;
  if (!PutFields(count, arguments, text)) return sqlite3_result_error(context, kNoFields, -1);
  sqlite3_result_blob64(context, text.data(), text.size(), SQLITE_TRANSIENT);
}

void HashFunction(sqlite3_context* context, int count, sqlite3_value** arguments) {
  auto& row = *static_cast<RowText*>(sqlite3_user_data(context));
  if (!PutFields(count, arguments, row.text)) return sqlite3_result_error(context, kNoFields, -1);
  const absl::StatusOr<uint64_t> hash = row.hasher->Hash(row.text);
  if (!hash.ok()) {
    return sqlite3_result_error(context, std::string(hash.status().message()).c_str(), -1);
  }
  sqlite3_result_int64(context, static_cast<int64_t>(*hash));
}

void AddHash(sqlite3_context* context, int /*count*/, sqlite3_value** arguments) {
  // Zero at first.
  auto* sum = static_cast<uint64_t*>(sqlite3_aggregate_context(context, sizeof(uint64_t)));
  if (sum == nullptr) return sqlite3_result_error_nomem(context);
  *sum += static_cast<uint64_t>(sqlite3_value_int64(arguments[0]));
}

void SumOfHashes(sqlite3_context* context) {
  const auto* sum = static_cast<uint64_t*>(sqlite3_aggregate_context(context, 0));
  sqlite3_result_int64(context, sum == nullptr ? 0 : static_cast<int64_t>(*sum));
}

void Drop(void* row) { delete static_cast<RowText*>(row); }

}  // namespace

void AddSqliteFunctions(sqlite3* file) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  auto hasher = RowTextHasher::Create();
  if (!hasher.ok()) return;
  // What is not taken is dropped; then the statements fail that need it.
  auto hash = std::make_unique<RowText>(RowText{*std::move(hasher), {}});
  (void)sqlite3_create_function_v2(file, "headwater_hash", -1, kFlags, hash.release(), HashFunction,
                                   nullptr, nullptr, Drop);
  auto text = std::make_unique<RowText>();
  (void)sqlite3_create_function_v2(file, "headwater_text", -1, kFlags, text.release(), TextFunction,
                                   nullptr, nullptr, Drop);
  (void)sqlite3_create_function_v2(file, "headwater_sum", 1, kFlags, nullptr, nullptr, AddHash,
                                   SumOfHashes, nullptr);
}

}  // namespace headwater
