// One connection to a ledger's database, through libpqxx: its exceptions end here. Internal to
// coordinator/ledger.
#ifndef HEADWATER_COORDINATOR_LEDGER_POSTGRES_CONNECTION_H_
#define HEADWATER_COORDINATOR_LEDGER_POSTGRES_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/config/secret.h"

namespace headwater {

// The tables of a log, where there are none.
inline constexpr char kLogTables[] = R"sql(
CREATE TABLE IF NOT EXISTS headwater_ledger(
  ledger_id text PRIMARY KEY, format int NOT NULL, raises text NOT NULL,
  last_sequence bigint NOT NULL);
CREATE TABLE IF NOT EXISTS headwater_events(
  sequence bigint PRIMARY KEY, payload bytea NOT NULL, checksum bigint NOT NULL);
CREATE TABLE IF NOT EXISTS headwater_snapshots(
  sequence bigint PRIMARY KEY, state bytea NOT NULL, checksum bigint NOT NULL);)sql";

// Events as texts of PostgreSQL's arrays bytea[] and bigint[].
struct EventArrays {
  std::string payloads = "{", checksums = "{";

  void Add(absl::string_view payload, int64_t sequence);
  void Close();
  bool empty() const { return payloads.size() == 1; }
};

// Confined to one thread.
class PostgresConnection {
 public:
  explicit PostgresConnection(Secret url) : url_(std::move(url)) {}

  // One statement, a transaction of its own. Connects first, if there is no connection.
  // UNAVAILABLE: the connection was lost; whether the statement was carried out is not known. Other
  // errors by the server's SQLSTATE: nothing was.
  template <typename... Args>
  absl::StatusOr<pqxx::result> Run(absl::string_view doing, const std::string& sql,
                                   const Args&... args) {
    pqxx::result result;
    const absl::Status status = Guard(doing, [&](pqxx::connection& connection) {
      pqxx::nontransaction transaction(connection);
      result = transaction.exec_params(sql, args...);
    });
    if (!status.ok()) return status;
    return result;
  }

  // The same of a statement that may be carried out twice: once more where the connection turns out
  // to be lost.
  template <typename... Args>
  absl::StatusOr<pqxx::result> Repeat(absl::string_view doing, const std::string& sql,
                                      const Args&... args) {
    absl::StatusOr<pqxx::result> result = Run(doing, sql, args...);
    return absl::IsUnavailable(result.status()) ? Run(doing, sql, args...) : result;
  }

  // `use` in one transaction, which its end makes durable; what it returns instead of OK, or
  // throws, undoes it.
  absl::Status Transact(absl::string_view doing,
                        absl::FunctionRef<absl::Status(pqxx::work& transaction)> use);

  // Several statements that need no arguments and give no rows.
  absl::Status Execute(absl::string_view doing, const std::string& sql);

  // Where the ledger is, without secrets, for messages.
  std::string place() const;

 private:
  absl::Status Guard(absl::string_view doing, absl::FunctionRef<void(pqxx::connection&)> use);
  void Connect();  // Throws what libpqxx throws.

  Secret url_;
  std::unique_ptr<pqxx::connection> connection_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_LEDGER_POSTGRES_CONNECTION_H_
