// The key `retention`, of the configuration as a whole and of one target.
#ifndef HEADWATER_COMMON_CONFIG_RETENTION_CONFIG_H_
#define HEADWATER_COMMON_CONFIG_RETENTION_CONFIG_H_

#include "common/config/yaml_reader.h"
#include "common/model/retention.h"

namespace headwater {

// `retention: {files: 7d, log: 30d, attempts: 1h}` of `map`; what it does not say is `outer`'s.
// Less than is safe is a problem.
Retention ReadRetention(MapReader& map, const Retention& outer, Problems& problems);

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_RETENTION_CONFIG_H_
