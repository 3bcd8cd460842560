// What a Delta table may ask of its writers for this program to write there. Source: PROTOCOL.md
// of the Delta Lake project, "Requirements for Writers" and "Table Features".
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_SUPPORT_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_SUPPORT_H_

#include "absl/status/status.h"
#include "coordinator/commit/delta/delta_actions.h"

namespace headwater {

// UNIMPLEMENTED: the table asks for what this program does not do: a protocol or a table feature
// that it does not have, rows that may not be removed, or columns with rules that it would not
// check. The message says what was found and what to do. DATA_LOSS: the schema is not one.
absl::Status CheckWritable(const DeltaProtocol& protocol, const DeltaMetadata& metadata);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_DELTA_SUPPORT_H_
