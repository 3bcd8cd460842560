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
  // Has the server stop what a reader has left, over a connection of its own.
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
  // The connection is in the middle of an answer that nobody reads on. Its socket is shut, so that
  // the library does not read it either.
  void Abandon();
  // What an error of the library or the server means; CANCELLED after Cancel().
  absl::Status Failure(unsigned code, const char* sqlstate, const char* words) const;

 private:
  MariaDbSession(MariaDbTarget target, MariaDbHandle connection);
  absl::Status Failure() const;
  absl::Status Run(const std::string& sql);
  absl::Status NoSuchRelation(const std::string& relation);
  void StopOnServer() const;

  const MariaDbTarget target_;
  MariaDbHandle connection_;
  // The socket under a number of our own, which the library cannot close under a canceller.
  const int socket_;
  std::atomic<bool> cancelled_ = false;
  bool broken_ = false;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_MARIADB_MARIADB_SESSION_H_
