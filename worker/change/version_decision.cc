// Versions: what was read is brought into the histories of its keys.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/change/decision.h"
#include "worker/change/version_merge.h"

namespace headwater {
namespace {

// A version of the table, and the next one of its key.
struct TableVersion {
  int file = 0;
  int64_t row = 0;
  Version version;
  int32_t next = -1;
};

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
      const auto known = first_.find(key);
      RETURN_IF_ERROR(DecideKey(known == first_.end() ? -1 : known->second, first));
    }
    if (closes()) {
      for (const auto& [key, first] : first_) {
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
                        .prune = !closes()};
    return ScanBase(scan, input_.base, input_.stop, [&](const BaseRow& row) -> absl::Status {
      if (!row.has_times) return Broken();
      const auto [first, is_new] = first_.try_emplace(row.key, -1);
      Version version{row.times.valid_from, row.times.valid_to, row.times.is_current, row.content,
                      row.times.confirmed};
      version.confirmed_readable = row.confirmed_readable;
      table_.push_back({row.file, row.row, std::move(version), first->second});
      first->second = static_cast<int32_t>(table_.size() - 1);
      return absl::OkStatus();
    });
  }

  absl::Status DecideKey(int32_t first_version, int32_t first_row) {
    existing_.clear();
    places_.clear();
    observed_.clear();
    bool was_current = false;
    for (int32_t i = first_version; i >= 0; i = table_[static_cast<size_t>(i)].next) {
      existing_.push_back(table_[static_cast<size_t>(i)].version);
      places_.push_back(i);
      was_current |= existing_.back().is_current;
    }
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
    const auto change = [&](int version, RowChange::Kind kind, VersionTimes times) {
      const TableVersion& at = table_[static_cast<size_t>(places_[static_cast<size_t>(version)])];
      decision_.files[static_cast<size_t>(at.file)].changes.push_back(
          {at.row, kind, std::move(times)});
    };
    for (size_t i = 0; i < plan.changes.size(); ++i) {
      VersionChange& one = plan.changes[i];
      if (one.kind == VersionChange::Kind::kKeep) continue;
      change(
          static_cast<int>(i),
          one.kind == VersionChange::Kind::kDrop ? RowChange::Kind::kDrop : RowChange::Kind::kPatch,
          std::move(one.times));
    }
    for (NewVersion& added : plan.inserted) {
      if (added.content == NewVersion::Content::kVersion) {
        change(added.from, RowChange::Kind::kCopy, std::move(added.times));
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
        "repair` mends them"));
  }

  const DecisionInput& input_;
  ReadRows& read_;
  MergeOptions options_;
  KeyedDecision decision_;
  std::vector<TableVersion> table_;
  absl::flat_hash_map<Hash128, int32_t, KeyHashOfHash> first_;

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
