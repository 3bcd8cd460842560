// Dates and timestamps as structs, for drivers that are exact. What a struct can hold and a column
// cannot is refused: zero dates, and digits finer than a microsecond where they may not be cut.
#include "absl/strings/str_format.h"
#include "worker/source/odbc/column_cells.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr SQLUINTEGER kNanosPerMicro = 1000;

std::string DateText(int year, int month, int day) {
  return absl::StrFormat("%04d-%02d-%02d", year, month, day);
}

class DateCells : public ColumnCells {
 public:
  using ColumnCells::ColumnCells;

  size_t Append(BatchBuilder& batch, int column, size_t begin, size_t end) const override {
    for (size_t row = begin; row < end; ++row) {
      if (IsNull(row)) {
        batch.AppendNull(column);
        continue;
      }
      const auto* value = Cell<SQL_DATE_STRUCT>(row);
      if (value == nullptr) return row;
      const std::optional<int32_t> days = DaysOf(value->year, value->month, value->day);
      if (!days.has_value()) return row;
      batch.AppendInteger(column, *days);
    }
    return end;
  }

  std::string ValueText(size_t row) const override {
    const auto* value = Cell<SQL_DATE_STRUCT>(row);
    return value == nullptr ? "a value of an impossible length"
                            : DateText(value->year, value->month, value->day);
  }
};

class TimestampCells : public ColumnCells {
 public:
  using ColumnCells::ColumnCells;

  size_t Append(BatchBuilder& batch, int column, size_t begin, size_t end) const override {
    for (size_t row = begin; row < end; ++row) {
      if (IsNull(row)) {
        batch.AppendNull(column);
        continue;
      }
      const std::optional<int64_t> micros = MicrosOf(row);
      if (!micros.has_value()) return row;
      const bool finer = Cell<SQL_TIMESTAMP_STRUCT>(row)->fraction % kNanosPerMicro != 0;
      if (!batch.AppendTime(column, *micros, finer)) return row;
    }
    return end;
  }

  std::string ValueText(size_t row) const override {
    const auto* value = Cell<SQL_TIMESTAMP_STRUCT>(row);
    if (value == nullptr) return "a value of an impossible length";
    std::string text =
        absl::StrFormat("%s %02d:%02d:%02d.%09d", DateText(value->year, value->month, value->day),
                        value->hour, value->minute, value->second, value->fraction);
    return text;
  }

 private:
  std::optional<int64_t> MicrosOf(size_t row) const {
    const auto* value = Cell<SQL_TIMESTAMP_STRUCT>(row);
    if (value == nullptr || value->hour > 23 || value->minute > 59 || value->second > 59 ||
        value->fraction >= 1'000'000 * kNanosPerMicro) {
      return std::nullopt;
    }
    // Rows follow each other in time: most are of the day before.
    if (value->year != year_ || value->month != month_ || value->day != day_) {
      const std::optional<int32_t> days = DaysOf(value->year, value->month, value->day);
      if (!days.has_value()) return std::nullopt;
      year_ = value->year;
      month_ = value->month;
      day_ = value->day;
      days_ = *days;
    }
    const int64_t seconds =
        days_ * 86'400 + value->hour * 3600 + value->minute * 60 + value->second;
    return seconds * 1'000'000 + value->fraction / kNanosPerMicro;
  }

  mutable int year_ = 1970, month_ = 1, day_ = 1;  // Whose days_ are known.
  mutable int64_t days_ = 0;
};

}  // namespace

std::unique_ptr<ColumnCells> MakeTemporalCells(const FetchPlan& plan, const ColumnType& type) {
  if (plan.c_type == SQL_C_TYPE_DATE) return std::make_unique<DateCells>(plan, type);
  return std::make_unique<TimestampCells>(plan, type);
}

}  // namespace headwater
