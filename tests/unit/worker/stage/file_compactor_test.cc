// Files that were staged as several pieces, written anew as one.
#include "worker/stage/file_compactor.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>

#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/data/row_hash.h"
#include "tests/contract/staging_fixture.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Schema kSchema = {{{"id", {TypeKind::kLong}},
                         {"at", {TypeKind::kTimestamp}},
                         {"price", {TypeKind::kDecimal, 12, 2}},
                         {"cents", {TypeKind::kDecimal, 6, 2}},
                         {"tiny", {TypeKind::kByte}},
                         {"number", {TypeKind::kInteger}},
                         {"part", {TypeKind::kFloat}},
                         {"local", {TypeKind::kTimestampNtz}},
                         {"wide", {TypeKind::kDecimal, 38, 4}},
                         {"small", {TypeKind::kShort}},
                         {"on", {TypeKind::kDate}},
                         {"name", {TypeKind::kString}},
                         {"yes", {TypeKind::kBoolean}},
                         {"ratio", {TypeKind::kDouble}}}};

class FileCompactorTest : public StagingFixture {
 protected:
  FileCompactorTest() : StagingFixture(kSchema) { options_.extent = {Range{0, 2 * kDay}, false}; }

  static std::string Row(int id, const std::string& at) {
    return absl::StrCat("[", id, ", \"", at, "\", \"", id, ".25\", \"", id % 100, ".75\", ",
                        id % 100, ", ", id, ", ", id, ".25, \"", at, "\", \"", id,
                        "0000000000000000000000.0001\", ", id % 7, ", \"2013-01-01\", ",
                        id % 3 == 0 ? "null" : absl::StrCat("\"row ", id, "\""), ", ",
                        id % 2 == 0 ? "true" : "null", ", ", id, ".5]");
  }

  // Stages an attempt of its own; its files are the next inputs, its fingerprint is added.
  void Stage(const std::string& rows) {
    ++options_.lease.fence;
    options_.cuts.clear();
    options_.loaded_at += absl::Seconds(1);
    auto writer = Open();
    ASSERT_TRUE(writer->Write(*BatchOf(options_.source_schema, rows)).ok());
    const auto manifest = writer->Finish();
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    spec_version_ = manifest->spec_version;
    schema_ = manifest->schema;
    for (const StagedPiece& piece : manifest->pieces) {
      expected_.Add(piece.fingerprint);
      inputs_.insert(inputs_.end(), piece.files.begin(), piece.files.end());
    }
  }

  void StageSome() {
    for (int piece = 0; piece < 5; ++piece) {
      const std::string hour = absl::StrCat("0", piece, ":00:00");
      Stage(absl::StrCat("[", Row(3 * piece, "1970-01-01 " + hour), ", ",
                         Row(3 * piece + 1, "1970-01-01 " + hour + ".000001"), ", ",
                         Row(3 * piece + 2, "1970-01-02 " + hour), "]"));
    }
  }

  absl::StatusOr<Manifest> Compact(std::stop_token stop = {}) {
    CompactionOptions options;
    options.dataset = options_.dataset;
    options.lease.task_id = "compaction";
    options.lease.fence = 77;
    options.extent = options_.extent;
    options.inputs = inputs_;
    options.progress = [this](int64_t rows, int64_t) { progress_ = rows; };
    return CompactFiles(options, std::move(stop));
  }

  // Rows of a file as text, all columns of it.
  std::multiset<std::string> RowsOf(const StagedFile& file) const {
    auto opened = arrow::io::ReadableFile::Open(folder_.path() + "/flights/" + file.path);
    auto reader = parquet::arrow::OpenFile(*opened, arrow::default_memory_pool());
    const std::shared_ptr<arrow::Table> table = *(*reader)->ReadTable();
    std::multiset<std::string> rows;
    for (int64_t row = 0; row < table->num_rows(); ++row) {
      std::string text = absl::StrCat(*file.partition_values[1].second, " ");
      for (int i = 0; i < table->num_columns(); ++i) {
        absl::StrAppend(&text, table->field(i)->ToString(), "=",
                        (*table->column(i)->GetScalar(row))->ToString(), " ");
      }
      rows.insert(text);
    }
    return rows;
  }

  std::multiset<std::string> RowsOf(const std::vector<StagedFile>& files) const {
    std::multiset<std::string> rows;
    for (const StagedFile& file : files) rows.merge(RowsOf(file));
    return rows;
  }

  std::vector<StagedFile> inputs_;
  Fingerprint expected_;
  Schema schema_;
  std::string spec_version_;
  int64_t progress_ = 0;
};

TEST_F(FileCompactorTest, RowsAreSummedByTheAlgorithmThatTheyWereSummedBy) {
  options_.dataset.hash_algorithm = HashAlgorithm::kMd5;
  StageSome();
  EXPECT_EQ(Compact()->pieces.front().fingerprint, expected_);
  EXPECT_EQ(Compact()->spec_version, spec_version_);
  options_.dataset.hash_algorithm = HashAlgorithm::kSha256;
  EXPECT_NE(Compact()->spec_version, spec_version_);
}

TEST_F(FileCompactorTest, RowsStayAsTheyAreInOneFilePerPartition) {
  StageSome();
  ASSERT_EQ(inputs_.size(), 10u);
  const auto manifest = Compact();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  ASSERT_EQ(manifest->pieces.size(), 1u);
  const StagedPiece& piece = manifest->pieces.front();
  EXPECT_EQ(piece.extent, options_.extent);
  EXPECT_EQ(piece.fingerprint, expected_);
  EXPECT_EQ(manifest->spec_version, spec_version_);
  EXPECT_EQ(manifest->schema, schema_);
  EXPECT_EQ(manifest->rows_read, 15);
  EXPECT_EQ(progress_, 15);
  ASSERT_EQ(piece.files.size(), 2u);
  for (const StagedFile& file : piece.files) {
    EXPECT_EQ(
        file.size_bytes,
        static_cast<int64_t>(std::filesystem::file_size(folder_.path() + "/flights/" + file.path)));
    EXPECT_THAT(file.path, HasSubstr("server_source=ewr/cursor_day=1970-01-0"));
    EXPECT_THAT(file.path, HasSubstr("/hw-77-p0-"));
    EXPECT_THAT(file.stats_json, HasSubstr(absl::StrCat("\"numRecords\":", file.rows)));
  }
  EXPECT_EQ(piece.files[0].rows, 10);
  EXPECT_EQ(piece.files[1].rows, 5);
  EXPECT_EQ(RowsOf(piece.files), RowsOf(inputs_));
}

TEST_F(FileCompactorTest, ThePartitionIsThatOfTheFilesInWhateverOrder) {
  Stage(absl::StrCat("[", Row(1, "1970-01-01 05:00:00"), "]"));
  // As if days had been cut elsewhere then; and a log names columns in the order of their names.
  inputs_[0].partition_values = {{"cursor_day", "2013-05-05"}, {"server_source", "ewr"}};
  const auto manifest = Compact();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_THAT(manifest->pieces[0].files[0].path,
              HasSubstr("server_source=ewr/cursor_day=2013-05-05/"));
}

TEST_F(FileCompactorTest, ManyRowsBecomeFewRowGroups) {
  std::string rows;
  for (int i = 0; i < 20'000; ++i) {
    absl::StrAppend(&rows, i == 0 ? "[" : ", ", Row(i, "1970-01-01 05:00:00"));
  }
  Stage(rows + "]");
  Stage(absl::StrCat("[", Row(1, "1970-01-01 06:00:00"), "]"));
  const auto manifest = Compact();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  ASSERT_EQ(manifest->pieces[0].files.size(), 1u);
  EXPECT_EQ(manifest->pieces[0].fingerprint, expected_);
  auto opened = arrow::io::ReadableFile::Open(folder_.path() + "/flights/" +
                                              manifest->pieces[0].files[0].path);
  auto reader = parquet::arrow::OpenFile(*opened, arrow::default_memory_pool());
  EXPECT_EQ((*reader)->num_row_groups(), 1);
}

TEST_F(FileCompactorTest, NoFileStaysOfWhatFailsOrIsStopped) {
  StageSome();
  const int before = CountFiles();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(Compact(stop.get_token()).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(CountFiles(), before);
  inputs_.push_back(inputs_.back());
  inputs_.back().path += ".gone";
  const auto failed = Compact();
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr(".gone"));
  EXPECT_EQ(CountFiles(), before);
}

TEST_F(FileCompactorTest, FilesOfOtherColumnsAreRefused) {
  Stage(absl::StrCat("[", Row(1, "1970-01-01 05:00:00"), "]"));
  options_.source_schema = {{{"id", {TypeKind::kLong}}, {"at", {TypeKind::kTimestamp}}}};
  Stage(R"([[2, "1970-01-01 06:00:00"]])");
  const int before = CountFiles();
  EXPECT_EQ(Compact().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(CountFiles(), before);
}

}  // namespace
}  // namespace headwater
