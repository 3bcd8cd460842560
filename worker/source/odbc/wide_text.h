// ODBC's wide text (UTF-16 in the machine's byte order) to UTF-8. Wide text is what drivers convert
// to without asking the process's locale.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_WIDE_TEXT_H_
#define HEADWATER_WORKER_SOURCE_ODBC_WIDE_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace headwater {

// Appends `utf16` (bytes) to `utf8`. False: an odd length or a lone surrogate.
bool AppendUtf8(absl::string_view utf16, std::string& utf8);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_WIDE_TEXT_H_
