// Finds where a table's rows of an extent differ from its source's, and moves none that do not:
// both sides sum ranges of a key, and only those whose sums differ are divided again. What is left
// in the end is so few rows that they can be read. Rows that the source has no more are found as
// well, for then its ranges have fewer.
//
//   table's files ─► borders of parts ─► source: a checksum of each ─┐
//         └──────────────────────────► files: a checksum of each ────┴─► parts that differ ─► again
#ifndef HEADWATER_WORKER_COMPARE_DIFFERENCE_SEARCH_H_
#define HEADWATER_WORKER_COMPARE_DIFFERENCE_SEARCH_H_

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/data/key_range_set.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"
#include "worker/compare/table_reader.h"
#include "worker/source/source_reader.h"

namespace headwater {

struct DifferenceSearch {
  Source& source;
  const DatasetSpec& dataset;
  Extent extent;
  ReadOptions read;          // Without `within`.
  ChecksumOptions checksum;  // What rows of the source become in the table.
  const TableRows& table;    // Its rows of the extent; `columns` and `within` do not count.
  std::stop_token stop;
};

// A range with at most so many rows is not divided again; of small extents with fewer.
inline constexpr int64_t kFewRows = 256;

// In which rows the two differ.
struct DifferingRows {
  // False: it cannot be told without reading all. `why` says for people what is missing.
  bool narrowed = false;
  std::string why;
  Schema columns;                   // Of the rows on both sides.
  std::vector<std::string> unique;  // Columns of which no two rows have the same; may be empty.
  KeyRangeSet ranges;               // Of the table,
  std::vector<std::string> within;  // and of the source: one condition per range.
  int64_t source_rows = 0;          // Of the whole extent.
};

// Asks the source once per range and level, each time in a snapshot of its own: a row that changes
// meanwhile is seen as it was at one of these times. Not narrowed: the source makes no checksums
// that rows give too, or none of some row, no column divides the rows, or a quarter of them and
// more differ. Errors: of the source (SidedError has no part in it: they name the server), and of
// reading files.
absl::StatusOr<DifferingRows> FindDifferingRows(const DifferenceSearch& search);

// The conditions in groups, so that each is one of a statement that a server takes.
std::vector<std::string> JoinConditions(const std::vector<std::string>& within);

}  // namespace headwater

#endif  // HEADWATER_WORKER_COMPARE_DIFFERENCE_SEARCH_H_
