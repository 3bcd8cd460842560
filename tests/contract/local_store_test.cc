#include "common/storage/local_store.h"

#include <filesystem>
#include <fstream>

#include "common/base/failpoint.h"
#include "gmock/gmock.h"
#include "tests/contract/object_store_contract.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

class LocalPlace : public ObjectStorePlace {
 public:
  std::unique_ptr<ObjectStore> Open() override { return OpenLocalStore(root()); }
  std::string root() const { return folder_.path() + "/lake/deals"; }

 private:
  TempFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Local, ObjectStoreContract,
                         testing::Values(ObjectStoreKind{
                             "Local",
                             [] { return std::make_unique<LocalPlace>(); },
                             {"store.before_rename", "store.after_rename"},
                             {"store.before_link", "store.after_link"}}),
                         [](const auto& info) { return info.param.name; });

class LocalStoreTest : public testing::Test {
 protected:
  ~LocalStoreTest() override { (void)ArmFailpoints(""); }
  LocalPlace place_;
};

TEST_F(LocalStoreTest, ANameThatCannotBeMadeDurableLeavesTheOutcomeInDoubt) {
  const auto store = place_.Open();
  ASSERT_TRUE(store->PutIfAbsent("a", "x").ok());
  ASSERT_TRUE(ArmFailpoints("store.before_folder_sync=error:UNAVAILABLE").ok());
  EXPECT_EQ(store->PutIfAbsent("b", "x").code(), absl::StatusCode::kUnknown);
  EXPECT_TRUE(store->Read("b").ok());
}

TEST_F(LocalStoreTest, PersistSyncsTheFolder) {
  const auto store = place_.Open();
  ASSERT_TRUE(store->PutIfAbsent("a", "x").ok());
  ASSERT_TRUE(ArmFailpoints("store.before_folder_sync=error:UNAVAILABLE").ok());
  EXPECT_EQ(store->Persist("a").code(), absl::StatusCode::kUnavailable);
}

TEST_F(LocalStoreTest, FoldersThatAProcessLeftBehindAreMadeDurableAsWell) {
  // As after a kill between making the folders and syncing their names.
  std::filesystem::create_directories(place_.root() + "/_delta_log");
  const auto store = place_.Open();
  // Two folders hold names that are in doubt: the root has the log's, its parent the root's.
  ASSERT_TRUE(ArmFailpoints("store.before_folder_sync=2:error:UNAVAILABLE").ok());
  EXPECT_EQ(store->PutIfAbsent("_delta_log/0", "x").code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(ArmFailpoints("").ok());
  ASSERT_TRUE(store->PutIfAbsent("_delta_log/0", "x").ok());
  // Once is enough: from now on only the folder of the key is synced.
  ASSERT_TRUE(ArmFailpoints("store.before_folder_sync=2:error:UNAVAILABLE").ok());
  EXPECT_TRUE(store->PutIfAbsent("_delta_log/1", "x").ok());
}

TEST_F(LocalStoreTest, FoldersAboveTheRootMayBeSomebodyElses) {
  const auto put = [](const char* failpoint) {
    LocalPlace place;
    EXPECT_TRUE(place.Open()->Put("folder/a", "x").ok());
    EXPECT_TRUE(ArmFailpoints(failpoint).ok());
    absl::Status status = place.Open()->Put("folder/b", "x");
    EXPECT_TRUE(ArmFailpoints("").ok());
    return status;
  };
  EXPECT_FALSE(put("store.before_folder_sync=1:error:PERMISSION_DENIED").ok());  // The root.
  EXPECT_TRUE(put("store.before_folder_sync=2:error:PERMISSION_DENIED").ok());
  EXPECT_FALSE(put("store.before_folder_sync=2:error:UNAVAILABLE").ok());
  EXPECT_TRUE(put("store.before_folder_sync=3:error:UNAVAILABLE").ok());
}

TEST_F(LocalStoreTest, ARootMayBeSpelledInManyWays) {
  ASSERT_TRUE(place_.Open()->Put("a", "x").ok());
  for (const std::string& root : {"file://" + place_.root(), place_.root() + "/",
                                  place_.root() + "/../deals", place_.root() + "//."}) {
    EXPECT_EQ(*OpenLocalStore(root)->Read("a"), "x") << root;
  }
}

TEST_F(LocalStoreTest, EntriesDoNotFollowLinks) {
  const auto store = place_.Open();
  ASSERT_TRUE(store->Put("a", "x").ok());
  ASSERT_TRUE(store->Put("folder/b", "x").ok());
  std::filesystem::create_symlink(place_.root() + "/a", place_.root() + "/link");
  std::filesystem::create_directory_symlink(place_.root() + "/folder", place_.root() + "/linked");
  const auto entries = *store->ListEntries("");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[1].name, "folder");
}

TEST_F(LocalStoreTest, AFolderInTheWayIsNotTriedForEver) {
  ASSERT_TRUE(place_.Open()->Put("a", "x").ok());
  EXPECT_EQ(place_.Open()->PutIfAbsent("a/b", "x").code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace headwater
