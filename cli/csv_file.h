// Reads the CSV files of the demo's data set: plain fields between commas, nothing quoted.
#ifndef HEADWATER_CLI_CSV_FILE_H_
#define HEADWATER_CLI_CSV_FILE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace headwater {

// One file, whole in memory and checked when read:
//
//   file  = header *row            header = the columns asked for, in that order
//   row   = field *("," field) LF  field  = 1*(any byte but `,` `"` CR LF)
//
//   carrier,name
//   9E,Endeavor Air Inc.
//
// What a field means (`NA` is a missing value) is for the caller to say. A file that quotes, or
// leaves a field empty, is not the data set that the demo knows, so it is refused, not guessed at.
//
// Thread-compatible. Movable; what Fields() gave points into this object and dies with it.
class CsvFile {
 public:
  // Reads the file at `path`, whose first line must name exactly `columns`.
  // Errors: NOT_FOUND         there is no such file, or it cannot be read.
  //         INVALID_ARGUMENT  not of the grammar above; names file and line.
  static absl::StatusOr<CsvFile> Read(const std::string& path,
                                      absl::Span<const absl::string_view> columns);

  size_t row_count() const { return row_begins_.size(); }

  // The fields of row `row`, which counts from 0 after the header; as many as there are columns.
  // Requires: row < row_count().
  void Fields(size_t row, std::vector<absl::string_view>& fields) const;

  // "flights.csv:17", for messages about a row. The header is line 1.
  std::string Place(size_t row) const;

 private:
  CsvFile() = default;

  absl::Status Check(absl::string_view line, size_t line_number, size_t column_count) const;

  std::string name_;  // Without folders.
  std::string text_;
  std::vector<size_t> row_begins_;  // Offsets into `text_`.
};

}  // namespace headwater

#endif  // HEADWATER_CLI_CSV_FILE_H_
