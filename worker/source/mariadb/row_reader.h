// Reads an extent as a prepared statement's rows, which the server sends in their binary form while
// it finds them: nobody holds the result.
#ifndef HEADWATER_WORKER_SOURCE_MARIADB_ROW_READER_H_
#define HEADWATER_WORKER_SOURCE_MARIADB_ROW_READER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "worker/source/mariadb/mariadb_session.h"
#include "worker/source/source_reader.h"

namespace headwater {

// Reads `extent` of `dataset`. `session` must outlive the reader, which abandons it when it is left
// before its end: what the server still sends would have to be read first. Errors: as of
// Source::Read().
absl::StatusOr<std::unique_ptr<SourceReader>> OpenRowReader(MariaDbSession& session,
                                                            const DatasetSpec& dataset,
                                                            const Extent& extent,
                                                            const ReadOptions& options);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_MARIADB_ROW_READER_H_
