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
