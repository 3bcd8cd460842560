// How fast batches become a Parquet file, and how small: the table of the loads, and each kind of
// its columns alone, by the encoding that the writer chooses for it. With the footer, statistics
// and fsync.
#include <arrow/table.h>
#include <benchmark/benchmark.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "bench/deals.h"
#include "tests/support/temp_folder.h"
#include "worker/stage/parquet_writer.h"

namespace headwater {
namespace {

constexpr int64_t kRows = 131'072;  // About as many as a row group of a load has.

// How the values of the file's first column are written; a dictionary's own pages are PLAIN.
std::string EncodingOf(const std::string& path) {
  const auto reader = parquet::ParquetFileReader::OpenFile(path);
  const auto chunk = reader->metadata()->RowGroup(0)->ColumnChunk(0);
  std::string names;
  for (const parquet::Encoding::type encoding : chunk->encodings()) {
    const bool levels = encoding == parquet::Encoding::RLE;
    if (!levels) names += (names.empty() ? "" : ", ") + parquet::EncodingToString(encoding);
  }
  return names;
}

void Write(benchmark::State& state, const std::vector<int>& columns) {
  const TempFolder folder;
  const std::string path = folder.path() + "/deals.parquet";
  const Schema schema = DealsSchema(columns);
  const auto table = *arrow::Table::FromRecordBatches({DealsBatch(kRows, columns)->arrow()});
  int64_t size_bytes = 0;
  for ([[maybe_unused]] auto iteration : state) {
    std::filesystem::remove(path);
    const auto writer = ParquetWriter::Create(path, schema, *table);
    if (!writer.ok()) return state.SkipWithError("the file could not be made");
    if (!(*writer)->WriteRowGroup(*table).ok()) return state.SkipWithError("not written");
    const auto closed = (*writer)->Close();
    if (!closed.ok()) return state.SkipWithError("the file could not be closed");
    size_bytes = closed->size_bytes;
  }
  state.SetItemsProcessed(state.iterations() * kRows);  // Rows.
  state.counters["bytes_per_row"] = static_cast<double>(size_bytes) / kRows;
  if (columns.size() == 1) state.SetLabel(EncodingOf(path));
}

BENCHMARK_CAPTURE(Write, deals, AllDealsColumns());
BENCHMARK_CAPTURE(Write, sorted_long, std::vector<int>{kDealId});
BENCHMARK_CAPTURE(Write, random_long, std::vector<int>{kLogin});
BENCHMARK_CAPTURE(Write, timestamp, std::vector<int>{kTimeMsc});
BENCHMARK_CAPTURE(Write, decimal, std::vector<int>{kPrice});
BENCHMARK_CAPTURE(Write, text, std::vector<int>{kComment});
BENCHMARK_CAPTURE(Write, repeated_text, std::vector<int>{kSymbol});
BENCHMARK_CAPTURE(Write, random_double, std::vector<int>{kVolume});

}  // namespace
}  // namespace headwater

BENCHMARK_MAIN();
