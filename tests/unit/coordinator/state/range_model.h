// A dataset in which every instant is a cell of its own, beside the state that it is compared with:
// range_model_test.cc.
#ifndef HEADWATER_TESTS_UNIT_COORDINATOR_STATE_RANGE_MODEL_H_
#define HEADWATER_TESTS_UNIT_COORDINATOR_STATE_RANGE_MODEL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "coordinator/state/cluster_state.h"

namespace headwater {

// What is true of one instant.
struct Cell {
  int rows = 0;                           // In the source, now.
  int64_t fill = 0;                       // The newest read that confirmed it; 0: missing.
  int published_rows = 0;                 // As that read found.
  int64_t need = 0;                       // Not yet met; 0: none.
  bool moved = false;                     // As the last probe showed.
  int64_t claim = 0;                      // The fence that holds it; 0: none.
  std::map<std::string, int64_t> wanted;  // By live run: a read from this fence on meets it.
};

// An attempt under way: what it has read, once it has.
struct Attempt {
  Range range;
  std::vector<int64_t> cuts;
  std::optional<std::vector<int>> read;  // Rows by cell of `range`.
  bool compaction = false;
};

// The random stream of a seed. Confined to one thread. What differs is a failure of the test.
class RangeModel {
 public:
  explicit RangeModel(uint64_t seed);

  // Does one random thing, to the state by its events and to the cells.
  void Step();
  // Compares all that both say.
  void Check();
  // With a source that stands still, everything that is wanted comes, and nothing more is.
  void Drain();

 private:
  Cell& At(int64_t i) { return cells_[static_cast<size_t>(i)]; }
  const DatasetState& Dataset() const { return *state_->FindDataset(id_); }
  int64_t Below(int64_t limit) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(limit));
  }
  int64_t Apply(v1::Event event);
  void Grow();
  void ChangeSource() { At(Below(bound_)).rows = static_cast<int>(Below(4)); }

  void StartRun(bool backfill);
  // Shows what the source has, and says what each run that waited wants.
  void Probe();
  TailCheck Look(const Range& range);
  void NoteTail(const TailCheck& check, int64_t sequence);
  void NoteActivated(const std::string& run, const v1::RunStarted& started, int64_t sequence);
  void Grant();
  // Nothing can be claimed for cell `i`: it, or what must be read with it, is being loaded.
  void ExpectBusyNear(int64_t i);
  // What the worker of a read without rows may tell of those around it.
  std::optional<v1::Range> EmptyAround(const Attempt& attempt);
  void ReadNow(Attempt& attempt);
  void Read();
  void Finish();
  int RowsRead(const Attempt& attempt, int64_t i) const {
    return (*attempt.read)[static_cast<size_t>(i - attempt.range.from)];
  }
  // False: it was abandoned.
  bool Publish(int64_t fence, const Attempt& attempt);
  // range_model_compaction.cc
  void Compact();
  void FinishCompaction(int64_t fence, Attempt attempt);
  void CheckCompacting();
  void CheckCompacted(int64_t unit_cells);
  void Fail(int64_t fence);
  void Release(int64_t fence) {
    for (Cell& cell : cells_) {
      if (cell.claim == fence) cell.claim = 0;
    }
  }
  // Somebody removes the files of a piece that nobody is replacing.
  void Lose();
  void Forget(const std::string& run) {
    for (Cell& cell : cells_) cell.wanted.erase(run);
  }
  void CancelRun();
  void Withdraw(const std::string& run);
  void EndRuns();
  void Restart();

  const DatasetId id_{"t", "s"};
  std::mt19937_64 random_;
  std::unique_ptr<ClusterState> state_ = std::make_unique<ClusterState>();
  std::vector<Cell> cells_;
  int64_t bound_ = 0;       // The source has cells below it,
  int64_t seen_bound_ = 0;  // and the last probe saw them up to here.
  std::map<int64_t, Attempt> attempts_;
  std::map<std::string, v1::RunStarted> waiting_;
  std::map<std::string, v1::BackfillMode> backfills_;  // That have ever been.
  int runs_ = 0;
  int64_t commits_ = 0;
  bool failures_ = true;
  std::string last_;  // The last event.
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_UNIT_COORDINATOR_STATE_RANGE_MODEL_H_
