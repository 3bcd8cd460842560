// Random merges against a dictionary: rows of several kinds of keys, whole reads and ranges in any
// order, every policy, columns that come and names that change.
// HEADWATER_MERGE_SEEDS sets how many, HEADWATER_MERGE_SEED repeats one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/contract/keyed_fixture.h"

namespace headwater {
namespace {

constexpr int64_t kSeeds = 40;
constexpr int kSteps = 25;
constexpr int64_t kEnd = 50;  // Of the domain; larger cursors are outside.

std::pair<int64_t, int64_t> Seeds() {
  if (const char* only = std::getenv("HEADWATER_MERGE_SEED"); only != nullptr)
    return {std::atoll(only), std::atoll(only) + 1};
  const char* count = std::getenv("HEADWATER_MERGE_SEEDS");
  return {0, count == nullptr ? kSeeds : std::atoll(count)};
}

struct Kind {
  std::vector<Column> columns;
  std::string (*json)(int key);  // Values of the key's columns, with commas between.
  std::string (*text)(int key);  // As KeyedFixture::Rows() has them.
};

std::string LongText(int key) { return std::string(30, 'x') + absl::StrCat(key % 7, key); }

const Kind kKinds[] = {
    {{{"k", {TypeKind::kLong}}},
     [](int key) { return absl::StrCat(key * 1000 - 9000); },
     [](int key) { return absl::StrCat(key * 1000 - 9000); }},
    {{{"k", {TypeKind::kString}}},
     [](int key) { return absl::StrCat("\"", LongText(key), "\""); },
     [](int key) { return LongText(key); }},
    {{{"k", {TypeKind::kDecimal, 9, 2}}},
     [](int key) { return absl::StrCat("\"", key, ".50\""); },
     [](int key) { return absl::StrCat(key, ".50"); }},
    {{{"k", {TypeKind::kDate}}},
     [](int key) { return absl::StrCat("\"2013-01-", key + 10, "\""); },
     [](int key) { return absl::StrCat("2013-01-", key + 10); }},
    {{{"k", {TypeKind::kString}}, {"k2", {TypeKind::kInteger}}},
     [](int key) { return absl::StrCat("\"", key % 3, "\", ", key / 3); },
     [](int key) { return absl::StrCat(key % 3, "|", key / 3); }},
};
constexpr int kKeys = 18;

struct Row {
  std::string value;          // Compared, as `at` is,
  int note = 0;               // and this is not.
  std::optional<int64_t> at;  // The cursor.
  std::optional<int> extra;   // Of the column that comes later.
  std::string gone = {};      // In the table: since when.

  bool SameAs(const Row& other) const {
    return value == other.value && at == other.at && extra == other.extra;
  }
};

class KeyedMergeRandom : public KeyedFixture {
 protected:
  KeyedMergeRandom() : KeyedFixture({{{"k", {TypeKind::kLong}}}}) {}

  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }

  void Begin(int64_t seed) {
    random_.seed(static_cast<unsigned>(seed));
    std::filesystem::remove_all(root_);
    source_.clear();
    table_.clear();
    options_ = fresh_;
    kind_ = &kKinds[Below(std::size(kKinds))];
    DatasetSpec& dataset = options_.dataset;
    options_.source_schema.columns = kind_->columns;
    dataset.key_columns.clear();
    for (const Column& column : kind_->columns) dataset.key_columns.push_back(column.name);
    for (const auto& [name, type] : {std::pair{"value", TypeKind::kString},
                                     {"note", TypeKind::kInteger},
                                     {"at", TypeKind::kLong}}) {
      options_.source_schema.columns.push_back({name, {type}});
    }
    dataset.uncompared_columns = {"note"};
    dataset.on_missing = static_cast<MissingPolicy>(Below(3));
    if (Below(2) == 0) dataset.dedup_by = "note";
    options_.memory_bytes = Below(2) == 0 ? 0 : 1 << 20;
    whole_ = Below(3) == 0;
    has_extra_ = false;
    columns_ = dataset.key_columns;
    for (const char* name : {"value", "note", "at"}) columns_.push_back(name);
    if (dataset.on_missing == MissingPolicy::kMark) columns_.push_back("_hw_deleted_at");
  }

  void ChangeSource() {
    for (int left = Below(12); left > 0; --left) {
      const int key = Below(kKeys);
      if (Below(4) == 0) {
        source_.erase(key);
        continue;
      }
      Row& row = source_[key];
      if (Below(3) > 0 || row.value.empty()) row.value = absl::StrCat("v", Below(4));
      if (Below(2) == 0) row.note = Below(100);
      if (Below(3) == 0) row.at = Below(2 * kEnd);
      if (Below(8) == 0) row.at.reset();
      if (has_extra_) row.extra = Below(3);
    }
  }

  void ChangeColumns() {
    if (!has_extra_ && Below(10) == 0) {
      has_extra_ = true;
      options_.source_schema.columns.push_back({"extra", {TypeKind::kLong}});
    }
    if (Below(10) == 0) {
      const char* const names[] = {"", "_hw_row_hash", "hash"};
      options_.dataset.system_columns.row_hash = names[Below(3)];
    }
    if (Below(6) == 0) options_.dataset.hash_algorithm = kHashAlgorithms[Below(3)];
  }

  void ChooseExtent() {
    if (whole_) return;
    const int64_t from = Below(kEnd);
    ReadRange("at", CursorType::kInteger, {from, from + 1 + Below(static_cast<int>(kEnd - from))},
              Below(2) == 0);
    options_.domain_end = kEnd;
    if (options_.extent.outside && Below(4) == 0) options_.extent.range.reset();
  }
  bool Covers(const Row& row) const {
    if (whole_) return true;
    if (!row.at.has_value() || *row.at >= kEnd) return options_.extent.outside;
    return options_.extent.range.has_value() && *row.at >= options_.extent.range->from &&
           *row.at < options_.extent.range->to;
  }

  std::string Json(int key, const Row& row) const {
    return absl::StrCat("[", kind_->json(key), ", \"", row.value, "\", ", row.note, ", ",
                        row.at.has_value() ? absl::StrCat(*row.at) : "null", has_extra_ ? ", " : "",
                        !has_extra_             ? ""
                        : row.extra.has_value() ? absl::StrCat(*row.extra)
                                                : "null",
                        "]");
  }
  std::string Text(int key, const Row& row) const {
    return absl::StrCat(
        kind_->text(key), "|", row.value, "|", row.note, "|",
        row.at.has_value() ? absl::StrCat(*row.at) : "",
        options_.dataset.on_missing == MissingPolicy::kMark ? absl::StrCat("|", row.gone) : "");
  }

  // What the source has of the extent, in any order and cut, with rows that lose to others.
  std::vector<std::string> Batches(int64_t& duplicates) {
    std::vector<std::string> rows;
    for (const auto& [key, row] : source_) {
      if (!Covers(row)) continue;
      rows.push_back(Json(key, row));
      if (options_.dataset.dedup_by.empty() || Below(6) > 0) continue;
      Row older = row;
      older.note = row.note - 1 - Below(5);
      older.value = "old";
      rows.push_back(Json(key, older));
      ++duplicates;
      if (Below(2) == 0) {  // Equal among themselves in what ranks them, below the one that wins.
        older.value = "older";
        rows.push_back(Json(key, older));
        ++duplicates;
      }
    }
    std::shuffle(rows.begin(), rows.end(), random_);
    std::vector<std::string> batches;
    for (const std::string& row : rows) {
      if (batches.empty() || Below(4) == 0) {
        batches.push_back("[" + row + "]");
      } else {
        batches.back().insert(batches.back().size() - 1, ", " + row);
      }
    }
    return batches;
  }

  // What the read must do to the dictionary, and its counts.
  KeyedChange Merge() {
    const MissingPolicy missing = options_.dataset.on_missing;
    KeyedChange counts;
    for (auto it = table_.begin(); it != table_.end();) {
      auto& [key, row] = *it;
      const auto read = source_.find(key);
      const bool gone = (read == source_.end() || !Covers(read->second)) && Covers(row) &&
                        missing != MissingPolicy::kKeep && row.gone.empty();
      if (gone) ++counts.deleted_rows;
      if (gone && missing == MissingPolicy::kMark)
        row.gone =
            absl::FormatTime("%Y-%m-%d %H:%M:%E6SZ", options_.loaded_at, absl::UTCTimeZone());
      it = gone && missing == MissingPolicy::kRemove ? table_.erase(it) : std::next(it);
    }
    for (const auto& [key, row] : source_) {
      if (!Covers(row)) continue;
      const auto [it, is_new] = table_.emplace(key, row);
      if (is_new) {
        ++counts.new_rows;
      } else if (it->second.SameAs(row) && it->second.gone.empty()) {
        ++counts.same_rows;
      } else {
        ++counts.changed_rows;
        it->second = row;
      }
    }
    return counts;
  }

  void Step(int step) {
    options_.loaded_at = absl::UnixEpoch() + absl::Seconds(step);
    ChangeColumns();
    if (Below(5) > 0) ChangeSource();
    ChooseExtent();
    int64_t duplicates = 0;
    const std::vector<std::string> batches = Batches(duplicates);
    const KeyedChange change = LoadBatches(batches);
    KeyedChange expected = Merge();
    expected.duplicate_rows = duplicates;
    ASSERT_EQ(CountsOf(change), CountsOf(expected));
    const bool same = expected.new_rows + expected.changed_rows + expected.deleted_rows == 0;
    ASSERT_EQ(change.empty(), same);
    std::vector<std::string> rows;
    for (const auto& [key, row] : table_) rows.push_back(Text(key, row));
    std::sort(rows.begin(), rows.end());
    ASSERT_EQ(Rows(columns_), rows);
  }

  const StagingOptions fresh_ = options_;
  std::mt19937 random_;
  const Kind* kind_ = nullptr;
  bool whole_ = false;
  bool has_extra_ = false;
  std::vector<std::string> columns_;
  std::map<int, Row> source_, table_;
};

TEST_F(KeyedMergeRandom, LeaveTheTableAsADictionaryWouldBe) {
  const auto [first, end] = Seeds();
  for (int64_t seed = first; seed < end; ++seed) {
    SCOPED_TRACE(absl::StrCat("HEADWATER_MERGE_SEED=", seed));
    Begin(seed);
    for (int step = 0; step < kSteps; ++step) {
      SCOPED_TRACE(absl::StrCat("step ", step));
      Step(step);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace headwater
