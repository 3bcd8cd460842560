#include "worker/source/odbc/sqlite_column.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

// What a column of `type` takes for the real that SQLite prints as `text`; none: it refuses.
std::optional<std::string> Taken(const ColumnType& type, absl::string_view text) {
  BatchBuilder batch(Schema{{{"v", type, true}}});
  if (!AppendSqliteValue(batch, 0, type, {JsonValue::Kind::kReal, text})) return std::nullopt;
  batch.EndRow();
  return (*(*(*batch.Finish())->arrow()->column(0)->GetScalar(0))).ToString();
}

// By the rule in words: the shortest text of up to 15 digits, if it is that very double.
std::optional<std::string> Expected(const ColumnType& type, double value) {
  const std::string shortest = absl::StrFormat("%.15g", value);
  if (std::strtod(shortest.c_str(), nullptr) != value) return std::nullopt;
  const auto unscaled = ParseDecimal(shortest, type.precision, type.scale);
  if (!unscaled.has_value()) return std::nullopt;
  BatchBuilder batch(Schema{{{"v", type, true}}});
  batch.AppendDecimal(0, *unscaled);
  batch.EndRow();
  return (*(*(*batch.Finish())->arrow()->column(0)->GetScalar(0))).ToString();
}

class SqliteDecimal : public ::testing::TestWithParam<ColumnType> {};

TEST_P(SqliteDecimal, IsADoublesDecimalOfFifteenDigitsOrNothing) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  const ColumnType type = GetParam();
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto digits = static_cast<int64_t>(random() % 10'000'000'000'000'000 >> random() % 54);
    double value = static_cast<double>(digits) / std::pow(10, random() % 20);
    if (random() % 2 == 0) value = -value;
    if (random() % 4 == 0) value = std::nextafter(value, random() % 2 == 0 ? 1e300 : -1e300);
    const std::string text = absl::StrFormat("%.20g", value);
    const auto found = Taken(type, text);
    ASSERT_EQ(found, Expected(type, value)) << text;
    taken += found.has_value() ? 1 : 0;
  }
  EXPECT_GT(taken, 100);
}

INSTANTIATE_TEST_SUITE_P(Types, SqliteDecimal,
                         ::testing::Values(ColumnType{TypeKind::kDecimal, 9, 2},
                                           ColumnType{TypeKind::kDecimal, 18, 6},
                                           ColumnType{TypeKind::kDecimal, 15, 0},
                                           ColumnType{TypeKind::kDecimal, 38, 22},
                                           ColumnType{TypeKind::kDecimal, 38, 30}));

}  // namespace
}  // namespace headwater
