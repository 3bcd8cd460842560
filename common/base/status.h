// Status words used everywhere: the two return macros that Abseil leaves out. Errors are values;
// style and meaning of each code are in common/base/disposition.h.
#ifndef HEADWATER_COMMON_BASE_STATUS_H_
#define HEADWATER_COMMON_BASE_STATUS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace headwater {

// The same code and payloads, with "<doing>: " before the message. OK stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view doing);

}  // namespace headwater

#define HW_CONCAT_INNER(a, b) a##b
#define HW_CONCAT(a, b) HW_CONCAT_INNER(a, b)

// Returns from the enclosing function when `expression` is not OK.
#define RETURN_IF_ERROR(expression)                                               \
  do {                                                                            \
    if (absl::Status hw_status = (expression); !hw_status.ok()) return hw_status; \
  } while (false)

// ASSIGN_OR_RETURN(auto x, F()): returns F's status, or declares x with its value.
#define ASSIGN_OR_RETURN(declaration, expression) \
  HW_ASSIGN_OR_RETURN(HW_CONCAT(hw_result_, __LINE__), declaration, expression)
#define HW_ASSIGN_OR_RETURN(result, declaration, expression) \
  auto result = (expression);                                \
  if (!result.ok()) return std::move(result).status();       \
  declaration = *std::move(result)

#endif  // HEADWATER_COMMON_BASE_STATUS_H_
