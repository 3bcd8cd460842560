// A NUMERIC field as text, digit for digit what the server would print. Pure.
#ifndef HEADWATER_WORKER_SOURCE_POSTGRES_NUMERIC_TEXT_H_
#define HEADWATER_WORKER_SOURCE_POSTGRES_NUMERIC_TEXT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace headwater {

// `12345.678`, `-0.50`, `NaN`, `-Infinity`: never an exponent, as many decimals as the value has on
// the server. None: `field` is not a NUMERIC (copy_field.h has its form). At most 150,000 bytes:
// what a weight and a display scale of 16 bits can ask for.
std::optional<std::string> NumericText(absl::string_view field);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_POSTGRES_NUMERIC_TEXT_H_
