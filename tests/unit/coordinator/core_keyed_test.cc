// Keyed writes as the core sees them: each attempt starts from the live files as they are listed
// just before it, and no other of its dataset runs beside it.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/coordinator/core_world.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CoreKeyedTest : public CoreWorldTest {
 protected:
  DatasetSpec& ConfigureKeyed(const std::string& server) {
    DatasetSpec& spec = Configure(server, "planes");
    spec.strategy = Strategy::kIncremental;
    spec.write = WriteMode::kMerge;
    spec.key_columns = {"id"};
    spec.partition_by = {};
    spec.retries = 0;
    return spec;
  }

  // What the committer would list: the file that the last commit left.
  std::vector<StagedFile> Live() const {
    if (intents_.empty()) return {};
    StagedFile file;
    file.path = absl::StrCat("version-", intents_.size());
    file.rows = 1;
    return {file};
  }
  void AnswerList() {
    ASSERT_THAT(lists_, testing::Not(IsEmpty()));
    const ListFiles list = lists_.front();
    lists_.pop_front();
    FilesListed listed{list.table, absl::OkStatus(), {}};
    for (size_t i = 0; i < list.keyed.size(); ++i) listed.keyed.emplace_back(Live());
    Step({listed});
  }
  OfferedTask Next() {
    EXPECT_THAT(tasks_, testing::Not(IsEmpty()));
    OfferedTask task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }
  // A run up to the first question for live files.
  void RunToList(const std::string& id, int days = 3) {
    Run(id);
    AnswerProbes(days);
  }
  void AnswerProbes(int days = 3) {
    const auto next = [&] { return std::find_if(tasks_.begin(), tasks_.end(), IsProbe); };
    for (auto probe = next(); probe != tasks_.end(); probe = next()) {
      const OfferedTask task = *probe;
      tasks_.erase(probe);
      Answer(task, Days(days));
    }
  }
  static std::vector<std::string> BaseOf(const OfferedTask& task) {
    std::vector<std::string> paths;
    const auto& microbatch = std::get<MicrobatchTask>(task.spec.kind);
    EXPECT_TRUE(microbatch.base.has_value());
    for (const StagedFile& file : microbatch.base.value_or(TableBase()).files)
      paths.push_back(file.path);
    return paths;
  }
  // What a worker hands in that replaces all that it was given.
  static Manifest Change(const OfferedTask& task) {
    Manifest manifest = Rows(task.spec);
    KeyedChange& change = manifest.keyed.emplace();
    change.replaced = BaseOf(task);
    change.files.push_back({"new", 1, 1, {}, "{}", "compared"});
    change.new_rows = change.table_rows = 1;
    return manifest;
  }
  // Reads all that is wanted. Returns how many attempts there were.
  int ServeAll() {
    int attempts = 0;
    while (!lists_.empty() || !tasks_.empty()) {
      EXPECT_LE(lists_.size() + tasks_.size(), 1u);
      if (!lists_.empty()) {
        AnswerList();
        continue;
      }
      const OfferedTask task = Next();
      if (IsProbe(task)) {
        Answer(task, Days(3));
        continue;
      }
      ++attempts;
      Answer(task, Change(task));
    }
    return attempts;
  }
};

TEST_F(CoreKeyedTest, LiveFilesAreListedBeforeAnOfferAndGoWithIt) {
  ConfigureKeyed("p1");
  Begin(8);
  RunToList("r");
  ASSERT_THAT(lists_, SizeIs(1));
  EXPECT_EQ(lists_.front().table, "planes");
  EXPECT_THAT(lists_.front().keyed, ElementsAre(DatasetId{"planes", "p1"}));
  EXPECT_THAT(tasks_, IsEmpty());
  AnswerList();
  ASSERT_THAT(tasks_, SizeIs(1));
  EXPECT_THAT(BaseOf(tasks_.front()), IsEmpty());
}

TEST_F(CoreKeyedTest, NoTwoAttemptsOfADatasetRunAtATime) {
  ConfigureKeyed("p1");
  Begin(8);
  Run("r");
  Run("backfill", true, v1::RUN_KIND_BACKFILL);
  AnswerProbes();
  AnswerList();
  ASSERT_THAT(tasks_, SizeIs(1));
  Step({Ticked{}});
  EXPECT_THAT(lists_, IsEmpty());
  EXPECT_THAT(tasks_, SizeIs(1));
}

TEST_F(CoreKeyedTest, EachAttemptStartsFromWhatTheOneBeforePublished) {
  ConfigureKeyed("p1").unit = Unit{Unit::Kind::kDay, 1};
  Begin(8);
  for (const char* run : {"r1", "r2", "r3"}) {
    RunToList(run);
    int attempts = 0;
    while (!lists_.empty()) {
      // Whatever happens while the files are being listed, they are asked for once.
      Step({Ticked{}});
      now_ += absl::Milliseconds(1);
      Step({Ticked{}, CreditChanged{"s", 8}});
      ASSERT_THAT(lists_, SizeIs(1));
      AnswerList();
      if (tasks_.empty()) break;
      const OfferedTask task = Next();
      const std::vector<StagedFile> live = Live();
      ASSERT_THAT(BaseOf(task), SizeIs(live.size()));
      if (!live.empty()) {
        EXPECT_EQ(BaseOf(task)[0], live[0].path);
      }
      Answer(task, Change(task));
      ++attempts;
    }
    EXPECT_THAT(ended_, testing::Contains(run));
    now_ += absl::Hours(30);
  }
  EXPECT_GE(intents_.size(), 3u);
}

TEST_F(CoreKeyedTest, ServersOfOneTableAreListedTogetherAndReadBesideEachOther) {
  ConfigureKeyed("p1");
  ConfigureKeyed("p2");
  Begin(8);
  RunToList("r");
  size_t asked = 0;
  while (!lists_.empty()) {
    asked += lists_.front().keyed.size();
    AnswerList();
  }
  EXPECT_EQ(asked, 2u);
  EXPECT_THAT(tasks_, SizeIs(2));
}

TEST_F(CoreKeyedTest, AListingThatFailsFailsTheDemands) {
  ConfigureKeyed("p1");
  Begin(8);
  RunToList("r");
  Step({FilesListed{"planes", absl::DataLossError("the table is behind"), {}}});
  EXPECT_THAT(failed_["p1"], ElementsAre(HasSubstr("the table is behind")));
  EXPECT_THAT(ended_, ElementsAre("r"));
  RunToList("again");  // It is asked once more.
  EXPECT_THAT(lists_, SizeIs(2));
}

TEST_F(CoreKeyedTest, AServerWhoseFilesAreNotByKeyFailsAlone) {
  ConfigureKeyed("p1");
  ConfigureKeyed("p2");
  Begin(8);
  RunToList("r");
  while (!lists_.empty()) {
    const ListFiles list = lists_.front();
    lists_.pop_front();
    FilesListed listed{list.table, absl::OkStatus(), {}};
    for (const DatasetId& id : list.keyed) {
      if (id.server == "p1") {
        listed.keyed.emplace_back(absl::AlreadyExistsError("not written by key"));
      } else {
        listed.keyed.emplace_back(Live());
      }
    }
    Step({listed});
  }
  EXPECT_THAT(failed_["p1"], ElementsAre(HasSubstr("not written by key")));
  EXPECT_THAT(failed_["p2"], IsEmpty());
  ASSERT_THAT(tasks_, SizeIs(1));
  EXPECT_EQ(tasks_.front().server, "p2");
}

TEST_F(CoreKeyedTest, AManifestOfTheOtherKindIsRefused) {
  ConfigureKeyed("p1");
  Configure("p2", "flights");
  Begin(8);
  RunToList("r");
  ASSERT_THAT(tasks_, SizeIs(testing::Ge(1u)));
  const OfferedTask pieces = tasks_.front();
  ASSERT_EQ(pieces.server, "p2");
  tasks_.clear();
  AnswerList();
  const OfferedTask by_key = Next();
  ASSERT_EQ(by_key.server, "p1");
  Manifest keyed = Rows(pieces.spec);
  keyed.keyed.emplace();
  verdicts_.clear();
  Answer(by_key, Rows(by_key.spec));
  Answer(pieces, keyed);
  ASSERT_THAT(verdicts_, SizeIs(2));
  for (const absl::Status& verdict : verdicts_) {
    EXPECT_EQ(verdict.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(verdict.message()), HasSubstr("not that of the write"));
  }
  EXPECT_THAT(intents_, IsEmpty());
}

TEST_F(CoreKeyedTest, AReadThatChangesNothingIsConfirmedWithoutACommit) {
  DatasetSpec& spec = ConfigureKeyed("p1");
  spec.strategy = Strategy::kPartition;
  spec.lookback_units = 5;
  Begin(8);
  RunToList("first");
  ServeAll();
  const size_t commits = intents_.size();
  EXPECT_GE(commits, 1u);
  for (const bool changes : {false, true}) {
    RunToList(absl::StrCat("again-", changes));
    int attempts = 0;
    while (!lists_.empty()) {
      AnswerList();
      if (tasks_.empty()) break;
      const OfferedTask task = Next();
      Manifest manifest = Change(task);
      ASSERT_EQ(std::get<MicrobatchTask>(task.spec.kind).known.size(), manifest.pieces.size());
      for (StagedPiece& piece : manifest.pieces) piece.unchanged = true;
      // Rows of an extent that is as it was can differ from those that the table has by key.
      if (!changes) {
        manifest.keyed = KeyedChange();
        manifest.keyed->table_rows = 1;
      }
      Answer(task, manifest);
      ++attempts;
    }
    EXPECT_GE(attempts, 1);
    EXPECT_EQ(intents_.size(), commits + static_cast<size_t>(changes ? attempts : 0));
    EXPECT_THAT(ended_, testing::Contains(absl::StrCat("again-", changes)));
  }
}

TEST_F(CoreKeyedTest, RowsThatDidNotFitAreLookedForPieceByPiece) {
  ConfigureKeyed("p1");
  Begin(8);
  RunToList("first", 1);
  AnswerList();
  const OfferedTask task = Next();
  Manifest manifest = Change(task);
  ASSERT_THAT(manifest.pieces, SizeIs(2));
  manifest.pieces[0].fingerprint.rows = 5;
  manifest.pieces[0].bad_rows = 2;
  Answer(task, manifest);
  ServeAll();
  now_ += absl::Hours(1);
  RunToList("second", 1);
  ASSERT_THAT(looked_for_, SizeIs(2));
  EXPECT_TRUE(looked_for_[0].keyed);
  EXPECT_EQ(looked_for_[0].rows, 1);
  EXPECT_EQ(looked_for_[1].extent, manifest.pieces[0].extent);
  EXPECT_EQ(looked_for_[1].rows, 0);  // They are in no file of the piece.
  EXPECT_EQ(looked_for_[1].bad_rows, 2);
}

TEST_F(CoreKeyedTest, LostRowsMakeEverythingBeReadAgain) {
  ConfigureKeyed("p1");
  Begin(8);
  RunToList("first");
  ServeAll();
  const auto range_of = [](const Replacement& replacement) { return *replacement.extent.range; };
  int64_t from = range_of(intents_.front().replacements.front()).from;
  // What has settled is not read again, unless the table has lost some of it.
  now_ += absl::Hours(1);
  RunToList("second");
  ServeAll();
  now_ += absl::Hours(1);
  for (const bool lost : {false, true}) {
    if (lost) {
      PublishedPiece all{{"planes", "p1"}, {}, 0, 1};
      all.keyed = true;
      lost_ = {all};
    }
    const size_t before = intents_.size();
    RunToList(absl::StrCat("lost-", lost));
    ServeAll();
    int64_t lowest = INT64_MAX;
    for (size_t i = before; i < intents_.size(); ++i) {
      for (const Replacement& replacement : intents_[i].replacements)
        lowest = std::min(lowest, range_of(replacement).from);
    }
    EXPECT_EQ(lowest == from, lost) << lowest;
  }
}

TEST_F(CoreKeyedTest, WhatGoesBetweenTheLookAndTheListingIsReadAgain) {
  ConfigureKeyed("p1");
  Begin(8);
  RunToList("first");
  ServeAll();
  const auto range_of = [](const Replacement& replacement) { return *replacement.extent.range; };
  const int64_t from = range_of(intents_.front().replacements.front()).from;
  const size_t before = intents_.size();
  now_ += absl::Hours(30);
  RunToList("second");
  ASSERT_THAT(lists_, SizeIs(1));
  PublishedPiece all{{"planes", "p1"}, {}, 0, 1};
  all.keyed = true;
  lost_ = {all};
  // Started from, its commit would make what is left all that there was.
  lists_.clear();
  FilesListed none{"planes", absl::OkStatus(), {}};
  none.keyed.emplace_back(std::vector<StagedFile>());
  Step({none});
  lost_.clear();
  EXPECT_TRUE(std::all_of(tasks_.begin(), tasks_.end(), IsProbe));
  AnswerProbes();
  ASSERT_THAT(lists_, SizeIs(1));
  lists_.clear();
  Step({none});
  ServeAll();
  EXPECT_THAT(ended_, testing::Contains("second"));
  now_ += absl::Hours(1);
  RunToList("third");
  ServeAll();
  int64_t lowest = INT64_MAX;
  for (size_t i = before; i < intents_.size(); ++i) {
    for (const Replacement& replacement : intents_[i].replacements)
      lowest = std::min(lowest, range_of(replacement).from);
  }
  EXPECT_EQ(lowest, from);
}

TEST_F(CoreKeyedTest, WhatAVerificationHadListedIsNotStartedFromAfterACommit) {
  ConfigureKeyed("p1").unit = Unit{Unit::Kind::kDay, 1};
  Begin(8);
  RunToList("r");
  AnswerList();
  const OfferedTask first = Next();
  Answer(first, Change(first));
  AnswerList();
  const OfferedTask second = Next();
  Step({VerifyRequested{9, {{"planes", "p1"}}}});
  ASSERT_THAT(lists_, SizeIs(1));
  Step({CreditChanged{"s", 0}});
  AnswerList();  // Before the commit, and there is no room for the verification until after it.
  Answer(second, Change(second));
  ASSERT_THAT(tasks_, IsEmpty());
  Step({CreditChanged{"s", 8}});
  ASSERT_THAT(lists_, SizeIs(1));
  AnswerList();
  ASSERT_THAT(tasks_, SizeIs(1));
  EXPECT_THAT(BaseOf(tasks_.front()), ElementsAre(Live()[0].path));
}

}  // namespace
}  // namespace headwater
