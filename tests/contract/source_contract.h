// What every Source must do, in code. An implementation supplies a SourceUnderTest and instantiates
// the suite; all of them see the same table and must give the same rows, bit for bit.
#ifndef HEADWATER_TESTS_CONTRACT_SOURCE_CONTRACT_H_
#define HEADWATER_TESTS_CONTRACT_SOURCE_CONTRACT_H_

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/cancelled_read.h"
#include "tests/contract/source_contract_fixture.h"
#include "worker/source/source_reader.h"
#include "worker/source/value_text.h"

namespace headwater {

TYPED_TEST_SUITE_P(SourceContract);

TYPED_TEST_P(SourceContract, AWholeTableHasTheRowsAndTypesThatWereWritten) {
  this->options_.cursor_type = CursorType::kNone;
  const auto read = this->Read(Extent{Range{0, 1}, false});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->rows, kContractRows);
  for (size_t i = 0; i < ContractSchema().columns.size(); ++i) {
    EXPECT_EQ(this->schema_.columns[i].name, ContractSchema().columns[i].name);
    EXPECT_EQ(this->schema_.columns[i].type, ContractSchema().columns[i].type) << i;
  }
  EXPECT_EQ(*read, this->Expected([](int) { return true; }));
}

TYPED_TEST_P(SourceContract, RangesAreHalfOpenAndKeepTiesTogether) {
  const auto inside = [](int i, int from, int to) {
    return !CursorIsNull(i) && MinuteValue(from) <= CursorValue(i) &&
           CursorValue(i) < MinuteValue(to);
  };
  for (const auto& [from, to] : {std::pair(0, 40), std::pair(40, 41), std::pair(41, 200)}) {
    const auto read = this->Read(Extent{Range{MinuteValue(from), MinuteValue(to)}, false});
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, this->Expected([&, from = from, to = to](int i) {
      return inside(i, from, to);
    })) << from;
    EXPECT_GT(read->rows, 0);
  }
}

TYPED_TEST_P(SourceContract, OutsideIsNullAndFutureCursorsAloneOrWithARange) {
  const auto outside = [](int i) { return CursorIsNull(i) || CursorIsFuture(i); };
  const auto alone = this->Read(Extent{std::nullopt, true});
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_EQ(*alone, this->Expected(outside));
  const auto both = this->Read(Extent{Range{MinuteValue(90), MinuteValue(600)}, true});
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(*both,
            this->Expected([&](int i) { return outside(i) || CursorValue(i) >= MinuteValue(90); }));
}

TYPED_TEST_P(SourceContract, AnEmptyRangeHasNoBatch) {
  const auto read = this->Read(Extent{Range{MinuteValue(300), MinuteValue(301)}, false});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, Fingerprint{});
  EXPECT_EQ(this->batches_, 0);
}

TYPED_TEST_P(SourceContract, AroundAnEmptyRangeTheNextRowsAreFound) {
  const auto around = [&](int64_t from, int64_t to) {
    const auto found =
        this->source_->EmptyAround(this->dataset_, {from, to}, "t", std::stop_token());
    EXPECT_TRUE(found.ok()) << found.status();
    return found.value_or(Range{0, 1});
  };
  const int64_t last = MinuteValue(99), future = *ParseWallClock("2099-01-01 00:00:00");
  EXPECT_EQ(around(MinuteValue(300), MinuteValue(301)), (Range{last + 1, future}));
  EXPECT_EQ(around(last + 1, future), (Range{last + 1, future}));
  EXPECT_LT(around(MinuteValue(-60), MinuteValue(-1)).from, MinuteValue(-1'000'000));
  EXPECT_EQ(around(MinuteValue(-60), MinuteValue(-1)).to, MinuteValue(0));
  EXPECT_GT(around(future + 1, future + 2).to, future + 1'000'000'000);
  const auto read = this->Read(Extent{Range{last, last + 1}, false});
  ASSERT_TRUE(read.ok()) << "the connection reads on: " << read.status();
  EXPECT_GT(read->rows, 0);
}

TYPED_TEST_P(SourceContract, BatchesStayWithinTheirBudget) {
  this->options_.cursor_type = CursorType::kNone;
  this->options_.batch_bytes = 2048;
  auto reader = this->source_->Read(this->dataset_, Extent{Range{0, 1}, false}, this->options_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  int batches = 0;
  int64_t rows = 0;
  while (true) {
    auto batch = (*reader)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (*batch == nullptr) break;
    ++batches;
    rows += (*batch)->rows();
    EXPECT_LT((*batch)->rows(), 60);
  }
  EXPECT_GT(batches, 5);
  EXPECT_EQ(rows, kContractRows);
}

TYPED_TEST_P(SourceContract, AProbeReadsClockBoundMinimumAndCounts) {
  ProbeTask task;
  task.tail = {{MinuteValue(50), MinuteValue(60)},
               {MinuteValue(300), MinuteValue(400)},
               {MinuteValue(98), MinuteValue(99) + 1}};
  const auto probe = this->source_->Probe(this->dataset_, task, std::stop_token());
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_EQ(probe->cursor_type, CursorType::kWallClock);
  EXPECT_EQ(probe->source_clock, absl::FromCivil(absl::CivilDay(2013, 1, 2), absl::UTCTimeZone()));
  EXPECT_EQ(probe->minimum, MinuteValue(0));
  EXPECT_EQ(probe->bound, MinuteValue(99));
  EXPECT_EQ(probe->null_rows, 6);
  EXPECT_EQ(probe->future_rows, 4);  // The fifth (299) has no cursor.
  ASSERT_EQ(probe->tail.size(), 3u);
  EXPECT_EQ(probe->tail[0].rows, 29);  // Row 179 is of 2099.
  EXPECT_EQ(probe->tail[0].max_cursor, MinuteValue(59));
  EXPECT_EQ(probe->tail[1].rows, 0);
  EXPECT_EQ(probe->tail[1].max_cursor, std::nullopt);
  EXPECT_EQ(probe->tail[2].max_cursor, MinuteValue(99)) << "the bound itself";
  EXPECT_EQ(probe->schema.columns.size(), 8u);
}

TYPED_TEST_P(SourceContract, AProbeWithoutACursorReadsSchemaAndClock) {
  this->dataset_.cursor = "";
  this->dataset_.server.clock_sql = "";
  const auto probe = this->source_->Probe(this->dataset_, ProbeTask{}, std::stop_token());
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_EQ(probe->cursor_type, CursorType::kNone);
  EXPECT_GT(probe->source_clock, absl::FromUnixSeconds(1'600'000'000));
  EXPECT_EQ(probe->bound, std::nullopt);
}

TYPED_TEST_P(SourceContract, OnlySelectedColumnsAreReadInSourceOrder) {
  this->dataset_.include_columns = {"name", "id", "flag"};
  this->dataset_.exclude_columns = {"flag"};
  auto reader =
      this->source_->Read(this->dataset_, Extent{Range{0, MinuteValue(5)}, false}, this->options_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_EQ((*reader)->schema().columns.size(), 2u);
  EXPECT_EQ((*reader)->schema().columns[0].name, "id");
  EXPECT_EQ((*reader)->schema().columns[1].name, "name");
}

TYPED_TEST_P(SourceContract, MissingTablesAndColumnsAreNamedWithTheNearest) {
  this->dataset_.cursor = "att";
  auto probe = this->source_->Probe(this->dataset_, ProbeTask{}, std::stop_token());
  EXPECT_EQ(probe.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(probe.status().message()), ::testing::HasSubstr("did you mean 'at'"));
  this->dataset_.cursor = "at";
  this->dataset_.relation = "event";
  probe = this->source_->Probe(this->dataset_, ProbeTask{}, std::stop_token());
  EXPECT_EQ(probe.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(probe.status().message()), ::testing::HasSubstr("'events'"));
  this->dataset_.relation = "events";
  probe = this->source_->Probe(this->dataset_, ProbeTask{}, std::stop_token());
  EXPECT_TRUE(probe.ok()) << "a connection outlives such errors: " << probe.status();
}

TYPED_TEST_P(SourceContract, ACursorThatCannotOrderRowsIsRefused) {
  this->dataset_.cursor = "name";
  const auto probe = this->source_->Probe(this->dataset_, ProbeTask{}, std::stop_token());
  EXPECT_EQ(probe.status().code(), absl::StatusCode::kInvalidArgument) << probe.status();
}

TYPED_TEST_P(SourceContract, ACancelledReaderSaysSoAndTheNextOneReads) {
  this->options_.cursor_type = CursorType::kNone;
  this->options_.batch_bytes = 2048;
  {
    auto reader = this->source_->Read(this->dataset_, Extent{Range{0, 1}, false}, this->options_);
    ASSERT_TRUE(reader.ok()) << reader.status();
    ASSERT_TRUE((*reader)->Next().ok());
    (*reader)->Cancel();
    EXPECT_EQ((*reader)->Next().status().code(), absl::StatusCode::kCancelled);
    EXPECT_EQ((*reader)->Next().status().code(), absl::StatusCode::kCancelled);
  }
  const auto read = this->Read(Extent{Range{0, 1}, false});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->rows, kContractRows);
}

// Some drivers free what is being fetched when they are asked to cancel.
TYPED_TEST_P(SourceContract, AReadMayBeCancelledInTheMiddleOfAFetch) {
  this->source_under_test_->Execute(
      "CREATE TABLE many AS SELECT a.id, a.name FROM events a, events b");
  this->dataset_.relation = "many";
  this->dataset_.cursor = "";
  this->options_.cursor_type = CursorType::kNone;
  this->options_.batch_bytes = 64 << 10;
  for (int round = 0; round < 40; ++round) {
    auto reader = this->source_->Read(this->dataset_, Extent{Range{0, 1}, false}, this->options_);
    ASSERT_TRUE(reader.ok()) << reader.status();
    const absl::Status status = CancelAfterFirstBatch(**reader);
    EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
  }
}

TYPED_TEST_P(SourceContract, AReaderMayBeLeftHalfway) {
  this->options_.cursor_type = CursorType::kNone;
  this->options_.batch_bytes = 2048;
  {
    auto reader = this->source_->Read(this->dataset_, Extent{Range{0, 1}, false}, this->options_);
    ASSERT_TRUE(reader.ok()) << reader.status();
    ASSERT_TRUE((*reader)->Next().ok());
  }
  const auto probe = this->source_->Probe(this->dataset_, ProbeTask{}, std::stop_token());
  ASSERT_TRUE(probe.ok()) << probe.status();
}

TYPED_TEST_P(SourceContract, AStoppedProbeIsCancelled) {
  std::stop_source stop;
  stop.request_stop();
  const auto probe = this->source_->Probe(this->dataset_, ProbeTask{}, stop.get_token());
  EXPECT_EQ(probe.status().code(), absl::StatusCode::kCancelled) << probe.status();
}

TYPED_TEST_P(SourceContract, AProbeThatBlocksIsCancelledFromAnotherThread) {
  this->dataset_.server.clock_sql = this->source_under_test_->SlowQuery();
  std::stop_source stop;
  // Long enough for the query to run when the stop comes; at any other time the answer is the same.
  std::jthread stopper([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop.request_stop();
  });
  const auto probe = this->source_->Probe(this->dataset_, ProbeTask{}, stop.get_token());
  EXPECT_EQ(probe.status().code(), absl::StatusCode::kCancelled) << probe.status();
}

TYPED_TEST_P(SourceContract, ABadValueNamesColumnKeyAndValue) {
  const std::string insert = this->source_under_test_->BadInteger();
  if (insert.empty()) return;  // This database keeps such values out.
  this->source_under_test_->Execute(insert);
  this->options_.cursor_type = CursorType::kNone;
  const auto read = this->Read(Extent{Range{0, 1}, false});
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument) << read.status();
  EXPECT_THAT(std::string(read.status().message()),
              ::testing::AllOf(::testing::HasSubstr("'id'"), ::testing::HasSubstr("'abc'"),
                               ::testing::HasSubstr("at=2013-01-01 07:00:00")));
}

TYPED_TEST_P(SourceContract, LongTextArrivesWhole) {
  const std::string text(300'000, 'x');
  this->source_under_test_->Execute(
      absl::StrCat("UPDATE events SET name = '", text, "' WHERE id = 7"));
  this->dataset_.include_columns = {"name"};
  this->options_.cursor_type = CursorType::kNone;
  auto reader = this->source_->Read(this->dataset_, Extent{Range{0, 1}, false}, this->options_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  int64_t rows = 0, bytes = 0;
  while (true) {
    auto batch = (*reader)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (*batch == nullptr) break;
    rows += (*batch)->rows();
    bytes += (*batch)->size_bytes();
  }
  EXPECT_EQ(rows, kContractRows);
  EXPECT_GT(bytes, 300'000);
}

REGISTER_TYPED_TEST_SUITE_P(
    SourceContract, AWholeTableHasTheRowsAndTypesThatWereWritten,
    RangesAreHalfOpenAndKeepTiesTogether, OutsideIsNullAndFutureCursorsAloneOrWithARange,
    AnEmptyRangeHasNoBatch, AroundAnEmptyRangeTheNextRowsAreFound, BatchesStayWithinTheirBudget,
    AProbeReadsClockBoundMinimumAndCounts, AProbeWithoutACursorReadsSchemaAndClock,
    OnlySelectedColumnsAreReadInSourceOrder, MissingTablesAndColumnsAreNamedWithTheNearest,
    ACursorThatCannotOrderRowsIsRefused, ACancelledReaderSaysSoAndTheNextOneReads,
    AReadMayBeCancelledInTheMiddleOfAFetch, AReaderMayBeLeftHalfway, AStoppedProbeIsCancelled,
    AProbeThatBlocksIsCancelledFromAnotherThread, ABadValueNamesColumnKeyAndValue,
    LongTextArrivesWhole);

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_SOURCE_CONTRACT_H_
