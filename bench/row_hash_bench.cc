// How fast rows are hashed and summed: by kind of column, with ten mixed ones, and the table of the
// loads.
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/util/decimal.h>
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/deals.h"
#include "common/data/arrow_schema.h"
#include "common/data/row_checksum.h"
#include "common/data/row_hash.h"

namespace headwater {
namespace {

constexpr int64_t kRows = 65'536;
constexpr int kTextBytes = 16;

void Check(const arrow::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "row_hash_bench: %s\n", status.ToString().c_str());
  std::exit(1);
}

std::shared_ptr<arrow::Array> TextColumn(std::mt19937_64& random) {
  arrow::StringBuilder builder;
  for (int64_t row = 0; row < kRows; ++row) {
    std::string text(random() % (2 * kTextBytes), 'x');
    for (char& c : text) c = static_cast<char>('a' + random() % 26);
    Check(builder.Append(text));
  }
  std::shared_ptr<arrow::Array> array;
  Check(builder.Finish(&array));
  return array;
}

template <typename Builder>
std::shared_ptr<arrow::Array> NumberColumn(std::mt19937_64& random, int percent_null) {
  Builder builder;
  for (int64_t row = 0; row < kRows; ++row) {
    const bool null = static_cast<int>(random() % 100) < percent_null;
    Check(null ? builder.AppendNull()
               : builder.Append(static_cast<typename Builder::value_type>(random() % 1'000'000)));
  }
  std::shared_ptr<arrow::Array> array;
  Check(builder.Finish(&array));
  return array;
}

template <HashAlgorithm algorithm>
void HashBatch(benchmark::State& state, const Schema& schema, const RowBatch& batch) {
  const auto hasher = RowHasher::Create(schema, algorithm);
  if (!hasher.ok()) return state.SkipWithError(std::string(hasher.status().message()).c_str());
  std::vector<Hash128> hashes;
  for ([[maybe_unused]] auto iteration : state) {
    hashes.clear();
    const absl::Status status = (*hasher)->Hash(batch, hashes);
    if (!status.ok()) return state.SkipWithError(std::string(status.message()).c_str());
    benchmark::DoNotOptimize(hashes.data());
  }
  state.SetItemsProcessed(state.iterations() * kRows);  // Rows.
  state.SetBytesProcessed(state.iterations() * batch.size_bytes());
}

void SumBatch(benchmark::State& state, const Schema& schema, const RowBatch& batch) {
  const auto checksummer = RowChecksummer::Create(schema);
  for ([[maybe_unused]] auto iteration : state) {
    RowChecksum sum;
    const absl::Status status = (*checksummer)->Add(batch, sum);
    if (!status.ok()) return state.SkipWithError(std::string(status.message()).c_str());
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * kRows);  // Rows.
  state.SetBytesProcessed(state.iterations() * batch.size_bytes());
}

std::shared_ptr<arrow::Array> DecimalColumn(std::mt19937_64& random) {
  arrow::Decimal128Builder builder(arrow::decimal128(18, 2));
  for (int64_t row = 0; row < kRows; ++row) {
    Check(builder.Append(arrow::Decimal128(static_cast<int64_t>(random() % 100'000'000))));
  }
  std::shared_ptr<arrow::Array> array;
  Check(builder.Finish(&array));
  return array;
}

// Microseconds of about thirty years.
std::shared_ptr<arrow::Array> MomentColumn(std::mt19937_64& random) {
  arrow::TimestampBuilder builder(ToArrow(ColumnType{TypeKind::kTimestamp}),
                                  arrow::default_memory_pool());
  for (int64_t row = 0; row < kRows; ++row) {
    Check(builder.Append(static_cast<int64_t>(random() % 1'000'000'000'000'000)));
  }
  std::shared_ptr<arrow::Array> array;
  Check(builder.Finish(&array));
  return array;
}

using Measure = void (*)(benchmark::State&, const Schema&, const RowBatch&);

// Columns of `kinds`: l long, n long with 20 % NULL, d double, s text, m decimal, t timestamp.
void Columns(benchmark::State& state, Measure measure, const std::string& kinds) {
  std::mt19937_64 random(1);
  Schema schema;
  arrow::ArrayVector arrays;
  for (const char kind : kinds) {
    Column column{absl::StrCat("c", arrays.size()), {TypeKind::kLong}};
    if (kind == 's') {
      column.type.kind = TypeKind::kString;
      arrays.push_back(TextColumn(random));
    } else if (kind == 'm') {
      column.type = {TypeKind::kDecimal, 18, 2};
      arrays.push_back(DecimalColumn(random));
    } else if (kind == 't') {
      column.type.kind = TypeKind::kTimestamp;
      arrays.push_back(MomentColumn(random));
    } else if (kind == 'd') {
      column.type.kind = TypeKind::kDouble;
      arrays.push_back(NumberColumn<arrow::DoubleBuilder>(random, 0));
    } else {
      arrays.push_back(NumberColumn<arrow::Int64Builder>(random, kind == 'n' ? 20 : 0));
    }
    schema.columns.push_back(std::move(column));
  }
  measure(state, schema,
          RowBatch(arrow::RecordBatch::Make(ToArrow(schema), kRows, std::move(arrays))));
}

template <HashAlgorithm algorithm>
void HashBy(benchmark::State& state, const std::string& kinds) {
  Columns(state, HashBatch<algorithm>, kinds);
}
constexpr auto Hash = HashBy<HashAlgorithm::kXxh3>;
constexpr auto HashMd5 = HashBy<HashAlgorithm::kMd5>;
constexpr auto HashSha256 = HashBy<HashAlgorithm::kSha256>;
void Checksum(benchmark::State& state, const std::string& kinds) {
  Columns(state, SumBatch, kinds);
}

template <HashAlgorithm algorithm>
void HashDeals(benchmark::State& state) {
  HashBatch<algorithm>(state, DealsSchema(AllDealsColumns()),
                       *DealsBatch(kRows, AllDealsColumns()));
}

void ChecksumDeals(benchmark::State& state) {
  SumBatch(state, DealsSchema(AllDealsColumns()), *DealsBatch(kRows, AllDealsColumns()));
}

BENCHMARK_CAPTURE(Hash, one_long, std::string("l"));
BENCHMARK_CAPTURE(Hash, one_long_with_nulls, std::string("n"));
BENCHMARK_CAPTURE(Hash, one_double, std::string("d"));
BENCHMARK_CAPTURE(Hash, one_text, std::string("s"));
BENCHMARK_CAPTURE(Hash, ten_mixed, std::string("llnndddsss"));
BENCHMARK(HashDeals<HashAlgorithm::kXxh3>)->Name("Hash/deals");
BENCHMARK_CAPTURE(HashMd5, one_long, std::string("l"));
BENCHMARK_CAPTURE(HashMd5, ten_mixed, std::string("llnndddsss"));
BENCHMARK(HashDeals<HashAlgorithm::kMd5>)->Name("HashMd5/deals");
BENCHMARK_CAPTURE(HashSha256, one_long, std::string("l"));
BENCHMARK_CAPTURE(HashSha256, ten_mixed, std::string("llnndddsss"));
BENCHMARK(HashDeals<HashAlgorithm::kSha256>)->Name("HashSha256/deals");
BENCHMARK_CAPTURE(Checksum, one_long, std::string("l"));
BENCHMARK_CAPTURE(Checksum, one_double, std::string("d"));
BENCHMARK_CAPTURE(Checksum, one_text, std::string("s"));
BENCHMARK_CAPTURE(Checksum, one_decimal, std::string("m"));
BENCHMARK_CAPTURE(Checksum, one_timestamp, std::string("t"));
BENCHMARK_CAPTURE(Checksum, ten_mixed, std::string("llnnddmtss"));
BENCHMARK(ChecksumDeals)->Name("Checksum/deals");

}  // namespace
}  // namespace headwater

BENCHMARK_MAIN();
