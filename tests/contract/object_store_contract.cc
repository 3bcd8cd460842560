#include "tests/contract/object_store_contract.h"

#include <atomic>
#include <barrier>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "gmock/gmock.h"

namespace headwater {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kWriters = 8;
constexpr size_t kObjectBytes = 300'000;  // More than one read or write call takes.

std::string Filled(char with) { return std::string(kObjectBytes, with); }

// Whether `bytes` is one Filled() object, whole.
bool IsWhole(const std::string& bytes) {
  return bytes.size() == kObjectBytes &&
         bytes.find_first_not_of(bytes.front()) == std::string::npos;
}

// Runs `writer(i)` in kWriters threads that begin together, and `reader` in one more until they
// have ended.
template <typename Writer, typename Reader>
void Race(Writer writer, Reader reader) {
  std::barrier start(kWriters + 1);
  std::atomic<int> left = kWriters;
  std::vector<std::thread> threads;
  threads.reserve(kWriters + 1);
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      writer(i);
      --left;
    });
  }
  threads.emplace_back([&] {
    start.arrive_and_wait();
    do {
      reader();
    } while (left > 0);
  });
  for (std::thread& thread : threads) thread.join();
}

TEST_P(ObjectStoreContract, WhatWasPutIsReadByEverybody) {
  const auto place = GetParam().make_place();
  const auto store = place->Open();
  const std::string bytes("a\0b\n", 4);
  ASSERT_TRUE(store->PutIfAbsent("folder/of/key", bytes).ok());
  ASSERT_TRUE(store->Put("empty", "").ok());
  for (const auto& reader : {place->Open(), place->Open()}) {
    EXPECT_EQ(*reader->Read("folder/of/key"), bytes);
    EXPECT_EQ(*reader->SizeOf("folder/of/key"), 4);
    EXPECT_EQ(*reader->Read("empty"), "");
    EXPECT_EQ(*reader->SizeOf("empty"), 0);
  }
}

TEST_P(ObjectStoreContract, PutReplacesAndPutIfAbsentDoesNot) {
  const auto place = GetParam().make_place();
  const auto store = place->Open();
  ASSERT_TRUE(store->PutIfAbsent("key", "first").ok());
  EXPECT_EQ(place->Open()->PutIfAbsent("key", "second").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(*store->Read("key"), "first");
  ASSERT_TRUE(place->Open()->Put("key", "third").ok());
  EXPECT_EQ(*store->Read("key"), "third");
}

TEST_P(ObjectStoreContract, WhatIsNotThereIsNotFound) {
  const auto place = GetParam().make_place();
  const auto store = place->Open();
  ASSERT_TRUE(store->Put("folder/key", "x").ok());
  for (const char* key : {"none", "folder", "folder/none", "none/none", "folder/key/below"}) {
    SCOPED_TRACE(key);
    EXPECT_EQ(store->Read(key).status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(store->Persist(key).code(), absl::StatusCode::kNotFound);
    const auto size = store->SizeOf(key);
    ASSERT_TRUE(size.ok()) << size.status();
    EXPECT_FALSE(size->has_value());
  }
}

TEST_P(ObjectStoreContract, DeletingWhatIsNotThereIsDone) {
  const auto place = GetParam().make_place();
  const auto store = place->Open();
  ASSERT_TRUE(store->Put("folder/key", "x").ok());
  EXPECT_TRUE(store->Delete("folder/key").ok());
  EXPECT_EQ(store->Read("folder/key").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(store->Delete("folder/key").ok());
  EXPECT_TRUE(store->Delete("none/none").ok());
  EXPECT_TRUE(store->PutIfAbsent("folder/key", "y").ok());
}

TEST_P(ObjectStoreContract, AListingHasNamesInOrderAndOneFolderOnly) {
  const auto place = GetParam().make_place();
  const auto store = place->Open();
  EXPECT_THAT(*store->List(""), IsEmpty());
  EXPECT_THAT(*store->List("none"), IsEmpty());
  for (const char* key : {"b", "a/10", "a/9", "a/Z", "a/~", "a/deep/er", "c=d%2F/x", "a/.hidden"})
    ASSERT_TRUE(store->Put(key, "x").ok());
  EXPECT_THAT(*place->Open()->List(""), ElementsAre("a", "b", "c=d%2F"));
  EXPECT_THAT(*place->Open()->List("a"), ElementsAre(".hidden", "10", "9", "Z", "deep", "~"));
  EXPECT_THAT(*place->Open()->List("a/deep"), ElementsAre("er"));
  EXPECT_THAT(*store->List("b"), IsEmpty());
}

TEST_P(ObjectStoreContract, EntriesTellFilesFromFoldersAndHowLargeAndOldTheyAre) {
  const auto place = GetParam().make_place();
  const auto store = place->Open();
  EXPECT_THAT(*store->ListEntries(""), IsEmpty());
  EXPECT_THAT(*store->ListEntries("none/none"), IsEmpty());
  ASSERT_TRUE(store->Put("a/first", "12345").ok());
  ASSERT_TRUE(store->Put("a/second", "").ok());
  ASSERT_TRUE(store->Put("a/below/deep", "x").ok());
  const std::vector<StoredEntry> entries = *place->Open()->ListEntries("a");
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "below");
  EXPECT_TRUE(entries[0].folder);
  EXPECT_EQ(entries[1].name, "first");
  EXPECT_FALSE(entries[1].folder);
  EXPECT_EQ(entries[1].size_bytes, 5);
  EXPECT_EQ(entries[2].size_bytes, 0);
  EXPECT_LE(entries[1].modified, entries[2].modified);
  const absl::Time before = entries[1].modified;
  ASSERT_TRUE(store->Put("a/first", "123").ok());
  EXPECT_GE(store->ListEntries("a")->at(1).modified, before);
  EXPECT_EQ(store->ListEntries("a")->at(1).size_bytes, 3);
}

TEST_P(ObjectStoreContract, WhatADeadWriterLeftUnfinishedIsDroppedAndNothingElse) {
  for (const std::string& failpoint : GetParam().put_if_absent_failpoints) {
    SCOPED_TRACE(failpoint);
    const auto place = GetParam().make_place();
    ASSERT_TRUE(place->Open()->Put("folder/whole", "x").ok());
    EXPECT_EXIT(
        {
          (void)ArmFailpoints(absl::StrCat(failpoint, "=crash"));
          (void)place->Open()->PutIfAbsent("folder/key", "first");
        },
        testing::ExitedWithCode(137), "");
    const auto store = place->Open();
    const std::vector<std::string> visible = *store->List("folder");
    EXPECT_EQ(*store->DropUnfinished("folder", absl::InfinitePast()), 0);
    EXPECT_EQ(*store->DropUnfinished("none", absl::InfiniteFuture()), 0);
    EXPECT_EQ(*store->DropUnfinished("folder", absl::InfiniteFuture()), 1);
    EXPECT_EQ(*store->DropUnfinished("folder", absl::InfiniteFuture()), 0);
    EXPECT_EQ(*store->List("folder"), visible);
    EXPECT_EQ(*store->Read("folder/whole"), "x");
  }
}

TEST_P(ObjectStoreContract, NamesThatLeaveTheRootAreRefused) {
  const auto place = GetParam().make_place();
  const auto store = place->Open();
  ASSERT_TRUE(store->Put("a/b", "x").ok());
  for (const std::string& key :
       {std::string(), std::string(".."), std::string("../outside"), std::string("a/../../b"),
        std::string("a/.."), std::string("/etc/passwd"), std::string("a//b"), std::string("a/"),
        std::string("."), std::string("a/./b"), std::string("a\0b", 3)}) {
    SCOPED_TRACE(key);
    EXPECT_EQ(store->Read(key).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store->SizeOf(key).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store->PutIfAbsent(key, "x").code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store->Put(key, "x").code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store->Delete(key).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store->Persist(key).code(), absl::StatusCode::kInvalidArgument);
    if (key.empty()) continue;  // The root itself may be listed.
    EXPECT_EQ(store->List(key).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store->ListEntries(key).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store->DropUnfinished(key, absl::InfiniteFuture()).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_THAT(*store->List(""), ElementsAre("a"));
}

TEST_P(ObjectStoreContract, OfRacingWritersOfOneKeyExactlyOneWins) {
  const auto place = GetParam().make_place();
  for (int round = 0; round < 20; ++round) {
    const std::string key = absl::StrCat("log/", round);
    std::vector<absl::Status> outcomes(kWriters);
    const auto reader = place->Open();
    Race(
        [&](int i) {
          outcomes[i] = place->Open()->PutIfAbsent(key, Filled(static_cast<char>('a' + i)));
        },
        [&] {
          const auto bytes = reader->Read(key);
          EXPECT_TRUE(bytes.ok() ? IsWhole(*bytes) : absl::IsNotFound(bytes.status()));
        });
    int winner = -1;
    for (int i = 0; i < kWriters; ++i) {
      if (absl::IsAlreadyExists(outcomes[i])) continue;
      EXPECT_TRUE(outcomes[i].ok()) << outcomes[i];
      EXPECT_EQ(winner, -1) << "two writers were told that they had won";
      winner = i;
    }
    ASSERT_NE(winner, -1);
    EXPECT_EQ(*reader->Read(key), Filled(static_cast<char>('a' + winner)));
  }
}

TEST_P(ObjectStoreContract, ReadersNeverSeeHalfAnObjectNorItsMaking) {
  const auto place = GetParam().make_place();
  const auto reader = place->Open();
  ASSERT_TRUE(reader->Put("folder/key", Filled('0')).ok());
  Race(
      [&](int i) {
        const auto store = place->Open();
        for (int round = 0; round < 20; ++round)
          EXPECT_TRUE(store->Put("folder/key", Filled(static_cast<char>('a' + i))).ok());
      },
      [&] {
        const auto bytes = reader->Read("folder/key");
        EXPECT_TRUE(bytes.ok() && IsWhole(*bytes)) << bytes.status();
        EXPECT_THAT(*reader->List("folder"), ElementsAre("key"));
      });
}

TEST_P(ObjectStoreContract, WhereAPutFailsTheOldOrTheNewObjectStands) {
  for (const std::string& failpoint : GetParam().put_failpoints) {
    SCOPED_TRACE(failpoint);
    const auto place = GetParam().make_place();
    const auto store = place->Open();
    ASSERT_TRUE(store->Put("folder/key", "old").ok());
    ASSERT_TRUE(ArmFailpoints(absl::StrCat(failpoint, "=error:UNAVAILABLE")).ok());
    EXPECT_EQ(store->Put("folder/key", "new").code(), absl::StatusCode::kUnavailable);
    ASSERT_TRUE(ArmFailpoints("").ok());
    EXPECT_THAT(*store->Read("folder/key"), AnyOf("old", "new"));
    EXPECT_THAT(*store->List("folder"), ElementsAre("key"));
    ASSERT_TRUE(place->Open()->Put("folder/key", "newer").ok());
    EXPECT_EQ(*store->Read("folder/key"), "newer");
  }
}

TEST_P(ObjectStoreContract, KilledAtAnyStepOfAPutTheOldOrTheNewObjectStands) {
  for (const std::string& failpoint : GetParam().put_failpoints) {
    SCOPED_TRACE(failpoint);
    const auto place = GetParam().make_place();
    ASSERT_TRUE(place->Open()->Put("folder/key", "old").ok());
    EXPECT_EXIT(
        {
          (void)ArmFailpoints(absl::StrCat(failpoint, "=crash"));
          (void)place->Open()->Put("folder/key", "new");
        },
        testing::ExitedWithCode(137), "");
    EXPECT_THAT(*place->Open()->Read("folder/key"), AnyOf("old", "new"));
    EXPECT_THAT(*place->Open()->List("folder"), ElementsAre("key"));
    ASSERT_TRUE(place->Open()->Put("folder/key", "newer").ok());
  }
}

TEST_P(ObjectStoreContract, KilledAtAnyStepOfAPutIfAbsentTheKeyIsTakenWholeOrFree) {
  for (const std::string& failpoint : GetParam().put_if_absent_failpoints) {
    SCOPED_TRACE(failpoint);
    const auto place = GetParam().make_place();
    EXPECT_EXIT(
        {
          (void)ArmFailpoints(absl::StrCat(failpoint, "=crash"));
          (void)place->Open()->PutIfAbsent("folder/key", "first");
        },
        testing::ExitedWithCode(137), "");
    const auto store = place->Open();
    const bool taken = store->Read("folder/key").ok();
    const absl::Status second = store->PutIfAbsent("folder/key", "second");
    EXPECT_EQ(second.code(), taken ? absl::StatusCode::kAlreadyExists : absl::StatusCode::kOk);
    EXPECT_EQ(*store->Read("folder/key"), taken ? "first" : "second");
    EXPECT_TRUE(store->Persist("folder/key").ok());
  }
}

}  // namespace
}  // namespace headwater
