#include "common/data/fingerprint.h"

#include "absl/strings/str_format.h"

namespace headwater {

std::string HexOf(const Hash128& hash) {
  return absl::StrFormat("%016x%016x", hash.high, hash.low);
}

}  // namespace headwater
