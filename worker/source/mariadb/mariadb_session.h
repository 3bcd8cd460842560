// A libmariadb connection as probes and the row reader use it. Every session is read-only, in UTC,
// with text in UTF-8.
#ifndef HEADWATER_WORKER_SOURCE_MARIADB_MARIADB_SESSION_H_
#define HEADWATER_WORKER_SOURCE_MARIADB_MARIADB_SESSION_H_

#include <mysql.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/source/mariadb/mariadb_url.h"
#include "worker/source/source_session.h"

namespace headwater {

struct MariaDbDeleter {
  void operator()(MYSQL* connection) const { mysql_close(connection); }
};
using MariaDbHandle = std::unique_ptr<MYSQL, MariaDbDeleter>;

class MariaDbSession : public SourceSession {
 public:
  // `url` as of mariadb_url.h. UNAVAILABLE: the server cannot be reached; PERMISSION_DENIED: it
  // refuses us; NOT_FOUND: it has no such database. The server's words, which the caller redacts.
  static absl::StatusOr<std::unique_ptr<MariaDbSession>> Open(const std::string& url);
  // Has the server stop what was cancelled or left, if it still runs, over another connection.
  ~MariaDbSession() override;

  const Dialect& dialect() const override { return DialectOf(DialectKind::kMariaDb); }
  bool sound() const override { return !broken_ && !cancelled(); }
  absl::StatusOr<std::vector<SourceColumn>> Describe(const std::string& relation) override;
  absl::StatusOr<std::vector<TextRow>> Query(const std::string& sql) override;
  absl::Status Execute(const std::string& sql) override;
  absl::StatusOr<std::unique_ptr<SourceReader>> OpenReader(const DatasetSpec& dataset,
                                                           const Extent& extent,
                                                           const ReadOptions& options) override;
  // Does not block: it shuts the socket, and the destructor tells the server.
  void Cancel() override;

  MYSQL* connection() { return connection_.get(); }
  bool cancelled() const { return cancelled_.load(); }
  // Around each statement: from when it is sent until its last row or its error has come.
  void BeginAnswer() { answering_ = true; }
  void EndAnswer() { answering_ = false; }
  // Nobody reads on in the middle of an answer. The socket is shut, so that the library does not
  // either.
  void Abandon();
  // What the last error of the connection, or of `statement` where it has one, means. It ends the
  // answer; but after Cancel() it is CANCELLED, and does not.
  absl::Status Failure(MYSQL_STMT* statement = nullptr);

 private:
  MariaDbSession(MariaDbTarget target, MariaDbHandle connection);
  absl::Status NoSuchRelation(const std::string& relation);
  void StopOnServer() const;

  const MariaDbTarget target_;
  MariaDbHandle connection_;
  // The socket under a number of our own, which the library cannot close under a canceller.
  const int socket_;
  std::atomic<bool> cancelled_ = false;
  bool broken_ = false;     // Not to be used again.
  bool answering_ = false;  // The server is at work for us.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_MARIADB_MARIADB_SESSION_H_
