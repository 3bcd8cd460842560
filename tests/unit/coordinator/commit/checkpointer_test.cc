#include "coordinator/commit/delta/checkpointer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/commit/delta/delta_checkpoint.h"
#include "coordinator/commit/delta/delta_log.h"
#include "tests/support/fake_clock.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Keeps what was put, and remembers each try.
class MemoryStore : public ObjectStore {
 public:
  absl::StatusOr<std::string> Read(absl::string_view key) const override {
    const auto it = objects.find(std::string(key));
    if (it == objects.end()) return absl::NotFoundError("no such key");
    return it->second;
  }
  absl::StatusOr<std::optional<int64_t>> SizeOf(absl::string_view) const override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::vector<std::string>> List(absl::string_view) const override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::vector<StoredEntry>> ListEntries(absl::string_view) const override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<int64_t> DropUnfinished(absl::string_view, absl::Time) override {
    return absl::UnimplementedError("");
  }
  absl::Status PutIfAbsent(absl::string_view, absl::string_view) override {
    return absl::UnimplementedError("");
  }
  absl::Status Put(absl::string_view key, absl::string_view bytes) override {
    if (key != kLastCheckpointKey) tries.emplace_back(key);
    if (key == failing_key || failing) return absl::ResourceExhaustedError("full");
    objects[std::string(key)] = std::string(bytes);
    return absl::OkStatus();
  }
  absl::Status Delete(absl::string_view) override { return absl::UnimplementedError(""); }
  absl::Status Persist(absl::string_view) override { return absl::UnimplementedError(""); }
  const std::string& root() const override { return root_; }

  bool failing = false;
  std::string failing_key;
  std::vector<std::string> tries;
  std::map<std::string, std::string> objects;

 private:
  std::string root_ = "memory";
};

class CheckpointerTest : public ::testing::Test {
 protected:
  // Versions up to `last`, each with a look at whether a checkpoint is due.
  void CommitUpTo(int64_t last) {
    while (snapshot_.version() < last) {
      DeltaVersion version;
      if (snapshot_.version() < 0) {
        version.protocol = DeltaProtocol{};
        version.metadata = DeltaMetadata{};
        version.metadata->schema_string = "{}";
      }
      Commit(version);
    }
  }
  void Commit(const DeltaVersion& version) {
    snapshot_.Apply(snapshot_.version() + 1, version);
    checkpointer_.Write(store_, snapshot_);
  }
  std::vector<int64_t> Tried() const {
    std::vector<int64_t> versions;
    for (int64_t at = 0; at <= snapshot_.version(); ++at) {
      for (const std::string& key : store_.tries) {
        if (key == CheckpointKey(at)) versions.push_back(at);
      }
    }
    return versions;
  }

  FakeClock clock_;
  MemoryStore store_;
  DeltaSnapshot snapshot_;
  Checkpointer checkpointer_{"deals", /*every=*/10, &clock_};
};

TEST_F(CheckpointerTest, WritesOneEverySoManyVersions) {
  CommitUpTo(35);
  EXPECT_THAT(Tried(), ElementsAre(10, 20, 30));
  EXPECT_THAT(store_.objects.at(kLastCheckpointKey), ::testing::HasSubstr("\"version\":30,"));
}

TEST_F(CheckpointerTest, CountsFromTheCheckpointThatTheTableWasLoadedFrom) {
  checkpointer_.Loaded(7);
  CommitUpTo(20);
  EXPECT_THAT(Tried(), ElementsAre(17));
}

TEST_F(CheckpointerTest, OthersVersionsCountAsWell) {
  CommitUpTo(8);
  for (int i = 0; i < 4; ++i) snapshot_.Apply(snapshot_.version() + 1, {});  // Theirs.
  CommitUpTo(13);
  EXPECT_THAT(Tried(), ElementsAre(13));
}

TEST_F(CheckpointerTest, AFailedOneIsTriedAgainAtTheNextVersion) {
  store_.failing = true;
  CommitUpTo(10);
  store_.failing = false;
  CommitUpTo(21);
  EXPECT_THAT(Tried(), ElementsAre(10, 11, 21));
}

TEST_F(CheckpointerTest, AFailedHintIsTriedAgainWithACheckpoint) {
  store_.failing_key = kLastCheckpointKey;
  CommitUpTo(10);
  store_.failing_key = "";
  CommitUpTo(11);
  EXPECT_THAT(Tried(), ElementsAre(10, 11));
  EXPECT_THAT(store_.objects.at(kLastCheckpointKey), ::testing::HasSubstr("\"version\":11,"));
}

TEST_F(CheckpointerTest, OnesThatKeepFailingAreTriedLessAndLess) {
  store_.failing = true;
  CommitUpTo(60);
  EXPECT_THAT(Tried(), ElementsAre(10, 11, 13, 17, 25, 35, 45, 55));
  store_.failing = false;
  CommitUpTo(80);  // And after a success all is as it was.
  store_.failing = true;
  CommitUpTo(90);
  EXPECT_THAT(Tried(), ElementsAre(10, 11, 13, 17, 25, 35, 45, 55, 65, 75, 85, 86, 88));
}

class TombstoneTest : public CheckpointerTest {
 protected:
  void Remove(const std::string& path) {
    DeltaVersion version;
    version.removes.push_back({path, absl::ToUnixMillis(clock_.Now()), true, {}, 1});
    Commit(version);
  }
  // Paths of the removes that the newest checkpoint holds.
  std::vector<std::string> Kept() {
    const int64_t version = Tried().back();
    const auto state = DecodeCheckpoint(*store_.Read(CheckpointKey(version)));
    EXPECT_TRUE(state.ok()) << state.status();
    std::vector<std::string> paths;
    for (const DeltaRemove& remove : state->removes) paths.push_back(remove.path);
    return paths;
  }
};

TEST_F(TombstoneTest, AreForgottenWhenTheirTimeHasCome) {
  CommitUpTo(5);
  Remove("old");
  clock_.Advance(absl::Hours(24 * 6));
  Remove("new");
  CommitUpTo(10);
  EXPECT_THAT(Kept(), ElementsAre("new", "old"));
  clock_.Advance(absl::Hours(25));
  CommitUpTo(20);
  EXPECT_THAT(Kept(), ElementsAre("new"));
  EXPECT_THAT(snapshot_.ToCheckpoint().removes, ::testing::SizeIs(1));  // Not in memory either.
  clock_.Advance(absl::Hours(24 * 7));
  CommitUpTo(30);
  EXPECT_THAT(Kept(), IsEmpty());
}

TEST(TombstoneRetention, IsWhatTheTableSays) {
  const std::map<std::string, absl::Duration> expected = {
      {"interval 7 days", absl::Hours(168)},
      {"interval 1 week", absl::Hours(168)},
      {"INTERVAL 1 DAY", absl::Hours(24)},
      {"2 hours", absl::Hours(2)},
      {"interval 1 day 12 hours 30 minutes", absl::Minutes(2190)},
      {"interval 90 seconds 5 milliseconds 2 microseconds 3 nanoseconds",
       absl::Seconds(90) + absl::Milliseconds(5) + absl::Microseconds(2) + absl::Nanoseconds(3)},
      {"interval 0 days", absl::ZeroDuration()},
      // Whatever cannot be read is kept.
      {"", absl::InfiniteDuration()},
      {"interval", absl::InfiniteDuration()},
      {"interval 1 month", absl::InfiniteDuration()},
      {"interval days", absl::InfiniteDuration()},
      {"interval -1 days", absl::InfiniteDuration()},
      {"interval 1.5 days", absl::InfiniteDuration()},
      {"7", absl::InfiniteDuration()}};
  for (const auto& [text, duration] : expected) {
    DeltaMetadata metadata;
    metadata.configuration = {{"delta.deletedFileRetentionDuration", text}};
    EXPECT_EQ(TombstoneRetention(metadata), duration) << text;
  }
  EXPECT_EQ(TombstoneRetention({}), absl::Hours(168));
}

}  // namespace
}  // namespace headwater
