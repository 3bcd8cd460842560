// The dialects themselves, and what their files share. Included by dialect.cc and these files only.
#ifndef HEADWATER_WORKER_SOURCE_DIALECTS_DIALECTS_H_
#define HEADWATER_WORKER_SOURCE_DIALECTS_DIALECTS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "worker/source/dialect.h"

namespace headwater::dialects {

extern const Dialect kPostgres;
extern const Dialect kSqlite;
extern const Dialect kMariaDb;
extern const Dialect kSqlServer;
extern const Dialect kGeneric;

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

inline constexpr int64_t kYear10000 = 2'932'897 * kMicrosPerDay;  // The first that none can write.

// To a multiple of `unit`, upwards.
int64_t RoundUp(int64_t value, int64_t unit);
// Microseconds to so many digits behind the second: a bound among values with those means the same.
int64_t RoundUpToDigits(int64_t micros, int digits);
// 3 of `datetime2(3)`; `by_default` where there is no such number.
int FractionDigits(absl::string_view source_type, int by_default);

// `2013-01-01 05:00:00.25`: as short as it can be.
std::string CivilText(int64_t micros, char separator);
// `2013-01-01`.
std::string DayText(int64_t days);

// The text in single quotes, those inside doubled.
std::string StandardText(absl::string_view text);
// `TIMESTAMP '…'`, `DATE '…'` or a bare integer, as the standard has it.
absl::StatusOr<std::string> StandardCursorLiteral(const CursorColumn& cursor, int64_t value);
// `CAST(… AS CHAR)`-like texts go through here: `expression` as it is.
std::string SameText(absl::string_view expression);

// Keys of the types that a cursor has, by way of CursorLiteral(); decimals as their digits; text by
// `text_literal`. INVALID_ARGUMENT: another type, or a text that is not of that type.
absl::StatusOr<std::string> CommonKeyLiteral(const Dialect& dialect, const Column& key,
                                             absl::string_view source_type, absl::string_view text);

// Quantiles by NTILE, which every dialect here has: reads every key, in order.
std::string TileQuantiles(const QuantileNames& names, std::string (*as_text)(absl::string_view));

}  // namespace headwater::dialects

#endif  // HEADWATER_WORKER_SOURCE_DIALECTS_DIALECTS_H_
