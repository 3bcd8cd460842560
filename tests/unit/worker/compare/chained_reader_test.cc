#include "worker/compare/chained_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_source.h"

namespace headwater {
namespace {

const Schema kSchema{{{"id", {TypeKind::kLong}}}};

FakeScript Rows(std::vector<std::string> batches, absl::Status end = absl::OkStatus()) {
  FakeScript script;
  script.schema = kSchema;
  script.batches = std::move(batches);
  script.end = std::move(end);
  return script;
}

ChainedReader::Opener Opens(FakeScript script) {
  return [script]() -> absl::StatusOr<std::unique_ptr<SourceReader>> {
    return std::make_unique<FakeReader>(script);
  };
}

TEST(ChainedReader, GivesTheRowsOfAllInOrderAndOpensEachWhenItsTurnComes) {
  int opened = 0;
  const auto counted = [&](FakeScript script) -> ChainedReader::Opener {
    return [&opened, script]() -> absl::StatusOr<std::unique_ptr<SourceReader>> {
      ++opened;
      return std::make_unique<FakeReader>(script);
    };
  };
  ChainedReader reader(kSchema, {counted(Rows({"[[1]]", "[[2]]"})), counted(Rows({})),
                                 counted(Rows({"[[3], [4]]"}))});
  EXPECT_EQ(opened, 0);
  for (const int64_t rows : {1, 1, 2}) {
    const auto batch = reader.Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    ASSERT_NE(*batch, nullptr);
    EXPECT_EQ((*batch)->rows(), rows);
    EXPECT_EQ(opened, rows == 2 ? 3 : 1);
  }
  EXPECT_EQ(*reader.Next(), nullptr);
}

TEST(ChainedReader, TheFirstErrorIsFinal) {
  const ChainedReader::Opener refuses = []() -> absl::StatusOr<std::unique_ptr<SourceReader>> {
    return absl::NotFoundError("no such table");
  };
  for (const bool in_opening : {true, false}) {
    ChainedReader reader(
        kSchema, {in_opening ? refuses : Opens(Rows({}, absl::NotFoundError("no such table"))),
                  Opens(Rows({"[[1]]"}))});
    for (int i = 0; i < 2; ++i)
      EXPECT_EQ(reader.Next().status(), absl::NotFoundError("no such table"));
  }
}

TEST(ChainedReader, CancellingEndsTheOneThatBlocksAndOpensNoOther) {
  FakeScript blocks = Rows({"[[1]]"});
  blocks.blocks_at_end = true;
  ChainedReader reader(kSchema, {Opens(blocks), Opens(Rows({"[[2]]"}))});
  ASSERT_TRUE(reader.Next().ok());
  std::thread canceller([&] { reader.Cancel(); });
  EXPECT_TRUE(absl::IsCancelled(reader.Next().status()));
  canceller.join();
  EXPECT_TRUE(absl::IsCancelled(reader.Next().status()));
}

TEST(CountingReader, AddsUpWhatItPassesOn) {
  CountingReader::Counts counts;
  CountingReader reader(std::make_unique<FakeReader>(Rows({"[[1]]", "[[2], [3]]"})), counts);
  while (*reader.Next() != nullptr) {
  }
  EXPECT_EQ(counts.rows, 3);
  EXPECT_GT(counts.bytes, 0);
}

}  // namespace
}  // namespace headwater
