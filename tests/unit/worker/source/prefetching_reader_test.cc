#include "worker/source/prefetching_reader.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "tests/support/fake_source.h"

namespace headwater {
namespace {

const Schema kSchema = {{{"id", {TypeKind::kLong}}}};
constexpr int kBatchesAhead = 2;

FakeScript Script(int batches, absl::Status end = absl::OkStatus(), bool blocks = false) {
  FakeScript script{kSchema, {}, std::move(end), blocks};
  for (int i = 0; i < batches; ++i) script.batches.push_back("[[" + std::to_string(i) + "]]");
  return script;
}

// A prefetching reader, and the inner one that it owns.
struct Readers {
  explicit Readers(FakeScript script) {
    auto made = std::make_unique<FakeReader>(std::move(script));
    inner = made.get();
    outer = std::make_unique<PrefetchingReader>(std::move(made));
  }
  FakeReader* inner;
  std::unique_ptr<PrefetchingReader> outer;
};

void ExpectCancelled(SourceReader& reader) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(reader.Next().status().code(), absl::StatusCode::kCancelled);
  }
}

TEST(PrefetchingReader, HandsOnEveryBatchThenTheEnd) {
  Readers readers(Script(20));
  EXPECT_EQ(readers.outer->schema(), kSchema);
  for (int i = 0; i < 20; ++i) {
    const auto batch = readers.outer->Next();
    ASSERT_TRUE(batch.ok() && *batch != nullptr) << i;
    EXPECT_EQ((*batch)->rows(), 1);
    EXPECT_LE(readers.inner->batches_read(), i + 1 + kBatchesAhead);
  }
  for (int i = 0; i < 2; ++i) EXPECT_EQ(*readers.outer->Next(), nullptr);
}

// Ends at once, and counts how often it is cancelled.
class CountingReader final : public SourceReader {
 public:
  explicit CountingReader(int& cancelled) : cancelled_(cancelled) {}
  const Schema& schema() const override { return kSchema; }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override { return nullptr; }
  void Cancel() override { ++cancelled_; }

 private:
  int& cancelled_;
};

// Whoever cancels gives the connection up.
TEST(PrefetchingReader, AReaderThatHasEndedIsNotCancelled) {
  int cancelled = 0;
  {
    PrefetchingReader reader(std::make_unique<CountingReader>(cancelled));
    EXPECT_EQ(*reader.Next(), nullptr);
  }
  EXPECT_EQ(cancelled, 0);
}

TEST(PrefetchingReader, ReadsAheadBeforeItIsAsked) {
  Readers readers(Script(20));
  readers.inner->AwaitBatches(kBatchesAhead);
}

TEST(PrefetchingReader, AnErrorComesAfterTheBatchesBeforeItAndIsFinal) {
  Readers readers(Script(2, absl::UnavailableError("gone")));
  EXPECT_TRUE(readers.outer->Next().ok());
  EXPECT_TRUE(readers.outer->Next().ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(readers.outer->Next().status(), absl::UnavailableError("gone"));
  }
}

TEST(PrefetchingReader, CancelWakesABlockedNext) {
  Readers readers(Script(1, absl::OkStatus(), /*blocks=*/true));
  ASSERT_TRUE(readers.outer->Next().ok());
  std::thread canceller([&] { readers.outer->Cancel(); });
  ExpectCancelled(*readers.outer);
  canceller.join();
}

TEST(PrefetchingReader, CancelCountsAlsoWhereBatchesWait) {
  Readers readers(Script(20));
  readers.inner->AwaitBatches(kBatchesAhead);
  readers.outer->Cancel();
  ExpectCancelled(*readers.outer);
}

TEST(PrefetchingReader, CancelCountsBeforeTheFirstNext) {
  Readers readers(Script(0, absl::OkStatus(), /*blocks=*/true));
  readers.outer->Cancel();
  readers.outer->Cancel();
  ExpectCancelled(*readers.outer);
}

TEST(PrefetchingReader, CancelCountsAfterTheEndAndAfterAnError) {
  for (const absl::Status& end : {absl::OkStatus(), absl::UnavailableError("gone")}) {
    Readers readers(Script(0, end));
    EXPECT_EQ(readers.outer->Next().status(), end);
    readers.outer->Cancel();
    ExpectCancelled(*readers.outer);
  }
}

TEST(PrefetchingReader, CancelMayComeFromSeveralThreadsInTheMiddleOfReading) {
  Readers readers(Script(50, absl::OkStatus(), /*blocks=*/true));
  std::thread first([&] {
    readers.inner->AwaitBatches(10);
    readers.outer->Cancel();
  });
  std::thread second([&] { readers.inner->AwaitBatches(10), readers.outer->Cancel(); });
  absl::Status status;
  while (status.ok()) status = readers.outer->Next().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  first.join();
  second.join();
}

TEST(PrefetchingReader, DestroyingItEndsItsThreadInEveryState) {
  { const Readers ended(Script(0)); }
  { const Readers waiting(Script(20)); }
  { const Readers blocked(Script(0, absl::OkStatus(), /*blocks=*/true)); }
  Readers full(Script(20));
  full.inner->AwaitBatches(kBatchesAhead);
  Readers ended(Script(0));
  EXPECT_EQ(*ended.outer->Next(), nullptr);
}

class ThrowingReader final : public SourceReader {
 public:
  explicit ThrowingReader(bool out_of_memory) : out_of_memory_(out_of_memory) {}
  const Schema& schema() const override { return kSchema; }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override {
    if (out_of_memory_) throw std::bad_alloc();
    throw std::runtime_error("broken");
  }
  void Cancel() override {}

 private:
  const bool out_of_memory_;
};

TEST(PrefetchingReader, WhatIsThrownOnItsThreadBecomesAnError) {
  PrefetchingReader broken(std::make_unique<ThrowingReader>(false));
  EXPECT_EQ(broken.Next().status(), absl::InternalError("reading: broken"));
  // Memory is there again later, so this one is worth another try.
  PrefetchingReader starved(std::make_unique<ThrowingReader>(true));
  EXPECT_EQ(starved.Next().status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace headwater
