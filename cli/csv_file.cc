#include "cli/csv_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/check.h"
#include "common/base/status.h"

namespace headwater {

absl::StatusOr<CsvFile> CsvFile::Read(const std::string& path,
                                      absl::Span<const absl::string_view> columns) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream content;
  if (!stream || !(content << stream.rdbuf())) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path, ": no such file, or empty"));
  }
  CsvFile file;
  file.name_ = std::filesystem::path(path).filename().string();
  file.text_ = std::move(content).str();
  size_t line_number = 0;
  for (size_t begin = 0; begin < file.text_.size();) {
    const size_t end = file.text_.find('\n', begin);
    ++line_number;
    if (end == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          file.name_, ":", line_number, ": the last line has no end; is the file cut off?"));
    }
    const absl::string_view line(file.text_.data() + begin, end - begin);
    if (line_number > 1) {
      RETURN_IF_ERROR(file.Check(line, line_number, columns.size()));
      file.row_begins_.push_back(begin);
    } else if (const std::string header = absl::StrJoin(columns, ","); line != header) {
      return absl::InvalidArgumentError(absl::StrCat(file.name_, ":1: expected the columns ",
                                                     header, ", found ", line.substr(0, 300)));
    }
    begin = end + 1;
  }
  return file;
}

absl::Status CsvFile::Check(absl::string_view line, size_t line_number, size_t column_count) const {
  size_t field_count = 1;
  char before = ',';
  for (const char c : line) {
    if (c == '"' || c == '\r') {
      return absl::InvalidArgumentError(absl::StrCat(name_, ":", line_number,
                                                     ": expected plain fields, found a ",
                                                     c == '"' ? "quote" : "carriage return"));
    }
    if (c == ',' && before == ',') field_count = 0;
    if (field_count == 0) break;
    if (c == ',') ++field_count;
    before = c;
  }
  if (before == ',') {
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ":", line_number, ": a field is empty; missing values are NA"));
  }
  if (field_count != column_count) {
    return absl::InvalidArgumentError(absl::StrCat(name_, ":", line_number, ": expected ",
                                                   column_count, " fields, found ", field_count));
  }
  return absl::OkStatus();
}

void CsvFile::Fields(size_t row, std::vector<absl::string_view>& fields) const {
  HW_CHECK(row < row_begins_.size());
  fields.clear();
  const size_t begin = row_begins_[row];
  const absl::string_view line(text_.data() + begin, text_.find('\n', begin) - begin);
  for (const absl::string_view field : absl::StrSplit(line, ',')) fields.push_back(field);
}

std::string CsvFile::Place(size_t row) const { return absl::StrCat(name_, ":", row + 2); }

}  // namespace headwater
