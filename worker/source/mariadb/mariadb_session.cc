#include "worker/source/mariadb/mariadb_session.h"

#include <errmsg.h>
#include <fcntl.h>
#include <mysqld_error.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/mariadb/row_reader.h"
#include "worker/source/mariadb_catalog.h"
#include "worker/source/selection.h"
#include "worker/source/sqlstate.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

// As of PostgreSQL's connections: what a server has not acknowledged for so long, it never will.
constexpr int kKeepaliveIdleSeconds = 60, kKeepaliveSeconds = 10, kUnheardMillis = 20'000;
constexpr int kStopTimeoutSeconds = 2;  // To tell a server that may be gone.

// A server waits for a reader that is slow for a while, as long as the target's disk needs.
constexpr absl::string_view kPatience = "SET SESSION net_write_timeout = 3600";

// A connection that is lost, or could not be made.
bool IsLost(unsigned code) {
  switch (code) {
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_IPSOCK_ERROR:
    case CR_UNKNOWN_HOST:
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_HANDSHAKE_ERR:
    case CR_SERVER_LOST:
    case CR_SERVER_LOST_EXTENDED:
    case CR_SSL_CONNECTION_ERROR:
    case ER_CONNECTION_KILLED:
    case ER_SERVER_SHUTDOWN:
      return true;
    default:
      return false;
  }
}

// Where the SQLSTATE does not say it, the number does.
absl::StatusCode CodeOf(unsigned code, absl::string_view words) {
  switch (code) {
    case CR_SSL_CONNECTION_ERROR:
      return absl::StrContains(words, "certificate") ? absl::StatusCode::kPermissionDenied
                                                     : absl::StatusCode::kUnavailable;
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_AUTH_PLUGIN_ERR:
    case ER_ACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
      return absl::StatusCode::kPermissionDenied;
    case ER_BAD_DB_ERROR:
      return absl::StatusCode::kNotFound;
    case ER_TOO_MANY_USER_CONNECTIONS:  // 42000, as an error of syntax is.
    case ER_USER_LIMIT_REACHED:
      return absl::StatusCode::kResourceExhausted;
    case CR_MALFORMED_PACKET:
      return absl::StatusCode::kDataLoss;
    case CR_OUT_OF_MEMORY:
      return absl::StatusCode::kResourceExhausted;
    default:
      return IsLost(code) ? absl::StatusCode::kUnavailable : absl::StatusCode::kOk;
  }
}

constexpr absl::string_view kRefusedLogin = "restricted_auth";  // In the library's words.

absl::Status StatusOf(unsigned code, const char* sqlstate, const char* words) {
  const std::string text = ServerWords(words);
  const std::string message = absl::StrCat(text, " (", code, ")");
  if (absl::StrContains(text, kRefusedLogin)) {
    return absl::PermissionDeniedError(
        absl::StrCat(message,
                     "; in this login a server gets the password: it needs ssl-ca or "
                     "ssl-verify-server-cert=1 in the url, so that a certificate tells who it is"));
  }
  const absl::StatusCode known = CodeOf(code, text);
  if (known != absl::StatusCode::kOk) return absl::Status(known, message);
  return StatusFromSqlstate(sqlstate, message);
}

void SetTls(MYSQL* connection, const MariaDbTarget& target) {
  const auto set_file = [&](mysql_option option, const std::string& path) {
    if (!path.empty()) mysql_options(connection, option, path.c_str());
  };
  // With authorities the library verifies, whatever it is told.
  if (target.verify_certificate) set_file(MYSQL_OPT_SSL_CA, target.ca_file);
  set_file(MYSQL_OPT_SSL_CERT, target.certificate_file);
  set_file(MYSQL_OPT_SSL_KEY, target.key_file);
  const my_bool enforce = target.tls ? 1 : 0, verify = target.verify_certificate ? 1 : 0;
  mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &enforce);
  mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

// The library calls a file that it cannot read "system lib".
absl::Status CheckFiles(const MariaDbTarget& target) {
  for (const std::string& path : {target.ca_file, target.certificate_file, target.key_file}) {
    if (path.empty() || access(path.c_str(), R_OK) == 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read '", path, "', which the url names: ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

// Logins in which the password never leaves us, not even encrypted for whoever answers: what we
// take part in where nothing tells who that is.
constexpr absl::string_view kSafeLogins = "mysql_native_password,client_ed25519,parsec";

// Null without memory. The handle says what went wrong: mysql_errno() is 0 once connected. An
// answer is waited for as long as the query takes, without a time-out for it.
MariaDbHandle Connect(const MariaDbTarget& target, unsigned answer_timeout_seconds = 0) {
  static std::once_flag once;
  std::call_once(once, [] { mysql_server_init(0, nullptr, nullptr); });
  MariaDbHandle connection(mysql_init(nullptr));
  if (connection == nullptr) return nullptr;
  const auto timeout = static_cast<unsigned>(target.connect_timeout_seconds);
  mysql_options(connection.get(), MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
  mysql_options(connection.get(), MYSQL_OPT_READ_TIMEOUT, &answer_timeout_seconds);
  mysql_options(connection.get(), MYSQL_OPT_WRITE_TIMEOUT, &answer_timeout_seconds);
  mysql_options(connection.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(connection.get(), MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "headwater");
  // A server may ask its client for any file, unless the client says that it gives none.
  const unsigned no_files = 0;
  mysql_options(connection.get(), MYSQL_OPT_LOCAL_INFILE, &no_files);
  const unsigned protocol = target.socket.empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
  mysql_options(connection.get(), MYSQL_OPT_PROTOCOL, &protocol);
  if (target.socket.empty() && !target.verify_certificate) {
    mysql_options(connection.get(), MARIADB_OPT_RESTRICTED_AUTH, kSafeLogins.data());
  }
  SetTls(connection.get(), target);
  mysql_real_connect(connection.get(), target.host.c_str(), target.user.c_str(),
                     target.password.c_str(), target.database.c_str(), target.port,
                     target.socket.empty() ? nullptr : target.socket.c_str(), 0);
  return connection;
}

int OwnSocket(MYSQL* connection) {
  const int socket = static_cast<int>(mysql_get_socket(connection));
  // Refused on a socket that is a file, which needs none.
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &kKeepaliveIdleSeconds, sizeof(int));
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &kKeepaliveSeconds, sizeof(int));
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnheardMillis, sizeof(int));
  return fcntl(socket, F_DUPFD_CLOEXEC, 0);
}

}  // namespace

MariaDbSession::MariaDbSession(MariaDbTarget target, MariaDbHandle connection)
    : target_(std::move(target)),
      connection_(std::move(connection)),
      socket_(OwnSocket(connection_.get())) {}

absl::StatusOr<std::unique_ptr<MariaDbSession>> MariaDbSession::Open(const std::string& url) {
  ASSIGN_OR_RETURN(MariaDbTarget target, ParseMariaDbUrl(url));
  RETURN_IF_ERROR(CheckFiles(target));
  MariaDbHandle connection = Connect(target);
  if (connection == nullptr) return absl::ResourceExhaustedError("libmariadb: no memory");
  std::unique_ptr<MariaDbSession> session(
      new MariaDbSession(std::move(target), std::move(connection)));
  if (mysql_errno(session->connection()) != 0) {
    session->broken_ = true;
    return session->Failure();
  }
  // The library goes on in plain text where the server cannot encrypt.
  if (session->target_.tls && mysql_get_ssl_cipher(session->connection()) == nullptr) {
    return absl::PermissionDeniedError(
        "the server does not encrypt, and the url asks for it (ssl); give it a certificate");
  }
  for (const std::string& sql : SessionSql(session->dialect())) {
    RETURN_IF_ERROR(session->Execute(sql));
  }
  RETURN_IF_ERROR(session->Execute(std::string(kPatience)));
  return session;
}

MariaDbSession::~MariaDbSession() {
  if (answering_ && !sound()) StopOnServer();
  connection_.reset();
  if (socket_ >= 0) close(socket_);
}

void MariaDbSession::StopOnServer() const {
  MariaDbTarget target = target_;
  target.connect_timeout_seconds = kStopTimeoutSeconds;
  const MariaDbHandle other = Connect(target, kStopTimeoutSeconds);
  if (other == nullptr || mysql_errno(other.get()) != 0) return;
  const std::string stop =
      dialect().stop_query(static_cast<int64_t>(mysql_thread_id(connection_.get())));
  mysql_real_query(other.get(), stop.data(), stop.size());
}

void MariaDbSession::Cancel() {
  cancelled_ = true;
  if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
}

void MariaDbSession::Abandon() {
  broken_ = true;
  if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
}

absl::Status MariaDbSession::Failure(MYSQL_STMT* statement) {
  if (cancelled()) return absl::CancelledError("the read was cancelled");
  EndAnswer();
  MYSQL* connection = connection_.get();
  // What ends a statement's rows before their end is an error of the connection only.
  const bool own = statement != nullptr && mysql_stmt_errno(statement) != 0;
  const unsigned code = own ? mysql_stmt_errno(statement) : mysql_errno(connection);
  const char* sqlstate = own ? mysql_stmt_sqlstate(statement) : mysql_sqlstate(connection);
  broken_ = broken_ || IsLost(code);
  return StatusOf(code, sqlstate, own ? mysql_stmt_error(statement) : mysql_error(connection));
}

absl::Status MariaDbSession::Execute(const std::string& sql) { return Query(sql).status(); }

absl::StatusOr<std::vector<TextRow>> MariaDbSession::Query(const std::string& sql) {
  if (cancelled()) return absl::CancelledError("the read was cancelled");
  BeginAnswer();
  if (mysql_real_query(connection_.get(), sql.data(), sql.size()) != 0) return Failure();
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
      mysql_store_result(connection_.get()), mysql_free_result);
  std::vector<TextRow> rows;
  if (result == nullptr) {
    if (mysql_errno(connection_.get()) != 0) return Failure();
    EndAnswer();
    return rows;  // It is a statement without rows.
  }
  EndAnswer();
  if (mysql_num_rows(result.get()) > kMaxAnswerRows) {
    return absl::InvalidArgumentError(
        absl::StrCat("the query '", sql, "' gave more than ", kMaxAnswerRows, " rows"));
  }
  const unsigned columns = mysql_num_fields(result.get());
  while (const MYSQL_ROW values = mysql_fetch_row(result.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(result.get());
    TextRow row(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (values[i] != nullptr) row[i] = std::string(values[i], lengths[i]);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

absl::StatusOr<std::vector<SourceColumn>> MariaDbSession::Describe(const std::string& relation) {
  ASSIGN_OR_RETURN(const std::string sql, MariaDbColumnsSql(relation));
  ASSIGN_OR_RETURN(const std::vector<TextRow> rows, Query(sql));
  if (rows.empty()) return NoSuchRelation(relation);
  std::vector<SourceColumn> columns;
  columns.reserve(rows.size());
  for (const TextRow& row : rows) {
    const std::string type = row[1].value_or("");
    columns.push_back(SourceColumn{
        .column = {row[0].value_or(""), TypeOfMariaDb(type), row[2] != "NO"}, .type_name = type});
  }
  return columns;
}

absl::Status MariaDbSession::NoSuchRelation(const std::string& relation) {
  ASSIGN_OR_RETURN(const std::vector<TextRow> tables,
                   Query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
                         "DATABASE() ORDER BY 1 LIMIT 1000"));
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const TextRow& row : tables) names.push_back(row[0].value_or(""));
  return NoSuchTable(relation, names);
}

absl::StatusOr<std::unique_ptr<SourceReader>> MariaDbSession::OpenReader(
    const DatasetSpec& dataset, const Extent& extent, const ReadOptions& options) {
  return OpenRowReader(*this, dataset, extent, options);
}

}  // namespace headwater
