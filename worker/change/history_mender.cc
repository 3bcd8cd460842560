#include "worker/change/history_mender.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/failpoint.h"
#include "common/base/status.h"
#include "common/data/hash_algorithm.h"
#include "worker/change/file_rewriter.h"
#include "worker/change/read_rows.h"
#include "worker/change/table_histories.h"
#include "worker/change/version_check.h"
#include "worker/stage/delta_staging_writer.h"
#include "worker/stage/file_schema.h"
#include "worker/stage/file_sequence.h"
#include "worker/stage/parquet_reader.h"

namespace headwater {
namespace {

constexpr int64_t kRowsBetweenReports = 1 << 16;

StagingOptions StagingOf(const HistoryOptions& options, const std::stop_token& stop) {
  StagingOptions staging;
  staging.dataset = options.dataset;
  staging.lease = options.lease;
  staging.stop = stop;
  return staging;
}

// Of whole reads, versions begin when the source's clock showed it.
CursorType InstantTypeOf(const HistoryOptions& options) {
  return options.dataset.cursor.empty() ? CursorType::kInstant : options.cursor_type;
}

// Where a row of the table is.
struct RowPlace {
  int file = 0;
  int64_t row = 0;
  friend bool operator<(const RowPlace& a, const RowPlace& b) {
    return std::tie(a.file, a.row) < std::tie(b.file, b.row);
  }
};

// A key whose history is broken, by the first of its rows.
struct BrokenKey {
  RowPlace place;
  Hash128 key;
};

// What is to be done to one history, and why.
struct Finding {
  std::vector<VersionChange> changes;
  std::vector<std::string> problems, remedies;
};

class HistoryMender {
 public:
  // `columns` are those of the dataset; no row was read.
  HistoryMender(const HistoryOptions& options, const std::stop_token& stop, std::string folder,
                std::unique_ptr<ReadRows> columns, const CursorCalendar& calendar)
      : options_(options),
        staging_(StagingOf(options, stop)),
        folder_(std::move(folder)),
        file_schema_(FileSchemaOf(options.dataset, options.table_schema)),
        columns_(std::move(columns)),
        plans_(options.base.files.size()) {
    check_.read = by_ranges() ? HistoryRead::kRanges : HistoryRead::kWhole;
    check_.instant_text = [calendar](int64_t at) { return calendar.Format(at); };
    manifest_.schema = file_schema_;
    manifest_.spec_version = SpecVersionOf(options.table_schema, options.dataset.hash_algorithm);
    manifest_.keyed.emplace();
  }

  absl::Status Look() {
    RETURN_IF_ERROR(TakeBase());
    for (const auto& [key, first] : histories_.keys()) LookAt(key, first);
    for (const auto& [key, places] : without_begin_) {
      if (!histories_.keys().contains(key)) LookAt(key, -1);
    }
    manifest_.rows_different = static_cast<int64_t>(broken_.size());
    return absl::OkStatus();
  }

  // Names what is broken.
  absl::StatusOr<Manifest> Tell() {
    std::sort(broken_.begin(), broken_.end(),
              [](const BrokenKey& a, const BrokenKey& b) { return a.place < b.place; });
    broken_.resize(std::min(broken_.size(), kMaxDifferences));
    ASSIGN_OR_RETURN(const std::vector<std::string> keys, KeysOfBroken());
    for (size_t i = 0; i < broken_.size(); ++i) {
      const auto first = histories_.keys().find(broken_[i].key);
      const Finding finding =
          Examine(broken_[i].key, first == histories_.keys().end() ? -1 : first->second);
      manifest_.differences.push_back(
          {Difference::Kind::kHistory, keys[i],
           absl::StrCat("of ", versions_.size(),
                        versions_.size() == 1 ? " version, " : " versions, ",
                        absl::StrJoin(finding.problems, "; ")),
           absl::StrJoin(finding.remedies, "; ")});
    }
    return std::move(manifest_);
  }

  // Writes anew what changes.
  absl::StatusOr<Manifest> Stage() {
    FileRewriter rewriter(staging_, file_schema_, columns_->compared(), columns_->spec_version());
    StagedFiles files(folder_, options_.lease.fence);
    FileSequence output(files, /*piece=*/0, file_schema_, KeyedPartition(options_.dataset));
    KeyedChange& change = *manifest_.keyed;
    RETURN_IF_ERROR(rewriter.RewriteTouched(options_.base, folder_, plans_, change, [&](auto rows) {
      return output.Add(std::move(rows));
    }));
    ASSIGN_OR_RETURN(change.files, output.Finish());
    for (StagedFile& file : change.files) {
      file.spec_version = columns_->spec_version();
      change.table_rows += file.rows;
      manifest_.bytes_staged += file.size_bytes;
    }
    RETURN_IF_ERROR(files.SyncFolders());
    RETURN_IF_ERROR(Failpoint("stage.after_sync"));
    files.Keep();
    return std::move(manifest_);
  }

 private:
  bool by_ranges() const { return !options_.dataset.cursor.empty(); }

  absl::Status TakeBase() {
    const BaseScan scan{.dataset = options_.dataset,
                        .folder = folder_,
                        .file_schema = file_schema_,
                        .read = *columns_,
                        .cursors = by_ranges(),
                        .prune = false,
                        .fences = true};
    return ScanBase(scan, options_.base, staging_.stop, [&](const BaseRow& found) {
      if (++manifest_.rows_read % kRowsBetweenReports == 0 && options_.progress)
        options_.progress(manifest_.rows_read);
      BaseRow row = found;
      if (!row.has_begin) {  // By ranges the cursor's column says the same.
        if (!row.cursor.has_value()) {
          without_begin_[row.key].push_back({row.file, row.row});
          return absl::OkStatus();
        }
        row.times.valid_from = *row.cursor;
      }
      if (row.has_begin && !row.has_times) row.times.is_current = !row.times.valid_to.has_value();
      histories_.Add(row);
      return absl::OkStatus();
    });
  }

  void LookAt(const Hash128& key, int32_t first) {
    histories_.Take(first, versions_, places_);
    const bool told =
        absl::c_all_of(places_, [&](int32_t place) { return histories_.at(place).has_times; });
    const auto lost = without_begin_.find(key);
    if (told && lost == without_begin_.end() && IsSound(versions_, check_.read)) {
      ++manifest_.keyed->same_rows;
      return;
    }
    const Finding finding = Examine(key, first);
    for (const VersionChange& change : finding.changes) {
      manifest_.keyed->changed_rows += change.kind == VersionChange::Kind::kPatch ? 1 : 0;
      manifest_.keyed->deleted_rows += change.kind == VersionChange::Kind::kDrop ? 1 : 0;
    }
    histories_.Plan(finding.changes, places_, plans_);
    std::vector<RowPlace> rows;
    for (const int32_t place : places_)
      rows.push_back({histories_.at(place).file, histories_.at(place).row});
    if (lost != without_begin_.end())
      rows.insert(rows.end(), lost->second.begin(), lost->second.end());
    broken_.push_back({*std::min_element(rows.begin(), rows.end()), key});
  }

  // Leaves the versions of the key in `versions_` and `places_`.
  Finding Examine(const Hash128& key, int32_t first) {
    Finding finding;
    histories_.Take(first, versions_, places_);
    for (VersionProblem& problem : CheckVersions(versions_, check_))
      finding.problems.push_back(std::move(problem.text));
    RepairResult repair = RepairVersions(versions_, check_);
    for (RepairNote& note : repair.notes) finding.remedies.push_back(std::move(note.text));
    finding.changes = std::move(repair.plan.changes);
    for (size_t i = 0; i < places_.size(); ++i) FillTimes(i, finding);
    const auto lost = without_begin_.find(key);
    if (lost == without_begin_.end()) return finding;
    for (size_t i = 0; i < lost->second.size(); ++i)
      finding.problems.emplace_back("a version has no valid_from");
    finding.remedies.emplace_back(
        "what has no valid_from stays as it is, since nothing tells when it began: set it, or "
        "remove the row");
    return finding;
  }

  // Where a column of version `i` is NULL that must not be.
  void FillTimes(size_t i, Finding& finding) const {
    const TableHistories::Place& at = histories_.at(places_[i]);
    if (at.has_times) return;
    const Version& version = versions_[i];
    const std::string begin = check_.instant_text(version.valid_from);
    finding.problems.push_back(
        at.has_begin ? absl::StrCat("is_current of the version that begins at ", begin, " is NULL")
                     : absl::StrCat("a version has no valid_from; its ", options_.dataset.cursor,
                                    " is ", begin));
    VersionChange& change = finding.changes[i];
    if (change.kind != VersionChange::Kind::kKeep) return;
    change = {VersionChange::Kind::kPatch, TimesOf(version)};
    finding.remedies.push_back(absl::StrCat("patch the version that begins at ", begin, ": ",
                                            !at.has_begin        ? "its valid_from says so"
                                            : version.is_current ? "it is current"
                                                                 : "it is not current"));
  }

  // The keys of `broken_`, as people read them.
  absl::StatusOr<std::vector<std::string>> KeysOfBroken() const {
    std::vector<std::string> keys;
    const std::vector<std::string>& only = options_.dataset.key_columns;
    for (size_t next = 0; next < broken_.size();) {
      const int file = broken_[next].place.file;
      ASSIGN_OR_RETURN(
          const std::unique_ptr<ParquetReader> reader,
          ParquetReader::Open(
              absl::StrCat(folder_, "/", options_.base.files[static_cast<size_t>(file)].path),
              &only));
      int64_t first_row = 0;
      while (next < broken_.size() && broken_[next].place.file == file) {
        ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> rows, reader->Next());
        if (rows == nullptr) return absl::InternalError("a file has fewer rows than before");
        for (; next < broken_.size() && broken_[next].place.file == file &&
               broken_[next].place.row < first_row + rows->num_rows();
             ++next) {
          keys.push_back(KeyText(options_.dataset, *rows, broken_[next].place.row - first_row));
        }
        first_row += rows->num_rows();
      }
    }
    return keys;
  }

  const HistoryOptions& options_;
  const StagingOptions staging_;
  const std::string folder_;
  const Schema file_schema_;
  const std::unique_ptr<ReadRows> columns_;
  CheckOptions check_;
  TableHistories histories_;
  absl::flat_hash_map<Hash128, std::vector<RowPlace>, KeyHashOfHash> without_begin_;
  FilePlans plans_;
  std::vector<BrokenKey> broken_;
  Manifest manifest_;

  // Scratch: of the key that was looked at last.
  std::vector<Version> versions_;
  std::vector<int32_t> places_;
};

absl::StatusOr<std::unique_ptr<HistoryMender>> Looked(const HistoryOptions& options,
                                                      const std::stop_token& stop) {
  ASSIGN_OR_RETURN(std::string folder, LocalFolderOf(options.dataset.target_uri));
  if (options.table_schema.columns.empty()) {
    return absl::InvalidArgumentError(
        "the table's columns are not known here yet: run `headwater run` once");
  }
  ASSIGN_OR_RETURN(std::unique_ptr<ReadRows> columns,
                   ReadRows::Create(options.dataset, options.table_schema));
  ASSIGN_OR_RETURN(const CursorCalendar calendar,
                   CalendarOf(options.dataset, InstantTypeOf(options)));
  auto mender = std::make_unique<HistoryMender>(options, stop, std::move(folder),
                                                std::move(columns), calendar);
  RETURN_IF_ERROR(mender->Look());
  return mender;
}

}  // namespace

absl::StatusOr<Manifest> CheckHistories(const HistoryOptions& options,
                                        const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const std::unique_ptr<HistoryMender> mender, Looked(options, stop));
  return mender->Tell();
}

absl::StatusOr<Manifest> MendHistories(const HistoryOptions& options, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const std::unique_ptr<HistoryMender> mender, Looked(options, stop));
  return mender->Stage();
}

}  // namespace headwater
