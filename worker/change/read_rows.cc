#include "worker/change/read_rows.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/hash_algorithm.h"

namespace headwater {
namespace {

template <typename T>
void Widen(std::optional<std::pair<T, T>>& bounds, const T& value) {
  if (!bounds.has_value()) bounds.emplace(value, value);
  if (value < bounds->first) bounds->first = value;
  if (bounds->second < value) bounds->second = value;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReadRows>> ReadRows::Create(const DatasetSpec& dataset,
                                                           const Schema& source) {
  std::unique_ptr<ReadRows> rows(new ReadRows(dataset));
  ASSIGN_OR_RETURN(rows->key_, KeySchema(dataset, source));
  ASSIGN_OR_RETURN(rows->compared_, ComparedSchema(dataset, source));
  rows->spec_version_ = SpecVersionOf(rows->compared_, dataset.hash_algorithm);
  ASSIGN_OR_RETURN(rows->key_hasher_,
                   ColumnsHasher::Create(source, rows->key_, dataset.hash_algorithm));
  ASSIGN_OR_RETURN(rows->content_hasher_,
                   ColumnsHasher::Create(source, rows->compared_, dataset.hash_algorithm));
  if (dataset.write == WriteMode::kVersions) rows->at_column_ = dataset.cursor;
  if (dataset.dedup_by.empty()) return rows;
  const int at = source.Find(dataset.dedup_by);
  if (at < 0 || !IsInstant(source.columns[static_cast<size_t>(at)].type.kind)) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToString(dataset.id), ": dedup: latest by ", dataset.dedup_by,
                     at < 0 ? ": there is no such column among those that are read"
                            : ": expected a column of integers, dates or times"));
  }
  return rows;
}

absl::Status ReadRows::Add(const arrow::RecordBatch& rows) {
  if (static_cast<int64_t>(rows_.size()) + rows.num_rows() > std::numeric_limits<int32_t>::max()) {
    return absl::ResourceExhaustedError(
        absl::StrCat(ToString(dataset_.id), ": more than 2^31 rows in one keyed write"));
  }
  RETURN_IF_ERROR(key_hasher_->Hash(rows, key_hashes_));
  RETURN_IF_ERROR(content_hasher_->Hash(rows, content_hashes_));
  std::vector<std::optional<int64_t>> at;
  if (!at_column_.empty()) at = InstantsOf(*rows.GetColumnByName(at_column_));
  if (!dataset_.dedup_by.empty()) {
    const auto ranks = InstantsOf(*rows.GetColumnByName(dataset_.dedup_by));
    ranks_.insert(ranks_.end(), ranks.begin(), ranks.end());
  }
  Bound(rows);
  keys_with_nulls_.clear();
  for (const std::string& name : dataset_.key_columns) {
    const std::shared_ptr<arrow::Array> column = rows.GetColumnByName(name);
    if (column->null_count() > 0) keys_with_nulls_.emplace_back(name, column);
  }
  for (int64_t i = 0; i < rows.num_rows(); ++i) {
    const auto row = static_cast<size_t>(i);
    if (!at.empty() && !at[row].has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat(ToString(dataset_.id), ": the row with ", KeyText(dataset_, rows, i),
                       " has no ", at_column_,
                       ", so that it has no place in a history; leave such rows out with "
                       "on_null_cursor: exclude"));
    }
    rows_.push_back({content_hashes_[row], at.empty() ? 0 : *at[row]});
    RETURN_IF_ERROR(AddRow(rows, i, key_hashes_[row]));
  }
  return absl::OkStatus();
}

absl::Status ReadRows::AddRow(const arrow::RecordBatch& batch, int64_t i, const Hash128& key) {
  for (const auto& [name, column] : keys_with_nulls_) {
    if (!column->IsNull(i)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(ToString(dataset_.id), ": key column '", name, "' is NULL in a row (",
                     KeyText(dataset_, batch, i), "); a row without a key cannot be merged"));
  }
  const auto row = static_cast<int32_t>(rows_.size() - 1);
  const auto [first, is_new] = keys_.try_emplace(key, row);
  if (is_new) return absl::OkStatus();
  for (int32_t other = first->second; other >= 0; other = rows_[static_cast<size_t>(other)].next) {
    const ReadRow& old = rows_[static_cast<size_t>(other)];
    if (old.wanted && old.at == rows_.back().at) RETURN_IF_ERROR(Choose(batch, i, other, row));
  }
  rows_.back().next = first->second;
  first->second = row;
  return absl::OkStatus();
}

// Two rows of one key: one is taken.
absl::Status ReadRows::Choose(const arrow::RecordBatch& batch, int64_t i, int32_t old_row,
                              int32_t new_row) {
  ReadRow& before = rows_[static_cast<size_t>(old_row)];
  ReadRow& after = rows_[static_cast<size_t>(new_row)];
  if (dataset_.dedup_by.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(TwoRows(batch, i),
                     ". Set `key` to columns that tell rows apart, or choose one of such "
                     "rows with `dedup: latest by <column>`"));
  }
  const std::optional<int64_t>& old_rank = ranks_[static_cast<size_t>(old_row)];
  const std::optional<int64_t>& new_rank = ranks_[static_cast<size_t>(new_row)];
  if (old_rank == new_rank && !(before.content == after.content)) any_tied_ = before.tied = true;
  (old_rank < new_rank ? before : after).wanted = false;  // NULL comes first.
  ++duplicates_;
  return absl::OkStatus();
}

std::string ReadRows::TwoRows(const arrow::RecordBatch& batch, int64_t i) const {
  return absl::StrCat(ToString(dataset_.id), ": two rows have the key ",
                      KeyText(dataset_, batch, i));
}

std::optional<int32_t> ReadRows::Tie() const {
  for (size_t row = 0; any_tied_ && row < rows_.size(); ++row) {
    if (rows_[row].tied && rows_[row].wanted) return static_cast<int32_t>(row);
  }
  return std::nullopt;
}

absl::Status ReadRows::TieError(const arrow::RecordBatch& batch, int64_t i) const {
  return absl::InvalidArgumentError(absl::StrCat(TwoRows(batch, i), " and the same ",
                                                 dataset_.dedup_by,
                                                 ", but differ; `dedup` cannot choose"));
}

void ReadRows::Bound(const arrow::RecordBatch& rows) {
  const Column& first = key_.columns.front();
  const std::shared_ptr<arrow::Array> column = rows.GetColumnByName(first.name);
  if (first.type.kind == TypeKind::kString) {
    const auto& texts = static_cast<const arrow::StringArray&>(*column);
    for (int64_t i = 0; i < texts.length(); ++i) {
      if (!texts.IsNull(i)) Widen(bounds_.texts, texts.GetString(i));
    }
  } else if (column->type_id() == arrow::Type::INT8 || column->type_id() == arrow::Type::INT16 ||
             column->type_id() == arrow::Type::INT32 || column->type_id() == arrow::Type::INT64) {
    for (const std::optional<int64_t>& value : InstantsOf(*column)) {
      if (value.has_value()) Widen(bounds_.numbers, *value);
    }
  }
}

}  // namespace headwater
