// A libpq connection as probes and the COPY reader use it. Every session is read-only, in UTC, with
// text in UTF-8, and prints values in one form whatever server, database and role are set to.
#ifndef HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_SESSION_H_
#define HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_SESSION_H_

#include <libpq-fe.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/source/postgres/postgres_type.h"
#include "worker/source/source_session.h"

namespace headwater {

struct PgResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, PgResultDeleter>;

class PostgresSession : public SourceSession {
 public:
  // `url` as libpq takes it; without a connect_timeout of its own it waits 10 seconds. What is sent
  // and not acknowledged for 20 seconds (tcp_user_timeout) ends a connection, and a Cancel().
  // UNAVAILABLE: the server cannot be reached; PERMISSION_DENIED: it refuses us; NOT_FOUND: it has
  // no such database. The server's words, which the caller redacts.
  static absl::StatusOr<std::unique_ptr<PostgresSession>> Open(const std::string& url);
  ~PostgresSession() override;

  const Dialect& dialect() const override { return DialectOf(DialectKind::kPostgres); }
  bool shares_snapshots() const override { return true; }
  absl::StatusOr<std::vector<SourceColumn>> Describe(const std::string& relation) override;
  absl::StatusOr<std::vector<TextRow>> Query(const std::string& sql) override;
  absl::Status Execute(const std::string& sql) override;
  absl::StatusOr<std::unique_ptr<SourceReader>> OpenReader(const DatasetSpec& dataset,
                                                           const Extent& extent,
                                                           const ReadOptions& options) override;
  void Cancel() override;

  PGconn* connection() { return connection_; }
  bool cancelled() const { return cancelled_.load(); }
  // What the connection's last failed call means; CANCELLED after Cancel().
  absl::Status Failure(const PGresult* result) const;

  // A connection left in the middle of a COPY is not used again.
  void MarkBroken() { broken_ = true; }
  bool sound() const override {
    return !broken_ && !cancelled() && PQstatus(connection_) == CONNECTION_OK;
  }

  // What Describe() gives, with the types behind it. A column of a domain has the domain's base
  // type and modifier.
  struct CatalogColumn {
    SourceColumn column;
    PostgresTypeName type;
  };
  absl::StatusOr<std::vector<CatalogColumn>> Catalog(const std::string& relation);

 private:
  explicit PostgresSession(PGconn* connection) : connection_(connection) {}
  absl::StatusOr<PgResult> Run(const std::string& sql, ExecStatusType expected);
  absl::Status NoSuchRelation(const std::string& relation);

  PGconn* connection_;
  PGcancel* cancel_ = nullptr;
  std::atomic<bool> cancelled_ = false;
  bool broken_ = false;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_POSTGRES_POSTGRES_SESSION_H_
