#include "common/data/staged_name.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace headwater {
namespace {

constexpr absl::string_view kPrefix = "hw-";
constexpr absl::string_view kSuffix = ".parquet";

}  // namespace

std::string StagedName(int64_t fence, int piece, int number, absl::string_view hex) {
  return absl::StrCat(kPrefix, fence, "-p", piece, "-", number, "-", hex, kSuffix);
}

std::optional<int64_t> FenceOf(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kPrefix) || !absl::ConsumeSuffix(&name, kSuffix))
    return std::nullopt;
  const size_t digits = name.find('-');
  if (digits == 0 || digits == absl::string_view::npos || digits + 1 == name.size())
    return std::nullopt;
  for (const char c : name.substr(0, digits)) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
  }
  int64_t fence = 0;
  if (!absl::SimpleAtoi(name.substr(0, digits), &fence)) return std::nullopt;
  return fence;
}

bool IsStagedName(absl::string_view name) { return FenceOf(name).has_value(); }

}  // namespace headwater
