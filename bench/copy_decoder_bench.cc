// How fast PostgreSQL's COPY stream becomes batches: the table of the loads, and each kind of its
// columns alone. The bytes are in memory; pieces are fed as libpq hands them on, a row each.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/deals.h"

namespace headwater {
namespace {

constexpr int64_t kRows = 32'768;  // About as many as a batch of a load has.

void Decode(benchmark::State& state, const std::vector<int>& columns) {
  const std::vector<std::string> pieces = DealsCopy(kRows, columns);
  int64_t bytes = 0;
  for (const std::string& piece : pieces) bytes += static_cast<int64_t>(piece.size());
  for ([[maybe_unused]] auto iteration : state) {
    CopyDecoder decoder = DealsDecoder(columns);
    for (const std::string& piece : pieces) {
      const absl::Status fed = decoder.Feed(piece);
      if (!fed.ok()) return state.SkipWithError(std::string(fed.message()).c_str());
    }
    const auto batch = decoder.batch().Finish();
    if (!batch.ok() || (*batch)->rows() != kRows) return state.SkipWithError("rows are missing");
    benchmark::DoNotOptimize(batch->get());
  }
  state.SetItemsProcessed(state.iterations() * kRows);  // Rows.
  state.SetBytesProcessed(state.iterations() * bytes);
}

BENCHMARK_CAPTURE(Decode, deals, AllDealsColumns());
BENCHMARK_CAPTURE(Decode, int8, std::vector<int>{kDealId});
BENCHMARK_CAPTURE(Decode, int4, std::vector<int>{kEntry});
BENCHMARK_CAPTURE(Decode, float8, std::vector<int>{kVolume});
BENCHMARK_CAPTURE(Decode, numeric, std::vector<int>{kPrice});
BENCHMARK_CAPTURE(Decode, timestamp, std::vector<int>{kTimeMsc});
BENCHMARK_CAPTURE(Decode, short_text, std::vector<int>{kSymbol});
BENCHMARK_CAPTURE(Decode, text, std::vector<int>{kComment});

}  // namespace
}  // namespace headwater

BENCHMARK_MAIN();
