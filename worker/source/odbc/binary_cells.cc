// Bytes, and GUIDs, which become texts in lower case as PostgreSQL and MariaDB print them: the hash
// of a row must not depend on the way it came.
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "worker/source/odbc/column_cells.h"

namespace headwater {
namespace {

class BinaryCells : public ColumnCells {
 public:
  using ColumnCells::ColumnCells;

  size_t Append(BatchBuilder& batch, int column, size_t begin, size_t end) const override {
    for (size_t row = begin; row < end; ++row) {
      if (IsNull(row)) {
        batch.AppendNull(column);
      } else {
        batch.AppendBytes(column, Raw(row));
      }
    }
    return end;
  }

  std::string ValueText(size_t row) const override {
    return absl::StrCat("0x", absl::BytesToHexString(Raw(row)));
  }
};

class GuidCells : public ColumnCells {
 public:
  using ColumnCells::ColumnCells;

  size_t Append(BatchBuilder& batch, int column, size_t begin, size_t end) const override {
    for (size_t row = begin; row < end; ++row) {
      if (IsNull(row)) {
        batch.AppendNull(column);
      } else if (Cell<SQLGUID>(row) == nullptr) {
        return row;
      } else {
        batch.AppendBytes(column, ValueText(row));
      }
    }
    return end;
  }

  std::string ValueText(size_t row) const override {
    const auto* guid = Cell<SQLGUID>(row);
    if (guid == nullptr) return "a value of an impossible length";
    const auto* rest = guid->Data4;
    return absl::StrFormat("%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                           static_cast<uint32_t>(guid->Data1), guid->Data2, guid->Data3, rest[0],
                           rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], rest[7]);
  }
};

}  // namespace

std::unique_ptr<ColumnCells> MakeBinaryCells(const FetchPlan& plan, const ColumnType& type) {
  if (plan.c_type == SQL_C_GUID) return std::make_unique<GuidCells>(plan, type);
  return std::make_unique<BinaryCells>(plan, type);
}

}  // namespace headwater
