// How attempts and runs of the model end badly, pieces are lost and the coordinator starts again.
#include <algorithm>
#include <utility>

#include "common/model/model_proto.h"
#include "gtest/gtest.h"
#include "tests/unit/coordinator/state/range_model.h"

namespace headwater {

void RangeModel::Fail(int64_t fence) {
  v1::Event event;
  if (random_() % 2 == 0) {
    event.mutable_released()->set_fence(fence);
  } else {
    event.mutable_attempt_failed()->set_fence(fence);
    *event.mutable_attempt_failed()->mutable_failure() =
        ToProto(Failure{FailureKind::kSource, absl::UnavailableError("lost")});
    event.mutable_attempt_failed()->set_attempts(1);
    *event.mutable_attempt_failed()->mutable_not_before() =
        ToTimestamp(absl::FromUnixSeconds(1'000'001));
  }
  Apply(std::move(event));
  Release(fence);
}

void RangeModel::Lose() {
  for (const auto& [from, piece] : Dataset().coverage.pieces()) {
    if (Dataset().OverlapsClaim({piece.range, false}) || random_() % 3 != 0) continue;
    const Range range = piece.range;
    v1::Event event;
    *event.mutable_lost()->mutable_dataset() = RefOf(id_);
    *event.mutable_lost()->add_extents() = ToProto(Extent{range, false});
    Apply(std::move(event));
    for (int64_t i = range.from; i < range.to; ++i) At(i).fill = At(i).published_rows = 0;
    return;
  }
}

void RangeModel::CancelRun() {
  for (const auto& [id, run] : state_->runs()) {
    if (run.ended.has_value() || random_() % 3 != 0) continue;
    const std::string chosen = id;
    v1::Event cancelled, ended;
    cancelled.mutable_run_cancelled()->set_run_id(chosen);
    Apply(std::move(cancelled));
    ended.mutable_run_ended()->set_run_id(chosen);
    Apply(std::move(ended));
    waiting_.erase(chosen);
    Withdraw(chosen);
    return Forget(chosen);
  }
}

// What only a backfill of everything wanted nobody wants any more.
void RangeModel::Withdraw(const std::string& run) {
  if (!backfills_.contains(run) || backfills_.at(run) != v1::BACKFILL_MODE_ALL) return;
  for (Cell& cell : cells_) {
    const auto wanted = cell.wanted.find(run);
    if (wanted == cell.wanted.end() || cell.need > wanted->second) continue;
    cell.need = 0;
    for (const auto& [other, sequence] : cell.wanted) {
      if (other != run) cell.need = std::max(cell.need, sequence);
    }
  }
}

void RangeModel::EndRuns() {
  std::vector<std::string> over;
  for (const auto& [id, run] : state_->runs()) {
    if (!run.ended.has_value() && run.demands.at(id_).ended()) over.push_back(id);
  }
  for (const std::string& run : over) {
    v1::Event event;
    event.mutable_run_ended()->set_run_id(run);
    Apply(std::move(event));
    Forget(run);
  }
}

void RangeModel::Restart() {
  const std::string bytes = state_->Serialize();
  auto restored = ClusterState::Restore(state_->last_sequence(), bytes);
  ASSERT_TRUE(restored.ok()) << restored.status();
  ASSERT_EQ((*restored)->Serialize(), bytes);
  state_ = *std::move(restored);
}

}  // namespace headwater
