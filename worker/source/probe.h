// Probing, once for all adapters: what a source shows of one dataset, in one snapshot.
#ifndef HEADWATER_WORKER_SOURCE_PROBE_H_
#define HEADWATER_WORKER_SOURCE_PROBE_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"
#include "worker/source/source_session.h"

namespace headwater {

// Asks a replica's primary (open_transactions.h) for what the replica does not know.
using PrimaryProbe = std::function<absl::Status(ProbeResult& result)>;

// Asks clock and open transactions first and takes the snapshot after them: a transaction whose
// rows the snapshot misses was then open when it was asked, or began later than the clock says.
// That `primary`, if any, fails is only a notice. Errors: as of Source::Probe().
absl::StatusOr<ProbeResult> RunProbe(SourceSession& session, const DatasetSpec& dataset,
                                     const ProbeTask& task, const PrimaryProbe& primary = {});

// `range`, in which a read found no rows, with all around it that has none now either. Errors: as
// of Source::EmptyAround().
absl::StatusOr<Range> FindEmptyAround(SourceSession& session, const DatasetSpec& dataset,
                                      const Range& range, absl::string_view tag);

// The separator that the cursor's text uses (SQLite stores timestamps as text): that of one
// of its values, ' ' if there is none. Other dialects: ' ' without asking.
absl::StatusOr<char> SeparatorOf(SourceSession& session, const std::string& relation,
                                 const CursorColumn& cursor);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_PROBE_H_
