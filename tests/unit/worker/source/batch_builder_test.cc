// The builder's buffers against Arrow's own builders, over random values, NULLs and taken-back
// rows.
#include "worker/source/batch_builder.h"

#include <arrow/api.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/data/arrow_schema.h"
#include "gtest/gtest.h"

namespace headwater {
namespace {

const Schema& EveryKind() {
  static const Schema* schema = new Schema{{{"bool", {TypeKind::kBoolean}, true},
                                            {"byte", {TypeKind::kByte}, true},
                                            {"short", {TypeKind::kShort}, true},
                                            {"integer", {TypeKind::kInteger}, true},
                                            {"long", {TypeKind::kLong}, true},
                                            {"float", {TypeKind::kFloat}, true},
                                            {"double", {TypeKind::kDouble}, true},
                                            {"decimal", {TypeKind::kDecimal, 38, 4}, true},
                                            {"string", {TypeKind::kString}, true},
                                            {"binary", {TypeKind::kBinary}, true},
                                            {"date", {TypeKind::kDate}, true},
                                            {"instant", {TypeKind::kTimestamp}, true},
                                            {"wall", {TypeKind::kTimestampNtz}, true}}};
  return *schema;
}

// The same values into Arrow's builders, by its generic scalar interface.
class Model {
 public:
  Model() {
    for (const Column& column : EveryKind().columns) {
      builders_.push_back(arrow::MakeBuilder(ToArrow(column.type)).ValueOrDie());
    }
  }

  void Append(size_t column, const std::shared_ptr<arrow::Scalar>& scalar) {
    ASSERT_TRUE(builders_[column]->AppendScalar(*scalar).ok());
  }

  std::shared_ptr<arrow::Array> Finish(size_t column) {
    return builders_[column]->Finish().ValueOrDie();
  }

 private:
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
};

// Appends one random value, or NULL, to `column` and returns it as Arrow sees it.
std::shared_ptr<arrow::Scalar> AppendRandom(std::mt19937_64& random, BatchBuilder& batch,
                                            int column) {
  const ColumnType& type = EveryKind().columns[static_cast<size_t>(column)].type;
  const auto arrow_type = ToArrow(type);
  if (random() % 5 == 0) {
    batch.AppendNull(column);
    return arrow::MakeNullScalar(arrow_type);
  }
  const auto bits = static_cast<int64_t>(random());
  const auto integer = [&](auto value) {
    batch.AppendInteger(column, value);
    return arrow::MakeScalar(arrow_type, value).ValueOrDie();
  };
  switch (type.kind) {
    case TypeKind::kBoolean:
      batch.AppendBool(column, bits % 2 == 0);
      return arrow::MakeScalar(bits % 2 == 0);
    case TypeKind::kByte:
      return integer(static_cast<int8_t>(bits));
    case TypeKind::kShort:
      return integer(static_cast<int16_t>(bits));
    case TypeKind::kInteger:
    case TypeKind::kDate:
      return integer(static_cast<int32_t>(bits));
    case TypeKind::kFloat:
      batch.AppendDouble(column, static_cast<float>(bits));
      return arrow::MakeScalar(static_cast<float>(bits));
    case TypeKind::kDouble:
      batch.AppendDouble(column, static_cast<double>(bits));
      return arrow::MakeScalar(static_cast<double>(bits));
    case TypeKind::kDecimal: {
      const __int128 value = static_cast<__int128>(bits) * 1'000'003;
      batch.AppendDecimal(column, value);
      return std::make_shared<arrow::Decimal128Scalar>(
          arrow::Decimal128(static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value)),
          arrow_type);
    }
    case TypeKind::kString:
    case TypeKind::kBinary: {
      const std::string text(random() % 40, static_cast<char>('a' + random() % 26));
      batch.AppendBytes(column, text);
      return arrow::MakeScalar(arrow_type, arrow::Buffer::FromString(text)).ValueOrDie();
    }
    default:
      return integer(bits);
  }
}

void CheckBatches(std::mt19937_64& random) {
  BatchBuilder batch(EveryKind());
  const int columns = static_cast<int>(EveryKind().columns.size());
  for (const int rows : {1, 7, 1000, 0, 3000, 5}) {
    Model model;
    while (batch.rows() < rows) {
      // A row that is taken back stopped anywhere.
      if (random() % 4 == 0) {
        const int until = static_cast<int>(random() % static_cast<uint64_t>(columns + 1));
        for (int i = 0; i < until; ++i) AppendRandom(random, batch, i);
        const int64_t waiting = batch.rows();
        batch.DropRow();
        ASSERT_EQ(batch.rows(), waiting);
        continue;
      }
      for (int i = 0; i < columns; ++i) {
        model.Append(static_cast<size_t>(i), AppendRandom(random, batch, i));
      }
      batch.EndRow();
    }
    const auto made = batch.Finish();
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ(batch.size_bytes(), 0);
    const arrow::RecordBatch& got = *(*made)->arrow();
    ASSERT_EQ(got.num_rows(), rows);
    ASSERT_TRUE(got.ValidateFull().ok()) << got.ValidateFull().ToString();
    for (int i = 0; i < columns; ++i) {
      const auto expected = model.Finish(static_cast<size_t>(i));
      EXPECT_TRUE(got.column(i)->Equals(*expected))
          << EveryKind().columns[static_cast<size_t>(i)].name << " of " << rows << " rows";
      EXPECT_EQ(got.column(i)->null_count(), expected->null_count());
    }
  }
}

TEST(BatchBuilder, HoldsWhatArrowsBuildersHold) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20; ++round) CheckBatches(random);
}

TEST(BatchBuilder, CountsTheBytesOfWhatIsTakenBackNoLonger) {
  BatchBuilder batch(EveryKind());
  const int64_t before = batch.size_bytes();
  batch.AppendBytes(8, "text");
  EXPECT_EQ(batch.size_bytes(), before + 4);
  batch.DropRow();
  EXPECT_EQ(batch.size_bytes(), before);
}

TEST(BatchBuilder, CountsTimesThatAreCutOnceForEachRowThatStays) {
  const Schema schema{{{"at", {TypeKind::kTimestampNtz}, true}, {"n", {TypeKind::kLong}, true}}};
  BatchBuilder batch(schema, /*truncate_fine_time=*/true);
  const auto row = [&](absl::string_view at) {
    EXPECT_TRUE(AppendText(batch, 0, schema.columns[0].type, at));
    batch.AppendInteger(1, 1);
  };
  row("2013-01-01 00:00:00.1234567");
  batch.DropRow();
  row("2013-01-01 00:00:00.1234567");
  row("2013-01-01 00:00:00.123456");
  batch.EndRow();
  batch.EndRow();
  row("2013-01-01 00:00:00.1234567");
  batch.SetAside(BadRow());
  const auto made = batch.Finish();
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ((*made)->truncated_values(), 1);
  EXPECT_TRUE(
      (*made)->arrow()->column(0)->Slice(0, 1)->Equals(*(*made)->arrow()->column(0)->Slice(1, 1)));
  row("2013-01-01 00:00:00");
  batch.EndRow();
  EXPECT_EQ((*batch.Finish())->truncated_values(), 0);
}

TEST(BatchBuilder, RefusesColumnsOfDifferentLength) {
  BatchBuilder batch(Schema{{{"a", {TypeKind::kLong}, true}, {"b", {TypeKind::kLong}, true}}});
  batch.AppendInteger(0, 1);
  batch.EndRow();
  EXPECT_EQ(batch.Finish().status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace headwater
