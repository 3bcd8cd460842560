#ifndef HEADWATER_COMMON_DATA_UTF8_H_
#define HEADWATER_COMMON_DATA_UTF8_H_

#include "absl/strings/string_view.h"

namespace headwater {

// Strict: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool IsValidUtf8(absl::string_view text);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_UTF8_H_
