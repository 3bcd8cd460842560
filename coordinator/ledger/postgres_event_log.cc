#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "coordinator/ledger/log_format.h"
#include "coordinator/ledger/postgres_connection.h"
#include "coordinator/ledger/postgres_ledger.h"

namespace headwater {
namespace {

constexpr int kReplayAtOnce = 5'000;

// $1 the term, $2 the sequence before the first event, $3 that of the last, $4 and $5 payloads and
// checksums, $6 and $7 which old events go. One statement is one transaction and one round trip.
constexpr char kAppend[] = R"sql(
WITH lead AS (SELECT 1 FROM headwater_leader WHERE term = $1::bigint FOR KEY SHARE),
head AS (UPDATE headwater_ledger SET last_sequence = $3::bigint
         WHERE last_sequence = $2::bigint AND EXISTS (SELECT 1 FROM lead) RETURNING 1),
gone AS (DELETE FROM headwater_events
         WHERE sequence BETWEEN $6::bigint AND $7::bigint AND EXISTS (SELECT 1 FROM head))
INSERT INTO headwater_events(sequence, payload, checksum)
SELECT $2::bigint + e.place, e.payload, e.checksum
FROM unnest($4::bytea[], $5::bigint[]) WITH ORDINALITY AS e(payload, checksum, place)
WHERE EXISTS (SELECT 1 FROM head))sql";

class PostgresEventLog final : public EventLog {
 public:
  PostgresEventLog(const Secret& url, int64_t term, absl::Duration patience)
      : connection_(url), term_(term), patience_(patience) {}

  absl::Status Init();

  const std::string& ledger_id() const override { return ledger_id_; }
  int64_t last_sequence() const override { return last_sequence_; }
  absl::Status Append(int64_t first_sequence, absl::Span<const std::string> payloads) override;
  absl::Status RaiseFloor(int64_t sequence) override;
  absl::Status SaveSnapshot(int64_t sequence, absl::string_view state) override;
  absl::StatusOr<std::optional<Snapshot>> LoadSnapshot() override { return Load(0); }
  absl::StatusOr<std::optional<Snapshot>> LoadEarlierSnapshot() override { return Load(1); }
  absl::Status Replay(
      int64_t sequence,
      const std::function<absl::Status(int64_t, absl::string_view)>& visit) override;

 private:
  bool read_only() const { return term_ == 0; }
  absl::Status Damaged(absl::string_view what) const;
  absl::Status NotMine() const;
  absl::Status CheckWritable() const;
  // A reader's transaction goes with its connection.
  template <typename... Args>
  absl::StatusOr<pqxx::result> Read(absl::string_view doing, const std::string& sql,
                                    const Args&... args) {
    return read_only() ? connection_.Run(doing, sql, args...)
                       : connection_.Repeat(doing, sql, args...);
  }
  absl::Status ReadHeader();
  absl::Status FindServed();
  // Carries out `write`, a statement that changes no row twice and is known by `done` to have been
  // carried out, until one of them answers.
  absl::Status Persist(absl::FunctionRef<absl::StatusOr<bool>()> write,
                       absl::FunctionRef<absl::StatusOr<bool>()> done);
  absl::StatusOr<int64_t> SequenceOfMyTerm();
  absl::StatusOr<std::optional<Snapshot>> Load(int newer);

  PostgresConnection connection_;
  const int64_t term_;
  const absl::Duration patience_;
  std::string ledger_id_;
  int64_t last_sequence_ = 0;
  FloorRaises raises_;
  ServedEvents served_;
};

absl::Status PostgresEventLog::Damaged(absl::string_view what) const {
  return absl::DataLossError(
      absl::StrCat("ledger ", connection_.place(), ": ", what,
                   ". It is not used any further. Restore the database from a backup, or have "
                   "another ledger made of what the tables say: headwater state heal"));
}

absl::Status PostgresEventLog::NotMine() const {
  return absl::FailedPreconditionError(
      absl::StrCat("ledger ", connection_.place(), ": term ", term_,
                   " has passed: another coordinator leads, or has written"));
}

absl::Status PostgresEventLog::CheckWritable() const {
  if (!read_only()) return absl::OkStatus();
  return absl::FailedPreconditionError("the ledger was opened for reading only");
}

absl::Status PostgresEventLog::Init() {
  if (read_only()) {
    // What is read later is of this moment, too: events go away while a leader writes.
    RETURN_IF_ERROR(connection_.Execute("opening",
                                        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ "
                                        "READ ONLY"));
  }
  RETURN_IF_ERROR(ReadHeader());
  return read_only() ? absl::OkStatus() : FindServed();
}

absl::Status PostgresEventLog::ReadHeader() {
  absl::StatusOr<pqxx::result> header =
      Read("reading its header",
           "SELECT ledger_id, format, raises, last_sequence, (SELECT term FROM headwater_leader) "
           "FROM headwater_ledger");
  if (absl::IsNotFound(header.status()) || (header.ok() && header->empty())) {
    return absl::NotFoundError(
        absl::StrCat("no ledger in ", connection_.place(), ": nothing has been run with it yet"));
  }
  RETURN_IF_ERROR(header.status());
  const auto row = header->front();
  ledger_id_ = row[0].as<std::string>();
  if (row[1].as<int>() != kLogFormat) {
    return Damaged(absl::StrCat("its format is ", row[1].c_str(), ", expected ", kLogFormat,
                                " (written by another version?)"));
  }
  absl::StatusOr<FloorRaises> raises = FloorRaises::Parse(row[2].c_str());
  if (!raises.ok()) return Damaged(raises.status().message());
  raises_ = *std::move(raises);
  last_sequence_ = row[3].as<int64_t>();
  return read_only() || row[4].as<int64_t>() == term_ ? absl::OkStatus() : NotMine();
}

absl::Status PostgresEventLog::FindServed() {
  ASSIGN_OR_RETURN(const pqxx::result row,
                   Read("looking for old events",
                        "SELECT (SELECT coalesce(min(sequence), 0) FROM headwater_events), "
                        "(SELECT CASE count(*) WHEN 2 THEN min(sequence) ELSE 0 END "
                        "FROM headwater_snapshots)"));
  served_.first = row.front()[0].as<int64_t>();
  served_.served = row.front()[1].as<int64_t>();
  return absl::OkStatus();
}

absl::StatusOr<int64_t> PostgresEventLog::SequenceOfMyTerm() {
  ASSIGN_OR_RETURN(const pqxx::result row,
                   Read("looking an append up",
                        "SELECT last_sequence FROM headwater_ledger WHERE EXISTS "
                        "(SELECT 1 FROM headwater_leader WHERE term = $1::bigint)",
                        term_));
  if (row.empty()) return NotMine();
  return row.front()[0].as<int64_t>();
}

absl::Status PostgresEventLog::Persist(absl::FunctionRef<absl::StatusOr<bool>()> write,
                                       absl::FunctionRef<absl::StatusOr<bool>()> done) {
  const absl::Time until = Clock::Real().Now() + patience_;
  const BackoffOptions pauses = {.base = absl::Milliseconds(20), .cap = absl::Milliseconds(500)};
  for (int tries = 1;; ++tries) {
    absl::StatusOr<bool> wrote = write();
    if (wrote.ok() && *wrote) return absl::OkStatus();
    // Not carried out, or carried out by a try whose answer never came.
    if (wrote.ok()) wrote = done();
    if (wrote.ok()) return *wrote ? absl::OkStatus() : NotMine();
    if (!absl::IsUnavailable(wrote.status()) || Clock::Real().Now() >= until) return wrote.status();
    absl::SleepFor(Backoff(tries, static_cast<uint64_t>(term_), pauses));
  }
}

absl::Status PostgresEventLog::Append(int64_t first_sequence,
                                      absl::Span<const std::string> payloads) {
  RETURN_IF_ERROR(CheckWritable());
  if (payloads.empty()) return absl::OkStatus();
  if (first_sequence != last_sequence_ + 1) {
    return absl::FailedPreconditionError(absl::StrCat("ledger ", connection_.place(),
                                                      ": appending at ", first_sequence,
                                                      ", expected ", last_sequence_ + 1));
  }
  const auto appended = static_cast<int64_t>(payloads.size());
  const int64_t last = last_sequence_ + appended;
  EventArrays events;
  int64_t at = first_sequence;
  for (const std::string& payload : payloads) events.Add(payload, at++);
  events.Close();
  const int64_t drop_from = served_.any() ? served_.first : 0;
  const int64_t drop_to = served_.any() ? served_.LastToDrop(appended) : -1;
  RETURN_IF_ERROR(Persist(
      [&]() -> absl::StatusOr<bool> {
        ASSIGN_OR_RETURN(const pqxx::result result,
                         connection_.Run("appending", kAppend, term_, last_sequence_, last,
                                         events.payloads, events.checksums, drop_from, drop_to));
        return result.affected_rows() == payloads.size();
      },
      [&]() -> absl::StatusOr<bool> {
        // Nobody else writes in this term: what is there is ours.
        ASSIGN_OR_RETURN(const int64_t sequence, SequenceOfMyTerm());
        return sequence == last;
      }));
  last_sequence_ = last;
  served_.Appended(first_sequence, appended);
  return absl::OkStatus();
}

absl::Status PostgresEventLog::RaiseFloor(int64_t sequence) {
  RETURN_IF_ERROR(CheckWritable());
  if (sequence <= last_sequence_) return absl::OkStatus();
  FloorRaises raises = raises_;
  raises.Add(last_sequence_, sequence);
  RETURN_IF_ERROR(Persist(
      [&]() -> absl::StatusOr<bool> {
        ASSIGN_OR_RETURN(
            const pqxx::result result,
            connection_.Run("raising its floor",
                            "WITH lead AS (SELECT 1 FROM headwater_leader WHERE term = $1::bigint "
                            "FOR KEY SHARE) UPDATE headwater_ledger SET last_sequence = "
                            "$3::bigint, raises = $4 WHERE last_sequence = $2::bigint AND EXISTS "
                            "(SELECT 1 FROM lead)",
                            term_, last_sequence_, sequence, raises.Text()));
        return result.affected_rows() == 1;
      },
      [&]() -> absl::StatusOr<bool> {
        ASSIGN_OR_RETURN(const int64_t now, SequenceOfMyTerm());
        return now == sequence;
      }));
  raises_ = std::move(raises);
  last_sequence_ = sequence;
  return absl::OkStatus();
}

absl::Status PostgresEventLog::SaveSnapshot(int64_t sequence, absl::string_view state) {
  RETURN_IF_ERROR(CheckWritable());
  const pqxx::binarystring bytes(state.data(), state.size());
  RETURN_IF_ERROR(Persist(
      [&]() -> absl::StatusOr<bool> {
        // The one before stays, in case this one is ever found damaged.
        ASSIGN_OR_RETURN(
            const pqxx::result result,
            connection_.Run(
                "writing a snapshot",
                "WITH lead AS (SELECT 1 FROM headwater_leader WHERE term = $1::bigint "
                "FOR KEY SHARE), gone AS (DELETE FROM headwater_snapshots WHERE EXISTS (SELECT 1 "
                "FROM lead) AND sequence < $2::bigint AND sequence NOT IN (SELECT sequence FROM "
                "headwater_snapshots WHERE sequence < $2::bigint ORDER BY sequence DESC LIMIT 1)) "
                "INSERT INTO headwater_snapshots(sequence, state, checksum) SELECT $2::bigint, "
                "$3::bytea, $4::bigint WHERE EXISTS (SELECT 1 FROM lead) ON CONFLICT (sequence) "
                "DO UPDATE SET state = excluded.state, checksum = excluded.checksum",
                term_, sequence, bytes, LogChecksum(state, sequence)));
        return result.affected_rows() == 1;
      },
      []() -> absl::StatusOr<bool> { return false; }));
  return FindServed();
}

absl::StatusOr<std::optional<EventLog::Snapshot>> PostgresEventLog::Load(int newer) {
  ASSIGN_OR_RETURN(const pqxx::result rows,
                   Read("reading the snapshot",
                        "SELECT sequence, state, checksum FROM headwater_snapshots "
                        "ORDER BY sequence DESC LIMIT 1 OFFSET $1::int",
                        newer));
  if (rows.empty()) return std::optional<Snapshot>();
  Snapshot snapshot;
  snapshot.sequence = rows.front()[0].as<int64_t>();
  snapshot.state = pqxx::binarystring(rows.front()[1]).str();
  if (LogChecksum(snapshot.state, snapshot.sequence) != rows.front()[2].as<int64_t>()) {
    return Damaged(
        absl::StrCat("the snapshot at ", snapshot.sequence, " does not match its checksum"));
  }
  return std::optional<Snapshot>(std::move(snapshot));
}

absl::Status PostgresEventLog::Replay(
    int64_t sequence, const std::function<absl::Status(int64_t, absl::string_view)>& visit) {
  int64_t before = sequence;
  while (true) {
    ASSIGN_OR_RETURN(const pqxx::result rows,
                     Read("replaying",
                          "SELECT sequence, payload, checksum FROM headwater_events "
                          "WHERE sequence > $1::bigint ORDER BY sequence LIMIT $2::int",
                          before, kReplayAtOnce));
    for (const auto row : rows) {
      const auto at = row[0].as<int64_t>();
      const std::string payload = pqxx::binarystring(row[1]).str();
      if (!raises_.Follows(at, before))
        return Damaged(absl::StrCat("events are missing before ", at));
      if (LogChecksum(payload, at) != row[2].as<int64_t>())
        return Damaged(absl::StrCat("event ", at, " does not match its checksum"));
      RETURN_IF_ERROR(visit(at, payload));
      before = at;
    }
    if (rows.size() < kReplayAtOnce) break;
  }
  // The header's sequence is of the same transaction as the events.
  if (before >= last_sequence_ || raises_.Follows(last_sequence_ + 1, before))
    return absl::OkStatus();
  return Damaged(absl::StrCat("the events after ", before, " are missing"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventLog>> OpenPostgresEventLog(const Secret& url, int64_t term,
                                                               absl::Duration patience) {
  if (term <= 0) return absl::InvalidArgumentError("only the leader of a term writes its log");
  auto log = std::make_unique<PostgresEventLog>(url, term, patience);
  RETURN_IF_ERROR(log->Init());
  return std::unique_ptr<EventLog>(std::move(log));
}

absl::StatusOr<std::unique_ptr<EventLog>> OpenPostgresEventLogReadOnly(const Secret& url) {
  auto log = std::make_unique<PostgresEventLog>(url, 0, absl::ZeroDuration());
  RETURN_IF_ERROR(log->Init());
  return std::unique_ptr<EventLog>(std::move(log));
}

}  // namespace headwater
