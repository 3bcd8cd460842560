// Compactions in the model: pieces become one, and no cell is any different for it.
#include <algorithm>

#include "common/model/model_proto.h"
#include "coordinator/state/compaction.h"
#include "gtest/gtest.h"
#include "tests/unit/coordinator/state/range_model.h"

namespace headwater {

void RangeModel::Compact() {
  for (const auto& [id, run] : state_->runs()) {
    for (const Range& range : run.demands.at(id_).compacting) {
      if (!MayCompactNow(Dataset(), range)) continue;
      for (int64_t i = range.from; i < range.to; ++i) {
        EXPECT_NE(At(i).fill, 0) << "cell " << i;
        EXPECT_EQ(At(i).claim, 0) << "cell " << i;
        EXPECT_EQ(At(i).need, 0) << "cell " << i;
      }
      const Range wanted = range;
      v1::Event event;
      *event.mutable_granted()->mutable_dataset() = RefOf(id_);
      *event.mutable_granted()->mutable_extent() = ToProto(Extent{wanted, false});
      event.mutable_granted()->set_compaction(true);
      const int64_t fence = Apply(std::move(event));
      for (int64_t i = wanted.from; i < wanted.to; ++i) At(i).claim = fence;
      attempts_[fence] = {wanted, {}, std::nullopt, /*compaction=*/true};
      return;
    }
  }
}

// Its rows are those that were published, whatever the source has by now.
void RangeModel::FinishCompaction(int64_t fence, Attempt attempt) {
  attempt.read.emplace();
  int64_t lowest = At(attempt.range.from).fill;
  for (int64_t i = attempt.range.from; i < attempt.range.to; ++i) {
    attempt.read->push_back(At(i).published_rows);
    lowest = std::min(lowest, At(i).fill);
  }
  if (Publish(fence, attempt)) {
    const Piece* whole = Dataset().coverage.Find(attempt.range);
    ASSERT_NE(whole, nullptr);
    EXPECT_LE(whole->fill_seq, lowest);  // Of what had no rows, the first of several reads counts.
    for (int64_t i = attempt.range.from; i < attempt.range.to; ++i) At(i).fill = whole->fill_seq;
  }
  Release(fence);
}

// What is to be compacted is whole, and nobody but the run itself wants it read again.
void RangeModel::CheckCompacting() {
  for (const auto& [id, run] : state_->runs()) {
    for (const Range& range : run.demands.at(id_).compacting) {
      ASSERT_LE(range.to, Dataset().settled_to);
      for (int64_t i = range.from; i < range.to; ++i) {
        ASSERT_NE(At(i).fill, 0) << "cell " << i << last_;
        if (At(i).need != 0) {
          ASSERT_TRUE(At(i).wanted.contains(id)) << "cell " << i << last_;
        }
      }
    }
  }
}

void RangeModel::CheckCompacted(int64_t unit_cells) {
  for (int64_t from = 0; from + unit_cells <= Dataset().settled_to; from += unit_cells) {
    const Range unit{from, from + unit_cells};
    // Rows that came to a stretch just when it was read as one make a piece beyond its units.
    if (Dataset().coverage.Widen(unit) != unit) continue;
    int with_rows = 0;
    for (const Piece* piece : Dataset().coverage.Overlapping(unit))
      with_rows += piece->empty() ? 0 : 1;
    EXPECT_LE(with_rows, 1) << "the unit from " << from;
  }
}

}  // namespace headwater
