#include "common/data/utf8.h"

#include <cstdint>
#include <cstring>

namespace headwater {

bool IsValidUtf8(absl::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  while (at < end) {
    if (end - at >= 8) {  // Eight ASCII bytes at once: most text is.
      uint64_t word;
      std::memcpy(&word, at, sizeof(word));
      if ((word & 0x8080808080808080) == 0) {
        at += 8;
        continue;
      }
    }
    const unsigned char lead = *at++;
    if (lead < 0x80) continue;
    const int rest = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || end - at < rest) return false;
    // Overlong forms, surrogates and values beyond U+10FFFF show in the second byte.
    if ((lead == 0xE0 && at[0] < 0xA0) || (lead == 0xED && at[0] > 0x9F) ||
        (lead == 0xF0 && at[0] < 0x90) || (lead == 0xF4 && at[0] > 0x8F)) {
      return false;
    }
    for (int i = 0; i < rest; ++i, ++at) {
      if ((*at & 0xC0) != 0x80) return false;
    }
  }
  return true;
}

}  // namespace headwater
