#include "worker/source/key_ranges.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/estimate_query.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

absl::Status NoOrder(const KeyColumn& key) {
  return absl::InvalidArgumentError(
      absl::StrCat("key column '", key.column.name, "' (", key.source_type,
                   ") is ordered by every server in its own way; it divides no rows alike"));
}

absl::Status TooManyParts(int parts) {
  return absl::InvalidArgumentError(
      absl::StrCat("a key divided into ", parts, " parts; expected 2 to ", kMaxKeyParts));
}

std::optional<KeyValue> KeyValueOf(const ColumnType& type, const std::string& text) {
  if (const std::optional<CursorType> cursor = CursorTypeOf(type.kind)) {
    const std::optional<int64_t> value = ParseCursor(*cursor, text);
    if (!value.has_value()) return std::nullopt;
    return KeyValue(__int128{*value});
  }
  if (type.kind == TypeKind::kDecimal) {
    const std::optional<__int128> value = ParseDecimal(text, type.precision, type.scale);
    if (!value.has_value()) return std::nullopt;
    return KeyValue(*value);
  }
  if (type.kind == TypeKind::kString) return KeyValue(text);
  return std::nullopt;
}

// An expression for the number of the part, of those from `first` to `last`, that a key which is
// not NULL lies in.
std::string PartSql(const std::string& column, const std::vector<std::string>& literals,
                    size_t first, size_t last) {
  if (first == last) return absl::StrCat(first);
  const size_t middle = (first + last + 1) / 2;
  return absl::StrCat("CASE WHEN ", column, " < ", literals[middle - 1], " THEN ",
                      PartSql(column, literals, first, middle - 1), " ELSE ",
                      PartSql(column, literals, middle, last), " END");
}

}  // namespace

bool OrdersAlike(const Dialect& dialect, const KeyColumn& key) {
  const TypeKind kind = key.column.type.kind;
  if (kind == TypeKind::kDecimal) return key.source_type != "money";  // Compared with money only.
  if (CursorTypeOf(kind).has_value()) return true;
  if (kind != TypeKind::kString) return false;
  if (!key.by_bytes) return dialect.kind == DialectKind::kPostgres && key.source_type == "uuid";
  return dialect.text_bytes != nullptr && ChecksumsAgree(dialect, {{key.column, key.source_type}});
}

std::optional<KeyColumn> RangeKeyOf(const Dialect& dialect, const Selection& selection,
                                    const std::vector<std::string>& key) {
  std::optional<KeyColumn> text;
  for (const std::string& name : key) {
    const int at = selection.schema.Find(name);
    if (at < 0) continue;
    const SourceColumn& column = selection.columns[static_cast<size_t>(at)];
    KeyColumn candidate{.column = column.column, .source_type = column.type_name};
    if (column.as_text) continue;
    if (OrdersAlike(dialect, candidate)) return candidate;
    candidate.by_bytes = true;
    if (!text.has_value() && OrdersAlike(dialect, candidate)) text = std::move(candidate);
  }
  return text;
}

absl::StatusOr<std::string> UniqueKeysSql(const Dialect& dialect, absl::string_view relation) {
  ASSIGN_OR_RETURN(const EstimateNames names, EstimateNamesOf(dialect, relation));
  return dialect.unique_keys == nullptr ? std::string() : dialect.unique_keys(names);
}

std::vector<std::string> BestUniqueKey(const AnswerRows& answer) {
  std::vector<std::string> columns;
  for (const auto& row : answer) {
    if (row.size() != 2 || !row[0] || !row[1] || row[0] != answer[0][0]) break;
    columns.push_back(*row[1]);
  }
  return columns;
}

absl::StatusOr<std::string> BuildBordersQuery(const Dialect& dialect, const RangeQuery& query,
                                              const KeyColumn& key, int parts) {
  if (parts < 2 || parts > kMaxKeyParts) return TooManyParts(parts);
  QuantileNames names{.relation = {}, .column = {}, .parts = parts, .sample_percent = 100};
  ASSIGN_OR_RETURN(names.column, QuoteIdentifier(dialect, key.column.name));
  ASSIGN_OR_RETURN(std::string compared, KeySql(dialect, key));
  if (key.by_bytes) absl::StrAppend(&compared, " AS ", names.column);
  ASSIGN_OR_RETURN(const std::string relation, QuoteRelation(dialect, query.relation));
  ASSIGN_OR_RETURN(const std::string where, WhereSql(dialect, query));
  names.relation =
      absl::StrCat("(SELECT ", compared, " FROM ", relation, where, ") AS extent_keys");
  return absl::StrCat(QueryComment(query.tag), dialect.quantiles(names));
}

std::optional<std::string> TextBorder(absl::string_view text) {
  size_t size = std::min(text.size(), kMaxBorderBytes);
  // Not within a character: its other bytes begin with the bits 10.
  while (size < text.size() && size > 0 &&
         (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
    --size;
  text = text.substr(0, size);
  if (!IsValidUtf8(text) || text.find('\0') != absl::string_view::npos) return std::nullopt;
  return std::string(text);
}

absl::StatusOr<std::vector<std::string>> BordersFrom(const Dialect& dialect, const KeyColumn& key,
                                                     const AnswerRows& answer) {
  if (!OrdersAlike(dialect, key)) return NoOrder(key);
  std::vector<std::string> borders;
  std::optional<KeyValue> last;
  for (const auto& row : answer) {
    if (row.empty() || !row[0].has_value()) continue;
    const std::optional<std::string> text = key.by_bytes ? TextBorder(*row[0]) : row[0];
    if (!text.has_value()) continue;
    std::optional<KeyValue> value = KeyValueOf(key.column.type, *text);
    if (!value.has_value() || (last.has_value() && !(*last < *value))) continue;
    if (!KeyLiteralSql(dialect, key, *text).ok()) continue;
    borders.push_back(*text);
    last = std::move(value);
  }
  return borders;
}

absl::StatusOr<std::vector<KeyValue>> KeyValuesOf(const ColumnType& type,
                                                  const std::vector<std::string>& borders) {
  std::vector<KeyValue> values;
  for (const std::string& border : borders) {
    std::optional<KeyValue> value = KeyValueOf(type, border);
    if (!value.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the key's border '", Excerpt(border), "' is no ", TypeToString(type)));
    }
    values.push_back(*std::move(value));
  }
  return values;
}

absl::StatusOr<std::string> BuildPartChecksumQuery(const Dialect& dialect, const RangeQuery& query,
                                                   const std::vector<ChecksumColumn>& columns,
                                                   const KeyColumn& key,
                                                   const std::vector<std::string>& borders) {
  if (!OrdersAlike(dialect, key)) return NoOrder(key);
  const int parts = static_cast<int>(borders.size()) + 1;
  if (parts > kMaxKeyParts) return TooManyParts(parts);
  ASSIGN_OR_RETURN(const std::string name, QuoteIdentifier(dialect, key.column.name));
  ASSIGN_OR_RETURN(const std::string column, KeySql(dialect, key));
  std::vector<std::string> literals;
  for (const std::string& border : borders) {
    ASSIGN_OR_RETURN(std::string literal, KeyLiteralSql(dialect, key, border));
    literals.push_back(std::move(literal));
  }
  std::string part = "0";
  if (!borders.empty()) {
    part = absl::StrCat("CASE WHEN ", name, " IS NULL THEN 0 ELSE ",
                        PartSql(column, literals, 0, borders.size()), " END");
  }
  return BuildPartedChecksumQuery(dialect, query, columns, part);
}

absl::StatusOr<std::vector<RowChecksum>> ParsePartChecksums(const AnswerRows& answer, int parts) {
  std::vector<RowChecksum> sums(static_cast<size_t>(parts));
  for (const auto& row : answer) {
    const std::optional<int64_t> part =
        row.empty() || !row[0].has_value() ? std::nullopt : ParseInteger(*row[0]);
    if (!part.has_value() || *part < 0 || *part >= parts) {
      return absl::DataLossError(
          absl::StrCat("the source's checksums of ", parts, " parts have one of another"));
    }
    ASSIGN_OR_RETURN(const RowChecksum sum, ParseChecksum({row.begin() + 1, row.end()}));
    sums[static_cast<size_t>(*part)].Add(sum);
  }
  return sums;
}

}  // namespace headwater
