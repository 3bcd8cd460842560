// Texts, and whatever the server prints as text to be parsed strictly: decimals, and dates and
// timestamps of drivers whose structs cannot be trusted.
#include "worker/source/odbc/column_cells.h"
#include "worker/source/odbc/wide_text.h"

namespace headwater {
namespace {

// UTF-8 as the driver gives it.
class CharCells : public ColumnCells {
 public:
  using ColumnCells::ColumnCells;

  size_t Append(BatchBuilder& batch, int column, size_t begin, size_t end) const override {
    for (size_t row = begin; row < end; ++row) {
      if (IsNull(row)) {
        batch.AppendNull(column);
      } else if (!AppendText(batch, column, type_, Raw(row))) {
        return row;
      }
    }
    return end;
  }

  std::string ValueText(size_t row) const override { return std::string(Raw(row)); }
};

class WideCells : public ColumnCells {
 public:
  using ColumnCells::ColumnCells;

  size_t Append(BatchBuilder& batch, int column, size_t begin, size_t end) const override {
    std::string text;
    for (size_t row = begin; row < end; ++row) {
      if (IsNull(row)) {
        batch.AppendNull(column);
        continue;
      }
      text.clear();
      if (!AppendUtf8(Raw(row), text) || !AppendText(batch, column, type_, text)) return row;
    }
    return end;
  }

  std::string ValueText(size_t row) const override {
    std::string text;
    return AppendUtf8(Raw(row), text) ? text : "text that is not Unicode";
  }
};

}  // namespace

std::unique_ptr<ColumnCells> MakeTextCells(const FetchPlan& plan, const ColumnType& type) {
  if (plan.c_type == SQL_C_WCHAR) return std::make_unique<WideCells>(plan, type);
  return std::make_unique<CharCells>(plan, type);
}

}  // namespace headwater
