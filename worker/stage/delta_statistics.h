// The statistics that a Delta `add` action carries for one Parquet file:
//
//   {"numRecords":3,"minValues":{"id":1,"at":"2013-01-01T05:00:00.000Z"},
//    "maxValues":{"id":9,"at":"2013-01-01T05:00:00.001Z"},"nullCount":{"id":0,"at":1}}
//
// Readers skip files by them, so a bound may be wide but never narrow: what is cut is rounded
// outwards, and what is in doubt is left out (a column without bounds is simply always read).
//   text        first 32 code points; a maximum that was cut is raised in its last code point
//   timestamp   milliseconds, the maximum rounded up (micros in the minimum are cut, never rounded
//   up) decimal, long   exact digits float, double   none if a NaN is among the values, or an
//   infinity is the bound boolean, binary none
#ifndef HEADWATER_WORKER_STAGE_DELTA_STATISTICS_H_
#define HEADWATER_WORKER_STAGE_DELTA_STATISTICS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/data/schema.h"

namespace parquet {
class FileMetaData;
}  // namespace parquet

namespace headwater {

// Reads the bounds that the Parquet writer kept. `has_nan` holds one flag per column.
// Requires: `file` has the columns of `schema`, in that order.
std::string DeltaStatistics(const Schema& schema, const parquet::FileMetaData& file,
                            const std::vector<bool>& has_nan);

// The longest prefix of at most 32 code points: never greater than `text` in UTF-8 byte order.
// None when `text` is not UTF-8.
std::optional<std::string> TextLowerBound(absl::string_view text);

// A text of at most 32 code points that is not smaller than `text` in UTF-8 byte order. None when
// `text` is not UTF-8, or nothing that short is greater.
std::optional<std::string> TextUpperBound(absl::string_view text);

// `micros` since 1970 as `2013-01-01T05:00:00.000`, cut or raised to whole milliseconds. None
// outside the years 1 to 9999.
std::optional<std::string> MillisLowerBound(int64_t micros);
std::optional<std::string> MillisUpperBound(int64_t micros);

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_DELTA_STATISTICS_H_
