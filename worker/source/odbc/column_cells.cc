#include "worker/source/odbc/column_cells.h"

#include <algorithm>

#include "common/base/status.h"

namespace headwater {
namespace {

constexpr size_t kChunkBytes = 32 << 10;

size_t TerminatorBytes(SQLSMALLINT c_type) {
  return c_type == SQL_C_WCHAR ? sizeof(SQLWCHAR) : c_type == SQL_C_CHAR ? 1 : 0;
}

}  // namespace

absl::Status ColumnCells::Bind(const OdbcStatement& statement, SQLUSMALLINT ordinal, size_t rows) {
  if (lengths_.size() < rows) {
    bytes_.assign(rows * plan_.width_bytes, 0);
    lengths_.assign(rows, SQL_NULL_DATA);
  }
  if (!plan_.bound) return absl::OkStatus();
  return statement.Check(SQLBindCol(statement.handle(), ordinal, plan_.c_type, bytes_.data(),
                                    static_cast<SQLLEN>(plan_.width_bytes), lengths_.data()));
}

void ColumnCells::Put(size_t row, absl::string_view cell, SQLLEN length) {
  bytes_.resize(std::max(bytes_.size(), (row + 1) * plan_.width_bytes));
  lengths_.resize(std::max(lengths_.size(), row + 1), SQL_NULL_DATA);
  std::copy_n(cell.data(), std::min(cell.size(), plan_.width_bytes),
              bytes_.data() + row * plan_.width_bytes);
  lengths_[row] = length;
}

void ColumnCells::CopyRows(const ColumnCells& other, size_t begin, size_t rows) {
  const auto from = static_cast<int64_t>(begin), to = static_cast<int64_t>(begin + rows);
  const auto width = static_cast<int64_t>(plan_.width_bytes);
  bytes_.resize(std::max(bytes_.size(), other.bytes_.size()));
  lengths_.resize(other.lengths_.size());
  std::copy(other.bytes_.begin() + from * width, other.bytes_.begin() + to * width, bytes_.begin());
  std::copy(other.lengths_.begin() + from, other.lengths_.begin() + to, lengths_.begin());
}

bool ColumnCells::HasCut(size_t rows) const {
  for (size_t row = 0; plan_.variable && row < rows; ++row) {
    if (IsCut(row)) return true;
  }
  return false;
}

bool ColumnCells::IsCut(size_t row) const {
  if (!plan_.variable || IsNull(row)) return false;
  const size_t room = plan_.width_bytes - TerminatorBytes(plan_.c_type);
  return lengths_[row] < 0 || static_cast<size_t>(lengths_[row]) > room;
}

absl::Status ColumnCells::Refetch(const OdbcStatement& statement, size_t row) {
  std::string raw;
  std::vector<char> chunk(kChunkBytes);
  const size_t room = kChunkBytes - TerminatorBytes(plan_.c_type);
  while (true) {  // Ends: each round consumes a part of the value.
    SQLLEN length = 0;
    const SQLRETURN code = SQLGetData(statement.handle(), plan_.ordinal, plan_.c_type, chunk.data(),
                                      static_cast<SQLLEN>(kChunkBytes), &length);
    if (code == SQL_NO_DATA) {
      if (!raw.empty() || lengths_[row] == 0) break;
      return absl::DataLossError("the driver has nothing of it left");
    }
    RETURN_IF_ERROR(statement.Check(code));
    if (length == SQL_NULL_DATA) {
      lengths_[row] = SQL_NULL_DATA;
      return absl::OkStatus();
    }
    const bool whole = length >= 0 && static_cast<size_t>(length) <= room;
    raw.append(chunk.data(), whole ? static_cast<size_t>(length) : room);
    if (whole) break;
  }
  lengths_[row] = SQL_NO_TOTAL;
  whole_[row] = std::move(raw);
  return absl::OkStatus();
}

absl::string_view ColumnCells::Raw(size_t row) const {
  if (IsCut(row)) {
    const auto whole = whole_.find(row);
    return whole == whole_.end() ? absl::string_view() : absl::string_view(whole->second);
  }
  return absl::string_view(bytes_.data() + row * plan_.width_bytes,
                           static_cast<size_t>(lengths_[row]));
}

void ColumnCells::AddBytes(int64_t unknown, std::vector<int64_t>& row_bytes) const {
  if (!plan_.variable) return;
  for (size_t row = 0; row < row_bytes.size(); ++row) row_bytes[row] += BytesOf(row, unknown);
}

int64_t ColumnCells::BytesOf(size_t row, int64_t unknown) const {
  if (IsNull(row)) return 0;
  int64_t bytes = lengths_[row];
  if (bytes < 0) {
    const auto whole = whole_.find(row);
    if (whole == whole_.end()) return unknown;
    bytes = static_cast<int64_t>(whole->second.size());
  }
  // Two bytes of UTF-16 become three of UTF-8 at most.
  return plan_.c_type == SQL_C_WCHAR ? bytes / 2 * 3 : bytes;
}

std::string ColumnCells::TextOf(size_t row) const { return IsNull(row) ? "NULL" : ValueText(row); }

std::unique_ptr<ColumnCells> MakeCells(const FetchPlan& plan, const ColumnType& type) {
  switch (plan.c_type) {
    case SQL_C_SBIGINT:
    case SQL_C_DOUBLE:
      return MakeNumberCells(plan, type);
    case SQL_C_TYPE_DATE:
    case SQL_C_TYPE_TIMESTAMP:
      return MakeTemporalCells(plan, type);
    case SQL_C_BINARY:
    case SQL_C_GUID:
      return MakeBinaryCells(plan, type);
    default:
      return MakeTextCells(plan, type);
  }
}

}  // namespace headwater
