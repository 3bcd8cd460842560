#include "common/base/ids.h"

#include <random>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

std::string RandomHex32Bits() {
  static thread_local std::random_device device;  // Reads the system's source; holds no state.
  return absl::StrCat(absl::Hex(static_cast<uint32_t>(device()), absl::kZeroPad8));
}

}  // namespace

std::string RandomId() {
  return absl::StrCat(RandomHex32Bits(), RandomHex32Bits(), RandomHex32Bits(), RandomHex32Bits());
}

namespace {

std::string DatedId(absl::string_view prefix, absl::Time now) {
  return absl::StrCat(prefix, absl::FormatTime("%Y%m%d", now, absl::UTCTimeZone()), "-",
                      RandomHex32Bits());
}

}  // namespace

std::string RandomRunId(absl::Time now) { return DatedId("r-", now); }
std::string RandomPlanId(absl::Time now) { return DatedId("p-", now); }

}  // namespace headwater
