// How large data files and their parts become, whoever writes them.
#ifndef HEADWATER_WORKER_STAGE_FILE_LIMITS_H_
#define HEADWATER_WORKER_STAGE_FILE_LIMITS_H_

#include <cstdint>

namespace headwater {

inline constexpr int64_t kMaxFileBytes = int64_t{128} << 20;
inline constexpr int64_t kMaxRowGroupRows = 1 << 20;
// In memory. A full group is encoded while the source sends the next one, so that little is left
// to do at the end.
inline constexpr int64_t kRowGroupBytes = int64_t{16} << 20;

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_FILE_LIMITS_H_
