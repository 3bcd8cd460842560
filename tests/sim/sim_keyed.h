// Rows by key as a simulated table keeps them, and what a simulated worker makes of them: merges as
// worker/change/merge_decision.cc decides them, histories by MergeVersions() itself.
#ifndef HEADWATER_TESTS_SIM_SIM_KEYED_H_
#define HEADWATER_TESTS_SIM_SIM_KEYED_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/task.h"
#include "tests/sim/sim_source.h"
#include "worker/change/version.h"

namespace headwater {

struct SimKeyedRow {
  int64_t key = 0;
  uint64_t content = 0, value = 0;  // As SimRow has them.
  std::optional<int64_t> cursor;
  bool marked = false;  // Gone from the source, as it says.
  VersionTimes times = {};
};

struct SimKeyedFile {
  DatasetId dataset;
  int64_t fence = 0;  // Of the attempt that wrote it.
  std::vector<SimKeyedRow> rows;
};

// A dataset's files that a table has, and what was said of them.
struct SimKeyedTable {
  std::vector<std::string> live;                   // Paths.
  absl::Time read = absl::InfinitePast();          // When the last attempt that was published read.
  bool disturbed = false;                          // By others, since the last publication.
  absl::Time disturbed_at = absl::InfinitePast();  // The last time.
  bool missed = false;                             // The ledger knows of it.
};

// What one attempt started from.
struct SimKeyedAttempt {
  absl::Time read;
  std::vector<std::string> base;
};

// Where and when an attempt reads.
struct SimKeyedRead {
  const SimSource& source;
  Extent extent;
  int64_t domain_end = 0;
  int64_t fence = 0;
  absl::Time now;
};

struct SimKeyedStaged {
  KeyedChange change;
  std::map<std::string, SimKeyedFile> files;  // Of the change, by path.
};

StagedFile StagedFileOf(const std::string& path, const SimKeyedFile& file);

// What becomes of the files of `base` (path and rows), which stay valid meanwhile. DATA_LOSS: a
// history among them is not sound. INTERNAL: the source has two rows of one key.
absl::StatusOr<SimKeyedStaged> StageByKey(
    const SimKeyedRead& read, const std::vector<std::pair<std::string, const SimKeyedFile*>>& base);

// A key of a table, for people who look it up.
struct SimKeyState {
  std::vector<const SimKeyedRow*> rows;
  // The row that holds now: not marked, or the current version. None: the key is gone.
  const SimKeyedRow* now = nullptr;
};
using SimKeys = std::map<int64_t, SimKeyState>;
SimKeys KeysOf(const DatasetSpec& spec, const std::vector<const SimKeyedFile*>& files);

// What is wrong with the rows of one key whatever the source has; empty: nothing.
std::string WrongWith(const DatasetSpec& spec, const SimKeyState& key);

// New, changed and deleted keys between two states of a table.
KeyedChange Difference(const DatasetSpec& spec, const SimKeys& before, const SimKeys& after);

// What a keyed write of this dataset compares of a row.
template <typename Row>
uint64_t Compared(const DatasetSpec& spec, const Row& row) {
  return spec.write == WriteMode::kVersions ? row.value : row.content;
}

}  // namespace headwater

#endif  // HEADWATER_TESTS_SIM_SIM_KEYED_H_
