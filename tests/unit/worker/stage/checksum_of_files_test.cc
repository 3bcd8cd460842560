// A checksum is that of the rows, also when they come from a file that we wrote of them.
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>

#include <cstdlib>
#include <random>

#include "absl/strings/str_cat.h"
#include "common/data/arrow_schema.h"
#include "common/data/row_checksum.h"
#include "tests/support/temp_folder.h"
#include "worker/source/batch_builder.h"
#include "worker/stage/parquet_writer.h"

namespace headwater {
namespace {

constexpr int kRows = 2'000;

Schema EverySchema() {
  Schema schema;
  for (const char* type : {"boolean", "byte", "short", "integer", "long", "float", "double",
                           "decimal(9,2)", "decimal(18,6)", "decimal(38,10)", "string", "binary",
                           "date", "timestamp", "timestamp_ntz"}) {
    schema.columns.push_back({absl::StrCat("c", schema.columns.size()), *ParseType(type)});
  }
  return schema;
}

void AppendRandom(BatchBuilder& batch, int column, const ColumnType& type,
                  std::mt19937_64& random) {
  const auto number = static_cast<int64_t>(random());
  switch (type.kind) {
    case TypeKind::kBoolean:
      return batch.AppendBool(column, number % 2 == 0);
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return batch.AppendDouble(column, static_cast<double>(number % 1000) / 7);
    case TypeKind::kDecimal:
      return batch.AppendDecimal(column, number % 1'000'000'000);
    case TypeKind::kString:
    case TypeKind::kBinary:
      return batch.AppendBytes(column,
                               std::string(random() % 20, static_cast<char>('a' + random() % 26)));
    case TypeKind::kDate:
      return batch.AppendInteger(column, number % 700'000);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      return batch.AppendInteger(column, number % 60'000'000'000'000'000);
    default:
      return batch.AppendInteger(column, number % 128);
  }
}

RowChecksum SumOf(const Schema& schema, const RowBatch& batch) {
  RowChecksum sum;
  const absl::Status added = (*RowChecksummer::Create(schema))->Add(batch, sum);
  EXPECT_TRUE(added.ok()) << added;
  return sum;
}

TEST(ChecksumOfFiles, IsThatOfTheRowsThatWereWritten) {
  std::mt19937_64 random(20'130'101);
  const Schema schema = EverySchema();
  BatchBuilder builder(schema);
  for (int row = 0; row < kRows; ++row) {
    for (size_t i = 0; i < schema.columns.size(); ++i) {
      const int column = static_cast<int>(i);
      if (random() % 8 == 0) {
        builder.AppendNull(column);
      } else {
        AppendRandom(builder, column, schema.columns[i].type, random);
      }
    }
    builder.EndRow();
  }
  const std::unique_ptr<RowBatch> batch = *builder.Finish();
  const RowChecksum expected = SumOf(schema, *batch);
  EXPECT_EQ(expected.rows, kRows);

  const TempFolder folder;
  const std::string path = folder.path() + "/rows.parquet";
  const auto rows = *arrow::Table::FromRecordBatches({batch->arrow()});
  auto writer = *ParquetWriter::Create(path, schema, *rows);
  ASSERT_TRUE(writer->WriteRowGroup(*rows->Slice(0, kRows / 3)).ok());
  ASSERT_TRUE(writer->WriteRowGroup(*rows->Slice(kRows / 3)).ok());
  ASSERT_TRUE(writer->Close().ok());
  const auto reader = *parquet::arrow::OpenFile(*arrow::io::ReadableFile::Open(path), ArrowPool());
  const auto again = *reader->ReadTable();
  RowChecksum read;
  arrow::TableBatchReader batches(*again);
  for (auto next = *batches.Next(); next != nullptr; next = *batches.Next()) {
    read.Add(SumOf(schema, RowBatch(next)));
  }
  EXPECT_EQ(read, expected);
}

}  // namespace
}  // namespace headwater
