// How results are written: tables for people, JSON for programs. Pure functions; times and
// terminals are arguments.
#ifndef HEADWATER_CLI_OUTPUT_H_
#define HEADWATER_CLI_OUTPUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace headwater {

constexpr size_t kTextWidth = 100;  // Fits two windows side by side on a laptop.

// Rows under a header, columns two spaces apart. A column is right-aligned when its header says so.
class TextTable {
 public:
  struct Column {
    std::string name;
    bool number = false;  // Right-aligned.
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Requires: as many cells as columns.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }

  // Each line ends in '\n' and has no trailing blanks.
  std::string Render() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

std::string FormatCount(int64_t count);          // "336,776"
std::string FormatBytes(int64_t bytes);          // "512 B", "4.1 MiB"
std::string FormatSeconds(double seconds);       // "0.42 s", "24.1 s", "3 m 05 s", "2 h 10 m"
std::string FormatRate(double rows_per_second);  // "14.0k rows/s"

// "1 row", "2 rows", "1,234 rows"; `plural` where it is not `noun` + s.
std::string Counted(int64_t count, absl::string_view noun, absl::string_view plural = "");

// `text` in lines of at most `width`, all but the first indented. Words longer than that stay
// whole.
std::string Wrap(absl::string_view text, size_t indent, size_t width = kTextWidth);

// One object: {"schema":"headwater.<kind>/v1", ...fields of `message`}, with proto field names. In
// one line without line end. 64-bit integers are strings, as in every proto's JSON.
std::string MessageToJson(const google::protobuf::Message& message, absl::string_view kind);

// Whether `file` (STDOUT_FILENO, STDERR_FILENO) may get colours: a terminal, and NO_COLOR is unset.
bool ColourAllowed(int file);

}  // namespace headwater

#endif  // HEADWATER_CLI_OUTPUT_H_
