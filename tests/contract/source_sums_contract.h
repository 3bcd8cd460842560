// What the sums and counts of every Source must be: those of the rows that it gives.
#ifndef HEADWATER_TESTS_CONTRACT_SOURCE_SUMS_CONTRACT_H_
#define HEADWATER_TESTS_CONTRACT_SOURCE_SUMS_CONTRACT_H_

#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/data/row_checksum.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/source_contract_fixture.h"
#include "worker/source/source_reader.h"

namespace headwater {

template <typename SourceKind>
class SourceSumsContract : public SourceContract<SourceKind> {
 protected:
  // Three ranges, one of no rows, the outside rows alone and with a range.
  static std::vector<Extent> Extents() {
    return {Extent{Range{MinuteValue(0), MinuteValue(40)}, false},
            Extent{Range{MinuteValue(40), MinuteValue(41)}, false},
            Extent{Range{MinuteValue(41), MinuteValue(200)}, false},
            Extent{Range{MinuteValue(300), MinuteValue(301)}, false},
            Extent{std::nullopt, true},
            Extent{Range{MinuteValue(90), MinuteValue(600)}, true}};
  }

  absl::StatusOr<ExtentChecksums> Checksums(const std::vector<Extent>& extents,
                                            std::stop_token stop = {}) {
    return this->source_->Checksums(this->dataset_, extents, this->options_, ChecksumOptions{},
                                    std::move(stop));
  }

  absl::StatusOr<std::vector<ExtentCount>> Counts(const std::vector<Extent>& extents,
                                                  std::stop_token stop = {}) {
    return this->source_->Counts(this->dataset_, extents, this->options_, std::move(stop));
  }

  // Of the rows that are read.
  absl::StatusOr<RowChecksum> ReadSum(const Extent& extent) {
    auto reader = this->source_->Read(this->dataset_, extent, this->options_);
    if (!reader.ok()) return reader.status();
    const auto checksummer = *RowChecksummer::Create((*reader)->schema());
    RowChecksum sum;
    while (true) {
      auto batch = (*reader)->Next();
      if (!batch.ok()) return batch.status();
      if (*batch == nullptr) return sum;
      EXPECT_TRUE(checksummer->Add(**batch, sum).ok());
    }
  }
};

TYPED_TEST_SUITE_P(SourceSumsContract);

TYPED_TEST_P(SourceSumsContract, ChecksumsAreThoseOfTheRowsThatAreRead) {
  const std::vector<Extent> extents = this->Extents();
  const auto sums = this->Checksums(extents);
  ASSERT_TRUE(sums.ok()) << sums.status();
  ASSERT_EQ(sums->extents.size(), extents.size());
  // Floating point is the only difference that a dialect of the contract has.
  if (!sums->differing.empty()) {
    EXPECT_THAT(sums->differing, ::testing::ElementsAre("ratio"));
    this->dataset_.exclude_columns = {"ratio"};
  }
  const auto comparable = this->Checksums(extents);
  ASSERT_TRUE(comparable.ok()) << comparable.status();
  EXPECT_THAT(comparable->differing, ::testing::IsEmpty());
  for (size_t i = 0; i < extents.size(); ++i) {
    const auto rows = this->ReadSum(extents[i]);
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_EQ(comparable->extents[i], *rows) << i;
    EXPECT_EQ(sums->extents[i].rows, rows->rows) << i;
  }
  EXPECT_EQ(comparable->extents[3], RowChecksum{}) << "of the extent without rows";
}

TYPED_TEST_P(SourceSumsContract, AChecksumShowsThatAnyCellOfItsExtentChanged) {
  const auto sums = [&] {
    const auto found = this->Checksums(this->Extents());
    EXPECT_TRUE(found.ok()) << found.status();
    return found.value_or(ExtentChecksums{}).extents;
  };
  auto before = sums();
  for (const char* change : {"ratio = 0.5", "name = ''", "name = NULL", "amount = 0"}) {
    // Minute 41 begins with row 123.
    this->source_under_test_->Execute(
        absl::StrCat("UPDATE events SET ", change, " WHERE id = 123"));
    const auto after = sums();
    ASSERT_EQ(after.size(), before.size());
    EXPECT_EQ(after[0], before[0]);
    EXPECT_EQ(after[1], before[1]);
    EXPECT_NE(after[2].sum, before[2].sum) << change;
    EXPECT_EQ(after[2].rows, before[2].rows);
    before = after;
  }
}

TYPED_TEST_P(SourceSumsContract, CountsAreThoseOfTheRowsThatAreRead) {
  const std::vector<Extent> extents = this->Extents();
  const auto counts = this->Counts(extents);
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->size(), extents.size());
  for (size_t i = 0; i < extents.size(); ++i) {
    const auto read = this->Read(extents[i]);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ((*counts)[i].rows, read->rows) << i;
  }
  EXPECT_EQ((*counts)[0].max_cursor, MinuteValue(39));
  EXPECT_EQ((*counts)[3], ExtentCount{});
  EXPECT_EQ((*counts)[4].max_cursor, std::nullopt) << "outside alone has no range";
  EXPECT_EQ((*counts)[5].max_cursor, MinuteValue(99)) << "not that of the outside rows";
  this->options_.cursor_type = CursorType::kNone;
  const auto whole = this->Counts({Extent{Range{0, 1}, false}});
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ((*whole)[0], (ExtentCount{.rows = kContractRows, .max_cursor = std::nullopt}));
}

TYPED_TEST_P(SourceSumsContract, WhatOutsideMeansCountsForSumsAndCountsToo) {
  this->dataset_.on_null_cursor = OutsidePolicy::kExclude;
  const std::vector<Extent> outside = {Extent{std::nullopt, true}};
  const auto counts = this->Counts(outside);
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ((*counts)[0].rows, 4);
  const auto sums = this->Checksums(outside);
  ASSERT_TRUE(sums.ok()) << sums.status();
  EXPECT_EQ(sums->extents[0].rows, 4);
}

TYPED_TEST_P(SourceSumsContract, StoppedSumsAndCountsAreCancelledAndTheConnectionReadsOn) {
  std::stop_source stop;
  stop.request_stop();
  const std::vector<Extent> extents = this->Extents();
  EXPECT_EQ(this->Counts(extents, stop.get_token()).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(this->Checksums(extents, stop.get_token()).status().code(),
            absl::StatusCode::kCancelled);
  const auto read = this->Read(extents[0]);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_GT(read->rows, 0);
}

TYPED_TEST_P(SourceSumsContract, SumsAndCountsOfWhatIsNotThereNameIt) {
  this->dataset_.relation = "event";
  const std::vector<Extent> extents = this->Extents();
  const auto counts = this->Counts(extents);
  EXPECT_EQ(counts.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(counts.status().message()), ::testing::HasSubstr("'events'"));
  this->dataset_.relation = "events";
  this->options_.cursor_type = CursorType::kInteger;
  const auto sums = this->Checksums(extents);
  EXPECT_EQ(sums.status().code(), absl::StatusCode::kInvalidArgument) << sums.status();
  this->options_.cursor_type = CursorType::kWallClock;
  EXPECT_TRUE(this->Counts(extents).ok()) << "a connection outlives such errors";
}

// At any time the answer is a sum or that it was cancelled.
TYPED_TEST_P(SourceSumsContract, ASumMayBeCancelledInTheMiddle) {
  this->source_under_test_->Execute(
      "CREATE TABLE many AS SELECT a.id, a.name FROM events a, events b");
  this->dataset_.relation = "many";
  this->dataset_.cursor = "";
  this->options_.cursor_type = CursorType::kNone;
  for (int round = 0; round < 10; ++round) {
    std::stop_source stop;
    std::jthread stopper([&stop] { stop.request_stop(); });
    const auto sums = this->Checksums({Extent{Range{0, 1}, false}}, stop.get_token());
    if (sums.ok()) {
      EXPECT_EQ(sums->extents[0].rows, int64_t{kContractRows} * kContractRows);
    } else {
      EXPECT_TRUE(absl::IsCancelled(sums.status())) << sums.status();
    }
  }
}

REGISTER_TYPED_TEST_SUITE_P(SourceSumsContract, ChecksumsAreThoseOfTheRowsThatAreRead,
                            AChecksumShowsThatAnyCellOfItsExtentChanged,
                            CountsAreThoseOfTheRowsThatAreRead,
                            WhatOutsideMeansCountsForSumsAndCountsToo,
                            StoppedSumsAndCountsAreCancelledAndTheConnectionReadsOn,
                            SumsAndCountsOfWhatIsNotThereNameIt, ASumMayBeCancelledInTheMiddle);

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_SOURCE_SUMS_CONTRACT_H_
