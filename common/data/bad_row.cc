#include "common/data/bad_row.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/data/utf8.h"

namespace headwater {
namespace {

// Requires: UTF-8.
void AppendJsonText(std::string& json, absl::string_view text) {
  json.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json.push_back('\\');
      json.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&json, "\\u%04x", static_cast<unsigned>(c));
    } else {
      json.push_back(c);
    }
  }
  json.push_back('"');
}

}  // namespace

std::string Describe(const BadRow& row) {
  constexpr size_t kShown = 80;  // Of a value, in a message.
  std::string value = row.value.substr(0, kShown);
  if (value.size() < row.value.size()) value += "...";
  return absl::StrCat("column '", row.column, "' holds '", value, "' in the row ", row.key, ": ",
                      row.reason);
}

std::string HashedText(const BadRow& row) {
  // A row that fits never has these bytes: its first one is a type's tag (docs/row-hash.md).
  return absl::StrCat("bad row\n", row.column, "\n", row.row);
}

void RowJson::Add(absl::string_view name, const std::optional<absl::string_view>& value) {
  if (!fields_.empty()) fields_.push_back(',');
  AppendJsonText(fields_, ShownText(name));
  fields_.push_back(':');
  if (!value.has_value()) {
    fields_ += "null";
  } else if (IsValidUtf8(*value)) {
    AppendJsonText(fields_, *value);
  } else {
    absl::StrAppend(&fields_, "{\"hex\":\"", absl::BytesToHexString(*value), "\"}");
  }
}

std::string ShownText(absl::string_view text) {
  return IsValidUtf8(text) ? std::string(text)
                           : absl::StrCat("x'", absl::BytesToHexString(text), "'");
}

std::string QuarantineName(absl::string_view table) {
  return absl::StrCat(table, kQuarantineSuffix);
}

Schema QuarantineSchema() {
  const ColumnType text{TypeKind::kString};
  return {{{"column_name", text},
           {"row_key", text},
           {"value", text},
           {"reason", text},
           {"row", text},
           {"_hw_loaded_at", {TypeKind::kTimestamp}, true, SystemColumn::kLoadedAt},
           {"_hw_microbatch", text, true, SystemColumn::kMicrobatch}}};
}

}  // namespace headwater
