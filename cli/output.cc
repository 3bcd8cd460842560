#include "cli/output.h"

#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace headwater {
namespace {

// Characters, not bytes: continuation bytes of UTF-8 take no room.
size_t WidthOf(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

}  // namespace

std::string TextTable::Render() const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(WidthOf(column.name));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  std::string text;
  const auto add_line = [&](const std::function<const std::string&(size_t)>& cell) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string blanks(widths[i] - WidthOf(cell(i)), ' ');
      absl::StrAppend(&line, i == 0 ? "" : "  ");
      if (columns_[i].number) {
        absl::StrAppend(&line, blanks, cell(i));
      } else {
        absl::StrAppend(&line, cell(i), blanks);
      }
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  };
  add_line([&](size_t i) -> const std::string& { return columns_[i].name; });
  for (const auto& row : rows_) {
    add_line([&](size_t i) -> const std::string& { return row[i]; });
  }
  return text;
}

std::string FormatCount(int64_t count) {
  const std::string digits = absl::StrCat(count);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool border = (digits.size() - i) % 3 == 0 && !text.empty() && text != "-";
    if (border) text.push_back(',');
    text.push_back(digits[i]);
  }
  return text;
}

std::string FormatBytes(int64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes);
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  for (value /= 1024; value >= 999.95 && unit + 1 < std::size(units); value /= 1024) ++unit;
  return absl::StrFormat("%.1f %s", value, units[unit]);
}

std::string FormatSeconds(double seconds) {
  if (seconds < 9.995) return absl::StrFormat("%.2f s", seconds);
  if (seconds < 99.95) return absl::StrFormat("%.1f s", seconds);
  const int64_t whole = std::llround(seconds);
  if (whole < 3600) return absl::StrFormat("%d m %02d s", whole / 60, whole % 60);
  return absl::StrFormat("%d h %02d m", whole / 3600, whole % 3600 / 60);
}

std::string FormatRate(double rows_per_second) {
  if (rows_per_second < 999.5) return absl::StrFormat("%.0f rows/s", rows_per_second);
  if (rows_per_second < 999'950) return absl::StrFormat("%.1fk rows/s", rows_per_second / 1e3);
  return absl::StrFormat("%.2fM rows/s", rows_per_second / 1e6);
}

std::string Counted(int64_t count, absl::string_view noun, absl::string_view plural) {
  if (count == 1) return absl::StrCat("1 ", noun);
  return plural.empty() ? absl::StrCat(FormatCount(count), " ", noun, "s")
                        : absl::StrCat(FormatCount(count), " ", plural);
}

std::string Wrap(absl::string_view text, size_t indent, size_t width) {
  std::string result;
  size_t used = 0;
  for (const absl::string_view paragraph : absl::StrSplit(text, '\n')) {
    if (!result.empty()) {
      absl::StrAppend(&result, "\n", std::string(indent, ' '));
      used = indent;
    }
    bool first = true;
    for (const absl::string_view word : absl::StrSplit(paragraph, ' ')) {
      if (!first && used + 1 + WidthOf(word) > width) {
        absl::StrAppend(&result, "\n", std::string(indent, ' '), word);
        used = indent + WidthOf(word);
      } else {
        absl::StrAppend(&result, first ? "" : " ", word);
        used += WidthOf(word) + (first ? 0 : 1);
      }
      first = false;
    }
  }
  return result;
}

std::string MessageToJson(const google::protobuf::Message& message, absl::string_view kind) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string body;
  const auto status = google::protobuf::util::MessageToJsonString(message, &body, options);
  if (!status.ok() || body.size() < 2) body = "{}";  // Only for text that is not UTF-8.
  const absl::string_view rest = absl::string_view(body).substr(1);
  return absl::StrCat("{\"schema\":\"headwater.", kind, "/v1\"", rest == "}" ? "" : ",", rest);
}

bool ColourAllowed(int file) {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(file) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace headwater
