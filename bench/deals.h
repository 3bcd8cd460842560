// The table of the loads' benchmarks (postgres_load.py) without a server: its columns, and its rows
// as PostgreSQL's COPY sends them.
#ifndef HEADWATER_BENCH_DEALS_H_
#define HEADWATER_BENCH_DEALS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/data/row_batch.h"
#include "common/data/schema.h"
#include "worker/source/postgres/copy_decoder.h"

namespace headwater {

// Of deals, by position.
enum DealsColumn {
  kDealId,   // 1, 2, 3, …
  kLogin,    // One of 100,000.
  kSymbol,   // One of four.
  kPrice,    // numeric(18,6)
  kVolume,   // A random double.
  kProfit,   // numeric(18,2), of both signs.
  kComment,  // `order #` and the number, and 32 random hex digits.
  kEntry,    // 0 to 3.
  kTimeMsc,  // Half a second after the row before.
  kLastModified,
  kDealsColumns,
};
std::vector<int> AllDealsColumns();

Schema DealsSchema(const std::vector<int>& columns);
CopyDecoder DealsDecoder(const std::vector<int>& columns);

// The stream of `rows` rows of `columns`, in the pieces in which libpq hands it on: one per row,
// the first with the header, and one with the trailer.
std::vector<std::string> DealsCopy(int64_t rows, const std::vector<int>& columns);

// The same rows as one batch.
std::unique_ptr<RowBatch> DealsBatch(int64_t rows, const std::vector<int>& columns);

}  // namespace headwater

#endif  // HEADWATER_BENCH_DEALS_H_
