#include "worker/change/base_scan.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <rapidjson/document.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/system_columns.h"
#include "worker/stage/parquet_reader.h"

namespace headwater {
namespace {

// "flights/ewr@7" is of fence 7.
int64_t FenceOf(const arrow::Array& microbatches, int64_t i) {
  int64_t fence = 0;
  if (microbatches.IsNull(i)) return fence;
  const auto text = static_cast<const arrow::StringArray&>(microbatches).GetView(i);
  const size_t at = text.rfind('@');
  if (at == text.npos ||
      !absl::SimpleAtoi(absl::string_view(text.data(), text.size()).substr(at + 1), &fence))
    return 0;
  return fence;
}

// One file, in the columns that are wanted of it.
class FileScan {
 public:
  FileScan(const BaseScan& scan, int file) : scan_(scan), file_(file) {}

  absl::Status Open(const StagedFile& file) {
    const std::string& row_hash = scan_.dataset.system_columns.row_hash;
    has_hashes_ = !row_hash.empty() && file.spec_version == scan_.read.spec_version();
    RETURN_IF_ERROR(OpenReader(file));
    if (has_hashes_ && reader_->schema().Find(row_hash) < 0) {
      has_hashes_ = false;  // It was left out then, or had another name.
      RETURN_IF_ERROR(OpenReader(file));
    }
    conformer_.emplace(reader_->schema(), wanted_);
    ASSIGN_OR_RETURN(key_hasher_, ColumnsHasher::Create(wanted_, scan_.read.key(),
                                                        scan_.dataset.hash_algorithm));
    if (scan_.only != nullptr) {
      ASSIGN_OR_RETURN(ranges_, KeyRangeIndex::Create(wanted_, *scan_.only));
    }
    if (has_hashes_) return absl::OkStatus();
    ASSIGN_OR_RETURN(content_hasher_, ColumnsHasher::Create(wanted_, scan_.read.compared(),
                                                            scan_.dataset.hash_algorithm));
    return absl::OkStatus();
  }

  // False at the end.
  absl::StatusOr<bool> Next(absl::FunctionRef<absl::Status(const BaseRow& row)> take) {
    ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> batch, reader_->Next());
    if (batch == nullptr) return false;
    ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> rows, conformer_->Conform(*batch));
    RETURN_IF_ERROR(key_hasher_->Hash(*rows, keys_));
    RETURN_IF_ERROR(TakeContents(*rows));
    if (ranges_.has_value()) RETURN_IF_ERROR(ranges_->Take(RowBatch(rows), parts_));
    const Extras extras = ExtrasOf(*rows);
    for (int64_t i = 0; i < rows->num_rows(); ++i) {
      const auto at = static_cast<size_t>(i);
      if (scan_.prune && !scan_.read.keys().contains(keys_[at])) continue;
      if (ranges_.has_value() && parts_[at] < 0) continue;
      BaseRow row{file_, first_row_ + i, keys_[at], contents_[at], std::nullopt};
      Fill(extras, i, row);
      RETURN_IF_ERROR(take(row));
    }
    first_row_ += rows->num_rows();
    return true;
  }

 private:
  // The columns beside key and content; null or empty where they are not wanted.
  struct Extras {
    std::vector<std::optional<int64_t>> cursor, valid_from, valid_to;
    std::shared_ptr<arrow::Array> deleted_at, is_current, confirmed_at, microbatch;
  };

  // With the columns that are wanted of the file.
  absl::Status OpenReader(const StagedFile& file) {
    const SystemColumns& names = scan_.dataset.system_columns;
    wanted_.columns.clear();
    for (const Column& column : scan_.read.key().columns) Want(column.name);
    for (const Column& column : scan_.read.compared().columns) {
      if (!has_hashes_) Want(column.name);
    }
    if (has_hashes_) Want(names.row_hash);
    if (scan_.cursors) Want(scan_.dataset.cursor);
    if (scan_.only != nullptr) Want(scan_.only->key);
    if (scan_.dataset.on_missing == MissingPolicy::kMark) Want(names.deleted_at);
    if (scan_.dataset.write == WriteMode::kVersions) {
      for (const std::string* name :
           {&names.valid_from, &names.valid_to, &names.is_current, &names.confirmed_at}) {
        Want(*name);
      }
    }
    if (scan_.fences) Want(names.microbatch);
    std::vector<std::string> only;
    for (const Column& column : wanted_.columns) only.push_back(column.name);
    // Where it is a column of the source it is in the schema.
    const bool might_lose_marks =
        !names.deleted_at.empty() && scan_.file_schema.Find(names.deleted_at) < 0;
    if (might_lose_marks) only.push_back(names.deleted_at);
    ASSIGN_OR_RETURN(reader_,
                     ParquetReader::Open(absl::StrCat(scan_.folder, "/", file.path), &only));
    if (!might_lose_marks || reader_->schema().Find(names.deleted_at) < 0) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        ToString(scan_.dataset.id), ": rows of the table are marked as gone in column '",
        names.deleted_at,
        "' (delete_missing: soft), and would lose their marks. Set delete_missing: soft again, or "
        "load into another table (target_table)"));
  }

  void Want(const std::string& name) {
    const int at = name.empty() ? -1 : scan_.file_schema.Find(name);
    if (at >= 0 && wanted_.Find(name) < 0)
      wanted_.columns.push_back(scan_.file_schema.columns[static_cast<size_t>(at)]);
  }

  absl::Status TakeContents(const arrow::RecordBatch& rows) {
    if (!has_hashes_) return content_hasher_->Hash(rows, contents_);
    contents_.clear();
    const auto column = rows.GetColumnByName(scan_.dataset.system_columns.row_hash);
    const auto& hashes = static_cast<const arrow::BinaryArray&>(*column);
    for (int64_t i = 0; i < hashes.length(); ++i) {
      const std::optional<Hash128> hash =
          hashes.IsNull(i) ? std::nullopt
                           : HashOfBytes({hashes.GetView(i).data(), hashes.GetView(i).size()});
      if (!hash.has_value()) {
        return absl::DataLossError(absl::StrCat(
            ToString(scan_.dataset.id), ": a row of the table has no row hash (",
            scan_.dataset.system_columns.row_hash,
            "), as every row that Headwater wrote has. Has somebody else written to the table?"));
      }
      contents_.push_back(*hash);
    }
    return absl::OkStatus();
  }

  Extras ExtrasOf(const arrow::RecordBatch& rows) const {
    const SystemColumns& names = scan_.dataset.system_columns;
    const auto instants = [&](const std::string& name) {
      const auto column = name.empty() ? nullptr : rows.GetColumnByName(name);
      return column == nullptr ? std::vector<std::optional<int64_t>>() : InstantsOf(*column);
    };
    Extras extras;
    if (scan_.cursors) extras.cursor = instants(scan_.dataset.cursor);
    if (scan_.dataset.on_missing == MissingPolicy::kMark)
      extras.deleted_at = rows.GetColumnByName(names.deleted_at);
    if (scan_.fences && !names.microbatch.empty())
      extras.microbatch = rows.GetColumnByName(names.microbatch);
    if (scan_.dataset.write != WriteMode::kVersions) return extras;
    extras.valid_from = instants(names.valid_from);
    extras.valid_to = instants(names.valid_to);
    extras.is_current = rows.GetColumnByName(names.is_current);
    extras.confirmed_at = rows.GetColumnByName(names.confirmed_at);
    return extras;
  }

  static void Fill(const Extras& extras, int64_t i, BaseRow& row) {
    const auto at = static_cast<size_t>(i);
    if (!extras.cursor.empty()) row.cursor = extras.cursor[at];
    if (extras.deleted_at != nullptr) row.marked = !extras.deleted_at->IsNull(i);
    if (extras.microbatch != nullptr) row.fence = FenceOf(*extras.microbatch, i);
    if (extras.valid_from.empty()) return;
    row.has_begin = extras.valid_from[at].has_value();
    row.has_times = row.has_begin && !extras.is_current->IsNull(i);
    row.times.valid_from = extras.valid_from[at].value_or(0);
    row.times.valid_to = extras.valid_to[at];
    row.times.is_current = !extras.is_current->IsNull(i) &&
                           static_cast<const arrow::BooleanArray&>(*extras.is_current).Value(i);
    if (extras.confirmed_at == nullptr || extras.confirmed_at->IsNull(i)) return;
    const auto text = static_cast<const arrow::StringArray&>(*extras.confirmed_at).GetView(i);
    auto confirmed = DecodeConfirmed(absl::string_view(text.data(), text.size()));
    row.confirmed_readable = confirmed.ok();
    if (confirmed.ok()) row.times.confirmed = *std::move(confirmed);
  }

  const BaseScan& scan_;
  const int file_;
  bool has_hashes_ = false;  // Of the very columns and by the algorithm of now.
  Schema wanted_;
  std::unique_ptr<ParquetReader> reader_;
  std::optional<RowConformer> conformer_;
  std::unique_ptr<ColumnsHasher> key_hasher_, content_hasher_;
  int64_t first_row_ = 0;  // Of the next batch.
  std::vector<Hash128> keys_, contents_;
  std::optional<KeyRangeIndex> ranges_;
  std::vector<int> parts_;  // Of `ranges_`.
};

}  // namespace

bool MayHoldKeys(const StagedFile& file, const std::string& first_key, const KeyBounds& bounds) {
  rapidjson::Document stats;
  stats.Parse(file.stats_json.data(), file.stats_json.size());
  const auto bound = [&](const char* which) -> const rapidjson::Value* {
    if (stats.HasParseError() || !stats.IsObject() || !stats.HasMember(which)) return nullptr;
    const rapidjson::Value& values = stats[which];
    const auto found =
        values.IsObject() ? values.FindMember(first_key.c_str()) : values.MemberEnd();
    return !values.IsObject() || found == values.MemberEnd() ? nullptr : &found->value;
  };
  const rapidjson::Value* least = bound("minValues");
  const rapidjson::Value* largest = bound("maxValues");
  if (least == nullptr || largest == nullptr) return true;
  if (bounds.numbers.has_value() && least->IsInt64() && largest->IsInt64()) {
    return least->GetInt64() <= bounds.numbers->second &&
           bounds.numbers->first <= largest->GetInt64();
  }
  if (bounds.texts.has_value() && least->IsString() && largest->IsString()) {
    return absl::string_view(least->GetString(), least->GetStringLength()) <=
               bounds.texts->second &&
           bounds.texts->first <=
               absl::string_view(largest->GetString(), largest->GetStringLength());
  }
  return true;
}

absl::Status ScanBase(const BaseScan& scan, const TableBase& base, const std::stop_token& stop,
                      absl::FunctionRef<absl::Status(const BaseRow& row)> take) {
  for (size_t i = 0; i < base.files.size(); ++i) {
    const StagedFile& file = base.files[i];
    if (scan.prune &&
        !MayHoldKeys(file, scan.read.key().columns.front().name, scan.read.bounds())) {
      continue;
    }
    FileScan files(scan, static_cast<int>(i));
    RETURN_IF_ERROR(Annotate(files.Open(file), file.path));
    while (true) {
      if (stop.stop_requested()) return absl::CancelledError("stopped before the table was read");
      ASSIGN_OR_RETURN(const bool more, files.Next(take));
      if (!more) break;
    }
  }
  return absl::OkStatus();
}

}  // namespace headwater
