#include "worker/source/odbc/wide_text.h"

#include <cstdint>
#include <cstring>

namespace headwater {

bool AppendUtf8(absl::string_view utf16, std::string& utf8) {
  if (utf16.size() % 2 != 0) return false;
  const size_t units = utf16.size() / 2;
  const auto unit = [&](size_t i) {
    uint16_t value;
    std::memcpy(&value, utf16.data() + 2 * i, sizeof(value));
    return uint32_t{value};
  };
  for (size_t i = 0; i < units; ++i) {
    uint32_t code = unit(i);
    if (code >= 0xD800 && code < 0xE000) {
      if (code >= 0xDC00 || i + 1 == units) return false;
      const uint32_t low = unit(++i);
      if (low < 0xDC00 || low >= 0xE000) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code < 0x80) {
      utf8.push_back(static_cast<char>(code));
      continue;
    }
    if (code < 0x800) {
      utf8.push_back(static_cast<char>(0xC0 | (code >> 6)));
    } else {
      if (code < 0x10000) {
        utf8.push_back(static_cast<char>(0xE0 | (code >> 12)));
      } else {
        utf8.push_back(static_cast<char>(0xF0 | (code >> 18)));
        utf8.push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
      }
      utf8.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    }
    utf8.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
  return true;
}

}  // namespace headwater
