#include "worker/source_pool.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace headwater {
namespace {

constexpr absl::Duration kIdle = absl::Seconds(1);

class SourcePoolTest : public ::testing::Test {
 protected:
  // Counts the living.
  class CountedSource : public Source {
   public:
    explicit CountedSource(int* living) : living_(living) { ++*living_; }
    ~CountedSource() override { --*living_; }
    absl::StatusOr<ProbeResult> Probe(const DatasetSpec&, const ProbeTask&,
                                      std::stop_token) override {
      return absl::UnimplementedError("never asked");
    }
    absl::StatusOr<std::unique_ptr<SourceReader>> Read(const DatasetSpec&, const Extent&,
                                                       const ReadOptions&,
                                                       std::stop_token) override {
      return absl::UnimplementedError("never asked");
    }

   private:
    int* const living_;
  };

  static ServerSpec Server(const std::string& name, const std::string& url = "test:") {
    ServerSpec server;
    server.name = name;
    server.url = url;
    return server;
  }

  std::unique_ptr<Source> Get(const ServerSpec& server) {
    auto source = pool_.Get(server);
    EXPECT_TRUE(source.ok()) << source.status();
    return *std::move(source);
  }

  FakeClock clock_;
  int opened_ = 0, living_ = 0;
  absl::Status refusal_;
  SourcePool pool_{[this](const ServerSpec&) -> absl::StatusOr<std::unique_ptr<Source>> {
                     if (!refusal_.ok()) return refusal_;
                     ++opened_;
                     return std::make_unique<CountedSource>(&living_);
                   },
                   kIdle, &clock_};
};

TEST_F(SourcePoolTest, TheSourceThatWasUsedLastIsUsedNext) {
  auto first = Get(Server("jfk")), second = Get(Server("jfk"));
  Source* const last = second.get();
  pool_.Return(Server("jfk"), std::move(first));
  pool_.Return(Server("jfk"), std::move(second));
  EXPECT_EQ(Get(Server("jfk")).get(), last);
  EXPECT_EQ(opened_, 2);
}

TEST_F(SourcePoolTest, AServerGetsOnlySourcesOfItsOwn) {
  pool_.Return(Server("jfk"), Get(Server("jfk")));
  auto lga = Get(Server("lga"));
  EXPECT_EQ(opened_, 2);
  auto jfk = Get(Server("jfk"));
  EXPECT_EQ(opened_, 2);
  pool_.Return(Server("jfk"), std::move(jfk));
  // Another place of the same server has other sources, which take the room of its idle ones.
  auto moved = Get(Server("jfk", "test:elsewhere"));
  EXPECT_EQ(opened_, 3);
  EXPECT_EQ(living_, 2);
}

TEST_F(SourcePoolTest, WhatIsInUseIsNotGivenAway) {
  auto first = Get(Server("jfk"));
  auto second = Get(Server("jfk"));
  EXPECT_NE(first.get(), second.get());
}

TEST_F(SourcePoolTest, WhatNobodyWantsIsClosedInTime) {
  EXPECT_EQ(pool_.CloseIdle(), absl::InfiniteFuture());
  auto early = Get(Server("jfk")), late = Get(Server("lga"));
  pool_.Return(Server("jfk"), std::move(early));
  clock_.Advance(kIdle / 2);
  pool_.Return(Server("lga"), std::move(late));
  EXPECT_EQ(pool_.CloseIdle(), clock_.Now() + kIdle / 2);
  EXPECT_EQ(living_, 2);
  clock_.Advance(kIdle / 2);
  EXPECT_EQ(pool_.CloseIdle(), clock_.Now() + kIdle / 2);
  EXPECT_EQ(living_, 1);
  clock_.Advance(kIdle / 2);
  EXPECT_EQ(pool_.CloseIdle(), absl::InfiniteFuture());
  EXPECT_EQ(living_, 0);
}

TEST_F(SourcePoolTest, ATaskOfSeveralConnectionsGetsTheRoomOfIdleOnes) {
  auto first = Get(Server("jfk")), second = Get(Server("jfk")),
       other = Get(Server("jfk", "test:b"));
  auto lga = Get(Server("lga"));
  pool_.Return(Server("jfk"), std::move(first));
  pool_.Return(Server("jfk", "test:b"), std::move(other));
  pool_.Return(Server("jfk"), std::move(second));
  pool_.Return(Server("lga"), std::move(lga));
  auto wide = pool_.Get(Server("jfk"), /*connections=*/2);
  ASSERT_TRUE(wide.ok());
  EXPECT_EQ(opened_, 4);
  EXPECT_EQ(living_, 3);
  // Another database of the server: a connection for it needs the room of one.
  auto elsewhere = Get(Server("jfk", "test:c"));
  EXPECT_EQ(opened_, 5);
  EXPECT_EQ(living_, 3);
}

TEST_F(SourcePoolTest, ARefusalIsTheOpenersAndLeavesNothingBehind) {
  refusal_ = absl::InvalidArgumentError("no such driver");
  EXPECT_EQ(pool_.Get(Server("jfk")).status(), refusal_);
  refusal_ = absl::OkStatus();
  EXPECT_NE(Get(Server("jfk")), nullptr);
}

}  // namespace
}  // namespace headwater
