// Reading the whole of a relation over several connections at once. The first session exports its
// snapshot and the others take it, so that all see one state; conditions of key_split.h give each
// of them rows of its own. PostgreSQL alone has snapshots that sessions share.
#ifndef HEADWATER_WORKER_SOURCE_DIVIDED_READ_H_
#define HEADWATER_WORKER_SOURCE_DIVIDED_READ_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "common/model/extent.h"
#include "worker/source/source_reader.h"
#include "worker/source/source_session.h"

namespace headwater {

// What a relation offers to be divided by.
struct Division {
  bool divisible = false;  // The rest means nothing without.
  bool by_pages = false;
  int64_t most_pages = 0;  // Of one table below the relation.
  int64_t pages = 0;       // Of all.
  std::optional<std::string> key;
};

// Asks the server. Not divisible: the session shares no snapshot, the relation is not made of
// tables alone, or has neither pages nor a key to be divided by. Errors: the session's.
absl::StatusOr<Division> DivisionOf(SourceSession& session, const DatasetSpec& dataset);

// Conditions for up to `parts` parts of the rows that `session` sees, as SplitByKey() and
// SplitByPages() make them: by sampled quantiles of the key; by pages where there is no key, or
// where its values are too few. Requires: division.divisible. Errors: the session's.
absl::StatusOr<std::vector<std::string>> DivideRows(SourceSession& session,
                                                    const DatasetSpec& dataset,
                                                    const Division& division, int parts);

using ConnectMore = std::function<absl::StatusOr<std::unique_ptr<SourceSession>>()>;

// As Source::ReadParts(), from a first session, which is theirs from here on, and others by
// `connect`. A connection that the server refuses, or that does not reach the same state, is done
// without: there are fewer parts.
absl::StatusOr<std::vector<std::unique_ptr<SourceReader>>> OpenParts(
    std::unique_ptr<SourceSession> first, const ConnectMore& connect, const DatasetSpec& dataset,
    const Extent& extent, const ReadOptions& options, int connections, std::stop_token stop);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_DIVIDED_READ_H_
