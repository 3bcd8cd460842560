#include "coordinator/startup.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/memory_event_log.h"

namespace headwater {
namespace {

// Tables that can only be looked at.
class SeenTables : public CommitterFactory {
 public:
  absl::StatusOr<std::unique_ptr<TableCommitter>> Open(const TableLocation& location) override {
    ++looks[location.table];
    return std::make_unique<Committer>(contents.at(location.table));
  }
  std::map<std::string, absl::StatusOr<TableContents>> contents;
  std::map<std::string, int> looks;

 private:
  class Committer : public TableCommitter {
   public:
    explicit Committer(absl::StatusOr<TableContents> contents) : contents_(std::move(contents)) {}
    absl::StatusOr<TableContents> Inspect() override { return contents_; }
    absl::StatusOr<std::vector<absl::Status>> Check(const std::vector<Replacement>&) override {
      return absl::InternalError("not at the start");
    }
    void Expect(const PublishedTable&) override {}
    absl::StatusOr<std::optional<Schema>> Columns() override { return std::nullopt; }
    absl::StatusOr<std::vector<PublishedPiece>> FindLost(
        const std::vector<PublishedPiece>&) override {
      return std::vector<PublishedPiece>();
    }
    absl::StatusOr<std::vector<std::vector<StagedFile>>> Files(
        const std::vector<PublishedPiece>& pieces) override {
      return std::vector<std::vector<StagedFile>>(pieces.size());
    }
    absl::StatusOr<std::vector<absl::StatusOr<std::vector<StagedFile>>>> KeyedFiles(
        const std::vector<DatasetId>& datasets) override {
      return std::vector<absl::StatusOr<std::vector<StagedFile>>>(datasets.size(),
                                                                  std::vector<StagedFile>());
    }
    absl::StatusOr<CommitResult> Commit(const Intent&) override {
      return absl::InternalError("not at the start");
    }
    absl::Status Abandon(const Intent&) override { return absl::InternalError("not at the start"); }

   private:
    const absl::StatusOr<TableContents> contents_;
  };
};

class StartAboveTablesTest : public ::testing::Test {
 protected:
  void Table(const std::string& name, absl::StatusOr<TableContents> contents) {
    tables_.contents.emplace(name, std::move(contents));
    for (const char* server : {"jfk", "lga"}) {
      DatasetSpec& spec = datasets_.emplace_back();
      spec.id = {.table = name, .server = server};
      spec.target_uri = "/lake/" + name;
    }
  }

  absl::Status Start() { return StartAboveTables(datasets_, tables_, log_, state_); }

  std::shared_ptr<MemoryLedger> ledger_ = std::make_shared<MemoryLedger>();
  MemoryEventLog log_{ledger_};
  ClusterState state_;
  SeenTables tables_;
  std::vector<DatasetSpec> datasets_;
};

TEST_F(StartAboveTablesTest, ANewLedgerStartsAboveEveryFenceAndSequence) {
  Table("flights", TableContents{.exists = true, .last_sequence = 7, .max_fence = 900});
  Table("planes", TableContents{.exists = true, .last_sequence = 1'200, .max_fence = 40});
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(log_.last_sequence(), 1'200);
  EXPECT_EQ(state_.last_sequence(), 1'200);
  EXPECT_EQ(state_.tables().at("flights").last_sequence, 7);
  EXPECT_EQ(state_.tables().at("planes").last_sequence, 1'200);
  EXPECT_EQ(tables_.looks.at("flights"), 1);  // Once for all its servers.
}

TEST_F(StartAboveTablesTest, ALedgerWithEventsKeepsItsOwnCount) {
  ASSERT_TRUE(log_.Append(1, std::vector<std::string>{"event"}).ok());
  state_.RaiseFloor(1);
  Table("flights", TableContents{.exists = true, .last_sequence = 7, .max_fence = 900});
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(log_.last_sequence(), 1);
  EXPECT_EQ(state_.last_sequence(), 1);
  EXPECT_EQ(state_.tables().at("flights").last_sequence, 7);
}

TEST_F(StartAboveTablesTest, ATableThatWasPublishedToIsNotLookedAt) {
  state_.RaiseTableSequence("flights", 3);
  Table("flights", TableContents{.exists = true, .last_sequence = 7, .max_fence = 900});
  ASSERT_TRUE(Start().ok());
  EXPECT_TRUE(tables_.looks.empty());
  EXPECT_EQ(state_.tables().at("flights").last_sequence, 3);
}

TEST_F(StartAboveTablesTest, TablesThatAreAbsentOrCannotBeReadChangeNothing) {
  Table("flights", TableContents{.exists = false, .last_sequence = 7, .max_fence = 900});
  Table("planes", absl::UnavailableError("the disk is away"));
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(log_.last_sequence(), 0);
  EXPECT_TRUE(state_.tables().empty());
}

class ReplayLogTest : public ::testing::Test {
 protected:
  static std::string TermBegan(int64_t term) {
    v1::Event event;
    event.mutable_term_began()->set_term(term);
    return event.SerializeAsString();
  }
  static std::string StateOfTerm(int64_t term) {
    ClusterState state;
    v1::Event event;
    event.mutable_term_began()->set_term(term);
    state.Apply(1, event);
    return state.Serialize();
  }
  // Three terms, of which two snapshots have the first and the first two.
  ReplayLogTest() {
    for (int64_t term : {1, 2, 3})
      EXPECT_TRUE(log_.Append(term, std::vector<std::string>{TermBegan(term)}).ok());
    EXPECT_TRUE(log_.SaveSnapshot(1, StateOfTerm(1)).ok());
    EXPECT_TRUE(log_.SaveSnapshot(2, StateOfTerm(2)).ok());
  }

  std::shared_ptr<MemoryLedger> ledger_ = std::make_shared<MemoryLedger>();
  MemoryEventLog log_{ledger_};
};

TEST_F(ReplayLogTest, BeginsAtTheNewestSnapshot) {
  ledger_->events.erase(1);
  ledger_->events.erase(2);
  const auto replayed = ReplayLog(log_);
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_EQ(replayed->snapshot_sequence, 2);
  EXPECT_EQ(replayed->state->term(), 3);
}

TEST_F(ReplayLogTest, BeginsAtTheEarlierSnapshotWhenTheNewestIsOfNoUse) {
  ledger_->snapshot->state = "no snapshot";
  ledger_->events.erase(1);
  const auto replayed = ReplayLog(log_);
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_EQ(replayed->snapshot_sequence, 1);
  EXPECT_EQ(replayed->state->term(), 3);
}

TEST_F(ReplayLogTest, BeginsAtTheFirstEventWhereNoSnapshotHelps) {
  ledger_->snapshot->state = ledger_->earlier_snapshot->state = "no snapshot";
  const auto replayed = ReplayLog(log_);
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_EQ(replayed->snapshot_sequence, 0);
  EXPECT_EQ(replayed->state->last_sequence(), 3);
}

}  // namespace
}  // namespace headwater
