// Open transactions of a source: until they have ended, rows of theirs may come among those that
// were read.
#ifndef HEADWATER_WORKER_SOURCE_OPEN_TRANSACTIONS_H_
#define HEADWATER_WORKER_SOURCE_OPEN_TRANSACTIONS_H_

#include <string>

#include "absl/status/status.h"
#include "common/model/task.h"
#include "worker/source/source_session.h"

namespace headwater {

// Asks which is the oldest, and what a replica has replayed; that they cannot be seen is an answer.
absl::Status ProbeTransactions(SourceSession& session, ProbeResult& result);

// For a replica, whose transactions are open on `primary` and which ProbeTransactions() could not
// tell of: asks there, on the replica's clock, and looks whether the replica shows all that was
// committed by then; if `patient`, for seconds until it does, else for a moment.
// FAILED_PRECONDITION: it does not, or `primary` cannot tell, and why; `result` is as it was.
// Others as of SourceSession::Query(). Requires: result.source_clock was asked for before.
absl::Status ProbePrimary(SourceSession& session, SourceSession& primary, bool patient,
                          ProbeResult& result);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_OPEN_TRANSACTIONS_H_
