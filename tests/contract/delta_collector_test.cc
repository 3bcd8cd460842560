// Garbage of a Delta table in a folder of its own, with a clock that tests move on: what is removed
// now and looked at in a week has been removed for a week.
#include "coordinator/commit/delta/delta_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "coordinator/commit/delta/delta_log.h"
#include "tests/contract/delta_place.h"
#include "tests/support/fake_clock.h"

namespace headwater {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::Duration kDay = absl::Hours(24);

class DeltaCollectorTest : public ::testing::Test {
 protected:
  ~DeltaCollectorTest() override { (void)ArmFailpoints(""); }

  // Replaces the rows of [10, 20), or writes its first ones.
  void Replace(int64_t number) {
    Intent intent = Numbered(place_, number);
    Replacement& replacement = intent.replacements.front();
    replacement.extent.range = replacement.manifest.pieces.front().extent.range = Range{10, 20};
    intent.hash = IntentHash(intent);
    const auto result = committer_->Commit(intent);
    ASSERT_TRUE(result.ok()) << result.status();
    published_ = {result->version, number};
  }
  void Write(const std::string& key) const {
    fs::create_directories(fs::path(place_.root() + "/" + key).parent_path());
    std::ofstream(place_.root() + "/" + key) << "x";
  }
  bool Has(const std::string& key) const { return fs::exists(place_.root() + "/" + key); }
  static std::string FileOf(int64_t number) {
    return absl::StrCat("server_source=p1/hw-", number, "-f", number, ".parquet");
  }

  GarbageRequest Request() const {
    GarbageRequest request;
    request.published = published_;
    request.as_of = 1'000;
    return request;
  }
  GarbageReport Collect(const GarbageRequest& request, const std::string& ledger = "ledger") {
    const auto collector = *DeltaCollectorFactory(&clock_).Open({"deals", place_.root(), ledger});
    return collector->Collect(request, std::stop_token());
  }
  GarbageReport Collect() { return Collect(Request()); }

  DeltaPlace place_{/*checkpoint_every=*/10};
  std::unique_ptr<TableCommitter> committer_ = place_.Open("ledger");
  PublishedTable published_;
  FakeClock clock_{absl::Now()};
};

TEST_F(DeltaCollectorTest, ReplacedFilesGoAfterSevenDaysAndLiveOnesNever) {
  for (int64_t number : {1, 2, 3}) Replace(number);
  clock_.Advance(6 * kDay);
  EXPECT_EQ(Collect().files, 0);
  clock_.Advance(2 * kDay);
  const GarbageReport report = Collect();
  EXPECT_TRUE(report.status.ok()) << report.status;
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.files, 2);
  EXPECT_EQ(report.bytes, 4);
  EXPECT_FALSE(Has(FileOf(1)) || Has(FileOf(2)));
  EXPECT_TRUE(Has(FileOf(3)));
  EXPECT_EQ(report.removed_before, clock_.Now() - 7 * kDay);
  EXPECT_EQ(Collect().files, 0);
  EXPECT_THAT(place_.Visible()["p1"], ElementsAre("f3"));
  Replace(4);  // And the table goes on.
}

TEST_F(DeltaCollectorTest, ADryRunNamesEachAndTouchesNothing) {
  for (int64_t number : {1, 2}) Replace(number);
  Write("server_source=p1/hw-77-p0-0-dead.parquet");
  clock_.Advance(8 * kDay);
  GarbageRequest request = Request();
  request.dry_run = true;
  const GarbageReport report = Collect(request);
  EXPECT_EQ(report.files, 2);
  ASSERT_THAT(report.items, SizeIs(2));
  EXPECT_EQ(report.items[0].path, place_.root() + "/" + FileOf(1));
  EXPECT_THAT(report.items[0].why, HasSubstr("replaced more than 7 d ago"));
  EXPECT_THAT(report.items[1].why, HasSubstr("attempt 77"));
  EXPECT_FALSE(report.removed_before.has_value());
  EXPECT_TRUE(Has(FileOf(1)));
  EXPECT_TRUE(Has("server_source=p1/hw-77-p0-0-dead.parquet"));
}

TEST_F(DeltaCollectorTest, WhatOthersPutThereStaysForEver) {
  Replace(1);
  const std::vector<std::string> theirs = {"report.xlsx",
                                           "server_source=p1/part-0001.parquet",
                                           "_change_data/hw-1-p0-0-aa.parquet",
                                           ".hidden/x",
                                           "_delta_index/y",
                                           "server_source=p1/hw-1.parquet"};
  for (const std::string& key : theirs) Write(key);
  fs::create_directory_symlink(place_.root() + "/server_source=p1", place_.root() + "/link");
  clock_.Advance(365 * kDay);
  EXPECT_EQ(Collect().files, 0);
  for (const std::string& key : theirs) EXPECT_TRUE(Has(key)) << key;
}

TEST_F(DeltaCollectorTest, WhatOthersBroughtBackStays) {
  for (int64_t number : {1, 2}) Replace(number);
  DeltaVersion restored;
  restored.adds.push_back({FileOf(1), {{"server_source", "p1"}}, 2, 1, true, "", {}});
  ASSERT_TRUE(PutVersion(*OpenLocalStore(place_.root()), 2, restored).ok());
  clock_.Advance(365 * kDay);
  EXPECT_EQ(Collect().files, 0);
  EXPECT_TRUE(Has(FileOf(1)));
}

TEST_F(DeltaCollectorTest, AttemptsThatAreNotOverKeepTheirFiles) {
  Replace(1);
  for (const int fence : {5, 6, 7, 2'000})
    Write(absl::StrCat("server_source=p1/hw-", fence, "-p0-0-aa.parquet"));
  clock_.Advance(365 * kDay);
  GarbageRequest request = Request();
  request.live_fences = {5};
  request.named = {"server_source=p1/hw-6-p0-0-aa.parquet"};
  EXPECT_EQ(Collect(request).files, 1);
  EXPECT_FALSE(Has("server_source=p1/hw-7-p0-0-aa.parquet"));
}

TEST_F(DeltaCollectorTest, TheQuarantineIsGoneThroughToo) {
  const std::string beside = place_.root() + "__quarantine";
  for (int64_t number : {1, 2}) {
    Intent intent = Numbered(place_, number);
    StagedPiece& piece = intent.replacements.front().manifest.pieces.front();
    intent.replacements.front().extent.range = piece.extent.range = Range{10, 20};
    StagedFile bad = piece.files.front();
    bad.path = absl::StrCat("server_source=p1/hw-", number, "-b", number, ".parquet");
    fs::create_directories(beside + "/server_source=p1");
    std::ofstream(beside + "/" + bad.path) << "b1";
    piece.bad_files = {bad};
    piece.bad_rows = 1;
    piece.fingerprint.rows = 2;
    intent.hash = IntentHash(intent);
    const auto result = committer_->Commit(intent);
    ASSERT_TRUE(result.ok()) << result.status();
    published_ = {result->version, number};
  }
  clock_.Advance(8 * kDay);
  EXPECT_EQ(Collect().files, 2);
  EXPECT_FALSE(fs::exists(beside + "/server_source=p1/hw-1-b1.parquet"));
  EXPECT_TRUE(fs::exists(beside + "/server_source=p1/hw-2-b2.parquet"));
}

TEST_F(DeltaCollectorTest, ATableThatIsBehindOrNotOursIsNotTouched) {
  for (int64_t number : {1, 2}) Replace(number);
  clock_.Advance(8 * kDay);
  EXPECT_TRUE(absl::IsAlreadyExists(Collect(Request(), "another ledger").status));
  GarbageRequest ahead = Request();
  ahead.published = {9, 9};
  EXPECT_TRUE(absl::IsDataLoss(Collect(ahead).status));
  fs::remove_all(place_.root() + "/_delta_log");
  EXPECT_FALSE(Collect().status.ok());
  GarbageRequest never = Request();
  never.published = {};
  EXPECT_TRUE(Collect(never).status.ok());  // Perhaps somebody's first load.
  EXPECT_TRUE(Has(FileOf(1)) && Has(FileOf(2)));
}

TEST_F(DeltaCollectorTest, KilledAnywhereItIsFinishedByTheNext) {
  for (int64_t number = 1; number <= 25; ++number) Replace(number);
  clock_.Advance(60 * kDay);
  for (int step = 1; step <= 100; ++step) {
    bool ended = false;
    EXPECT_EXIT(
        {
          (void)ArmFailpoints("gc.before_delete=7:crash");
          const GarbageReport report = Collect();
          _exit(report.files + report.log_entries < 7 ? 0 : 1);
        },
        [&](int status) {
          ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
          return ended || (WIFEXITED(status) && WEXITSTATUS(status) == 137);
        },
        "");
    const auto snapshot = DeltaSnapshot::Load(*OpenLocalStore(place_.root()));
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_EQ(snapshot->version(), 24);
    if (ended) break;
    ASSERT_LT(step, 100);
  }
  EXPECT_EQ(Collect().files + Collect().log_entries, 0);
  EXPECT_THAT(place_.Visible()["p1"], ElementsAre("f25"));
  committer_ = place_.Open("ledger");
  Replace(26);
}

TEST_F(DeltaCollectorTest, WhatCannotBeRemovedIsToldAndTheRestGoes) {
  for (int64_t number : {1, 2, 3}) Replace(number);
  clock_.Advance(8 * kDay);
  ASSERT_TRUE(ArmFailpoints("gc.before_delete=error:PERMISSION_DENIED").ok());
  const GarbageReport report = Collect();
  EXPECT_EQ(report.files, 1);
  EXPECT_THAT(report.problems, SizeIs(1));
  EXPECT_FALSE(report.complete);
  EXPECT_TRUE(Has(FileOf(1)));
  // So its removal must not be forgotten.
  EXPECT_LT(*report.removed_before, clock_.Now() - 7 * kDay);
  EXPECT_EQ(Collect().files, 1);
}

TEST_F(DeltaCollectorTest, RemovalsAreRememberedUntilTheirFilesHaveGone) {
  for (int64_t number : {1, 2}) Replace(number);
  for (const bool collected : {false, true}) {
    published_.collected_before = collected ? absl::InfiniteFuture() : absl::InfinitePast();
    FakeClock later{absl::Now() + 30 * kDay};
    DeltaCommitterFactory factory({.checkpoint_every = 1, .clock = &later});
    committer_ = *factory.Open({"deals", place_.root(), "ledger"});
    committer_->Expect(published_);
    Replace(collected ? 4 : 3);
    const auto snapshot = DeltaSnapshot::Load(*OpenLocalStore(place_.root()));
    EXPECT_EQ(snapshot->removed().contains(FileOf(1)), !collected);
  }
}

class DeltaLogCollectorTest : public DeltaCollectorTest {
 protected:
  int64_t Entries() const {
    return static_cast<int64_t>(ListLog(*OpenLocalStore(place_.root()))->versions.size());
  }
};

TEST_F(DeltaLogCollectorTest, OldEntriesGoAndTheTableStaysReadable) {
  for (int64_t number = 1; number <= 35; ++number) Replace(number);
  const std::string unfinished = place_.root() + "/_delta_log/.tmp-dead";
  std::ofstream(unfinished) << "x";
  clock_.Advance(29 * kDay);
  EXPECT_EQ(Collect().log_entries, 1);  // What somebody left who died while he wrote.
  EXPECT_FALSE(fs::exists(unfinished));
  clock_.Advance(2 * kDay);
  const GarbageReport report = Collect();
  EXPECT_TRUE(report.status.ok()) << report.status;
  EXPECT_EQ(report.log_entries, 30 + 2);  // Before the checkpoint of version 30.
  EXPECT_EQ(Entries(), 5);
  committer_ = place_.Open("ledger");
  const auto contents = committer_->Inspect();
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(contents->last_sequence, 35);
  EXPECT_EQ(contents->max_fence, 35);
  Replace(36);
  EXPECT_THAT(place_.Visible()["p1"], ElementsAre("f36"));
}

TEST_F(DeltaLogCollectorTest, TheLastCommitIsFoundAgainInWhatStays) {
  for (int64_t number = 1; number <= 31; ++number) Replace(number);
  clock_.Advance(31 * kDay);
  EXPECT_GT(Collect().log_entries, 0);
  committer_ = place_.Open("ledger");
  Intent again = Numbered(place_, 31);
  again.replacements.front().extent.range =
      again.replacements.front().manifest.pieces.front().extent.range = Range{10, 20};
  again.hash = IntentHash(again);
  const auto result = committer_->Commit(again);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->version, 30);
}

TEST_F(DeltaLogCollectorTest, ALogWhoseCheckpointCannotBeReadStays) {
  for (int64_t number = 1; number <= 35; ++number) Replace(number);
  std::ofstream(place_.root() + "/" + CheckpointKey(30)) << "nonsense";
  clock_.Advance(31 * kDay);
  const GarbageReport report = Collect();
  EXPECT_EQ(report.log_entries, 0);
  EXPECT_THAT(report.problems, Contains(HasSubstr("checkpoint 30")));
  EXPECT_EQ(Entries(), 35);
}

TEST_F(DeltaLogCollectorTest, ALogThatACommitIsLookedUpInStays) {
  for (int64_t number = 1; number <= 35; ++number) Replace(number);
  clock_.Advance(31 * kDay);
  GarbageRequest request = Request();
  request.keep_log = true;
  EXPECT_EQ(Collect(request).log_entries, 0);
  EXPECT_EQ(Entries(), 35);
}

TEST_F(DeltaLogCollectorTest, AFailureLeavesNoHole) {
  for (int64_t number = 1; number <= 35; ++number) Replace(number);
  clock_.Advance(31 * kDay);
  ASSERT_TRUE(ArmFailpoints("gc.before_delete=44:error:PERMISSION_DENIED").ok());
  EXPECT_THAT(Collect().problems, Not(IsEmpty()));
  const DeltaListing listing = *ListLog(*OpenLocalStore(place_.root()));
  for (size_t i = 1; i < listing.versions.size(); ++i)
    EXPECT_EQ(listing.versions[i], listing.versions[i - 1] + 1);
  EXPECT_GT(listing.versions.front(), 0);
  EXPECT_LT(listing.versions.front(), 30);
}

}  // namespace
}  // namespace headwater
