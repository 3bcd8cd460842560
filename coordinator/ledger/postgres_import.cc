#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "common/base/status.h"
#include "coordinator/ledger/log_format.h"
#include "coordinator/ledger/postgres_connection.h"
#include "coordinator/ledger/postgres_ledger.h"

namespace headwater {
namespace {

constexpr size_t kInsertBytes = 4 << 20;

// The events of a log in a few statements.
class EventCopier {
 public:
  explicit EventCopier(pqxx::work& transaction) : transaction_(transaction) {}

  void Add(int64_t sequence, absl::string_view payload) {
    absl::StrAppend(&sequences_, events_.empty() ? "" : ",", sequence);
    events_.Add(payload, sequence);
    if (events_.payloads.size() > kInsertBytes) Insert();
  }
  void Insert() {
    if (events_.empty()) return;
    events_.Close();
    transaction_.exec_params(
        "INSERT INTO headwater_events(sequence, payload, checksum) "
        "SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[])",
        sequences_ + "}", events_.payloads, events_.checksums);
    sequences_.assign(1, '{');
    events_ = {};
  }

 private:
  pqxx::work& transaction_;
  std::string sequences_ = "{";
  EventArrays events_;
};

// True if there was a ledger with something in it.
bool MoveAway(pqxx::work& transaction, const std::string& kept) {
  const pqxx::result used =
      transaction.exec("SELECT 1 FROM headwater_ledger WHERE last_sequence > 0");
  for (const char* table : {"headwater_ledger", "headwater_events", "headwater_snapshots"}) {
    transaction.exec(used.empty()
                         ? absl::StrCat("DROP TABLE ", table)
                         : absl::StrCat("ALTER TABLE ", table, " RENAME TO ",
                                        transaction.quote_name(absl::StrCat(table, "_", kept))));
  }
  transaction.exec(kLogTables);
  return !used.empty();
}

absl::Status Copy(EventLog& from, pqxx::work& transaction) {
  FloorRaises raises;
  int64_t before = 0;
  for (const auto& load : {&EventLog::LoadEarlierSnapshot, &EventLog::LoadSnapshot}) {
    ASSIGN_OR_RETURN(const std::optional<EventLog::Snapshot> snapshot, (from.*load)());
    if (!snapshot.has_value()) continue;
    if (before == 0) before = snapshot->sequence;
    transaction.exec_params(
        "INSERT INTO headwater_snapshots(sequence, state, checksum) VALUES($1, $2, $3)",
        snapshot->sequence, pqxx::binarystring(snapshot->state),
        LogChecksum(snapshot->state, snapshot->sequence));
  }
  EventCopier events(transaction);
  // A gap that the log itself takes for none is one of its floor's.
  RETURN_IF_ERROR(from.Replay(before, [&](int64_t at, absl::string_view payload) {
    if (at != before + 1) raises.Add(before, at - 1);
    events.Add(at, payload);
    before = at;
    return absl::OkStatus();
  }));
  events.Insert();
  if (before < from.last_sequence()) raises.Add(before, from.last_sequence());
  transaction.exec_params("INSERT INTO headwater_ledger VALUES($1, $2, $3, $4)", from.ledger_id(),
                          kLogFormat, raises.Text(), from.last_sequence());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> ReplacePostgresLedger(const Secret& url, int64_t term, EventLog& from,
                                           const std::string& kept) {
  PostgresConnection connection(url);
  bool moved = false;
  RETURN_IF_ERROR(connection.Transact("putting a ledger there", [&](pqxx::work& transaction) {
    const pqxx::result lead = transaction.exec_params(
        "SELECT 1 FROM headwater_leader WHERE term = $1 FOR KEY SHARE", term);
    if (lead.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("ledger ", connection.place(), ": term ", term, " has passed"));
    }
    moved = MoveAway(transaction, kept);
    return Copy(from, transaction);
  }));
  return moved;
}

}  // namespace headwater
