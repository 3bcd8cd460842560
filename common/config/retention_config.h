// How long things are kept: the key `retention`, of the configuration as a whole and of one target,
// and the key `history`.
#ifndef HEADWATER_COMMON_CONFIG_RETENTION_CONFIG_H_
#define HEADWATER_COMMON_CONFIG_RETENTION_CONFIG_H_

#include "absl/time/time.h"
#include "common/config/yaml_reader.h"
#include "common/model/retention.h"

namespace headwater {

// `retention: {files: 7d, log: 30d, attempts: 1h}` of `map`; what it does not say is `outer`'s.
// Less than is safe is a problem.
Retention ReadRetention(MapReader& map, const Retention& outer, Problems& problems);

// `history: {keep: 30d}` of `root`: how long runs that have ended stay in the ledger.
absl::Duration ReadHistoryKept(MapReader& root, Problems& problems);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_RETENTION_CONFIG_H_
