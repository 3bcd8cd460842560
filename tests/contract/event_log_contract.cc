#include "tests/contract/event_log_contract.h"

#include <vector>

#include "gmock/gmock.h"

namespace headwater {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> EventsAfter(EventLog& log, int64_t sequence) {
  std::vector<std::string> events;
  const absl::Status status = log.Replay(sequence, [&](int64_t at, absl::string_view payload) {
    events.push_back(std::to_string(at) + ":" + std::string(payload));
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return events;
}

TEST_P(EventLogContract, ANewLogIsEmptyAndHasAName) {
  auto place = GetParam().make_place();
  auto log = *place->Open();
  EXPECT_EQ(log->last_sequence(), 0);
  EXPECT_FALSE(log->ledger_id().empty());
  EXPECT_THAT(EventsAfter(*log, 0), IsEmpty());
  EXPECT_FALSE((*log->LoadSnapshot()).has_value());
}

TEST_P(EventLogContract, WhatWasAppendedIsThereAfterReopening) {
  auto place = GetParam().make_place();
  auto log = *place->Open();
  const std::string id = log->ledger_id();
  ASSERT_TRUE(log->Append(1, {"a", std::string("b\0b", 3)}).ok());
  ASSERT_TRUE(log->Append(3, {"c"}).ok());
  log.reset();
  log = *place->Open();
  EXPECT_EQ(log->ledger_id(), id);
  EXPECT_EQ(log->last_sequence(), 3);
  EXPECT_THAT(EventsAfter(*log, 0), ElementsAre("1:a", std::string("2:b\0b", 5), "3:c"));
  EXPECT_THAT(EventsAfter(*log, 2), ElementsAre("3:c"));
}

TEST_P(EventLogContract, AnAppendAtTheWrongPlaceChangesNothing) {
  auto place = GetParam().make_place();
  auto log = *place->Open();
  ASSERT_TRUE(log->Append(1, {"a"}).ok());
  EXPECT_EQ(log->Append(1, {"again"}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(log->Append(3, {"gap"}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(EventsAfter(*log, 0), ElementsAre("1:a"));
}

TEST_P(EventLogContract, TheNewestSnapshotIsReturned) {
  auto place = GetParam().make_place();
  auto log = *place->Open();
  ASSERT_TRUE(log->Append(1, {"a", "b", "c"}).ok());
  ASSERT_TRUE(log->SaveSnapshot(1, "one").ok());
  ASSERT_TRUE(log->SaveSnapshot(3, "three").ok());
  log.reset();
  log = *place->Open();
  const auto snapshot = *log->LoadSnapshot();
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_EQ(snapshot->sequence, 3);
  EXPECT_EQ(snapshot->state, "three");
  EXPECT_THAT(EventsAfter(*log, 3), IsEmpty());
}

TEST_P(EventLogContract, EventsThatTwoSnapshotsHaveGoAwayAFewAtATime) {
  auto place = GetParam().make_place();
  auto log = *place->Open();
  ASSERT_TRUE(log->Append(1, std::vector<std::string>(100, "old")).ok());
  ASSERT_TRUE(log->SaveSnapshot(90, "first").ok());
  ASSERT_TRUE(log->Append(101, {"a"}).ok());
  EXPECT_THAT(EventsAfter(*log, 0), testing::SizeIs(101));  // One snapshot might be damaged.
  ASSERT_TRUE(log->SaveSnapshot(101, "second").ok());
  EXPECT_EQ((*log->LoadEarlierSnapshot())->state, "first");
  ASSERT_TRUE(log->Append(102, {"b", "c"}).ok());
  log.reset();
  log = *place->Open();
  EXPECT_THAT(EventsAfter(*log, 4), testing::SizeIs(99));  // Twice what came went.
  for (int64_t at = 104; at < 204; ++at) ASSERT_TRUE(log->Append(at, {"d"}).ok());
  log.reset();
  log = *place->Open();
  EXPECT_EQ(log->last_sequence(), 203);
  EXPECT_THAT(EventsAfter(*log, 90), testing::SizeIs(113));  // From each snapshot on all is there,
  EXPECT_THAT(EventsAfter(*log, 101), testing::SizeIs(102));
  const auto ignore = [](int64_t, absl::string_view) { return absl::OkStatus(); };
  for (const int64_t gone : {0, 4, 89}) {  // and from before them nothing, which is said.
    EXPECT_EQ(log->Replay(gone, ignore).code(), absl::StatusCode::kDataLoss) << gone;
  }
}

TEST_P(EventLogContract, AFailedAppendTakesNothingAway) {
  auto place = GetParam().make_place();
  auto log = *place->Open();
  ASSERT_TRUE(log->Append(1, std::vector<std::string>(10, "old")).ok());
  ASSERT_TRUE(log->SaveSnapshot(8, "first").ok());
  ASSERT_TRUE(log->SaveSnapshot(10, "second").ok());
  EXPECT_FALSE(log->Append(7, {"wrong place"}).ok());
  EXPECT_THAT(EventsAfter(*log, 0), testing::SizeIs(10));
  ASSERT_TRUE(log->Append(11, {"a"}).ok());
  EXPECT_THAT(EventsAfter(*log, 2), testing::SizeIs(9));
}

TEST_P(EventLogContract, AFloorIsNoGapForEventsThatWentAway) {
  auto place = GetParam().make_place();
  auto log = *place->Open();
  ASSERT_TRUE(log->RaiseFloor(1'000).ok());
  ASSERT_TRUE(log->Append(1'001, std::vector<std::string>(10, "old")).ok());
  EXPECT_THAT(EventsAfter(*log, 0), testing::SizeIs(10));
  ASSERT_TRUE(log->SaveSnapshot(1'004, "first").ok());
  ASSERT_TRUE(log->SaveSnapshot(1'010, "second").ok());
  ASSERT_TRUE(log->Append(1'011, {"a", "b"}).ok());
  EXPECT_THAT(EventsAfter(*log, 1'004), testing::SizeIs(8));
  EXPECT_EQ(log->Replay(0, [](int64_t, absl::string_view) { return absl::OkStatus(); }).code(),
            absl::StatusCode::kDataLoss);
}

TEST_P(EventLogContract, ARaisedFloorIsDurableAndTheFirstEventComesAboveIt) {
  auto place = GetParam().make_place();
  auto log = *place->Open();
  ASSERT_TRUE(log->RaiseFloor(41).ok());
  log.reset();
  log = *place->Open();
  EXPECT_EQ(log->last_sequence(), 41);
  EXPECT_EQ(log->Append(1, {"low"}).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(log->Append(42, {"first"}).ok());
  EXPECT_THAT(EventsAfter(*log, 0), ElementsAre("42:first"));
}

TEST_P(EventLogContract, AFloorCanBeRaisedAgainOverEventsAndMakesNoGap) {
  auto place = GetParam().make_place();
  auto log = *place->Open();
  ASSERT_TRUE(log->RaiseFloor(10).ok());
  ASSERT_TRUE(log->Append(11, {"a", "b"}).ok());
  ASSERT_TRUE(log->RaiseFloor(100).ok());
  ASSERT_TRUE(log->RaiseFloor(50).ok()) << "it is there already";
  log.reset();
  log = *place->Open();
  EXPECT_EQ(log->last_sequence(), 100);
  ASSERT_TRUE(log->Append(101, {"c"}).ok());
  EXPECT_THAT(EventsAfter(*log, 0), ElementsAre("11:a", "12:b", "101:c"));
  EXPECT_THAT(EventsAfter(*log, 11), ElementsAre("12:b", "101:c"));
  EXPECT_THAT(EventsAfter(*log, 12), ElementsAre("101:c"));
}

TEST_P(EventLogContract, AVisitorsErrorStopsTheReplayAndIsReturned) {
  auto place = GetParam().make_place();
  auto log = *place->Open();
  ASSERT_TRUE(log->Append(1, {"a", "b"}).ok());
  int visits = 0;
  const absl::Status status = log->Replay(0, [&](int64_t, absl::string_view) {
    ++visits;
    return absl::DataLossError("enough");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(visits, 1);
}

}  // namespace
}  // namespace headwater
