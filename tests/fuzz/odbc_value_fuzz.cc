// What ODBC drivers hand over as text, from any bytes, into columns of every type.
//
//   input = 't' type bytes      a value as a server prints it, by AppendText()
//         | 'j' type bytes      a row of SQLite as JSON, each value by AppendSqliteValue()
//         | 'w' bytes           UTF-16
// Besides being memory-safe: a value that is refused appends nothing; one that is taken hashes like
// the text that stands for the same value; text that is taken is UTF-8.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/check.h"
#include "common/data/row_hash.h"
#include "worker/source/batch_builder.h"
#include "worker/source/odbc/json_row.h"
#include "worker/source/odbc/sqlite_column.h"
#include "worker/source/odbc/wide_text.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

const std::vector<ColumnType>& Types() {
  static const std::vector<ColumnType> types = {
      {TypeKind::kBoolean},        {TypeKind::kByte},
      {TypeKind::kShort},          {TypeKind::kInteger},
      {TypeKind::kLong},           {TypeKind::kFloat},
      {TypeKind::kDouble},         {TypeKind::kDecimal, 9, 2},
      {TypeKind::kDecimal, 38, 0}, {TypeKind::kDecimal, 38, 38},
      {TypeKind::kString},         {TypeKind::kBinary},
      {TypeKind::kDate},           {TypeKind::kTimestamp},
      {TypeKind::kTimestampNtz},
  };
  return types;
}

// The hash of the one row that `append` makes of a column of `type`; none if it appends nothing,
// after which the column takes a NULL as if nothing had been.
template <typename AppendTo>
std::optional<Hash128> HashOf(const ColumnType& type, AppendTo append) {
  const Schema schema{{{"v", type, true}}};
  BatchBuilder batch(schema);
  const bool taken = append(batch);
  if (!taken) batch.AppendNull(0);
  batch.EndRow();
  const auto finished = batch.Finish();
  HW_CHECK(finished.ok() && (*finished)->rows() == 1);
  std::vector<Hash128> hashes;
  HW_CHECK((*RowHasher::Create(schema, HashAlgorithm::kXxh3))->Hash(**finished, hashes).ok());
  return taken ? std::optional<Hash128>(hashes.at(0)) : std::nullopt;
}

std::optional<Hash128> HashOfText(const ColumnType& type, absl::string_view text) {
  return HashOf(type, [&](BatchBuilder& batch) { return AppendText(batch, 0, type, text); });
}

// Other texts for the same value.
void CheckSpellings(const ColumnType& type, absl::string_view text, const Hash128& hash) {
  switch (type.kind) {
    case TypeKind::kDecimal: {
      const bool plain = text.find_first_of("eE+") == absl::string_view::npos;
      if (!plain) return;
      const bool point = text.find('.') != absl::string_view::npos;
      HW_CHECK(HashOfText(type, absl::StrCat(text, point ? "000" : ".000")) == hash);
      HW_CHECK(HashOfText(type, absl::StrCat(text, "e0")) == hash);
      return;
    }
    case TypeKind::kTimestampNtz: {
      std::string other(text);
      other[10] = other[10] == ' ' ? 'T' : ' ';
      HW_CHECK(HashOfText(type, other) == hash);
      HW_CHECK(ParseInstant(absl::StrCat(text, "Z"), false) == ParseWallClock(text));
      return;
    }
    case TypeKind::kDate:
      HW_CHECK(ParseWallClock(absl::StrCat(text, " 00:00:00")) ==
               int64_t{*ParseDate(text)} * 86'400'000'000);
      return;
    case TypeKind::kString:
      HW_CHECK(IsValidUtf8(text));
      return;
    default:
      return;
  }
}

void FeedText(const ColumnType& type, absl::string_view text) {
  const std::optional<Hash128> hash = HashOfText(type, text);
  if (hash.has_value()) CheckSpellings(type, text, *hash);
  HW_CHECK(IsValidUtf8(Excerpt(text)));  // A message goes over the wire.
}

void FeedJson(const ColumnType& type, absl::string_view json) {
  JsonRow row;
  std::vector<JsonValue> values;
  if (!row.Append(json, values)) return;
  for (const JsonValue& value : values) {
    const auto append = [&](BatchBuilder& batch) {
      if (value.kind == JsonValue::Kind::kNull) return false;
      return AppendSqliteValue(batch, 0, type, value);
    };
    const std::optional<Hash128> hash = HashOf(type, append);
    // An integer is printed alike everywhere.
    const bool integer = value.kind == JsonValue::Kind::kInteger && type.kind == TypeKind::kLong;
    if (hash.has_value() && integer) HW_CHECK(HashOfText(type, value.text) == hash);
  }
}

void FeedWide(absl::string_view utf16) {
  std::string text;
  if (AppendUtf8(utf16, text)) HW_CHECK(IsValidUtf8(text));
}

}  // namespace
}  // namespace headwater

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const auto& types = headwater::Types();
  const headwater::ColumnType& type = types[data[1] % types.size()];
  if (input[0] == 't') headwater::FeedText(type, input.substr(2));
  if (input[0] == 'j') headwater::FeedJson(type, input.substr(2));
  if (input[0] == 'w') headwater::FeedWide(input.substr(1));
  return 0;
}
