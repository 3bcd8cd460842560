#include "worker/source/odbc/odbc_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "worker/source/odbc/block_reader.h"
#include "worker/source/odbc/odbc_session.h"
#include "worker/source/odbc/sqlite_reader.h"
#include "worker/source/probe.h"
#include "worker/source/server_url.h"

namespace headwater {
namespace {

// A connection is given up after any error but these: they are about the data, not the connection.
bool ConnectionIsSound(const absl::Status& status) {
  return status.ok() || absl::IsNotFound(status) || absl::IsInvalidArgument(status);
}

class OdbcSource : public Source {
 public:
  OdbcSource(const ServerSpec& server, ServerUrl url) : server_(server), url_(std::move(url)) {}

  absl::StatusOr<ProbeResult> Probe(const DatasetSpec& dataset, const ProbeTask& task,
                                    std::stop_token stop) override {
    RETURN_IF_ERROR(Connect());
    std::stop_callback cancel(stop, [this] { session_->Cancel(); });
    absl::StatusOr<ProbeResult> result = RunProbe(*session_, dataset, task);
    if (result.ok()) return result;
    return Failed(result.status(), absl::StrCat("probing '", dataset.relation, "'"));
  }

  absl::StatusOr<std::unique_ptr<SourceReader>> Read(const DatasetSpec& dataset,
                                                     const Extent& extent,
                                                     const ReadOptions& options) override {
    RETURN_IF_ERROR(Connect());
    absl::StatusOr<std::unique_ptr<SourceReader>> reader = OpenReader(dataset, extent, options);
    if (reader.ok()) return reader;
    return Failed(reader.status(), absl::StrCat("reading '", dataset.relation, "'"));
  }

 private:
  absl::Status Connect() {
    // A cancelled connection may still carry its cancellation: begin with a new one.
    if (session_ != nullptr && session_->connection().cancelled()) session_.reset();
    if (session_ != nullptr) return absl::OkStatus();
    absl::string_view connection_string = url_.Reveal();
    if (!absl::ConsumePrefix(&connection_string, kOdbcScheme)) {
      return absl::InvalidArgumentError(
          absl::StrCat("server '", server_.name, "': the url does not begin with odbc:"));
    }
    auto session = OdbcSession::Open(std::string(connection_string));
    if (!session.ok()) return Failed(session.status(), "connecting");
    session_ = *std::move(session);
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<SourceReader>> OpenReader(const DatasetSpec& dataset,
                                                           const Extent& extent,
                                                           const ReadOptions& options) {
    ASSIGN_OR_RETURN(const std::vector<SourceColumn> columns, session_->Describe(dataset.relation));
    ASSIGN_OR_RETURN(Selection selection, SelectColumns(dataset, columns));
    RETURN_IF_ERROR(CheckCursorType(dataset, selection, options.cursor_type));
    ASSIGN_OR_RETURN(selection.cursor.separator,
                     SeparatorOf(*session_, dataset.relation, selection.cursor));
    RangeQuery query{.relation = dataset.relation,
                     .expressions = {},
                     .cursor = selection.cursor,
                     .extent = extent,
                     .domain_end = options.domain_end,
                     .tag = options.query_tag};
    if (!session_->quirks().rows_as_json) {
      return BlockReader::Open(*session_, dataset, std::move(selection), std::move(query),
                               options.batch_bytes);
    }
    return SqliteReader::Open(*session_, dataset, std::move(selection), std::move(query),
                              options.batch_bytes);
  }

  absl::Status Failed(const absl::Status& status, absl::string_view doing) {
    if (!ConnectionIsSound(status)) session_.reset();
    return Annotate(url_.Redacted(status), absl::StrCat("server '", server_.name, "': ", doing));
  }

  const ServerSpec server_;
  const ServerUrl url_;
  std::unique_ptr<OdbcSession> session_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Source>> OpenOdbcSource(const ServerSpec& server) {
  ASSIGN_OR_RETURN(ServerUrl url, ServerUrl::Resolve(server));
  return std::make_unique<OdbcSource>(server, std::move(url));
}

}  // namespace headwater
