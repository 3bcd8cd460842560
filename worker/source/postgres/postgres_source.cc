#include "worker/source/postgres/postgres_source.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/postgres/copy_reader.h"
#include "worker/source/postgres/postgres_session.h"
#include "worker/source/probe.h"
#include "worker/source/range_query.h"
#include "worker/source/selection.h"
#include "worker/source/server_url.h"

namespace headwater {
namespace {

constexpr size_t kMaxApplicationNameBytes = 63;  // What the server keeps.

class PostgresSource : public Source {
 public:
  PostgresSource(const ServerSpec& server, ServerUrl url) : server_(server), url_(std::move(url)) {}

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
    if (session_ != nullptr && !session_->sound()) session_.reset();
    if (session_ != nullptr) return absl::OkStatus();
    absl::StatusOr<std::unique_ptr<PostgresSession>> session = PostgresSession::Open(url_.Reveal());
    if (!session.ok()) return Failed(session.status(), "connecting");
    session_ = *std::move(session);
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<SourceReader>> OpenReader(const DatasetSpec& dataset,
                                                           const Extent& extent,
                                                           const ReadOptions& options) {
    ASSIGN_OR_RETURN(const auto catalog, session_->Catalog(dataset.relation));
    std::vector<SourceColumn> columns;
    for (const auto& column : catalog) columns.push_back(column.column);
    ASSIGN_OR_RETURN(Selection selection, SelectColumns(dataset, columns));
    RETURN_IF_ERROR(CheckCursorType(dataset, selection, options.cursor_type));

    RangeQuery query;
    query.relation = dataset.relation;
    query.cursor = selection.cursor;
    query.extent = extent;
    query.domain_end = options.domain_end;
    query.tag = options.query_tag;
    std::vector<WireShape> shapes;
    for (const auto& column : catalog) {
      const std::string& name = column.column.column.name;
      if (selection.schema.Find(name) < 0) continue;
      const PostgresType type = TypeOfPostgres(column.type, column.modifier);
      ASSIGN_OR_RETURN(const std::string quoted, QuoteIdentifier(session_->dialect(), name));
      query.expressions.push_back(type.cast_to_text ? absl::StrCat(quoted, "::text") : quoted);
      shapes.push_back(type.shape);
    }
    ASSIGN_OR_RETURN(const std::string select, BuildRangeQuery(session_->dialect(), query));
    RETURN_IF_ERROR(NameSession(options.query_tag));
    auto decoder = std::make_unique<CopyDecoder>(selection.schema, std::move(shapes),
                                                 RowNamingColumns(dataset, selection));
    return CopyReader::Open(*session_, selection.schema, std::move(decoder), select,
                            options.batch_bytes);
  }

  // So that the server's administrators see who reads what.
  absl::Status NameSession(const std::string& tag) {
    const std::string name = absl::StrCat("headwater ", tag).substr(0, kMaxApplicationNameBytes);
    ASSIGN_OR_RETURN(const std::string text, QuoteText(name));
    return session_->Execute(absl::StrCat("SET application_name TO ", text));
  }

  absl::Status Failed(const absl::Status& status, absl::string_view doing) {
    // A probe that failed inside its transaction has rolled it back, or lost its connection.
    if (session_ != nullptr && !session_->sound()) session_.reset();
    return Annotate(url_.Redacted(status), absl::StrCat("server '", server_.name, "': ", doing));
  }

  const ServerSpec server_;
  const ServerUrl url_;
  std::unique_ptr<PostgresSession> session_;
};

}  // namespace

bool IsPostgresUrl(absl::string_view url) {
  return absl::StartsWith(url, "postgresql://") || absl::StartsWith(url, "postgres://");
}

absl::StatusOr<std::unique_ptr<Source>> OpenPostgresSource(const ServerSpec& server) {
  ASSIGN_OR_RETURN(ServerUrl url, ServerUrl::Resolve(server));
  return std::make_unique<PostgresSource>(server, std::move(url));
}

}  // namespace headwater
