// Whether a Delta table is ours to publish in.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_TABLE_CLAIM_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_TABLE_CLAIM_H_

#include <string>

#include "absl/status/status.h"
#include "common/storage/object_store.h"
#include "coordinator/commit/committer.h"
#include "coordinator/commit/delta/delta_snapshot.h"

namespace headwater {

// The table's property that names the ledger it belongs to.
inline constexpr char kOwnerProperty[] = "headwater.ledger";

// The application id of our transactions in the table.
std::string AppIdOf(const TableLocation& location);

// OK: an empty folder (or one of staged files only) where nothing was published, or our own table
// with all that was. ALREADY_EXISTS: a foreign table or file. DATA_LOSS: it is behind `published`,
// or its log has no metaData. UNIMPLEMENTED: it asks of its writers what this program does not do.
absl::Status CheckClaim(const TableLocation& location, const PublishedTable& published,
                        const DeltaSnapshot& snapshot, const ObjectStore& store);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_TABLE_CLAIM_H_
