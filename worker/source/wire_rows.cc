#include "worker/source/wire_rows.h"

#include <optional>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/strings/str_cat.h"

namespace headwater {

WireRows::WireRows(Schema schema, FieldRules fields, BadRowRules bad_rows)
    : schema_(std::move(schema)),
      rules_(std::move(fields)),
      bad_rows_(std::move(bad_rows)),
      fields_(schema_.columns.size()),
      batch_(schema_) {}

absl::Status WireRows::Append() {
  ++rows_;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const int column = static_cast<int>(i);
    if (fields_[i].data() == nullptr) {
      batch_.AppendNull(column);
      continue;
    }
    const Column& declared = schema_.columns[i];
    const FieldResult result = rules_.appenders[i](batch_, column, declared.type, fields_[i]);
    if (ABSL_PREDICT_TRUE(result == FieldResult::kAppended)) continue;
    return result == FieldResult::kUnfit ? SetAside(i) : Malformed(i);
  }
  batch_.EndRow();
  return absl::OkStatus();
}

absl::Status WireRows::SetAside(size_t column) {
  // Nothing behind the bad column has been decoded, and bytes that are no row are an error always.
  for (size_t i = column + 1; i < fields_.size(); ++i) {
    if (fields_[i].data() == nullptr) continue;
    const ColumnType& type = schema_.columns[i].type;
    const FieldResult result = rules_.appenders[i](batch_, static_cast<int>(i), type, fields_[i]);
    if (result == FieldResult::kMalformed) return Malformed(i);
  }
  std::optional<BadRow> bad = MakeBadRow(bad_rows_, schema_, column, [&](size_t i) {
    if (fields_[i].data() == nullptr) return std::optional<std::string>();
    return std::optional(rules_.value(i, fields_[i]));
  });
  if (!bad.has_value()) return Unfit(column);
  batch_.SetAside(*std::move(bad));
  return absl::OkStatus();
}

absl::Status WireRows::Malformed(size_t column) const {
  const Column& declared = schema_.columns[column];
  return absl::DataLossError(absl::StrCat(rules_.protocol, ": row ", rows_, ", column '",
                                          declared.name, "': ", fields_[column].size(),
                                          " bytes are not a ", TypeToString(declared.type)));
}

absl::Status WireRows::Unfit(size_t column) const {
  std::string key;
  for (const int i : bad_rows_.key) {
    const auto at = static_cast<size_t>(i);
    absl::StrAppend(&key, key.empty() ? "" : ", ", schema_.columns[at].name, "=",
                    fields_[at].data() == nullptr ? "NULL" : rules_.text(at, fields_[at]));
  }
  const Column& bad = schema_.columns[column];
  const std::string text = rules_.text(column, fields_[column]);
  return absl::InvalidArgumentError(
      absl::StrCat("column '", bad.name, "' holds '", text, "' in the row with ", key, "; ",
                   Expected(bad.type), AdviceFor(bad_rows_, schema_, column, text)));
}

}  // namespace headwater
