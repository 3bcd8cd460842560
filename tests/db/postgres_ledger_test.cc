// The ledger in a database: what every event log does, and who may write it.
#include "coordinator/ledger/postgres_ledger.h"

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "tests/contract/event_log_contract.h"
#include "tests/support/throwaway_postgres.h"

namespace headwater {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ThrowawayPostgres& Server() {
  static std::string why_not;
  static const std::unique_ptr<ThrowawayPostgres> server = ThrowawayPostgres::Start(why_not);
  if (server == nullptr) {
    std::fprintf(stderr, "no PostgreSQL: %s\n", why_not.c_str());
    std::exit(1);
  }
  return *server;
}

struct Closer {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};

std::string Ask(const std::string& database, const std::string& sql) {
  const std::unique_ptr<PGconn, Closer> connection(PQconnectdb(Server().Url(database).c_str()));
  PGresult* result = PQexec(connection.get(), sql.c_str());
  EXPECT_THAT(PQresultStatus(result), testing::AnyOf(PGRES_COMMAND_OK, PGRES_TUPLES_OK))
      << sql << ": " << PQerrorMessage(connection.get());
  std::string answer = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
  PQclear(result);
  return answer;
}

// A database of its own.
class Database {
 public:
  Database() : name_(absl::StrCat("ledger_", ++made_)) {
    headwater::Ask("postgres", "CREATE DATABASE " + name_);
  }
  Secret url() const { return Secret(Server().Url(name_)); }
  std::string Ask(const std::string& sql) const { return headwater::Ask(name_, sql); }
  std::unique_ptr<LeaderLease> Lease(const std::string& name, LeaseOptions options = {}) const {
    auto lease = LeaderLease::Open(url(), name, options);
    EXPECT_TRUE(lease.ok()) << lease.status();
    return *std::move(lease);
  }
  // Ends every session of others in this database.
  void EndSessions() const {
    headwater::Ask("postgres", absl::StrCat("SELECT count(pg_terminate_backend(pid, 5000)) FROM "
                                            "pg_stat_activity WHERE datname = '",
                                            name_, "'"));
  }

 private:
  static inline int made_ = 0;
  std::string name_;
};

// Each opening is a term.
class PostgresPlace final : public EventLogPlace {
 public:
  absl::StatusOr<std::unique_ptr<EventLog>> Open() override {
    if (lease_ == nullptr) lease_ = database_.Lease("test");
    lease_->Release();
    EXPECT_TRUE(*lease_->TryAcquire("here:1"));
    return OpenPostgresEventLog(database_.url(), lease_->term());
  }

 private:
  Database database_;
  std::unique_ptr<LeaderLease> lease_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, EventLogContract,
                         testing::Values(EventLogKind{
                             "Postgres", [] { return std::make_unique<PostgresPlace>(); }}),
                         [](const auto& info) { return info.param.name; });

std::vector<std::string> EventsOf(EventLog& log) {
  std::vector<std::string> events;
  const absl::Status status = log.Replay(0, [&](int64_t, absl::string_view payload) {
    events.emplace_back(payload);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return events;
}

// The lease of `lease` has run out, whatever it did.
void RunOut(const Database& database) {
  database.Ask("UPDATE headwater_leader SET until = clock_timestamp() - interval '1 second'");
}

TEST(PostgresLedger, OneLeadsAndTheOthersKnowWhom) {
  const Database database;
  const auto one = database.Lease("one"), two = database.Lease("two");
  EXPECT_TRUE(*one->TryAcquire("one:1"));
  EXPECT_FALSE(*two->TryAcquire("two:2"));
  EXPECT_EQ(two->Current()->address, "one:1");
  EXPECT_EQ(two->Current()->term, one->term());
  one->Release();
  EXPECT_EQ(two->Current()->address, "");
  EXPECT_TRUE(*two->TryAcquire("two:2"));
  EXPECT_EQ(one->Current()->name, "two");
}

TEST(PostgresLedger, WhatWasWrittenInATermThatHasPassedChangesNothing) {
  const Database database;
  const auto one = database.Lease("one"), two = database.Lease("two");
  ASSERT_TRUE(*one->TryAcquire("one:1"));
  const auto first = *OpenPostgresEventLog(database.url(), one->term());
  ASSERT_TRUE(first->Append(1, {"a"}).ok());
  RunOut(database);
  ASSERT_TRUE(*two->TryAcquire("two:2"));
  EXPECT_EQ(first->Append(2, {"late"}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(first->SaveSnapshot(1, "late").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(first->RaiseFloor(100).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(OpenPostgresEventLog(database.url(), one->term()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  const auto second = *OpenPostgresEventLog(database.url(), two->term());
  EXPECT_EQ(second->ledger_id(), first->ledger_id());
  ASSERT_TRUE(second->Append(2, {"b"}).ok());
  EXPECT_THAT(EventsOf(*second), ElementsAre("a", "b"));
  EXPECT_FALSE((*second->LoadSnapshot()).has_value());
}

// The lock that a write holds: another term begins after it, and a renewal waits for none.
TEST(PostgresLedger, ATermDoesNotBeginInTheMiddleOfAWrite) {
  const Database database;
  const auto one = database.Lease("one"), two = database.Lease("two");
  ASSERT_TRUE(*one->TryAcquire("one:1"));
  const std::unique_ptr<PGconn, Closer> writer(PQconnectdb(database.url().Reveal().c_str()));
  PQclear(PQexec(writer.get(), "BEGIN; SELECT 1 FROM headwater_leader FOR KEY SHARE"));
  RunOut(database);  // An update that leaves the key alone waits for nobody.
  database.Ask("ALTER DATABASE " + database.Ask("SELECT current_database()") +
               " SET lock_timeout = '200ms'");
  const auto three = database.Lease("three");
  EXPECT_FALSE(three->TryAcquire("three:3").ok());
  PQclear(PQexec(writer.get(), "COMMIT"));
  EXPECT_TRUE(*three->TryAcquire("three:3"));
}

TEST(PostgresLedger, AConnectionThatIsLostIsMadeAgain) {
  const Database database;
  const auto lease = database.Lease("one");
  ASSERT_TRUE(*lease->TryAcquire("one:1"));
  const auto log = *OpenPostgresEventLog(database.url(), lease->term());
  std::vector<std::string> expected;
  for (int64_t i = 1; i <= 5; ++i) {
    database.EndSessions();
    const absl::Status status = log->Append(i, {absl::StrCat("event ", i)});
    ASSERT_TRUE(status.ok()) << status;
    expected.push_back(absl::StrCat("event ", i));
  }
  EXPECT_EQ(EventsOf(*log), expected);
  database.EndSessions();
  EXPECT_EQ(EventsOf(*log), expected);
  EXPECT_EQ(lease->Current()->address, "one:1");
}

TEST(PostgresLedger, AnAppendWhoseAnswerWasLostIsNotMadeTwice) {
  const Database database;
  const auto lease = database.Lease("one");
  ASSERT_TRUE(*lease->TryAcquire("one:1"));
  const auto log = *OpenPostgresEventLog(database.url(), lease->term());
  ASSERT_TRUE(log->Append(1, {"a"}).ok());
  // As such a try leaves it: the events are there, the log does not know.
  database.Ask("UPDATE headwater_ledger SET last_sequence = 3");
  database.Ask("INSERT INTO headwater_events SELECT s, 'x', 0 FROM generate_series(2, 3) s");
  EXPECT_TRUE(log->Append(2, {"b", "c"}).ok());
  EXPECT_EQ(log->last_sequence(), 3);
  EXPECT_EQ(database.Ask("SELECT count(*) FROM headwater_events"), "3");
}

TEST(PostgresLedger, ALeaderThatCannotRenewSaysSoBeforeAnotherMayLead) {
  const Database database;
  const auto lease =
      database.Lease("one", {.ttl = absl::Seconds(1), .renew = absl::Milliseconds(100)});
  ASSERT_TRUE(*lease->TryAcquire("one:1"));
  absl::Notification lost;
  absl::Status why;
  lease->Keep([&](const absl::Status& status) {
    why = status;
    lost.Notify();
  });
  const auto two = database.Lease("two");
  database.Ask("ALTER TABLE headwater_leader RENAME TO hidden");
  lost.WaitForNotification();
  EXPECT_FALSE(why.ok());
  database.Ask("ALTER TABLE hidden RENAME TO headwater_leader");
}

TEST(PostgresLedger, ALeaseThatIsKeptOutlastsItsTime) {
  const Database database;
  const auto lease =
      database.Lease("one", {.ttl = absl::Seconds(1), .renew = absl::Milliseconds(50)});
  ASSERT_TRUE(*lease->TryAcquire("one:1"));
  const std::string until = database.Ask("SELECT until FROM headwater_leader");
  lease->Keep([](const absl::Status& status) { ADD_FAILURE() << status; });
  while (database.Ask("SELECT until > timestamptz '" + until +
                      "' + interval '2 seconds' FROM headwater_leader") != "t") {
  }
  EXPECT_FALSE(*database.Lease("two")->TryAcquire("two:2"));
}

TEST(PostgresLedger, AReaderSeesOneMomentWhileOthersWrite) {
  const Database database;
  EXPECT_EQ(OpenPostgresEventLogReadOnly(database.url()).status().code(),
            absl::StatusCode::kNotFound);
  const auto lease = database.Lease("one");
  ASSERT_TRUE(*lease->TryAcquire("one:1"));
  const auto log = *OpenPostgresEventLog(database.url(), lease->term());
  ASSERT_TRUE(log->Append(1, {"a", "b"}).ok());
  const auto reader = *OpenPostgresEventLogReadOnly(database.url());
  ASSERT_TRUE(log->Append(3, {"c"}).ok());
  EXPECT_EQ(reader->last_sequence(), 2);
  EXPECT_THAT(EventsOf(*reader), ElementsAre("a", "b"));
  EXPECT_EQ(reader->Append(3, {"x"}).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(PostgresLedger, DamageIsFound) {
  const Database database;
  const auto lease = database.Lease("one");
  ASSERT_TRUE(*lease->TryAcquire("one:1"));
  const auto log = *OpenPostgresEventLog(database.url(), lease->term());
  ASSERT_TRUE(log->Append(1, {"a", "b", "c"}).ok());
  const auto replay = [&] {
    return log->Replay(0, [](int64_t, absl::string_view) { return absl::OkStatus(); });
  };
  database.Ask("UPDATE headwater_events SET payload = 'z' WHERE sequence = 2");
  EXPECT_THAT(std::string(replay().message()), HasSubstr("event 2 does not match"));
  database.Ask("DELETE FROM headwater_events WHERE sequence = 2");
  EXPECT_THAT(std::string(replay().message()), HasSubstr("missing before 3"));
  database.Ask("DELETE FROM headwater_events WHERE sequence > 1");
  EXPECT_THAT(std::string(replay().message()), HasSubstr("after 1 are missing"));
  EXPECT_EQ(replay().code(), absl::StatusCode::kDataLoss);
}

TEST(PostgresLedger, NoMessageShowsAPassword) {
  const auto lease = LeaderLease::Open(
      Secret("postgresql://eve:open-sesame@127.0.0.1:1/nowhere?connect_timeout=2"), "one");
  EXPECT_EQ(lease.status().code(), absl::StatusCode::kUnavailable) << lease.status();
  EXPECT_THAT(std::string(lease.status().message()), testing::Not(HasSubstr("open-sesame")));
  EXPECT_THAT(std::string(lease.status().message()), HasSubstr("127.0.0.1"));
}

}  // namespace
}  // namespace headwater
