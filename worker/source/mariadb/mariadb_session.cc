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

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
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

constexpr int kKeepaliveIdleSeconds = 60;
constexpr int kStopTimeoutSeconds = 2;  // To tell a server that may be gone.

// A server waits for a reader that is slow for a while, as long as the target's disk needs.
constexpr absl::string_view kPatience = "SET SESSION net_write_timeout = 3600";

bool IsLost(unsigned code) {
  return (code >= CR_MIN_ERROR && code <= CR_MAX_ERROR) || code == ER_CONNECTION_KILLED ||
         code == ER_SERVER_SHUTDOWN;
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

// A server that asks for a password as it is gets one only where the certificate tells who it is.
constexpr absl::string_view kSafeLogins =
    "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password,parsec";

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
  if (!target.verify_certificate) {
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
  const bool running = !sound() && mysql_thread_id(connection_.get()) != 0;
  if (running) StopOnServer();
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

absl::Status MariaDbSession::Failure() const {
  return Failure(mysql_errno(connection_.get()), mysql_sqlstate(connection_.get()),
                 mysql_error(connection_.get()));
}

absl::Status MariaDbSession::Failure(unsigned code, const char* sqlstate, const char* words) const {
  if (cancelled()) return absl::CancelledError("the read was cancelled");
  absl::string_view text = absl::StripAsciiWhitespace(words);
  const std::string escaped = IsValidUtf8(text) ? "" : absl::CHexEscape(text);
  if (!escaped.empty()) text = escaped;
  const std::string message = absl::StrCat(text, " (", code, ")");
  if (code == CR_SSL_CONNECTION_ERROR && absl::StrContains(text, "certificate")) {
    return absl::PermissionDeniedError(message);
  }
  if (code == CR_OUT_OF_MEMORY) return absl::ResourceExhaustedError(message);
  if (IsLost(code)) return absl::UnavailableError(message);
  if (code == ER_ACCESS_DENIED_ERROR || code == ER_DBACCESS_DENIED_ERROR) {
    return absl::PermissionDeniedError(message);
  }
  if (code == ER_BAD_DB_ERROR) return absl::NotFoundError(message);
  return StatusFromSqlstate(sqlstate, message);
}

absl::Status MariaDbSession::Run(const std::string& sql) {
  if (cancelled()) return absl::CancelledError("the read was cancelled");
  if (mysql_real_query(connection_.get(), sql.data(), sql.size()) == 0) return absl::OkStatus();
  if (IsLost(mysql_errno(connection_.get()))) broken_ = true;
  return Failure();
}

absl::Status MariaDbSession::Execute(const std::string& sql) { return Query(sql).status(); }

absl::StatusOr<std::vector<TextRow>> MariaDbSession::Query(const std::string& sql) {
  RETURN_IF_ERROR(Run(sql));
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
      mysql_store_result(connection_.get()), mysql_free_result);
  std::vector<TextRow> rows;
  if (result == nullptr) {
    if (mysql_errno(connection_.get()) == 0) return rows;  // A statement without rows.
    if (IsLost(mysql_errno(connection_.get()))) broken_ = true;
    return Failure();
  }
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
  return absl::NotFoundError(
      absl::StrCat("there is no table '", relation, "'", SuggestNames(relation, names)));
}

absl::StatusOr<std::unique_ptr<SourceReader>> MariaDbSession::OpenReader(
    const DatasetSpec& dataset, const Extent& extent, const ReadOptions& options) {
  return OpenRowReader(*this, dataset, extent, options);
}

}  // namespace headwater
