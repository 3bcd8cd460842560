// Small questions to a server, and their answers.
#ifndef HEADWATER_WORKER_SOURCE_QUESTIONS_H_
#define HEADWATER_WORKER_SOURCE_QUESTIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "worker/source/source_session.h"

namespace headwater {

// The answer to `sql`, which is one row. INVALID_ARGUMENT: it has other rows or columns. Others as
// of SourceSession::Query().
absl::StatusOr<TextRow> OneRow(SourceSession& session, const std::string& sql, size_t columns);

// What `text`, an answer to `sql`, says: UTC, if it names no zone. INVALID_ARGUMENT: it is no time.
absl::StatusOr<absl::Time> ParseClock(const std::string& text, absl::string_view sql);

// The server's clock, by its own statement if `configured` is empty.
absl::StatusOr<absl::Time> AskClock(SourceSession& session, const std::string& configured = "");

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_QUESTIONS_H_
