#include "coordinator/commit/delta/garbage_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/data/staged_name.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr absl::Duration kOld = absl::Hours(24 * 365);

class FilePlanTest : public ::testing::Test {
 protected:
  FilePlanTest() {
    DeltaVersion made;
    made.protocol = DeltaProtocol{};
    made.metadata = DeltaMetadata{};
    made.metadata->schema_string = "{}";
    made.metadata->partition_columns = {"server_source"};
    snapshot_.Apply(0, made);
    request_.as_of = 100;
  }

  void Add(const std::string& path) {
    DeltaVersion version;
    version.adds.push_back({path, {}, 1, 1, true, "", {}});
    snapshot_.Apply(snapshot_.version() + 1, version);
  }
  void Remove(const std::string& path, absl::Duration ago) {
    DeltaVersion version;
    version.removes.push_back({path, absl::ToUnixMillis(kNow - ago), true, {}, 1});
    snapshot_.Apply(snapshot_.version() + 1, version);
  }
  void SetPartitions(const std::vector<std::string>& columns) {
    DeltaVersion version;
    version.metadata = snapshot_.metadata();
    version.metadata->partition_columns = columns;
    snapshot_.Apply(snapshot_.version() + 1, version);
  }
  void SetProperty(const std::string& name, const std::string& value) {
    DeltaVersion version;
    version.metadata = snapshot_.metadata();
    version.metadata->configuration[name] = value;
    snapshot_.Apply(snapshot_.version() + 1, version);
  }
  // What goes when the folder holds these, each of that age.
  std::vector<std::string> Going(const std::vector<std::string>& keys,
                                 absl::Duration age = kOld) const {
    std::vector<FoundFile> found;
    for (const std::string& key : keys) found.push_back({key, 1, kNow - age});
    const FilePlan plan = PlanFiles(found, snapshot_, request_, kNow);
    std::vector<std::string> going;
    for (const DoomedFile& doomed : plan.doomed) going.push_back(doomed.file.key);
    size_t kept = 0;
    for (const auto& [why, files] : plan.kept) kept += static_cast<size_t>(files.count);
    EXPECT_EQ(going.size() + kept, keys.size());
    return going;
  }

  DeltaSnapshot snapshot_;
  GarbageRequest request_;
};

TEST_F(FilePlanTest, ReplacedFilesGoByTheTimeOfTheirRemovalNotByTheirOwn) {
  const std::string early = "server_source=a/hw-1-p0-0-aa.parquet",
                    late = "server_source=a/hw-2-p0-0-bb.parquet";
  for (const std::string& path : {early, late}) Add(path);
  Remove(early, absl::Hours(24 * 7) + absl::Seconds(1));
  Remove(late, absl::Hours(24 * 7));
  EXPECT_THAT(Going({early, late}), ElementsAre(early));
  // The first is no younger for having been copied a minute ago.
  EXPECT_THAT(Going({early, late}, absl::Minutes(1)), ElementsAre(early));
  request_.retention.files = absl::Hours(24 * 8);
  EXPECT_THAT(Going({early, late}), IsEmpty());
}

TEST_F(FilePlanTest, WhatIsInTheTableStays) {
  Add("server_source=a/hw-1-p0-0-aa.parquet");
  Add("server_source=a/theirs.parquet");
  EXPECT_THAT(Going({"server_source=a/hw-1-p0-0-aa.parquet", "server_source=a/theirs.parquet"}),
              IsEmpty());
}

TEST_F(FilePlanTest, WhatIsInTheTableOnceMoreStays) {
  Add("server_source=a/hw-1-p0-0-aa.parquet");
  Remove("server_source=a/hw-1-p0-0-aa.parquet", kOld);
  Add("server_source=a/hw-1-p0-0-aa.parquet");
  EXPECT_THAT(Going({"server_source=a/hw-1-p0-0-aa.parquet"}), IsEmpty());
}

TEST_F(FilePlanTest, HoweverOthersSpellAPathItIsInTheTable) {
  Add("file:///lake/t/server_source=a/hw-1-p0-0-aa.parquet");
  Add("server_source=b%2520c/hw-2-p0-0-bb.parquet");
  Add("./server_source=a/hw-3-p0-0-cc.parquet");
  EXPECT_THAT(
      Going({"server_source=a/hw-1-p0-0-aa.parquet", "server_source=b%20c/hw-2-p0-0-bb.parquet",
             "server_source=a/hw-3-p0-0-cc.parquet"}),
      IsEmpty());
}

TEST_F(FilePlanTest, APathWithEscapesIsFoundInTheFolder) {
  Add("server_source=b%2520c/hw-2-p0-0-bb.parquet");
  Remove("server_source=b%2520c/hw-2-p0-0-bb.parquet", kOld);
  EXPECT_THAT(Going({"server_source=b%20c/hw-2-p0-0-bb.parquet"}, absl::Minutes(1)),
              ElementsAre("server_source=b%20c/hw-2-p0-0-bb.parquet"));
}

TEST_F(FilePlanTest, OthersFilesGoOnlyWhenTheLogHasRemovedThem) {
  Add("theirs.parquet");
  Remove("theirs.parquet", kOld);
  EXPECT_THAT(Going({"theirs.parquet", "never named.parquet", "report.xlsx",
                     "server_source=a/notes.txt", "hw-5.parquet", "hw-x-p0-0-aa.parquet"}),
              ElementsAre("theirs.parquet"));
}

TEST_F(FilePlanTest, ACopyOfTheTableInsideOfItsFolderIsNotTouched) {
  EXPECT_THAT(
      Going({"backup/server_source=a/hw-7-p0-0-aa.parquet", "hw-7-p0-0-aa.parquet",
             "server_source=a/old/hw-7-p0-0-bb.parquet", "cursor_day=x/hw-7-p0-0-cc.parquet"}),
      IsEmpty());
  EXPECT_THAT(Going({"server_source=a/cursor_day=x/hw-7-p0-0-aa.parquet"}), IsEmpty());
  SetPartitions({"server_source", "cursor_day"});
  EXPECT_THAT(Going({"server_source=a/cursor_day=x/hw-7-p0-0-aa.parquet"}), SizeIs(1));
}

TEST_F(FilePlanTest, WhatDeadAttemptsLeftIsFoundWhateverTheTableIsPartitionedBy) {
  const std::vector<std::string> files = {"hw-7-p0-0-aa.parquet", "origin=a/hw-7-p0-0-bb.parquet",
                                          "origin=a/b/hw-7-p0-0-cc.parquet",
                                          "server_source=a/hw-7-p0-0-dd.parquet"};
  SetPartitions({"origin"});
  EXPECT_THAT(Going(files), ElementsAre(files[1]));
  SetPartitions({});
  EXPECT_THAT(Going(files), ElementsAre(files[0]));
}

TEST_F(FilePlanTest, WhatDeadAttemptsLeftGoesAfterAnHour) {
  EXPECT_THAT(Going({"server_source=a/hw-7-p0-0-aa.parquet"}, absl::Hours(1)), IsEmpty());
  EXPECT_THAT(Going({"server_source=a/hw-7-p0-0-aa.parquet"}, absl::Hours(1) + absl::Seconds(1)),
              ElementsAre("server_source=a/hw-7-p0-0-aa.parquet"));
  EXPECT_THAT(Going({"server_source=a/hw-7-p0-0-aa.parquet"}, -absl::Hours(1)),
              IsEmpty());  // Of tomorrow.
}

TEST_F(FilePlanTest, WhatMayStillBePublishedStaysHoweverOldItIs) {
  request_.live_fences = {8};
  request_.named = {"server_source=a/hw-9-p0-0-cc.parquet"};
  EXPECT_THAT(
      Going({"server_source=a/hw-7-p0-0-aa.parquet", "server_source=a/hw-8-p0-0-bb.parquet",
             "server_source=a/hw-9-p0-0-cc.parquet", "server_source=a/hw-100-p0-0-dd.parquet",
             "server_source=a/hw-101-p0-0-ee.parquet"}),
      ElementsAre("server_source=a/hw-7-p0-0-aa.parquet",
                  "server_source=a/hw-100-p0-0-dd.parquet"));
}

TEST_F(FilePlanTest, ARemovalWithoutATimeKeepsItsFile) {
  Add("server_source=a/hw-1-p0-0-aa.parquet");
  Remove("server_source=a/hw-1-p0-0-aa.parquet", kNow - absl::UnixEpoch());
  EXPECT_THAT(Going({"server_source=a/hw-1-p0-0-aa.parquet"}), IsEmpty());
}

TEST_F(FilePlanTest, ThePropertyOfTheTableMakesItLongerNeverShorter) {
  Add("server_source=a/hw-1-p0-0-aa.parquet");
  Remove("server_source=a/hw-1-p0-0-aa.parquet", absl::Hours(24 * 8));
  for (const auto& [value, goes] :
       std::vector<std::pair<std::string, bool>>{{"interval 1 hour", true},
                                                 {"interval 7 days", true},
                                                 {"interval 9 days", false},
                                                 {"interval 1 month", false}}) {
    SetProperty("delta.deletedFileRetentionDuration", value);
    EXPECT_EQ(!Going({"server_source=a/hw-1-p0-0-aa.parquet"}).empty(), goes) << value;
  }
}

// Whatever happened to a table: never what a version, a manifest, a claim or a reader within the
// retention needs, nor what is not ours; and always what nobody needs.
TEST(FilePlanProperty, NothingThatIsNeededGoesAndAllElseDoes) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  const auto pick = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  for (int world = 0; world < 300; ++world) {
    DeltaSnapshot snapshot;
    DeltaVersion made;
    made.protocol = DeltaProtocol{};
    made.metadata = DeltaMetadata{};
    made.metadata->schema_string = "{}";
    made.metadata->partition_columns = {"server_source"};
    snapshot.Apply(0, made);
    GarbageRequest request;
    request.as_of = 40;
    request.retention = {absl::Hours(1 + pick(300)), absl::Hours(1 + pick(300)),
                         absl::Hours(1 + pick(30))};
    std::vector<FoundFile> found;
    std::vector<bool> needed, garbage;
    for (int i = 0; i < 40; ++i) {
      const int fence = 1 + pick(50);
      const bool ours = pick(4) != 0;
      const std::string key = ours ? absl::StrCat("server_source=p/", StagedName(fence, 0, i, "aa"))
                                   : absl::StrCat("server_source=p/theirs-", i, ".parquet");
      const absl::Duration age = absl::Minutes(pick(40'000)), gone = absl::Minutes(pick(30'000));
      found.push_back({key, 1, kNow - age});
      const int fate = pick(6);  // Live, removed, brought back, claimed, in a manifest, none.
      DeltaVersion add, remove;
      add.adds.push_back({key, {}, 1, 1, true, "", {}});
      remove.removes.push_back({key, absl::ToUnixMillis(kNow - gone), true, {}, 1});
      if (fate <= 2) snapshot.Apply(snapshot.version() + 1, add);
      if (fate == 1 || fate == 2) snapshot.Apply(snapshot.version() + 1, remove);
      if (fate == 2) snapshot.Apply(snapshot.version() + 1, add);
      if (fate == 3) request.live_fences.insert(fence);
      if (fate == 4) request.named.insert(key);
      needed.push_back(fate == 0 || fate == 2 || fate == 4 || (fate == 3 && ours) ||
                       (ours && fence > 40) || (fate == 1 && gone <= request.retention.files) ||
                       (fate > 2 && !ours) || (fate > 2 && age <= request.retention.attempts));
    }
    std::vector<bool> doomed(found.size());
    for (const DoomedFile& one : PlanFiles(found, snapshot, request, kNow).doomed) {
      for (size_t i = 0; i < found.size(); ++i)
        doomed[i] = doomed[i] || found[i].key == one.file.key;
    }
    for (size_t i = 0; i < found.size(); ++i) {
      // Claimed by another file's fate: needed as well.
      const std::optional<int64_t> fence = FenceOf(found[i].key.substr(found[i].key.find('/') + 1));
      const bool claimed = fence.has_value() && request.live_fences.contains(*fence);
      EXPECT_EQ(doomed[i], !needed[i] && !claimed) << "world " << world << ", " << found[i].key;
    }
  }
}

class LogPlanTest : public ::testing::Test {
 protected:
  // Versions 0 to `head`, one a day, the newest a day old; checkpoints at every tenth.
  static std::vector<StoredEntry> Daily(int64_t head) {
    std::vector<StoredEntry> entries;
    for (int64_t at = 0; at <= head; ++at) {
      const absl::Time modified = kNow - absl::Hours(24 * (head - at + 1));
      if (at > 0 && at % 10 == 0)
        entries.push_back({absl::StrFormat("%020d.checkpoint.parquet", at), false, 9, modified});
      entries.push_back({absl::StrFormat("%020d.json", at), false, 1, modified});
    }
    entries.push_back({"_last_checkpoint", false, 1, kNow});
    return entries;
  }
  static constexpr absl::Duration kMonth = absl::Hours(24 * 30);
};

TEST_F(LogPlanTest, WhatIsOlderThanTheCheckpointBeforeTheRetentionGoesOldestFirst) {
  // Versions up to 70 are older than 30 days: those since the checkpoint of 70 stay.
  const LogPlan plan = PlanLog(Daily(100), 100, kMonth, kNow);
  EXPECT_EQ(plan.checkpoint, 70);
  ASSERT_EQ(plan.doomed.size(), 70u + 6u);
  EXPECT_EQ(plan.doomed.front().file.key, "_delta_log/00000000000000000000.json");
  EXPECT_EQ(plan.doomed.back().file.key, "_delta_log/00000000000000000069.json");
}

TEST_F(LogPlanTest, EveryVersionWithinTheRetentionCanBeReadFromWhatStays) {
  for (int64_t head = 0; head <= 120; ++head) {
    const LogPlan plan = PlanLog(Daily(head), head / 10 * 10, kMonth, kNow);
    const int64_t oldest_within = std::max<int64_t>(0, head - 29);
    EXPECT_LE(plan.checkpoint, oldest_within) << head;
    for (const DoomedFile& doomed : plan.doomed)
      EXPECT_LT(doomed.file.key, absl::StrFormat("_delta_log/%020d", plan.checkpoint)) << head;
  }
}

TEST_F(LogPlanTest, WithoutACheckpointAllStays) {
  std::vector<StoredEntry> entries = Daily(100);
  std::erase_if(entries, [](const StoredEntry& entry) {
    return entry.name.find("checkpoint.parquet") != std::string::npos;
  });
  EXPECT_THAT(PlanLog(entries, 100, kMonth, kNow).doomed, IsEmpty());
}

TEST_F(LogPlanTest, ReadersBeginWhereTheHintSaysSoThatStays) {
  EXPECT_EQ(PlanLog(Daily(100), 50, kMonth, kNow).checkpoint, 50);
  EXPECT_THAT(PlanLog(Daily(100), std::nullopt, kMonth, kNow).doomed, IsEmpty());
}

TEST_F(LogPlanTest, AnEntryThatLooksYoungKeepsAllThatFollow) {
  std::vector<StoredEntry> entries = Daily(100);
  for (StoredEntry& entry : entries) {
    if (entry.name == "00000000000000000025.json") entry.modified = kNow;  // Copied.
  }
  EXPECT_EQ(PlanLog(entries, 100, kMonth, kNow).checkpoint, 20);
}

TEST_F(LogPlanTest, EntriesOfOtherKindsAreOthersToRemove) {
  std::vector<StoredEntry> entries = Daily(100);
  entries.insert(entries.begin() + 1, {"00000000000000000000.crc", false, 1, kNow - kOld});
  entries.push_back(
      {"00000000000000000020.checkpoint.0000000001.0000000002.parquet", false, 1, kNow - kOld});
  EXPECT_EQ(PlanLog(entries, 100, kMonth, kNow).doomed.size(), 76u);
}

TEST(LogRetention, IsTheTablesOwnButNeverTooShort) {
  DeltaMetadata metadata;
  EXPECT_EQ(LogRetention(metadata, {}), absl::Hours(24 * 30));
  EXPECT_EQ(LogRetention(metadata, {.log = absl::Hours(5)}), absl::Hours(5));
  metadata.configuration["delta.logRetentionDuration"] = "interval 2 days";
  EXPECT_EQ(LogRetention(metadata, {}), absl::Hours(48));
  metadata.configuration["delta.logRetentionDuration"] = "interval 0 days";
  EXPECT_EQ(LogRetention(metadata, {}), kLeastLog);
  metadata.configuration["delta.logRetentionDuration"] = "for long";
  EXPECT_EQ(LogRetention(metadata, {}), absl::InfiniteDuration());
}

}  // namespace
}  // namespace headwater
