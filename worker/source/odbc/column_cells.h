// The buffers of one column for a block of rows, bound column-wise, one class per family of types:
// number_cells.cc, temporal_cells.cc, text_cells.cc, binary_cells.cc. Later blocks use them again.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_COLUMN_CELLS_H_
#define HEADWATER_WORKER_SOURCE_ODBC_COLUMN_CELLS_H_

#include <sql.h>
#include <sqlext.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/data/schema.h"
#include "worker/source/batch_builder.h"
#include "worker/source/odbc/fetch_plan.h"
#include "worker/source/odbc/odbc_handles.h"

namespace headwater {

// Confined to one thread. Rows count from 0 within the block.
class ColumnCells {
 public:
  ColumnCells(const FetchPlan& plan, const ColumnType& type) : plan_(plan), type_(type) {}
  virtual ~ColumnCells() = default;
  ColumnCells(const ColumnCells&) = delete;
  ColumnCells& operator=(const ColumnCells&) = delete;

  // Makes room for `rows`, unless it is there, and binds it as column `ordinal` (from 1) of
  // `statement`, which must not fetch after this object is gone. An unbound plan only gets its
  // room.
  absl::Status Bind(const OdbcStatement& statement, SQLUSMALLINT ordinal, size_t rows);

  // Puts `cell` and its length indicator where a driver would; for tests of literal bytes.
  void Put(size_t row, absl::string_view cell, SQLLEN length);

  // Makes these cells those of rows [begin, begin + rows) of `other`, which is of the same plan.
  void CopyRows(const ColumnCells& other, size_t begin, size_t rows);

  // Whether the driver has more of the value than its cell shows: Refetch() before Append().
  bool IsCut(size_t row) const;
  bool HasCut(size_t rows) const;  // In any of the first `rows`.
  // Fetches the whole value by SQLGetData; `row` must be the statement's position.
  absl::Status Refetch(const OdbcStatement& statement, size_t row);
  void DropWhole() { whole_.clear(); }

  // Adds the bytes of each row's value in a batch, at most, to `row_bytes`; of a fixed type, none.
  // `unknown` if the driver does not say how long a value is that it cut.
  void AddBytes(int64_t unknown, std::vector<int64_t>& row_bytes) const;

  // Appends the values of rows [begin, end) to `column` of `batch`. Returns the first row whose
  // value is not one of the column's type, or whose length indicator does not fit its cell; `end`
  // if there is none. What was appended before it stays.
  virtual size_t Append(BatchBuilder& batch, int column, size_t begin, size_t end) const = 0;

  // The value for a message or, of a text, as it is. "NULL" for NULL.
  std::string TextOf(size_t row) const;
  bool IsNull(size_t row) const { return lengths_[row] == SQL_NULL_DATA; }

 protected:
  // Of a variable type: the value's bytes, whole.
  absl::string_view Raw(size_t row) const;
  // Of a fixed type: the cell, or null if its length indicator does not fit it.
  template <typename T>
  const T* Cell(size_t row) const {
    // MariaDB's driver says 0 for some values that are there.
    if (lengths_[row] < 0 || lengths_[row] > static_cast<SQLLEN>(sizeof(T))) return nullptr;
    return reinterpret_cast<const T*>(bytes_.data()) + row;
  }
  virtual std::string ValueText(size_t row) const = 0;

  const FetchPlan plan_;
  const ColumnType type_;

 private:
  int64_t BytesOf(size_t row, int64_t unknown) const;

  std::vector<char> bytes_;
  std::vector<SQLLEN> lengths_;
  std::map<size_t, std::string> whole_;  // Of rows that were cut.
};

// `plan` of a column of `type`.
std::unique_ptr<ColumnCells> MakeNumberCells(const FetchPlan& plan, const ColumnType& type);
std::unique_ptr<ColumnCells> MakeTemporalCells(const FetchPlan& plan, const ColumnType& type);
std::unique_ptr<ColumnCells> MakeTextCells(const FetchPlan& plan, const ColumnType& type);
std::unique_ptr<ColumnCells> MakeBinaryCells(const FetchPlan& plan, const ColumnType& type);
// Whichever of them the plan asks for.
std::unique_ptr<ColumnCells> MakeCells(const FetchPlan& plan, const ColumnType& type);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_COLUMN_CELLS_H_
