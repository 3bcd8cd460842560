#include "common/data/key_parts.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"
#include "common/data/column_view_arrow.h"

namespace headwater {
namespace {

bool IsText(TypeKind kind) { return kind == TypeKind::kString; }

bool HasOrder(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
    case TypeKind::kFloat:
    case TypeKind::kDouble:
    case TypeKind::kBinary:
      return false;
    default:
      return true;
  }
}

__int128 NumberAt(const ColumnView& column, int64_t row) {
  switch (column.type.kind) {
    case TypeKind::kByte:
      return column.Load<int8_t>(row);
    case TypeKind::kShort:
      return column.Load<int16_t>(row);
    case TypeKind::kInteger:
    case TypeKind::kDate:
      return column.Load<int32_t>(row);
    case TypeKind::kDecimal:
      return column.Load<__int128>(row);
    default:
      return column.Load<int64_t>(row);
  }
}

absl::string_view TextAt(const ColumnView& column, int64_t row) {
  return {reinterpret_cast<const char*>(column.BytesOf(row)),
          static_cast<size_t>(column.SizeOf(row))};
}

class BorderedParts final : public KeyParts {
 public:
  BorderedParts(const Schema& schema, size_t key, std::vector<KeyValue> borders)
      : views_(schema), key_(key), text_(IsText(schema.columns[key].type.kind)) {
    for (KeyValue& border : borders) {
      if (text_) {
        texts_.push_back(std::get<std::string>(std::move(border)));
      } else {
        numbers_.push_back(std::get<__int128>(border));
      }
    }
  }

  int count() const override { return static_cast<int>(texts_.size() + numbers_.size()) + 1; }

  absl::Status Take(const RowBatch& batch, std::vector<int>& parts) override {
    RETURN_IF_ERROR(views_.Take(*batch.arrow(), "parts of a key"));
    const ColumnView& key = views_.all()[key_];
    parts.clear();
    parts.reserve(static_cast<size_t>(batch.rows()));
    for (int64_t row = 0; row < batch.rows(); ++row) {
      parts.push_back(key.IsNull(row) ? 0
                      : text_         ? PartOf(texts_, TextAt(key, row))
                                      : PartOf(numbers_, NumberAt(key, row)));
    }
    return absl::OkStatus();
  }

 private:
  // How many borders are not above `value`.
  template <typename Border, typename Value>
  static int PartOf(const std::vector<Border>& borders, const Value& value) {
    return static_cast<int>(std::upper_bound(borders.begin(), borders.end(), value) -
                            borders.begin());
  }

  ColumnViews views_;
  const size_t key_;
  const bool text_;
  std::vector<std::string> texts_;  // The borders, one of the two.
  std::vector<__int128> numbers_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<KeyParts>> KeyParts::Create(const Schema& schema,
                                                           const std::string& key,
                                                           std::vector<KeyValue> borders) {
  const int at = schema.Find(key);
  if (at < 0) return absl::InvalidArgumentError(absl::StrCat("there is no key column '", key, "'"));
  const ColumnType& type = schema.columns[static_cast<size_t>(at)].type;
  if (!HasOrder(type.kind)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "key column '", key, "' is a ", TypeToString(type), "; its values do not divide the rows"));
  }
  for (size_t i = 0; i < borders.size(); ++i) {
    if (std::holds_alternative<std::string>(borders[i]) != IsText(type.kind) ||
        (i > 0 && !(borders[i - 1] < borders[i]))) {
      return absl::InvalidArgumentError(absl::StrCat("the borders of key column '", key,
                                                     "' are not ascending values of ",
                                                     TypeToString(type)));
    }
  }
  return std::make_unique<BorderedParts>(schema, static_cast<size_t>(at), std::move(borders));
}

}  // namespace headwater
