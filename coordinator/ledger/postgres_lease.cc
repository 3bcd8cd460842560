#include <algorithm>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/synchronization/mutex.h"
#include "common/base/ids.h"
#include "common/base/status.h"
#include "coordinator/ledger/log_format.h"
#include "coordinator/ledger/postgres_connection.h"
#include "coordinator/ledger/postgres_ledger.h"

namespace headwater {
namespace {

// One transaction: whoever comes at the same time waits for it. The leader's key is its term, which
// is what writes hold (postgres_ledger.h).
constexpr char kMakeTables[] = R"sql(
BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended('headwater ledger ' || current_schema(), 0));
CREATE TABLE IF NOT EXISTS headwater_leader(
  term bigint PRIMARY KEY, name text NOT NULL, address text NOT NULL, until timestamptz NOT NULL);
$2
INSERT INTO headwater_leader SELECT 0, '', '', '-infinity'
  WHERE NOT EXISTS (SELECT 1 FROM headwater_leader);
INSERT INTO headwater_ledger SELECT '$0', $1, '', 0
  WHERE NOT EXISTS (SELECT 1 FROM headwater_ledger);
COMMIT)sql";

constexpr char kRenew[] =
    "UPDATE headwater_leader SET until = clock_timestamp() + $2::interval WHERE term = $1::bigint";

std::string Milliseconds(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Milliseconds(duration), " milliseconds");
}

class PostgresLease final : public LeaderLease {
 public:
  PostgresLease(const Secret& url, std::string name, LeaseOptions options)
      : url_(url), name_(std::move(name)), options_(options), connection_(url) {}
  ~PostgresLease() override { Release(); }

  absl::Status MakeTables() ABSL_LOCKS_EXCLUDED(asking_);
  absl::StatusOr<bool> TryAcquire(const std::string& address) override ABSL_LOCKS_EXCLUDED(asking_);
  int64_t term() const override ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    return term_;
  }
  absl::StatusOr<Leader> Current() override ABSL_LOCKS_EXCLUDED(asking_);
  void Keep(std::function<void(const absl::Status&)> lost) override;
  void Release() override ABSL_LOCKS_EXCLUDED(asking_, mutex_);

 private:
  void Renew(int64_t term) ABSL_LOCKS_EXCLUDED(mutex_);
  void Watch(const std::function<void(const absl::Status&)>& lost) ABSL_LOCKS_EXCLUDED(mutex_);
  // False: it is not to go on.
  bool TakeRenewal(absl::Time sent, const absl::StatusOr<pqxx::result>& renewed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Secret url_;
  const std::string name_;
  const LeaseOptions options_;
  absl::Mutex asking_;
  PostgresConnection connection_ ABSL_GUARDED_BY(asking_);  // For everything but renewals.
  mutable absl::Mutex mutex_ ABSL_ACQUIRED_AFTER(asking_);  // Not held while anybody asks.
  int64_t term_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time held_until_ ABSL_GUARDED_BY(mutex_);  // Others may lead from here on.
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);   // What the last renewal met.
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread renewing_, watching_;
};

absl::Status PostgresLease::MakeTables() {
  const absl::MutexLock asking(&asking_);
  // Who may not make tables may well use those that are there.
  const auto there =
      connection_.Repeat("looking for it",
                         "SELECT to_regclass('headwater_ledger') IS NOT NULL AND EXISTS "
                         "(SELECT 1 FROM pg_class WHERE relname = 'headwater_snapshots')");
  RETURN_IF_ERROR(there.status());
  if (there->front()[0].as<bool>()) {
    ASSIGN_OR_RETURN(
        const pqxx::result rows,
        connection_.Repeat("looking for it",
                           "SELECT 1 FROM headwater_ledger, headwater_leader LIMIT 1"));
    if (!rows.empty()) return absl::OkStatus();
  }
  absl::Status made = connection_.Execute(
      "making its tables", absl::Substitute(kMakeTables, RandomId(), kLogFormat, kLogTables));
  if (!made.ok()) (void)connection_.Execute("making its tables", "ROLLBACK");
  return made;
}

absl::StatusOr<bool> PostgresLease::TryAcquire(const std::string& address) {
  const absl::MutexLock asking(&asking_);
  const absl::Time sent = options_.clock->Now();
  ASSIGN_OR_RETURN(
      const pqxx::result rows,
      connection_.Run("asking for leadership",
                      "UPDATE headwater_leader SET term = term + 1, name = $1, address = $2, "
                      "until = clock_timestamp() + $3::interval WHERE until <= clock_timestamp() "
                      "RETURNING term",
                      name_, address, Milliseconds(options_.ttl)));
  if (rows.empty()) return false;
  const auto term = rows.front()[0].as<int64_t>();
  absl::Time held_until = sent + options_.ttl;
  if (options_.clock->Now() > sent + options_.renew) {
    // The answer took its time: what it gave may be over already.
    const absl::Time again = options_.clock->Now();
    ASSIGN_OR_RETURN(const pqxx::result renewed, connection_.Run("renewing leadership", kRenew,
                                                                 term, Milliseconds(options_.ttl)));
    if (renewed.affected_rows() == 0) return false;
    held_until = again + options_.ttl;
  }
  const absl::MutexLock lock(&mutex_);
  term_ = term;
  held_until_ = held_until;
  return true;
}

absl::StatusOr<Leader> PostgresLease::Current() {
  const absl::MutexLock asking(&asking_);
  ASSIGN_OR_RETURN(const pqxx::result rows,
                   connection_.Repeat("asking who leads",
                                      "SELECT term, name, address, until > clock_timestamp() FROM "
                                      "headwater_leader"));
  Leader leader;
  if (rows.empty()) return leader;
  const auto row = rows.front();
  leader.term = row[0].as<int64_t>();
  leader.name = row[1].as<std::string>();
  if (row[3].as<bool>()) leader.address = row[2].as<std::string>();
  return leader;
}

void PostgresLease::Keep(std::function<void(const absl::Status&)> lost) {
  renewing_ = std::thread([this, term = term()] { Renew(term); });
  watching_ = std::thread([this, lost = std::move(lost)] { Watch(lost); });
}

void PostgresLease::Renew(int64_t term) {
  PostgresConnection connection(url_);
  absl::Duration pause = options_.renew;
  while (true) {
    {
      const absl::MutexLock lock(&mutex_);
      if (options_.clock->Await(mutex_, absl::Condition(&ending_), options_.clock->Now() + pause))
        return;
    }
    const absl::Time sent = options_.clock->Now();
    const auto renewed =
        connection.Run("renewing leadership", kRenew, term, Milliseconds(options_.ttl));
    const absl::MutexLock lock(&mutex_);
    if (!TakeRenewal(sent, renewed)) return;
    pause = renewed.ok() ? options_.renew : options_.renew / 5;
  }
}

bool PostgresLease::TakeRenewal(absl::Time sent, const absl::StatusOr<pqxx::result>& renewed) {
  trouble_ = renewed.status();
  if (!renewed.ok()) return true;
  if (renewed->affected_rows() == 1) {
    held_until_ = sent + options_.ttl;
    return true;
  }
  trouble_ = absl::FailedPreconditionError(
      absl::StrCat("term ", term_, " has passed: another coordinator leads"));
  held_until_ = absl::InfinitePast();
  return false;
}

void PostgresLease::Watch(const std::function<void(const absl::Status&)>& lost) {
  absl::Status why;
  {
    const absl::MutexLock lock(&mutex_);
    // In steps: a renewal, or its refusal, moves the time that is waited for.
    while (held_until_ > options_.clock->Now()) {
      const absl::Time step = options_.clock->Now() + options_.renew / 10;
      if (options_.clock->Await(mutex_, absl::Condition(&ending_), std::min(step, held_until_)))
        return;
    }
    if (ending_) return;
    why = trouble_.ok() ? absl::DeadlineExceededError("its database did not answer in time")
                        : trouble_;
  }
  lost(why);
}

void PostgresLease::Release() {
  {
    const absl::MutexLock lock(&mutex_);
    ending_ = true;
  }
  if (renewing_.joinable()) renewing_.join();
  if (watching_.joinable()) watching_.join();
  const absl::MutexLock asking(&asking_);
  int64_t term = 0;
  {
    const absl::MutexLock lock(&mutex_);
    term = std::exchange(term_, 0);
  }
  if (term == 0) return;
  (void)connection_.Run("giving leadership up",
                        "UPDATE headwater_leader SET until = '-infinity', address = '' "
                        "WHERE term = $1::bigint",
                        term);
}

}  // namespace

absl::StatusOr<std::unique_ptr<LeaderLease>> LeaderLease::Open(const Secret& url, std::string name,
                                                               LeaseOptions options) {
  auto lease = std::make_unique<PostgresLease>(url, std::move(name), options);
  RETURN_IF_ERROR(lease->MakeTables());
  return std::unique_ptr<LeaderLease>(std::move(lease));
}

}  // namespace headwater
