#include "common/data/fingerprint.h"

#include <xxhash.h>

#include "absl/strings/str_format.h"

namespace headwater {

std::string HexOf(const Hash128& hash) {
  return absl::StrFormat("%016x%016x", hash.high, hash.low);
}

std::string DigestOf(absl::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return HexOf(Hash128{.high = hash.high64, .low = hash.low64});
}

}  // namespace headwater
