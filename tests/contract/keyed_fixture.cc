#include "tests/contract/keyed_fixture.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/fake_source.h"
#include "worker/stage/parquet_reader.h"

namespace headwater {

KeyedFixture::KeyedFixture(Schema schema) {
  DatasetSpec& dataset = options_.dataset;
  dataset.id = {"planes", "ewr"};
  dataset.server.name = "ewr";
  dataset.write = WriteMode::kMerge;
  dataset.key_columns = {schema.columns.front().name};
  dataset.target_uri = root_;
  options_.lease = {"t", 0};
  options_.extent = {Range{0, 1}, false};
  options_.source_schema = std::move(schema);
  options_.loaded_at = absl::UnixEpoch();
  options_.base.emplace();
}

void KeyedFixture::ReadRange(const std::string& cursor, CursorType type, Range range,
                             bool outside) {
  options_.dataset.cursor = cursor;
  options_.cursor_type = type;
  options_.extent = {range, outside};
  options_.domain_end = range.to;
}

absl::StatusOr<Manifest> KeyedFixture::Stage(const std::vector<std::string>& batches) {
  ++options_.lease.fence;
  auto writer = OpenKeyedStaging(options_);
  if (!writer.ok()) return writer.status();
  for (const std::string& rows : batches) {
    const absl::Status written = (*writer)->Write(*BatchOf(options_.source_schema, rows));
    if (!written.ok()) return written;
  }
  return (*writer)->Finish();
}

KeyedChange KeyedFixture::LoadBatches(const std::vector<std::string>& batches) {
  const absl::StatusOr<Manifest> manifest = Stage(batches);
  EXPECT_TRUE(manifest.ok()) << manifest.status();
  if (!manifest.ok() || !manifest->keyed.has_value()) return {};
  Publish(*manifest->keyed);
  return *manifest->keyed;
}

void KeyedFixture::Publish(const KeyedChange& change) {
  std::vector<StagedFile>& files = options_.base->files;
  for (const std::string& path : change.replaced) {
    const auto found = std::find_if(files.begin(), files.end(),
                                    [&](const StagedFile& file) { return file.path == path; });
    ASSERT_NE(found, files.end()) << path << " is replaced and is not live, or twice";
    std::filesystem::remove(PathOf(*found));
    files.erase(found);
  }
  for (const StagedFile& file : change.files) {
    ASSERT_TRUE(std::filesystem::exists(PathOf(file))) << file.path;
    EXPECT_EQ(static_cast<uintmax_t>(file.size_bytes), std::filesystem::file_size(PathOf(file)));
    EXPECT_GT(file.rows, 0);
    files.push_back(file);
  }
  int64_t rows = 0;
  for (const StagedFile& file : files) {
    rows += file.rows;
    EXPECT_EQ(RowsOf(file, {options_.dataset.key_columns.front()}).size(),
              static_cast<size_t>(file.rows));
  }
  EXPECT_EQ(change.table_rows, rows);
  EXPECT_EQ(CountFiles(), static_cast<int>(files.size())) << "files that nobody names";
}

std::vector<std::string> KeyedFixture::RowsOf(const StagedFile& file,
                                              const std::vector<std::string>& columns) const {
  std::vector<std::string> rows;
  auto reader = ParquetReader::Open(PathOf(file));
  EXPECT_TRUE(reader.ok()) << reader.status();
  while (reader.ok()) {
    auto batch = (*reader)->Next();
    EXPECT_TRUE(batch.ok()) << batch.status();
    if (!batch.ok() || *batch == nullptr) break;
    for (int64_t i = 0; i < (*batch)->num_rows(); ++i) {
      rows.push_back(absl::StrJoin(columns, "|", [&](std::string* out, const std::string& name) {
        const auto column = (*batch)->GetColumnByName(name);
        if (column == nullptr) {
          absl::StrAppend(out, "-");
        } else if (!column->IsNull(i)) {
          absl::StrAppend(out, column->GetScalar(i).ValueOrDie()->ToString());
        }
      }));
    }
  }
  return rows;
}

std::vector<std::string> KeyedFixture::Rows(const std::vector<std::string>& columns) const {
  std::vector<std::string> rows;
  for (const StagedFile& file : live()) {
    for (std::string& row : RowsOf(file, columns)) rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

int KeyedFixture::CountFiles() const {
  int files = 0;
  if (!std::filesystem::exists(root_)) return 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_))
    files += entry.is_regular_file() ? 1 : 0;
  return files;
}

std::string CountsOf(const KeyedChange& change) {
  return absl::StrCat("new ", change.new_rows, " changed ", change.changed_rows, " same ",
                      change.same_rows, " deleted ", change.deleted_rows, " duplicate ",
                      change.duplicate_rows);
}

}  // namespace headwater
