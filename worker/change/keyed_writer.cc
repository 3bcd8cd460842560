#include "worker/change/keyed_writer.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>

#include <string>
#include <utility>
#include <vector>

#include "common/base/failpoint.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"
#include "common/data/system_columns.h"
#include "worker/change/decision.h"
#include "worker/change/file_rewriter.h"
#include "worker/change/row_store.h"
#include "worker/stage/delta_staging_writer.h"
#include "worker/stage/file_schema.h"
#include "worker/stage/file_sequence.h"
#include "worker/stage/piece_tally.h"
#include "worker/stage/taken_rows.h"

namespace headwater {
namespace {

// More small files than so many are joined by a write that changes something anyway.
constexpr int kManySmallFiles = 8;
constexpr int64_t kSmallFileBytes = int64_t{16} << 20;
constexpr absl::string_view kDoing = "writing rows by key";

class KeyedStagingWriter final : public StagingWriter {
 public:
  KeyedStagingWriter(const StagingOptions& options, std::string folder,
                     std::unique_ptr<PieceTally> tally, std::unique_ptr<ReadRows> read)
      : options_(options),
        folder_(std::move(folder)),
        file_schema_(FileSchemaOf(options.dataset, options.source_schema)),
        arrow_schema_(ToArrow(file_schema_)),
        tally_(std::move(tally)),
        read_(std::move(read)),
        rewriter_(options_, file_schema_, read_->compared(), read_->spec_version()),
        kept_(folder_, ToArrow(options.source_schema), options.memory_bytes),
        files_(folder_, options.lease.fence) {}

  absl::Status Write(const RowBatch& batch) override {
    if (status_.ok()) status_ = WriteBatch(batch);
    return status_;
  }

  absl::StatusOr<Manifest> Finish() override {
    RETURN_IF_ERROR(status_);
    status_ = absl::FailedPreconditionError("the staging writer is finished");
    RETURN_IF_ERROR(CheckTies());
    ASSIGN_OR_RETURN(KeyedDecision decision, Decide());
    decision.counts.duplicate_rows = read_->duplicates();
    RETURN_IF_ERROR(tally_->Finish());
    if (options_.fingerprints_only) {  // Looked up, and nothing more.
      Manifest manifest = tally_->Describe(file_schema_);
      manifest.keyed = std::move(decision.counts);
      return manifest;
    }
    RETURN_IF_ERROR(Carry(decision));
    RETURN_IF_ERROR(files_.SyncFolders());
    RETURN_IF_ERROR(Failpoint("stage.after_sync"));
    files_.Keep();
    tally_->Keep();
    Manifest manifest = tally_->Describe(file_schema_);
    for (const StagedFile& file : decision.counts.files) manifest.bytes_staged += file.size_bytes;
    manifest.keyed = std::move(decision.counts);
    return manifest;
  }

  absl::Status Remove(const StagedPiece& piece) override { return tally_->RemoveBadFiles(piece); }

 private:
  absl::Status WriteBatch(const RowBatch& batch) {
    RETURN_IF_ERROR(tally_->Take(batch, slots_));
    if (batch.rows() == 0) return absl::OkStatus();
    RETURN_IF_ERROR(read_->Add(*batch.arrow()));
    return kept_.Add(batch.arrow());
  }

  // Names the key of a row that could not be chosen, which is looked for only now.
  absl::Status CheckTies() {
    const std::optional<int32_t> tied = read_->Tie();
    if (!tied.has_value()) return absl::OkStatus();
    return kept_.ForEach([&](int64_t first_row, const arrow::RecordBatch& batch) {
      const int64_t i = *tied - first_row;
      return i < batch.num_rows() ? read_->TieError(batch, i) : absl::OkStatus();
    });
  }

  bool Covers(const std::optional<int64_t>& cursor) const {
    if (options_.cursor_type == CursorType::kNone) return true;
    if (!cursor.has_value() || *cursor >= options_.domain_end) return options_.extent.outside;
    return options_.extent.range.has_value() && options_.extent.range->Contains(*cursor);
  }

  absl::StatusOr<KeyedDecision> Decide() {
    const DecisionInput input{
        .dataset = options_.dataset,
        .folder = folder_,
        .file_schema = file_schema_,
        .base = *options_.base,
        .covers = [this](const std::optional<int64_t>& cursor) { return Covers(cursor); },
        .only = options_.only.get(),
        .read_at = absl::ToUnixMicros(options_.read_at),
        .stop = options_.stop};
    return options_.dataset.write == WriteMode::kMerge ? DecideMerge(input, *read_)
                                                       : DecideVersions(input, *read_);
  }

  // Writes what the decision says, and names it in its counts.
  absl::Status Carry(KeyedDecision& decision) {
    KeyedChange& change = decision.counts;
    const bool adds = decision.adds_rows(options_.dataset.write);
    if (adds || decision.changes_files()) JoinSmallFiles(decision);
    FileSequence output(files_, /*piece=*/0, file_schema_, KeyedPartition(options_.dataset));
    RETURN_IF_ERROR(
        rewriter_.RewriteTouched(*options_.base, folder_, decision.files, change,
                                 [&](auto rows) { return output.Add(std::move(rows)); }));
    if (adds) RETURN_IF_ERROR(AddRows(decision, output));
    ASSIGN_OR_RETURN(change.files, output.Finish());
    for (StagedFile& file : change.files) {
      file.spec_version = read_->spec_version();
      change.table_rows += file.rows;
    }
    return absl::OkStatus();
  }

  void JoinSmallFiles(KeyedDecision& decision) const {
    const std::vector<StagedFile>& base = options_.base->files;
    std::vector<size_t> small;
    for (size_t i = 0; i < base.size(); ++i) {
      if (base[i].size_bytes < kSmallFileBytes) small.push_back(i);
    }
    if (small.size() <= kManySmallFiles) return;
    for (const size_t i : small) decision.files[i].rewritten = true;
  }

  // The rows that were read and are written.
  absl::Status AddRows(const KeyedDecision& decision, FileSequence& output) {
    return kept_.ForEach([&](int64_t first_row, const arrow::RecordBatch& batch) -> absl::Status {
      if (options_.stop.stop_requested())
        return absl::CancelledError("stopped before all rows were written");
      std::vector<int32_t> wanted;
      for (int64_t i = 0; i < batch.num_rows(); ++i) {
        const auto row = static_cast<int32_t>(first_row + i);
        const bool written = options_.dataset.write == WriteMode::kMerge
                                 ? read_->rows()[static_cast<size_t>(row)].wanted
                                 : decision.versions.contains(row);
        if (written) wanted.push_back(static_cast<int32_t>(i));
      }
      if (wanted.empty()) return absl::OkStatus();
      ASSIGN_OR_RETURN(auto rows, WithOurColumns(decision, first_row, batch, wanted));
      return output.Add(std::move(rows));
    });
  }

  absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> WithOurColumns(
      const KeyedDecision& decision, int64_t first_row, const arrow::RecordBatch& batch,
      const std::vector<int32_t>& wanted) {
    const auto count = static_cast<int64_t>(wanted.size());
    ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> taken, TakeRows(batch, wanted));
    arrow::ArrayVector columns = taken->columns();
    columns.resize(file_schema_.columns.size());
    ASSIGN_OR_RETURN(const arrow::ArrayVector constants, AttemptColumns(options_, count));
    size_t constant = 0;
    for (const SystemColumn column : {SystemColumn::kLoadedAt, SystemColumn::kMicrobatch}) {
      if (const int at = FindSystemColumn(file_schema_, column); at >= 0)
        columns[static_cast<size_t>(at)] = constants[constant++];
    }
    if (options_.dataset.write == WriteMode::kVersions) {
      TimeColumns times(wanted.size());
      for (size_t i = 0; i < wanted.size(); ++i)
        times.Set(i, decision.versions.at(static_cast<int32_t>(first_row + wanted[i])));
      RETURN_IF_ERROR(times.Put(file_schema_, columns));
      RETURN_IF_ERROR(PutCursor(times, columns));
    }
    if (const int at = FindSystemColumn(file_schema_, SystemColumn::kRowHash); at >= 0) {
      std::vector<Hash128> hashes;
      for (const int32_t row : wanted)
        hashes.push_back(read_->rows()[static_cast<size_t>(first_row + row)].content);
      ASSIGN_OR_RETURN(columns[static_cast<size_t>(at)], HashColumn(hashes));
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i] != nullptr) continue;  // The mark of a row that is gone: it is there.
      auto nulls = arrow::MakeArrayOfNull(arrow_schema_->field(static_cast<int>(i))->type(), count,
                                          ArrowPool());
      RETURN_IF_ERROR(FromArrow(nulls.status(), kDoing));
      columns[i] = *std::move(nulls);
    }
    return arrow::RecordBatch::Make(arrow_schema_, count, std::move(columns));
  }

  // A version may begin before the row that it is written from: one that was seen earlier gave its
  // place to another version.
  absl::Status PutCursor(const TimeColumns& times, arrow::ArrayVector& columns) const {
    const std::string& cursor = options_.dataset.cursor;
    if (cursor.empty()) return absl::OkStatus();
    std::shared_ptr<arrow::Array>& column = columns[static_cast<size_t>(file_schema_.Find(cursor))];
    ASSIGN_OR_RETURN(column, InstantColumn(column->type(), times.valid_from));
    return absl::OkStatus();
  }

  const StagingOptions options_;
  const std::string folder_;
  const Schema file_schema_;
  const std::shared_ptr<arrow::Schema> arrow_schema_;
  const std::unique_ptr<PieceTally> tally_;
  const std::unique_ptr<ReadRows> read_;
  FileRewriter rewriter_;
  RowStore kept_;
  StagedFiles files_;
  absl::Status status_;
  std::vector<int> slots_;  // Scratch of Write().
};

}  // namespace

absl::StatusOr<std::unique_ptr<StagingWriter>> OpenKeyedStaging(const StagingOptions& options) {
  ASSIGN_OR_RETURN(std::string folder, LocalFolderOf(options.dataset.target_uri));
  RETURN_IF_ERROR(
      CheckColumnNames(FileSchemaOf(options.dataset, options.source_schema), options.dataset));
  ASSIGN_OR_RETURN(std::unique_ptr<PieceTally> tally, PieceTally::Create(options, folder));
  ASSIGN_OR_RETURN(std::unique_ptr<ReadRows> read,
                   ReadRows::Create(options.dataset, options.source_schema));
  return std::make_unique<KeyedStagingWriter>(options, std::move(folder), std::move(tally),
                                              std::move(read));
}

}  // namespace headwater
