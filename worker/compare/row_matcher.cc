#include "worker/compare/row_matcher.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "worker/change/keyed_columns.h"

namespace headwater {
namespace {

constexpr size_t kMostNaming = 6;  // Columns that name a row without a key.

// The cursor tells people where to look.
std::vector<std::string> NamingColumns(const DatasetSpec& dataset, const Schema& columns) {
  std::vector<std::string> names;
  if (columns.Find(dataset.cursor) >= 0) names.push_back(dataset.cursor);
  for (const Column& column : columns.columns) {
    if (names.size() < kMostNaming && column.name != dataset.cursor) names.push_back(column.name);
  }
  return names;
}

}  // namespace

RowMatcher::RowMatcher() = default;
RowMatcher::RowMatcher(RowMatcher&&) noexcept = default;
RowMatcher& RowMatcher::operator=(RowMatcher&&) noexcept = default;
RowMatcher::~RowMatcher() = default;

absl::StatusOr<RowMatcher> RowMatcher::CreateKeyed(const DatasetSpec& dataset,
                                                   const Schema& columns) {
  ASSIGN_OR_RETURN(const Schema compared, ComparedSchema(dataset, columns));
  return Create(dataset, columns, dataset.key_columns, compared);
}

absl::StatusOr<RowMatcher> RowMatcher::Create(const DatasetSpec& dataset, const Schema& columns,
                                              const std::vector<std::string>& unique,
                                              const Schema& compared) {
  RowMatcher matcher;
  matcher.naming_ = dataset;
  matcher.naming_.key_columns = unique;
  matcher.has_key_ = !unique.empty();
  Schema key;
  for (const std::string& name : unique) {
    const int at = columns.Find(name);
    if (at < 0) matcher.has_key_ = false;
    if (at >= 0) key.columns.push_back(columns.columns[static_cast<size_t>(at)]);
  }
  if (!matcher.has_key_) {
    key = compared;
    matcher.naming_.key_columns = NamingColumns(dataset, columns);
  }
  ASSIGN_OR_RETURN(matcher.keys_, ColumnsHasher::Create(columns, key, dataset.hash_algorithm));
  ASSIGN_OR_RETURN(matcher.contents_,
                   ColumnsHasher::Create(columns, compared, dataset.hash_algorithm));
  return matcher;
}

absl::Status RowMatcher::Hash(const RowBatch& rows) {
  RETURN_IF_ERROR(keys_->Hash(*rows.arrow(), key_hashes_));
  return contents_->Hash(*rows.arrow(), content_hashes_);
}

absl::Status RowMatcher::AddTable(const RowBatch& rows) {
  RETURN_IF_ERROR(Hash(rows));
  for (size_t i = 0; i < key_hashes_.size(); ++i) {
    table_.Add(content_hashes_[i]);
    unmatched_.emplace(key_hashes_[i],
                       TableRow{content_hashes_[i], static_cast<int32_t>(batches_.size()),
                                static_cast<int64_t>(i)});
  }
  batches_.push_back(rows.arrow());
  return absl::OkStatus();
}

absl::Status RowMatcher::AddSource(const RowBatch& rows) {
  if (rows.rows() == 0) return absl::OkStatus();
  RETURN_IF_ERROR(Hash(rows));
  for (size_t i = 0; i < key_hashes_.size(); ++i) {
    source_.Add(content_hashes_[i]);
    const auto [first, last] = unmatched_.equal_range(key_hashes_[i]);
    const auto equal = std::find_if(
        first, last, [&](const auto& entry) { return entry.second.content == content_hashes_[i]; });
    if (equal != last) {
      unmatched_.erase(equal);
      continue;
    }
    const bool named = pending_.size() < kMaxDifferences;
    pending_.push_back(
        {key_hashes_[i],
         named ? KeyText(naming_, *rows.arrow(), static_cast<int64_t>(i)) : std::string()});
  }
  return absl::OkStatus();
}

void RowMatcher::Finish(Manifest& manifest) {
  const auto add = [&](Difference::Kind kind, std::string key) {
    ++manifest.rows_different;
    if (manifest.differences.size() < kMaxDifferences)
      manifest.differences.push_back({kind, std::move(key)});
  };
  for (Pending& row : pending_) {
    const auto other = has_key_ ? unmatched_.find(row.key) : unmatched_.end();
    add(other == unmatched_.end() ? Difference::Kind::kNotInTable : Difference::Kind::kContent,
        std::move(row.text));
    if (other != unmatched_.end()) unmatched_.erase(other);
  }
  // In the order of the table, whatever that of the map is.
  std::vector<TableRow> left;
  for (const auto& [key, row] : unmatched_) left.push_back(row);
  std::sort(left.begin(), left.end(), [](const TableRow& a, const TableRow& b) {
    return std::pair(a.batch, a.row) < std::pair(b.batch, b.row);
  });
  for (const TableRow& row : left) {
    const bool named = manifest.differences.size() < kMaxDifferences;
    add(Difference::Kind::kNotInSource,
        named ? KeyText(naming_, *batches_[static_cast<size_t>(row.batch)], row.row)
              : std::string());
  }
  unmatched_.clear();
  pending_.clear();
}

}  // namespace headwater
