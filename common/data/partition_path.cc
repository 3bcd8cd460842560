#include "common/data/partition_path.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr absl::string_view kNullFolder = "__HIVE_DEFAULT_PARTITION__";
constexpr absl::string_view kEscaped = "\"#%'*/:=?\\{[]^\x7f";
constexpr size_t kMaxNameBytes = 255;

absl::Status CheckName(absl::string_view text, absl::string_view what) {
  if (text.empty() || text == "." || text == ".." || absl::StrContains(text, '\0')) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " '", EscapePathName(text), "' cannot name a partition folder"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string EscapePathName(absl::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || absl::StrContains(kEscaped, c)) {
      escaped += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      escaped += c;
    }
  }
  return escaped;
}

absl::StatusOr<std::string> PartitionPath(const PartitionValues& values) {
  std::string path;
  for (const auto& [column, value] : values) {
    RETURN_IF_ERROR(CheckName(column, "partition column"));
    if (column[0] == '_' || column[0] == '.') {
      return absl::InvalidArgumentError(
          absl::StrCat("partition column '", column, "' begins with '", column.substr(0, 1),
                       "': plain Parquet readers would skip its folders"));
    }
    if (value.has_value()) {
      RETURN_IF_ERROR(CheckName(*value, absl::StrCat("partition column '", column, "': value")));
      if (*value == kNullFolder) {
        return absl::InvalidArgumentError(absl::StrCat("partition column '", column, "': value '",
                                                       *value, "' would be read as NULL"));
      }
    }
    const std::string folder =
        absl::StrCat(EscapePathName(column), "=", value ? EscapePathName(*value) : kNullFolder);
    if (folder.size() > kMaxNameBytes) {
      return absl::InvalidArgumentError(absl::StrCat("partition column '", column,
                                                     "': folder name has ", folder.size(),
                                                     " bytes, at most 255 are possible"));
    }
    absl::StrAppend(&path, path.empty() ? "" : "/", folder);
  }
  return path;
}

}  // namespace headwater
