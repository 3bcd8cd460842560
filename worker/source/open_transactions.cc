#include "worker/source/open_transactions.h"

#include <atomic>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "common/base/status.h"
#include "worker/source/questions.h"

namespace headwater {
namespace {

// Each waits for 50 ms or more where the answer is no. Two are enough for one that lags as all do.
constexpr int kLooksAtReplica = 2, kPatientLooksAtReplica = 40;

// Asks until the answer is fresh, where the server may give an old one. Afterwards it is unknown:
// other probes may ask just as often.
absl::StatusOr<TextRow> AskTransactions(SourceSession& session) {
  constexpr int kMaxAsks = 8;
  static std::atomic<int64_t> asked = 0;
  const Dialect& dialect = session.dialect();
  const std::string sql(dialect.transactions_sql);
  if (dialect.transactions_wait_sql.empty()) return OneRow(session, sql, 3);
  RETURN_IF_ERROR(session.Execute(std::string(dialect.begin_snapshot_sql)));
  absl::StatusOr<TextRow> row = OneRow(session, absl::Substitute(sql, ++asked), 3);
  for (int i = 1; i < kMaxAsks && row.ok() && !(*row)[0].has_value(); ++i) {
    RETURN_IF_ERROR(session.Execute(std::string(dialect.transactions_wait_sql)));
    row = OneRow(session, absl::Substitute(sql, ++asked), 3);
  }
  RETURN_IF_ERROR(session.Execute(std::string(dialect.end_snapshot_sql)));
  return row;
}

struct PrimaryFacts {
  std::optional<absl::Duration> open_for;  // The oldest; none: none is open.
  std::optional<std::string> lineage;      // The same on servers of one origin; none: unknown.
  std::string position;                    // Where its log ended after that.
};

absl::StatusOr<PrimaryFacts> AskPrimary(SourceSession& primary) {
  const std::string sql(primary.dialect().position_sql);
  if (sql.empty()) {
    return absl::FailedPreconditionError("its kind of server does not tell how far its log is");
  }
  ProbeResult result;
  RETURN_IF_ERROR(ProbeTransactions(primary, result));
  if (!result.transactions_known) {
    return absl::FailedPreconditionError(
        "it does not tell of its own transactions: it is a replica itself, or the login lacks the "
        "right to see other sessions");
  }
  PrimaryFacts facts;
  if (result.oldest_transaction.has_value()) {
    ASSIGN_OR_RETURN(const absl::Time clock, AskClock(primary));
    facts.open_for = clock - *result.oldest_transaction;
  }
  ASSIGN_OR_RETURN(TextRow row, OneRow(primary, sql, 2));
  if (!row[1].has_value() || row[1]->empty()) {
    return absl::FailedPreconditionError("it writes no log that replicas could follow");
  }
  facts.lineage = std::move(row[0]);
  facts.position = *std::move(row[1]);
  return facts;
}

absl::Status WaitForPosition(SourceSession& replica, const PrimaryFacts& primary, int looks) {
  const Dialect& dialect = replica.dialect();
  const std::string sql =
      absl::Substitute(dialect.reached_sql, dialect.text_literal(primary.position));
  for (int i = 0; i < looks; ++i) {
    ASSIGN_OR_RETURN(const TextRow row, OneRow(replica, sql, 2));
    if (row[0] != primary.lineage) {
      return absl::FailedPreconditionError("it is not the server that this replica follows");
    }
    if (row[1] == "1") return absl::OkStatus();
  }
  return absl::FailedPreconditionError("this replica is behind it");
}

}  // namespace

absl::Status ProbeTransactions(SourceSession& session, ProbeResult& result) {
  const Dialect& dialect = session.dialect();
  result.transactions_known = dialect.transactions_known;
  if (dialect.transactions_sql.empty()) return absl::OkStatus();
  absl::StatusOr<TextRow> row = AskTransactions(session);
  if (!row.ok()) {
    // Unknown is an answer: the dataset then settles more slowly.
    return dialect.transactions_need_rights && absl::IsPermissionDenied(row.status())
               ? absl::OkStatus()
               : row.status();
  }
  result.transactions_known = (*row)[0] == "1";
  if (result.transactions_known && (*row)[1].has_value()) {
    ASSIGN_OR_RETURN(result.oldest_transaction, ParseClock(*(*row)[1], dialect.transactions_sql));
  }
  if ((*row)[2].has_value()) {
    ASSIGN_OR_RETURN(result.replay_time, ParseClock(*(*row)[2], dialect.transactions_sql));
  }
  return absl::OkStatus();
}

absl::Status ProbePrimary(SourceSession& session, SourceSession& primary, bool patient,
                          ProbeResult& result) {
  if (primary.dialect().kind != session.dialect().kind) {
    return absl::FailedPreconditionError("it is another kind of server than its replica");
  }
  ASSIGN_OR_RETURN(const PrimaryFacts facts, AskPrimary(primary));
  RETURN_IF_ERROR(
      WaitForPosition(session, facts, patient ? kPatientLooksAtReplica : kLooksAtReplica));
  result.transactions_known = true;
  // The replica's clock was read before the primary was asked: never later than it was begun.
  if (facts.open_for.has_value()) result.oldest_transaction = result.source_clock - *facts.open_for;
  result.replay_time = result.source_clock;
  return absl::OkStatus();
}

}  // namespace headwater
