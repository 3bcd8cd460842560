// What incremental runs and backfills of the same rows want of each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/model/model_proto.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// An integer dataset with a row on each of 0 to 99, all of it published as one piece and settled.
class DemandActivationTest : public ::testing::Test {
 protected:
  DemandActivationTest() {
    DatasetSpec spec;
    spec.id = id_;
    spec.server.name = id_.server;
    spec.server.url = "test:s";
    spec.server.timezone = spec.cursor_timezone = "UTC";
    spec.strategy = Strategy::kIncremental;
    spec.cursor = "id";
    spec.relation = "t";
    spec.target_uri = "lake/t";
    spec.unit = *ParseUnit("1000");
    spec.settle_values = 0;
    v1::Event event;
    *event.mutable_dataset_defined()->mutable_spec() = ToProto(spec);
    event.mutable_dataset_defined()->set_digest("d");
    Apply(std::move(event));
    Start("first", v1::BACKFILL_MODE_UNSPECIFIED);
    Probe({"first"}, 99);
    Publish({0, 100});
  }

  int64_t Apply(v1::Event event) {
    *event.mutable_at() = ToTimestamp(absl::FromUnixSeconds(1'000'000));
    state_.Apply(state_.last_sequence() + 1, event);
    return state_.last_sequence();
  }

  void Start(const std::string& run, v1::BackfillMode mode, int64_t from = 0, int64_t to = 100) {
    v1::Event event;
    v1::RunStarted& started = *event.mutable_run_started();
    started.set_run_id(run);
    started.set_kind(mode == v1::BACKFILL_MODE_UNSPECIFIED ? v1::RUN_KIND_INCREMENTAL
                                                           : v1::RUN_KIND_BACKFILL);
    v1::Demand& demand = *started.add_demands();
    *demand.mutable_dataset() = RefOf(id_);
    demand.set_mode(mode);
    if (mode != v1::BACKFILL_MODE_UNSPECIFIED) {
      demand.set_from_value(from);
      demand.set_to_value(to);
    }
    Apply(std::move(event));
  }

  void Probe(const std::vector<std::string>& runs, int64_t bound) {
    ProbeResult probe;
    probe.cursor_type = CursorType::kInteger;
    probe.source_clock = absl::FromUnixSeconds(1'000'000);
    probe.transactions_known = true;
    probe.minimum = 0;
    probe.bound = bound;
    v1::Event event;
    *event.mutable_probed()->mutable_dataset() = RefOf(id_);
    *event.mutable_probed()->mutable_result() = ToProto(probe);
    for (const std::string& run : runs) event.mutable_probed()->add_run_ids(run);
    Apply(std::move(event));
  }

  void Publish(Range range) {
    v1::Event granted, staged, intended, published;
    *granted.mutable_granted()->mutable_dataset() = RefOf(id_);
    *granted.mutable_granted()->mutable_extent() = ToProto(Extent{range, false});
    const int64_t fence = Apply(std::move(granted));
    StagedPiece piece;
    piece.extent = {range, false};
    piece.max_cursor = range.to - 1;
    Manifest manifest;
    manifest.spec_version = "v";
    manifest.schema.columns = {{"id", {TypeKind::kLong}, false}};
    manifest.pieces = {piece};
    staged.mutable_staged()->set_fence(fence);
    *staged.mutable_staged()->mutable_manifest() = ToProto(manifest);
    Apply(std::move(staged));
    intended.mutable_intended()->set_table(id_.table);
    intended.mutable_intended()->set_commit_sequence(++commits_);
    intended.mutable_intended()->add_fences(fence);
    Apply(std::move(intended));
    published.mutable_published()->set_table(id_.table);
    published.mutable_published()->set_commit_sequence(commits_);
    published.mutable_published()->add_fences(fence);
    Apply(std::move(published));
  }

  void Cancel(const std::string& run) {
    v1::Event cancelled, ended;
    cancelled.mutable_run_cancelled()->set_run_id(run);
    Apply(std::move(cancelled));
    ended.mutable_run_ended()->set_run_id(run);
    Apply(std::move(ended));
  }

  std::vector<Range> Wanted(const std::string& run) const {
    std::vector<Range> ranges;
    for (const auto& entry : state_.FindRun(run)->demands.at(id_).remaining.entries())
      ranges.push_back(entry.range);
    return ranges;
  }

  std::vector<Range> Stale() const {
    std::vector<Range> ranges;
    for (const auto& entry : state_.FindDataset(id_)->needs.entries())
      ranges.push_back(entry.range);
    return ranges;
  }

  const DatasetId id_{"t", "s"};
  ClusterState state_;
  int64_t commits_ = 0;
};

TEST_F(DemandActivationTest, ATickDoesNotWaitForABackfill) {
  Start("backfill", v1::BACKFILL_MODE_ALL, 10, 90);
  Probe({"backfill"}, 99);
  Start("tick", v1::BACKFILL_MODE_UNSPECIFIED);
  Probe({"tick"}, 109);
  EXPECT_THAT(Wanted("tick"), ElementsAre(Range{100, 110}));
  EXPECT_THAT(Wanted("backfill"), ElementsAre(Range{10, 90}));
}

TEST_F(DemandActivationTest, ATickThatWaitsForTheSameProbeDoesNotEither) {
  Start("backfill", v1::BACKFILL_MODE_ALL);
  Start("tick", v1::BACKFILL_MODE_UNSPECIFIED);
  Probe({"backfill", "tick"}, 99);
  EXPECT_THAT(Wanted("tick"), IsEmpty());
  EXPECT_THAT(Wanted("backfill"), ElementsAre(Range{0, 100}));
}

TEST_F(DemandActivationTest, ATickWantsWhatIsMissingAlsoWhereABackfillReads) {
  Start("backfill", v1::BACKFILL_MODE_ALL, 50, 200);
  Probe({"backfill"}, 149);
  Start("tick", v1::BACKFILL_MODE_UNSPECIFIED);
  Probe({"tick"}, 149);
  EXPECT_THAT(Wanted("tick"), ElementsAre(Range{100, 150}));
}

TEST_F(DemandActivationTest, TheNextRunDoesNotReadWhatACancelledBackfillLeft) {
  Start("backfill", v1::BACKFILL_MODE_ALL, 10, 90);
  Probe({"backfill"}, 99);
  EXPECT_THAT(Stale(), ElementsAre(Range{10, 90}));
  Cancel("backfill");
  EXPECT_THAT(Stale(), IsEmpty());
  Start("tick", v1::BACKFILL_MODE_UNSPECIFIED);
  Probe({"tick"}, 99);
  EXPECT_THAT(Wanted("tick"), IsEmpty());
}

TEST_F(DemandActivationTest, WhatAnotherBackfillWantsStaysWhenOneIsCancelled) {
  Start("one", v1::BACKFILL_MODE_ALL, 10, 60);
  Probe({"one"}, 99);
  Start("two", v1::BACKFILL_MODE_ALL, 40, 90);
  Probe({"two"}, 99);
  Cancel("two");
  EXPECT_THAT(Wanted("one"), ElementsAre(Range{10, 60}));
  EXPECT_THAT(Stale(), ElementsAre(Range{10, 60}));
}

}  // namespace
}  // namespace headwater
