// What an adapter brings: one open connection. session_source.h makes a Source of it, so that
// connecting, probing and giving up a connection are written once for all adapters.
#ifndef HEADWATER_WORKER_SOURCE_SOURCE_SESSION_H_
#define HEADWATER_WORKER_SOURCE_SOURCE_SESSION_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/schema.h"
#include "worker/source/dialect.h"
#include "worker/source/source_reader.h"

namespace headwater {

// A column as the source declares it.
struct SourceColumn {
  Column column;
  std::string type_name;    // In the source's words: `timestamptz`, `DECIMAL(18,6)`.
  std::string notice = "";  // What people should know before they load it: `plan` shows it.
  // Why no column of ours holds its values, so that it is read as text or not at all; else empty.
  std::string refusal = "";
  bool as_text = false;  // SelectColumns(): read as the source prints it, whatever it declares.
};

// More than any table has columns.
inline constexpr int kMaxAnswerRows = 5000;

using TextRow = std::vector<std::optional<std::string>>;  // None: NULL.

// One open connection. Confined to one thread, except Cancel().
class SourceSession {
 public:
  virtual ~SourceSession() = default;

  virtual const Dialect& dialect() const = 0;

  // False once it cannot serve another call: cancelled, lost, or left in the middle of an answer.
  virtual bool sound() const = 0;

  // True if a transaction of this session can share its snapshot, as Dialect::export_snapshot_sql
  // has it. Not through drivers that wrap each statement of a transaction into a savepoint.
  virtual bool shares_snapshots() const { return false; }

  // All columns of `relation`, in order. NOT_FOUND: no such relation (names what there is).
  virtual absl::StatusOr<std::vector<SourceColumn>> Describe(const std::string& relation) = 0;

  // Runs a query whose answer is small (at most kMaxAnswerRows) and returns it as text.
  virtual absl::StatusOr<std::vector<TextRow>> Query(const std::string& sql) = 0;

  // Runs a statement without rows: BEGIN, SET, ROLLBACK.
  virtual absl::Status Execute(const std::string& sql) = 0;

  // Starts reading, in the fastest way that this connection has. What is to be read is prepared by
  // prepared_read.h; how its columns are asked for and decoded is the adapter's own. The reader
  // must be gone before the next call, and before the session. Errors: as of Source::Read().
  virtual absl::StatusOr<std::unique_ptr<SourceReader>> OpenReader(const DatasetSpec& dataset,
                                                                   const Extent& extent,
                                                                   const ReadOptions& options) = 0;

  // Makes a running or future call return CANCELLED soon. Thread-safe; repeatable.
  virtual void Cancel() = 0;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_SOURCE_SESSION_H_
