// The statistics that a Delta `add` action carries for one Parquet file:
//
//   {"numRecords":3,"minValues":{"id":1,"at":"2013-01-01T05:00:00.000Z"},
//    "maxValues":{"id":9,"at":"2013-01-01T05:00:00.001Z"},"nullCount":{"id":0,"at":1}}
//
// Readers skip files by them, so a bound may be wide but never narrow: what is cut is rounded
// outwards.
//
//   text            first 32 code points; a maximum that was cut is raised in its last code point;
//                   "" and U+10FFFF where Parquet keeps no bounds (long values)
//   timestamp       milliseconds, the minimum cut, the maximum raised (at the end of the year 9999
//                   to its last microsecond)
//   decimal, long   exact digits, never an exponent
//   float, double   none if a NaN is among the values, or an infinity is a bound
//   boolean         false, true
//   binary          none
//
// All or nothing: if a column that holds a value lacks a bound (binary aside), the file is written
// without `minValues` and `maxValues`, and is always read. delta-rs, through its Arrow data set,
// takes a bound that one column lacks for "no row matches" and loses the file's rows; it does so
// with tables that it wrote itself. It reads files without any bounds rightly.
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

// No `text` is greater than the ceiling unless it starts with U+10FFFF, which is no character.
inline constexpr absl::string_view kTextCeiling = "\xf4\x8f\xbf\xbf";

// Reads the bounds that the Parquet writer kept. `unbounded` holds one flag per column: a value of
// it is a NaN, or a text greater than kTextCeiling.
// Requires: `file` has the columns of `schema`, in that order.
std::string DeltaStatistics(const Schema& schema, const parquet::FileMetaData& file,
                            const std::vector<bool>& unbounded);

// The longest prefix of at most 32 code points: never greater than `text` in UTF-8 byte order.
// None when `text` is not UTF-8.
std::optional<std::string> TextLowerBound(absl::string_view text);

// A text of at most 32 code points that is not smaller than `text` in UTF-8 byte order. None when
// `text` is not UTF-8, or nothing that short is greater.
std::optional<std::string> TextUpperBound(absl::string_view text);

// `micros` since 1970 as `2013-01-01T05:00:00.000`, cut or raised to whole milliseconds (or,
// where no raised one is left, to 9999-12-31T23:59:59.999999). None outside the years 1 to 9999.
std::optional<std::string> MillisLowerBound(int64_t micros);
std::optional<std::string> MillisUpperBound(int64_t micros);

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_DELTA_STATISTICS_H_
