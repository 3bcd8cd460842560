// Rows that any of our sources can hold, without a source: extremes first, then random values.
#ifndef HEADWATER_TESTS_DB_CROSS_SOURCE_ROWS_H_
#define HEADWATER_TESTS_DB_CROSS_SOURCE_ROWS_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "common/data/schema.h"

namespace headwater {

// One value twice: as SQL takes it in quotes (of binary: its bytes), and as our batches hold it.
struct Value {
  bool null = true;
  std::string literal = {};
  int64_t integer = 0;
  __int128 unscaled = 0;
  double real = 0;
};

// 400 rows of `schema`, whose first column numbers them. About an eighth of the values are NULL.
std::vector<std::vector<Value>> RowsOf(const Schema& schema, std::mt19937_64& random);

}  // namespace headwater

#endif  // HEADWATER_TESTS_DB_CROSS_SOURCE_ROWS_H_
