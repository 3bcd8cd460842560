// Small questions to a server, and their answers.
#ifndef HEADWATER_WORKER_SOURCE_QUESTIONS_H_
#define HEADWATER_WORKER_SOURCE_QUESTIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/model/dataset_spec.h"
#include "worker/source/dialect.h"
#include "worker/source/source_session.h"

namespace headwater {

// The answer to `sql`, which is one row. INVALID_ARGUMENT: it has other rows or columns. Others as
// of SourceSession::Query().
absl::StatusOr<TextRow> OneRow(SourceSession& session, const std::string& sql, size_t columns);

// What `text`, an answer to `sql`, says: UTC, if it names no zone. INVALID_ARGUMENT: it is no time.
absl::StatusOr<absl::Time> ParseClock(const std::string& text, absl::string_view sql);

// The server's clock, by its own statement if `configured` is empty.
absl::StatusOr<absl::Time> AskClock(SourceSession& session, const std::string& configured = "");

// A cursor's value as the source printed it; none for NULL. INVALID_ARGUMENT: it is none of the
// cursor's type, or finer than a microsecond, and the dataset does not have such values cut.
absl::StatusOr<std::optional<int64_t>> CursorFrom(const std::optional<std::string>& text,
                                                  const CursorColumn& cursor,
                                                  const DatasetSpec& dataset);

// What COUNT(*) answered. DATA_LOSS: no integer.
absl::StatusOr<int64_t> CountFrom(const std::optional<std::string>& text);

// Has `body` ask its questions in one snapshot, where the dialect has them; returns its status, or
// that of the snapshot's end.
absl::Status InSnapshot(SourceSession& session, absl::FunctionRef<absl::Status()> body);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_QUESTIONS_H_
