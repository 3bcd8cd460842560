#include "coordinator/history/run_archive.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "common/storage/local_store.h"
#include "coordinator/history/run_file.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);  // 2027-01-15T08:00:00Z

class RunArchiveTest : public ::testing::Test {
 protected:
  ~RunArchiveTest() override { (void)ArmFailpoints(""); }

  // Run `number` ends so many hours after the start.
  static v1::EndedRun RunOf(int number, const std::vector<std::string>& servers = {"a", "b"}) {
    v1::EndedRun run;
    run.set_run_id(absl::StrCat("r-", number));
    *run.mutable_started() = ToTimestamp(kStart + absl::Hours(number) - absl::Minutes(1));
    *run.mutable_ended() = ToTimestamp(kStart + absl::Hours(number) + absl::Milliseconds(5));
    run.set_result("done");
    for (const std::string& server : servers) {
      v1::DatasetRef* dataset = run.add_datasets()->mutable_dataset();
      dataset->set_server(server);
      dataset->set_table("t");
    }
    return run;
  }
  static std::vector<v1::EndedRun> RunsOf(const std::vector<int>& numbers) {
    std::vector<v1::EndedRun> runs;
    for (const int number : numbers) runs.push_back(RunOf(number));
    return runs;
  }

  std::string folder() const { return folder_.path() + "/history"; }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder(), error))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  // What the ledger has, and what the archive has besides.
  v1::GetHistoryResponse Find(const RunQuery& query, const std::vector<int>& in_ledger = {}) const {
    v1::GetHistoryResponse response;
    for (const int number : in_ledger) *response.add_runs() = RunOf(number);
    archive_.AddTo(query, response);
    return response;
  }
  static std::vector<std::string> IdsOf(const v1::GetHistoryResponse& response) {
    std::vector<std::string> ids;
    for (const v1::EndedRun& run : response.runs()) ids.push_back(run.run_id());
    return ids;
  }

  TempFolder folder_;
  RunArchive archive_{OpenLocalStore(folder_.path() + "/history")};
};

TEST_F(RunArchiveTest, WithoutAFolderThereIsNothing) {
  const v1::GetHistoryResponse found = Find({});
  EXPECT_THAT(IdsOf(found), IsEmpty());
  EXPECT_THAT(found.problems(), IsEmpty());
}

TEST_F(RunArchiveTest, WhatWasPutIsFoundTheNewestFirst) {
  ASSERT_TRUE(archive_.Put(RunsOf({1, 2})).ok());
  ASSERT_TRUE(archive_.Put(RunsOf({3, 5, 4})).ok());
  const v1::GetHistoryResponse found = Find({});
  EXPECT_THAT(IdsOf(found), ElementsAre("r-5", "r-4", "r-3", "r-2", "r-1"));
  EXPECT_FALSE(found.more());
  EXPECT_TRUE(found.runs(0).archived());
  EXPECT_EQ(found.runs(4).datasets_size(), 2);
}

TEST_F(RunArchiveTest, AFileIsNamedByWhatIsInIt) {
  ASSERT_TRUE(archive_.Put(RunsOf({2, 1})).ok());
  ASSERT_THAT(Names(), SizeIs(1));
  EXPECT_THAT(Names()[0], testing::MatchesRegex(
                              "runs-20270115T090000Z-20270115T100000Z-[0-9a-f]{16}\\.parquet"));
  EXPECT_EQ(Names()[0], NameOfRunFile(RunsOf({1, 2})));
  EXPECT_NE(Names()[0], NameOfRunFile(RunsOf({1, 2, 2, 3})));
  const auto span = ParseRunFileName(Names()[0]);
  ASSERT_TRUE(span.has_value());
  EXPECT_EQ(span->first, kStart + absl::Hours(1));
  EXPECT_EQ(span->last, kStart + absl::Hours(2));
  for (const char* other : {"", "notes.txt", "runs-.parquet", "runs-a-b-c.parquet",
                            "runs-20270115T090000Z-20270115T100000Z-00.parquet.tmp"}) {
    EXPECT_FALSE(ParseRunFileName(other).has_value()) << other;
  }
}

TEST_F(RunArchiveTest, NoRunIsInTwoFiles) {
  ASSERT_TRUE(archive_.Put(RunsOf({1, 2})).ok());
  ASSERT_TRUE(archive_.Put(RunsOf({1, 2})).ok());  // Whoever asked died before it knew.
  EXPECT_THAT(Names(), SizeIs(1));
  ASSERT_TRUE(archive_.Put(RunsOf({1, 2, 3})).ok());        // Meanwhile one more is to go.
  ASSERT_TRUE(archive_.Put(RunsOf({0, 1, 2, 3, 4})).ok());  // An older ledger.
  EXPECT_THAT(Names(), SizeIs(3));
  EXPECT_THAT(IdsOf(Find({})), ElementsAre("r-4", "r-3", "r-2", "r-1", "r-0"));
  size_t rows = 0;
  for (const std::string& name : Names()) {
    std::ifstream file(folder() + "/" + name, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    rows += DecodeRuns(bytes)->size();
  }
  EXPECT_EQ(rows, 5);
}

TEST_F(RunArchiveTest, WhatFailsLeavesNothingAndIsDoneAgain) {
  ASSERT_TRUE(ArmFailpoints("store.before_rename=error:RESOURCE_EXHAUSTED").ok());
  EXPECT_TRUE(absl::IsResourceExhausted(archive_.Put(RunsOf({1, 2}))));
  EXPECT_THAT(IdsOf(Find({})), IsEmpty());
  ASSERT_TRUE(ArmFailpoints("store.after_rename=error:UNAVAILABLE").ok());
  EXPECT_FALSE(archive_.Put(RunsOf({1, 2})).ok());  // It is there, and nobody knows.
  EXPECT_TRUE(archive_.Put(RunsOf({1, 2})).ok());
  EXPECT_THAT(IdsOf(Find({})), ElementsAre("r-2", "r-1"));
  EXPECT_THAT(Names(), SizeIs(1));
}

TEST_F(RunArchiveTest, WhatDiedWhileItWasWrittenGoes) {
  ASSERT_TRUE(archive_.Put(RunsOf({1})).ok());
  std::ofstream(folder() + "/.tmp-0123") << "half";
  ASSERT_THAT(Names(), SizeIs(2));
  ASSERT_TRUE(archive_.Put(RunsOf({2})).ok());
  for (const std::string& name : Names()) EXPECT_FALSE(absl::StartsWith(name, ".tmp")) << name;
}

TEST_F(RunArchiveTest, AWindowIsHalfOpenAndReadsNoOtherFiles) {
  ASSERT_TRUE(archive_.Put(RunsOf({1, 2})).ok());
  ASSERT_TRUE(archive_.Put(RunsOf({3, 4})).ok());
  std::ofstream(folder() + "/" + NameOfRunFile(RunsOf({8, 9}))) << "no Parquet";
  const absl::Time ended = TimeOf(RunOf(2).ended());
  RunQuery query;
  query.from = ended;
  query.to = ended + absl::Hours(2);
  const v1::GetHistoryResponse found = Find(query);
  EXPECT_THAT(IdsOf(found), ElementsAre("r-3", "r-2"));
  EXPECT_THAT(found.problems(), IsEmpty());
}

TEST_F(RunArchiveTest, SoManyOfTheNewestAreShown) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(archive_.Put(RunsOf({2 * i, 2 * i + 1})).ok());
  RunQuery query;
  query.limit = 3;
  const v1::GetHistoryResponse found = Find(query);
  EXPECT_THAT(IdsOf(found), ElementsAre("r-19", "r-18", "r-17"));
  EXPECT_TRUE(found.more());
  // A run that stayed in the ledger is older than what left it.
  const v1::GetHistoryResponse both = Find(query, {18, 5});
  EXPECT_THAT(IdsOf(both), ElementsAre("r-19", "r-18", "r-17"));
  EXPECT_FALSE(both.runs(1).archived()) << "what both have, is as the ledger has it";
}

TEST_F(RunArchiveTest, OnlyTheDatasetsThatAreWanted) {
  ASSERT_TRUE(archive_.Put({RunOf(1, {"a"}), RunOf(2, {"a", "b"}), RunOf(3, {})}).ok());
  RunQuery query;
  query.datasets.emplace({DatasetId{"t", "b"}});
  const v1::GetHistoryResponse found = Find(query);
  EXPECT_THAT(IdsOf(found), ElementsAre("r-2"));
  ASSERT_EQ(found.runs(0).datasets_size(), 1);
  EXPECT_EQ(found.runs(0).datasets(0).dataset().server(), "b");
}

TEST_F(RunArchiveTest, AFileThatIsDamagedIsToldAndNothingElseIsLost) {
  ASSERT_TRUE(archive_.Put(RunsOf({1, 2})).ok());
  std::ofstream(folder() + "/" + Names()[0], std::ios::trunc) << "no Parquet";
  ASSERT_TRUE(archive_.Put(RunsOf({3})).ok());
  const v1::GetHistoryResponse found = Find({});
  EXPECT_THAT(IdsOf(found), ElementsAre("r-3"));
  ASSERT_EQ(found.problems_size(), 1);
  EXPECT_THAT(found.problems(0), HasSubstr("/history/runs-"));
  ASSERT_TRUE(archive_.Put(RunsOf({2, 4})).ok());  // Whoever still has one writes it again.
  EXPECT_THAT(IdsOf(Find({})), ElementsAre("r-4", "r-3", "r-2"));
}

}  // namespace
}  // namespace headwater
