// Globs over names: of selectors, and of the servers that a worker says it reaches.
#ifndef HEADWATER_COMMON_BASE_GLOB_H_
#define HEADWATER_COMMON_BASE_GLOB_H_

#include "absl/strings/string_view.h"

namespace headwater {

// True if `glob` matches all of `text`: `*` is any run of characters (also none), `?` any one.
// Neither is special inside `text`. Takes at most |glob| * |text| steps, whatever the glob.
bool GlobMatches(absl::string_view glob, absl::string_view text);

}  // namespace headwater

#endif  // HEADWATER_COMMON_BASE_GLOB_H_
