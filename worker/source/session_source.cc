#include "worker/source/session_source.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/dialect.h"
#include "worker/source/divided_read.h"
#include "worker/source/open_transactions.h"
#include "worker/source/part_checksums.h"
#include "worker/source/probe.h"
#include "worker/source/questions.h"
#include "worker/source/server_url.h"
#include "worker/source/summed_extents.h"

namespace headwater {
namespace {

bool IsAboutData(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsInvalidArgument(status) ||
         absl::IsUnimplemented(status);
}

class SessionSource : public Source {
 public:
  SessionSource(const ServerSpec& server, ServerUrl url, std::optional<ServerUrl> primary_url,
                SessionOpener open)
      : server_(server),
        url_(std::move(url)),
        primary_url_(std::move(primary_url)),
        open_(std::move(open)) {}

  absl::StatusOr<ProbeResult> Probe(const DatasetSpec& dataset, const ProbeTask& task,
                                    std::stop_token stop) override {
    RETURN_IF_ERROR(Connect());
    absl::StatusOr<ProbeResult> result = [&]() -> absl::StatusOr<ProbeResult> {
      // Gone before the session may be: another thread can call it until then.
      const std::stop_callback cancel(stop, [this] { session_->Cancel(); });
      RETURN_IF_ERROR(NameSession(task.query_tag));
      if (!primary_url_.has_value()) return RunProbe(*session_, dataset, task);
      return RunProbe(*session_, dataset, task,
                      [&](ProbeResult& shown) { return AskPrimary(shown, stop); });
    }();
    if (result.ok()) return result;
    return Failed(result.status(), absl::StrCat("probing '", dataset.relation, "'"));
  }

  absl::StatusOr<Range> EmptyAround(const DatasetSpec& dataset, const Range& range,
                                    const std::string& query_tag, std::stop_token stop) override {
    RETURN_IF_ERROR(Connect());
    absl::StatusOr<Range> found = [&]() -> absl::StatusOr<Range> {
      const std::stop_callback cancel(stop, [this] { session_->Cancel(); });  // As in Probe().
      return FindEmptyAround(*session_, dataset, range, query_tag);
    }();
    if (found.ok()) return found;
    return Failed(found.status(),
                  absl::StrCat("looking for the next rows of '", dataset.relation, "'"));
  }

  absl::StatusOr<absl::Time> Clock(const DatasetSpec& dataset, std::stop_token stop) override {
    RETURN_IF_ERROR(Connect());
    absl::StatusOr<absl::Time> clock = [&]() -> absl::StatusOr<absl::Time> {
      const std::stop_callback cancel(stop, [this] { session_->Cancel(); });  // As in Probe().
      return AskClock(*session_, dataset.server.clock_sql);
    }();
    if (clock.ok()) return clock;
    return Failed(clock.status(), "asking for the clock");
  }

  absl::StatusOr<std::unique_ptr<SourceReader>> Read(const DatasetSpec& dataset,
                                                     const Extent& extent,
                                                     const ReadOptions& options,
                                                     std::stop_token stop) override {
    RETURN_IF_ERROR(Connect());
    absl::StatusOr<std::unique_ptr<SourceReader>> reader =
        [&]() -> absl::StatusOr<std::unique_ptr<SourceReader>> {
      const std::stop_callback cancel(stop, [this] { session_->Cancel(); });  // As in Probe().
      RETURN_IF_ERROR(NameSession(options.query_tag));
      return session_->OpenReader(dataset, extent, options);
    }();
    if (reader.ok()) return reader;
    return Failed(reader.status(), absl::StrCat("reading '", dataset.relation, "'"));
  }

  absl::StatusOr<ExtentChecksums> Checksums(const DatasetSpec& dataset,
                                            const std::vector<Extent>& extents,
                                            const ReadOptions& options,
                                            const ChecksumOptions& checksum,
                                            std::stop_token stop) override {
    RETURN_IF_ERROR(Connect());
    absl::StatusOr<ExtentChecksums> sums = [&]() -> absl::StatusOr<ExtentChecksums> {
      const std::stop_callback cancel(stop, [this] { session_->Cancel(); });  // As in Probe().
      RETURN_IF_ERROR(NameSession(options.query_tag));
      return SumExtents(*session_, dataset, extents, options, checksum);
    }();
    if (sums.ok()) return sums;
    return Failed(sums.status(), absl::StrCat("summing '", dataset.relation, "'"));
  }

  absl::StatusOr<DividingKey> KeyToDivideBy(const DatasetSpec& dataset, const ReadOptions& options,
                                            std::stop_token stop) override {
    RETURN_IF_ERROR(Connect());
    absl::StatusOr<DividingKey> key = [&]() -> absl::StatusOr<DividingKey> {
      const std::stop_callback cancel(stop, [this] { session_->Cancel(); });  // As in Probe().
      return FindDividingKey(*session_, dataset, options);
    }();
    if (key.ok()) return key;
    return Failed(key.status(), absl::StrCat("looking for a key of '", dataset.relation, "'"));
  }

  absl::StatusOr<PartChecksums> ChecksumParts(const DatasetSpec& dataset, const Extent& extent,
                                              const ReadOptions& options,
                                              const ChecksumOptions& checksum,
                                              const std::string& key,
                                              const std::vector<std::string>& borders,
                                              std::stop_token stop) override {
    RETURN_IF_ERROR(Connect());
    absl::StatusOr<PartChecksums> sums = [&]() -> absl::StatusOr<PartChecksums> {
      const std::stop_callback cancel(stop, [this] { session_->Cancel(); });  // As in Probe().
      RETURN_IF_ERROR(NameSession(options.query_tag));
      return SumParts(*session_, dataset, extent, options, checksum, key, borders);
    }();
    if (sums.ok()) return sums;
    return Failed(sums.status(), absl::StrCat("summing parts of '", dataset.relation, "'"));
  }

  absl::StatusOr<std::vector<ExtentCount>> Counts(const DatasetSpec& dataset,
                                                  const std::vector<Extent>& extents,
                                                  const ReadOptions& options,
                                                  std::stop_token stop) override {
    RETURN_IF_ERROR(Connect());
    absl::StatusOr<std::vector<ExtentCount>> counts =
        [&]() -> absl::StatusOr<std::vector<ExtentCount>> {
      const std::stop_callback cancel(stop, [this] { session_->Cancel(); });  // As in Probe().
      RETURN_IF_ERROR(NameSession(options.query_tag));
      return CountExtents(*session_, dataset, extents, options);
    }();
    if (counts.ok()) return counts;
    return Failed(counts.status(), absl::StrCat("counting '", dataset.relation, "'"));
  }

  absl::StatusOr<std::vector<std::unique_ptr<SourceReader>>> ReadParts(
      const DatasetSpec& dataset, const Extent& extent, const ReadOptions& options, int connections,
      std::stop_token stop) override {
    RETURN_IF_ERROR(Connect());
    if (connections < 2 || !session_->shares_snapshots()) {
      return Source::ReadParts(dataset, extent, options, connections, std::move(stop));
    }
    auto readers = OpenParts(
        std::move(session_), [this] { return Connection(); }, dataset, extent, options, connections,
        std::move(stop));
    if (readers.ok()) return readers;
    return Failed(readers.status(), absl::StrCat("reading '", dataset.relation, "'"));
  }

 private:
  absl::Status Connect() {
    if (session_ != nullptr && !session_->sound()) session_.reset();
    if (session_ != nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(session_, Connection());
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<SourceSession>> Connection() const {
    absl::StatusOr<std::unique_ptr<SourceSession>> session = open_(url_.Reveal());
    if (!session.ok()) return Named(session.status(), "connecting");
    if (absl::Status set = LimitStatements(**session); !set.ok())
      return Named(set, "setting the statement timeout");
    return session;
  }

  absl::Status LimitStatements(SourceSession& session) const {
    const std::string sql = StatementTimeoutSql(session.dialect(), server_.statement_timeout);
    return sql.empty() ? absl::OkStatus() : session.Execute(sql);
  }

  // Keeps the connection for the next probe, as long as it is good for anything.
  absl::Status AskPrimary(ProbeResult& result, const std::stop_token& stop) {
    const absl::Status told = [&]() -> absl::Status {
      if (primary_ == nullptr || !primary_->sound()) {
        primary_.reset();
        ASSIGN_OR_RETURN(primary_, open_(primary_url_->Reveal()));
        RETURN_IF_ERROR(LimitStatements(*primary_));
      }
      const std::stop_callback cancel(stop, [this] { primary_->Cancel(); });  // As in Probe().
      return ProbePrimary(*session_, *primary_, /*patient=*/!behind_, result);
    }();
    behind_ = !told.ok();
    if (told.ok()) return absl::OkStatus();
    if (!absl::IsFailedPrecondition(told)) primary_.reset();
    return Annotate(url_.Redacted(primary_url_->Redacted(told)),
                    absl::StrCat("transactions_from: server '", server_.transactions_from, "'"));
  }

  // So that the server's administrators see who reads what.
  absl::Status NameSession(const std::string& tag) {
    const std::string sql = NameSessionSql(session_->dialect(), tag);
    return sql.empty() ? absl::OkStatus() : session_->Execute(sql);
  }

  absl::Status Failed(const absl::Status& status, absl::string_view doing) {
    if (!IsAboutData(status)) session_.reset();
    return Named(status, doing);
  }

  absl::Status Named(const absl::Status& status, absl::string_view doing) const {
    return Annotate(url_.Redacted(status), absl::StrCat("server '", server_.name, "': ", doing));
  }

  const ServerSpec server_;
  const ServerUrl url_;
  const std::optional<ServerUrl> primary_url_;  // Of a replica that has `transactions_from`.
  const SessionOpener open_;
  std::unique_ptr<SourceSession> session_;
  std::unique_ptr<SourceSession> primary_;
  bool behind_ = false;  // When the primary was last asked: not worth waiting for at every probe.
};

}  // namespace

absl::StatusOr<std::unique_ptr<Source>> OpenSessionSource(const ServerSpec& server,
                                                          SessionOpener open) {
  ASSIGN_OR_RETURN(ServerUrl url, ServerUrl::Resolve(server));
  std::optional<ServerUrl> primary_url;
  if (!server.transactions_url.empty()) {
    ServerSpec primary;
    primary.name = server.transactions_from;
    primary.url = server.transactions_url;
    ASSIGN_OR_RETURN(primary_url, ServerUrl::Resolve(primary));
  }
  return std::make_unique<SessionSource>(server, std::move(url), std::move(primary_url),
                                         std::move(open));
}

}  // namespace headwater
