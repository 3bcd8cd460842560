// Names of data files. The attempt is in the name, so that no two attempts write one file:
//
//   hw-<fence>-p<piece>-<n>-<hex>.parquet        hw-4711-p0-3-9f86d081884c7d65.parquet
#ifndef HEADWATER_COMMON_DATA_STAGED_NAME_H_
#define HEADWATER_COMMON_DATA_STAGED_NAME_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace headwater {

// `hex` tells apart what one attempt wrote and a copy of it elsewhere.
std::string StagedName(int64_t fence, int piece, int number, absl::string_view hex);

// The fence of the attempt that staged a file of that name; absent: none did.
std::optional<int64_t> FenceOf(absl::string_view name);

// Whether a file of that name is one that an attempt staged.
bool IsStagedName(absl::string_view name);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_STAGED_NAME_H_
