// A checksum that the source makes of an extent's rows, so that they need not be read to see
// whether they changed. Independent of the rows' order. Pure: text in, text out.
// docs/source-checksum.md says exactly what is summed.
#ifndef HEADWATER_WORKER_SOURCE_CHECKSUM_QUERY_H_
#define HEADWATER_WORKER_SOURCE_CHECKSUM_QUERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/data/schema.h"
#include "worker/source/dialect.h"
#include "worker/source/range_query.h"

namespace headwater {

struct ChecksumColumn {
  Column column;
  std::string source_type;  // In the source's words.
};

struct SourceChecksum {
  int64_t rows = 0;
  uint64_t sum = 0;  // Of the first 64 bits of each row's MD5, modulo 2^64.
  friend bool operator==(const SourceChecksum&, const SourceChecksum&) = default;
};

// The statement, for the rows that `query` selects; its expressions do not count, `columns` do, in
// this order. One row of three texts, for ParseChecksum(). UNIMPLEMENTED: the dialect has no MD5
// (SQLite). INVALID_ARGUMENT: no columns, and as BuildRangeQuery().
absl::StatusOr<std::string> BuildChecksumQuery(const Dialect& dialect, const RangeQuery& query,
                                               const std::vector<ChecksumColumn>& columns);

// DATA_LOSS: not what the statement answers, or a row whose text the server could not make
// (MariaDB: longer than max_allowed_packet).
absl::StatusOr<SourceChecksum> ParseChecksum(const std::vector<std::optional<std::string>>& answer);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_CHECKSUM_QUERY_H_
