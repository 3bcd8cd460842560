// A small table of histories, which does to its rows what plans say.
#ifndef HEADWATER_TESTS_UNIT_WORKER_CHANGE_HISTORY_TABLE_H_
#define HEADWATER_TESTS_UNIT_WORKER_CHANGE_HISTORY_TABLE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/change/history_text.h"
#include "worker/change/version_merge.h"

namespace headwater {

class HistoryTable {
 public:
  struct Row {
    Version version;
    char tracked = '?';  // What the row holds, whatever its version's hash says.
    int untracked = 0;   // In which the rows of a source differ, though their hashes are equal.
  };
  struct Seen {
    int64_t at = 0;
    char tracked = '?';
    int untracked = 0;
  };

  // One call of one key; `seen` are the source's rows. What came of it.
  MergeResult Merge(const std::string& key, const std::vector<Seen>& seen,
                    const MergeOptions& options) {
    std::vector<Row>& rows = rows_[key];
    std::vector<Version> existing;
    for (const Row& row : rows) existing.push_back(row.version);
    std::vector<Observation> observations;
    for (const Seen& row : seen) {
      observations.push_back({row.at, HashOf(row.tracked), static_cast<int>(observations.size())});
    }
    MergeResult result = MergeVersions(existing, observations, options);
    if (result.outcome == MergeResult::Outcome::kMerged) Apply(result.plan, seen, rows);
    return result;
  }

  const std::map<std::string, std::vector<Row>>& rows() const { return rows_; }
  std::vector<Row>& RowsOf(const std::string& key) { return rows_[key]; }

  std::vector<Version> VersionsOf(const std::string& key) const {
    std::vector<Version> versions;
    const auto found = rows_.find(key);
    if (found == rows_.end()) return versions;
    for (const Row& row : found->second) versions.push_back(row.version);
    return versions;
  }
  std::string TextOf(const std::string& key) const {
    return ::headwater::TextOf(absl::MakeConstSpan(VersionsOf(key)));
  }

 private:
  static void Apply(const VersionPlan& plan, const std::vector<Seen>& seen,
                    std::vector<Row>& rows) {
    using Kind = VersionChange::Kind;
    ASSERT_EQ(plan.changes.size(), rows.size());
    std::vector<Row> after;
    for (size_t i = 0; i < rows.size(); ++i) {
      const VersionChange& change = plan.changes[i];
      if (change.kind == Kind::kDrop) continue;
      after.push_back(rows[i]);
      if (change.kind != Kind::kPatch) continue;
      EXPECT_FALSE(change.times == TimesOf(rows[i].version)) << "a patch that changes nothing";
      after.back().version = With(rows[i].version, change.times);
    }
    for (const NewVersion& added : plan.inserted) {
      Row row;
      row.version = With({.hash = added.hash}, added.times);
      const size_t from = static_cast<size_t>(added.from);
      if (added.content == NewVersion::Content::kVersion) {
        ASSERT_LT(from, rows.size());
        row.tracked = rows[from].tracked;
        row.untracked = rows[from].untracked;
      } else {
        ASSERT_LT(from, seen.size());
        row.tracked = seen[from].tracked;
        row.untracked = seen[from].untracked;
      }
      after.push_back(row);
    }
    for (const Row& row : after) EXPECT_EQ(row.tracked, ContentOf(row.version.hash));
    rows = std::move(after);
  }

  std::map<std::string, std::vector<Row>> rows_;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_UNIT_WORKER_CHANGE_HISTORY_TABLE_H_
