#include "coordinator/ledger/postgres_connection.h"

#include <exception>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/ledger/log_format.h"

namespace headwater {
namespace {

// A peer that is gone without a word is found within four seconds, less than a lease lasts. In
// front of what the URL says itself, which wins.
constexpr absl::string_view kDefaults =
    "connect_timeout=3&keepalives_idle=2&keepalives_interval=1&keepalives_count=2"
    "&tcp_user_timeout=4000&application_name=headwater-ledger";

std::string WithDefaults(const std::string& url) {
  const size_t query = url.find('?');
  if (query == std::string::npos) return absl::StrCat(url, "?", kDefaults);
  return absl::StrCat(url.substr(0, query + 1), kDefaults, "&", url.substr(query + 1));
}

absl::StatusCode CodeOf(absl::string_view sqlstate) {
  if (absl::StartsWith(sqlstate, "57P") || absl::StartsWith(sqlstate, "08"))
    return absl::StatusCode::kUnavailable;  // The server is going, or this session was ended.
  if (absl::StartsWith(sqlstate, "53")) return absl::StatusCode::kResourceExhausted;
  if (absl::StartsWith(sqlstate, "28") || sqlstate == "42501")
    return absl::StatusCode::kPermissionDenied;
  if (sqlstate == "42P01" || sqlstate == "3D000") return absl::StatusCode::kNotFound;
  if (absl::StartsWith(sqlstate, "XX")) return absl::StatusCode::kDataLoss;
  // 25006, a database that was demoted to a standby: what is asked for is right, the place is not.
  if (sqlstate == "25006" || absl::StartsWith(sqlstate, "40"))
    return absl::StatusCode::kUnavailable;
  return absl::StatusCode::kInternal;
}

// libpq tells of a refused login by words only, once there is no connection to ask.
bool IsRefusal(absl::string_view words) {
  return absl::StrContains(words, "authentication failed") ||
         absl::StrContains(words, "no password supplied") ||
         absl::StrContains(words, "no pg_hba.conf entry") ||
         (absl::StrContains(words, "role \"") && absl::StrContains(words, "does not exist"));
}

}  // namespace

std::string PostgresConnection::place() const { return DisplayUrl(url_.Reveal()); }

void PostgresConnection::Connect() {
  auto connection = std::make_unique<pqxx::connection>(WithDefaults(url_.Reveal()));
  pqxx::nontransaction transaction(*connection);
  // What Append() returned has to survive a crash of the server, whatever this database thinks.
  transaction.exec(
      "SELECT set_config('synchronous_commit', 'on', false) "
      "WHERE current_setting('synchronous_commit') IN ('off', 'local')");
  transaction.exec("SET client_encoding TO 'UTF8'");
  transaction.exec("SET default_transaction_isolation TO 'read committed'");
  transaction.exec("SET default_transaction_read_only TO off");
  transaction.commit();
  connection_ = std::move(connection);
}

absl::Status PostgresConnection::Guard(absl::string_view doing,
                                       absl::FunctionRef<void(pqxx::connection&)> use) {
  absl::StatusCode code = absl::StatusCode::kInternal;
  std::string words;
  bool lost = false;
  try {
    if (connection_ == nullptr) Connect();
    use(*connection_);
    return absl::OkStatus();
  } catch (const pqxx::broken_connection& error) {
    words = error.what();
    code = IsRefusal(words) ? absl::StatusCode::kPermissionDenied : absl::StatusCode::kUnavailable;
    lost = true;
  } catch (const pqxx::sql_error& error) {
    words = error.what();
    code = CodeOf(error.sqlstate());
    // libpqxx calls a connection that went during a statement an error without a state.
    lost = error.sqlstate().empty() || code == absl::StatusCode::kUnavailable;
    if (lost) code = absl::StatusCode::kUnavailable;
  } catch (const std::exception& error) {
    words = error.what();
    lost = true;
  }
  if (lost) connection_.reset();
  return absl::Status(code, absl::StrCat("ledger ", place(), ": ", doing, ": ",
                                         Redact(absl::StripAsciiWhitespace(words), url_)));
}

absl::Status PostgresConnection::Transact(absl::string_view doing,
                                          absl::FunctionRef<absl::Status(pqxx::work&)> use) {
  absl::Status outcome;
  RETURN_IF_ERROR(Guard(doing, [&](pqxx::connection& connection) {
    pqxx::work transaction(connection);
    outcome = use(transaction);
    if (outcome.ok()) transaction.commit();
  }));
  return outcome;
}

absl::Status PostgresConnection::Execute(absl::string_view doing, const std::string& sql) {
  return Guard(doing, [&](pqxx::connection& connection) {
    pqxx::nontransaction transaction(connection);
    transaction.exec(sql);
  });
}

void EventArrays::Add(absl::string_view payload, int64_t sequence) {
  const absl::string_view comma = empty() ? "" : ",";
  absl::StrAppend(&payloads, comma, "\"\\\\x", absl::BytesToHexString(payload), "\"");
  absl::StrAppend(&checksums, comma, LogChecksum(payload, sequence));
}

void EventArrays::Close() {
  payloads += "}";
  checksums += "}";
}

}  // namespace headwater
