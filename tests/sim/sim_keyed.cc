#include "tests/sim/sim_keyed.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "worker/change/version_merge.h"

namespace headwater {
namespace {

constexpr size_t kRowsOfFile = 6;
constexpr size_t kManyFiles = 8;  // More are joined by a write that changes something anyway.

Version VersionOf(const SimKeyedRow& row) {
  return {row.times.valid_from, row.times.valid_to, row.times.is_current, HashOf(row.value),
          row.times.confirmed};
}

class KeyedStaging {
 public:
  using Base = std::vector<std::pair<std::string, const SimKeyedFile*>>;

  KeyedStaging(const SimKeyedRead& read, const Base& base)
      : read_(read), spec_(read.source.spec), base_(base), touched_(base.size(), false) {
    for (const auto& [path, file] : base) {
      kept_.emplace_back();
      for (const SimKeyedRow& row : file->rows) kept_.back().emplace_back(row);
    }
  }

  absl::StatusOr<SimKeyedStaged> Stage() {
    for (const SimRow* row : read_.source.RowsOf(read_.extent, read_.domain_end, read_.now)) {
      if (!rows_.emplace(row->key, row).second)
        return absl::InternalError(absl::StrCat("two rows have key ", row->key));
    }
    if (spec_.write == WriteMode::kMerge) {
      Merge();
    } else if (absl::Status merged = MergeHistories(); !merged.ok()) {
      return merged;
    }
    Write();
    return std::move(staged_);
  }

 private:
  bool Covers(const std::optional<int64_t>& cursor) const {
    if (read_.source.cursor_type == CursorType::kNone) return true;
    if (!cursor.has_value() || *cursor >= read_.domain_end) return read_.extent.outside;
    return read_.extent.range.has_value() && read_.extent.range->Contains(*cursor);
  }

  SimKeyedRow Read(const SimRow& row) const {
    return {row.key, row.content, row.value, row.cursor};
  }

  void Drop(size_t file, size_t row) {
    kept_[file][row].reset();
    touched_[file] = true;
  }

  void Merge() {
    std::set<int64_t> met, same;
    for (size_t file = 0; file < kept_.size(); ++file) {
      for (size_t i = 0; i < kept_[file].size(); ++i) {
        SimKeyedRow& row = *kept_[file][i];
        const auto found = rows_.find(row.key);
        if (found == rows_.end()) {
          MissFrom(file, i);
        } else if (!met.insert(row.key).second) {
          Drop(file, i);
        } else if (row.content == found->second->content && !row.marked) {
          same.insert(row.key);
          ++change().same_rows;
        } else {
          Drop(file, i);
          ++change().changed_rows;
        }
      }
    }
    for (const auto& [key, row] : rows_) {
      if (same.contains(key)) continue;
      change().new_rows += met.contains(key) ? 0 : 1;
      fresh_.push_back(Read(*row));
    }
  }

  // The source did not have its key.
  void MissFrom(size_t file, size_t i) {
    SimKeyedRow& row = *kept_[file][i];
    const bool marks = spec_.on_missing == MissingPolicy::kMark;
    if (spec_.on_missing == MissingPolicy::kKeep || !Covers(row.cursor) || (marks && row.marked))
      return;
    ++change().deleted_rows;
    if (!marks) return Drop(file, i);
    row.marked = true;
    touched_[file] = true;
  }

  absl::Status MergeHistories() {
    std::map<int64_t, std::vector<std::pair<size_t, size_t>>> places;
    for (size_t file = 0; file < kept_.size(); ++file) {
      for (size_t i = 0; i < kept_[file].size(); ++i)
        places[kept_[file][i]->key].emplace_back(file, i);
    }
    for (const auto& [key, row] : rows_) {
      const auto known = places.find(key);
      const bool is_new = known == places.end();
      if (absl::Status one = MergeHistory(row, is_new ? Places() : known->second); !one.ok())
        return one;
      if (!is_new) places.erase(known);
    }
    if (spec_.on_missing != MissingPolicy::kClose) return absl::OkStatus();
    for (const auto& [key, known] : places) {
      if (absl::Status one = MergeHistory(nullptr, known); !one.ok()) return one;
    }
    return absl::OkStatus();
  }

  using Places = std::vector<std::pair<size_t, size_t>>;
  absl::Status MergeHistory(const SimRow* row, const Places& places) {
    const bool whole = spec_.cursor.empty();
    MergeOptions options;
    options.read = whole ? HistoryRead::kWhole : HistoryRead::kRanges;
    options.deletes =
        spec_.on_missing == MissingPolicy::kClose ? HistoryDeletes::kClose : HistoryDeletes::kKeep;
    options.read_at = absl::ToUnixMicros(read_.source.ClockAt(read_.now));
    std::vector<Version> existing;
    std::vector<SimKeyedRow> before;
    for (const auto& [file, i] : places) {
      before.push_back(*kept_[file][i]);
      existing.push_back(VersionOf(before.back()));
    }
    std::vector<Observation> observed;
    if (row != nullptr) observed.push_back({whole ? 0 : *row->cursor, HashOf(row->value), 0});
    const MergeResult merged = MergeVersions(existing, observed, options);
    if (merged.outcome != MergeResult::Outcome::kMerged)
      return absl::DataLossError("a history in the table is broken");
    const bool was_current = std::any_of(existing.begin(), existing.end(),
                                         [](const Version& one) { return one.is_current; });
    const bool nothing = merged.plan.ChangesNothing();
    int64_t& count = row == nullptr ? change().deleted_rows
                     : !was_current ? change().new_rows
                     : nothing      ? change().same_rows
                                    : change().changed_rows;
    count += row == nullptr && nothing ? 0 : 1;
    for (size_t i = 0; i < places.size(); ++i) Carry(merged.plan.changes[i], places[i]);
    for (const NewVersion& added : merged.plan.inserted) {
      const bool copies = added.content == NewVersion::Content::kVersion;
      SimKeyedRow version = copies ? before[static_cast<size_t>(added.from)] : Read(*row);
      SetTimes(added.times, version);
      fresh_.push_back(std::move(version));
    }
    return absl::OkStatus();
  }

  void Carry(const VersionChange& change, const std::pair<size_t, size_t>& place) {
    if (change.kind == VersionChange::Kind::kKeep) return;
    if (change.kind == VersionChange::Kind::kDrop) return Drop(place.first, place.second);
    SetTimes(change.times, *kept_[place.first][place.second]);
    touched_[place.first] = true;
  }

  void SetTimes(const VersionTimes& times, SimKeyedRow& row) const {
    row.times = times;
    if (!spec_.cursor.empty()) row.cursor = times.valid_from;
  }

  // Only files in which something changes are written anew.
  void Write() {
    const bool changes = !fresh_.empty() || std::count(touched_.begin(), touched_.end(), true) > 0;
    std::vector<SimKeyedRow> rows;
    for (size_t file = 0; file < kept_.size(); ++file) {
      if (!touched_[file] && !(changes && base_.size() > kManyFiles)) {
        change().table_rows += static_cast<int64_t>(kept_[file].size());
        continue;
      }
      change().replaced.push_back(base_[file].first);
      for (std::optional<SimKeyedRow>& row : kept_[file]) {
        if (row.has_value()) rows.push_back(*std::move(row));
      }
    }
    rows.insert(rows.end(), fresh_.begin(), fresh_.end());
    change().table_rows += static_cast<int64_t>(rows.size());
    for (size_t from = 0; from < rows.size(); from += kRowsOfFile) {
      const std::string path = absl::StrCat("k", read_.fence, "-", from / kRowsOfFile);
      SimKeyedFile& file = staged_.files[path];
      file.dataset = spec_.id;
      file.fence = read_.fence;
      const size_t to = std::min(rows.size(), from + kRowsOfFile);
      file.rows.assign(rows.begin() + static_cast<ptrdiff_t>(from),
                       rows.begin() + static_cast<ptrdiff_t>(to));
      change().files.push_back(StagedFileOf(path, file));
    }
  }

  KeyedChange& change() { return staged_.change; }

  const SimKeyedRead& read_;
  const DatasetSpec& spec_;
  const Base& base_;
  std::map<int64_t, const SimRow*> rows_;                      // That were read, by key.
  std::vector<std::vector<std::optional<SimKeyedRow>>> kept_;  // By file; none: it goes.
  std::vector<bool> touched_;
  std::vector<SimKeyedRow> fresh_;
  SimKeyedStaged staged_;
};

// Whether a reader of the table finds another row, or another history.
bool Differs(const SimKeyState& one, const SimKeyState& other, bool versions) {
  if (!versions) return one.now == nullptr || one.now->content != other.now->content;
  const auto text = [](const SimKeyState& key) {
    std::vector<std::pair<int64_t, std::string>> lines;
    for (const SimKeyedRow* row : key.rows) {
      std::string line = absl::StrCat(row->value, " ", row->times.valid_to.value_or(-1));
      for (const int64_t at : row->times.confirmed) absl::StrAppend(&line, " ", at);
      lines.emplace_back(row->times.valid_from, line);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  return text(one) != text(other);
}

}  // namespace

StagedFile StagedFileOf(const std::string& path, const SimKeyedFile& file) {
  StagedFile staged;
  staged.path = path;
  staged.size_bytes = 1;
  staged.rows = static_cast<int64_t>(file.rows.size());
  return staged;
}

absl::StatusOr<SimKeyedStaged> StageByKey(
    const SimKeyedRead& read,
    const std::vector<std::pair<std::string, const SimKeyedFile*>>& base) {
  return KeyedStaging(read, base).Stage();
}

SimKeys KeysOf(const DatasetSpec& spec, const std::vector<const SimKeyedFile*>& files) {
  SimKeys keys;
  for (const SimKeyedFile* file : files) {
    for (const SimKeyedRow& row : file->rows) {
      SimKeyState& key = keys[row.key];
      key.rows.push_back(&row);
      const bool holds = spec.write == WriteMode::kVersions ? row.times.is_current : !row.marked;
      if (holds) key.now = &row;
    }
  }
  return keys;
}

std::string WrongWith(const DatasetSpec& spec, const SimKeyState& key) {
  if (spec.write != WriteMode::kVersions) {
    if (key.rows.size() > 1) return "two rows have one key";
    const bool marked = key.now == nullptr;
    return marked && spec.on_missing != MissingPolicy::kMark ? "a row is marked as gone" : "";
  }
  std::vector<const SimKeyedRow*> rows = key.rows;
  std::sort(rows.begin(), rows.end(), [](const SimKeyedRow* a, const SimKeyedRow* b) {
    return a->times.valid_from < b->times.valid_from;
  });
  for (size_t i = 0; i < rows.size(); ++i) {
    const VersionTimes& times = rows[i]->times;
    const bool last = i + 1 == rows.size();
    if (times.is_current == times.valid_to.has_value()) return "a version is current and has ended";
    if (times.is_current && !last) return "two versions of one key are current";
    if (times.valid_to.has_value() && *times.valid_to <= times.valid_from)
      return "a version is empty";
    if (!last && *times.valid_to > rows[i + 1]->times.valid_from)
      return "two versions of one key hold at once";
    if (!last && !spec.cursor.empty() && *times.valid_to != rows[i + 1]->times.valid_from)
      return "a history has a hole";
  }
  return "";
}

KeyedChange Difference(const DatasetSpec& spec, const SimKeys& before, const SimKeys& after) {
  const bool versions = spec.write == WriteMode::kVersions;
  KeyedChange change;
  for (const auto& [key, now] : after) {
    const auto old = before.find(key);
    // A row that was marked was not new to the table.
    const bool known = old != before.end() && (!versions || old->second.now != nullptr);
    if (now.now == nullptr) {
      change.deleted_rows += old != before.end() && old->second.now != nullptr ? 1 : 0;
    } else if (!known) {
      ++change.new_rows;
    } else {
      change.changed_rows += Differs(old->second, now, versions) ? 1 : 0;
    }
  }
  for (const auto& [key, old] : before) change.deleted_rows += after.contains(key) ? 0 : 1;
  return change;
}

}  // namespace headwater
