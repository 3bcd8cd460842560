// Versions: what was read is brought into the histories of its keys.
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/change/decision.h"
#include "worker/change/table_histories.h"
#include "worker/change/version_merge.h"

namespace headwater {
namespace {

class VersionDecider {
 public:
  VersionDecider(const DecisionInput& input, ReadRows& read) : input_(input), read_(read) {
    options_.read = input.dataset.cursor.empty() ? HistoryRead::kWhole : HistoryRead::kRanges;
    options_.deletes = input.dataset.on_missing == MissingPolicy::kClose ? HistoryDeletes::kClose
                                                                         : HistoryDeletes::kKeep;
    options_.read_at = input.read_at;
    decision_.files.resize(input.base.files.size());
  }

  absl::StatusOr<KeyedDecision> Decide() {
    RETURN_IF_ERROR(TakeBase());
    for (const auto& [key, first] : read_.keys()) {
      const auto known = table_.keys().find(key);
      RETURN_IF_ERROR(DecideKey(known == table_.keys().end() ? -1 : known->second, first));
    }
    if (closes()) {
      for (const auto& [key, first] : table_.keys()) {
        if (!read_.keys().contains(key)) RETURN_IF_ERROR(DecideKey(first, -1));
      }
    }
    return std::move(decision_);
  }

 private:
  // Absent keys matter too.
  bool closes() const {
    return options_.read == HistoryRead::kWhole && options_.deletes == HistoryDeletes::kClose;
  }

  absl::Status TakeBase() {
    const BaseScan scan{.dataset = input_.dataset,
                        .folder = input_.folder,
                        .file_schema = input_.file_schema,
                        .read = read_,
                        .cursors = false,
                        .prune = !closes(),
                        .only = input_.only};
    return ScanBase(scan, input_.base, input_.stop, [&](const BaseRow& row) -> absl::Status {
      if (!row.has_times) return Broken();
      table_.Add(row);
      return absl::OkStatus();
    });
  }

  absl::Status DecideKey(int32_t first_version, int32_t first_row) {
    table_.Take(first_version, existing_, places_);
    observed_.clear();
    const bool was_current =
        absl::c_any_of(existing_, [](const Version& version) { return version.is_current; });
    for (int32_t i = first_row; i >= 0; i = read_.rows()[static_cast<size_t>(i)].next) {
      const ReadRow& row = read_.rows()[static_cast<size_t>(i)];
      if (row.wanted) observed_.push_back({row.at, row.content, i});
    }
    MergeResult merged = MergeVersions(existing_, observed_, options_);
    switch (merged.outcome) {
      case MergeResult::Outcome::kMerged:
        break;
      case MergeResult::Outcome::kBroken:
        return Broken();
      case MergeResult::Outcome::kConflict:
        return absl::InvalidArgumentError(absl::StrCat(
            ToString(input_.dataset.id), ": two rows have one key and one ",
            input_.dataset.cursor.empty() ? "read" : input_.dataset.cursor, ", but differ"));
      case MergeResult::Outcome::kNoInstantLeft:
        return absl::OutOfRangeError(absl::StrCat(
            ToString(input_.dataset.id), ": a version holds from the last instant that there is"));
    }
    Count(merged.plan, was_current);
    Carry(std::move(merged.plan));
    return absl::OkStatus();
  }

  void Count(const VersionPlan& plan, bool was_current) {
    KeyedChange& counts = decision_.counts;
    if (observed_.empty()) {
      counts.deleted_rows += plan.ChangesNothing() ? 0 : 1;
    } else if (!was_current) {
      ++counts.new_rows;
    } else if (plan.ChangesNothing()) {
      ++counts.same_rows;
    } else {
      ++counts.changed_rows;
    }
  }

  void Carry(VersionPlan plan) {
    table_.Plan(plan.changes, places_, decision_.files);
    for (NewVersion& added : plan.inserted) {
      if (added.content == NewVersion::Content::kVersion) {
        table_.Plan(places_[static_cast<size_t>(added.from)], RowChange::Kind::kCopy,
                    std::move(added.times), decision_.files);
      } else {
        decision_.versions.emplace(added.from, std::move(added.times));
      }
    }
  }

  absl::Status Broken() const {
    return absl::DataLossError(absl::StrCat(
        ToString(input_.dataset.id),
        ": a history in the table is broken (versions that overlap, leave holes, or have no sound "
        "times), so nothing is added to it. `headwater verify --scd2` shows which, `headwater "
        "repair --scd2` mends them"));
  }

  const DecisionInput& input_;
  ReadRows& read_;
  MergeOptions options_;
  KeyedDecision decision_;
  TableHistories table_;

  // Scratch of DecideKey().
  std::vector<Version> existing_;
  std::vector<int32_t> places_;  // Of each in `table_`.
  std::vector<Observation> observed_;
};

}  // namespace

absl::StatusOr<KeyedDecision> DecideVersions(const DecisionInput& input, ReadRows& read) {
  return VersionDecider(input, read).Decide();
}

}  // namespace headwater
