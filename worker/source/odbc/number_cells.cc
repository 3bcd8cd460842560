// Integers and booleans as 64-bit integers, floats as doubles: the widest C types, into which every
// driver converts without loss. (MariaDB's driver strides over SQL_C_FLOAT as if it were a double.)
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "worker/source/odbc/column_cells.h"

namespace headwater {
namespace {

struct Limits {
  int64_t least;
  int64_t most;
};

template <typename T>
Limits LimitsOf() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

Limits LimitsOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
      return {0, 1};
    case TypeKind::kByte:
      return LimitsOf<int8_t>();
    case TypeKind::kShort:
      return LimitsOf<int16_t>();
    case TypeKind::kInteger:
      return LimitsOf<int32_t>();
    default:
      return LimitsOf<int64_t>();
  }
}

class IntegerCells : public ColumnCells {
 public:
  IntegerCells(const FetchPlan& plan, const ColumnType& type)
      : ColumnCells(plan, type), limits_(LimitsOf(type.kind)) {}

  size_t Append(BatchBuilder& batch, int column, size_t begin, size_t end) const override {
    for (size_t row = begin; row < end; ++row) {
      if (IsNull(row)) {
        batch.AppendNull(column);
        continue;
      }
      const SQLBIGINT* value = Cell<SQLBIGINT>(row);
      if (value == nullptr || *value < limits_.least || *value > limits_.most) return row;
      if (type_.kind == TypeKind::kBoolean) {
        batch.AppendBool(column, *value != 0);
      } else {
        batch.AppendInteger(column, *value);
      }
    }
    return end;
  }

  std::string ValueText(size_t row) const override {
    const SQLBIGINT* value = Cell<SQLBIGINT>(row);
    return value == nullptr ? "a value of an impossible length" : absl::StrCat(*value);
  }

 private:
  const Limits limits_;
};

class DoubleCells : public ColumnCells {
 public:
  using ColumnCells::ColumnCells;

  size_t Append(BatchBuilder& batch, int column, size_t begin, size_t end) const override {
    for (size_t row = begin; row < end; ++row) {
      if (IsNull(row)) {
        batch.AppendNull(column);
        continue;
      }
      const SQLDOUBLE* value = Cell<SQLDOUBLE>(row);
      if (value == nullptr) return row;
      batch.AppendDouble(column, *value);
    }
    return end;
  }

  std::string ValueText(size_t row) const override {
    const SQLDOUBLE* value = Cell<SQLDOUBLE>(row);
    return value == nullptr ? "a value of an impossible length" : absl::StrFormat("%.17g", *value);
  }
};

}  // namespace

std::unique_ptr<ColumnCells> MakeNumberCells(const FetchPlan& plan, const ColumnType& type) {
  if (plan.c_type == SQL_C_DOUBLE) return std::make_unique<DoubleCells>(plan, type);
  return std::make_unique<IntegerCells>(plan, type);
}

}  // namespace headwater
