#include "common/data/key_range_set.h"

#include <utility>

#include "common/base/status.h"

namespace headwater {

absl::StatusOr<KeyRangeIndex> KeyRangeIndex::Create(
    const Schema& schema, const KeyRangeSet& set, const std::vector<std::vector<KeyValue>>& inner) {
  KeyRangeIndex index;
  if (set.key.empty()) return index;
  std::vector<KeyValue> borders;
  index.numbers_.push_back(-1);
  // From here on, unless a border is there already.
  const auto begin = [&](const KeyValue& border, int number) {
    if (borders.empty() || borders.back() < border) {
      borders.push_back(border);
      index.numbers_.push_back(number);
    } else {
      index.numbers_.back() = number;
    }
  };
  index.count_ = 0;
  for (size_t i = 0; i < set.ranges.size(); ++i) {
    const KeyRange& range = set.ranges[i];
    if (range.from.has_value()) {
      begin(*range.from, index.count_++);
    } else {
      index.numbers_.back() = index.count_++;
    }
    if (i < inner.size()) {
      for (const KeyValue& border : inner[i]) begin(border, index.count_++);
    }
    if (range.to.has_value()) begin(*range.to, -1);
  }
  ASSIGN_OR_RETURN(index.parts_, KeyParts::Create(schema, set.key, std::move(borders)));
  return index;
}

absl::Status KeyRangeIndex::Take(const RowBatch& batch, std::vector<int>& parts) {
  if (parts_ == nullptr) {
    parts.assign(static_cast<size_t>(batch.rows()), 0);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(parts_->Take(batch, parts));
  for (int& part : parts) part = numbers_[static_cast<size_t>(part)];
  return absl::OkStatus();
}

}  // namespace headwater
