// Everything durable about one sink table: its place in the chain intent → commit → published, and
// its columns. Changes only while events are applied (cluster_state.h).
#ifndef HEADWATER_COORDINATOR_STATE_TABLE_STATE_H_
#define HEADWATER_COORDINATOR_STATE_TABLE_STATE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/data/hash_algorithm.h"
#include "common/data/schema.h"
#include "common/model/task.h"
#include "headwater/v1/ledger.pb.h"

namespace headwater {

struct TableState {
  int64_t last_sequence = 0;             // Of the last intent.
  std::optional<v1::Intended> intended;  // While its outcome is not known.
  // The highest version that was published; -1: none. A table that shows less has lost rows.
  int64_t published_version = -1;
  int64_t published_sequence = 0;  // Of the last intent that made a version.

  absl::Time collected = absl::InfinitePast();  // When it was last gone through for garbage.
  // Files that versions removed before this are gone from its folder.
  absl::Time removed_before = absl::InfinitePast();

  // What tasks give their rows, as sources fill it (without partition columns and Headwater's own):
  // the table's columns, and those of sources that were probed since. None: not known.
  Schema columns;
  // Columns that pieces were written with, by Manifest::spec_version: one more with each change of
  // some source's columns.
  std::map<std::string, Schema> written;

  // The columns of that version; null: not known here. A ledger that was made of the tables' tags
  // was told none, but may know them as the table's.
  const Schema* ColumnsOf(const std::string& spec_version) const;
  // What rows of that version were hashed by. None: its columns are not known here.
  std::optional<HashAlgorithm> AlgorithmOf(const std::string& spec_version) const;
  void TakePublished(int64_t version, int64_t sequence);
  void TakeCollected(const v1::Collected& event, absl::Time at);
  // Rows of `manifest` have been published, in a version of the table if `in_version`.
  void TakeRows(const Manifest& manifest, bool in_version);
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_TABLE_STATE_H_
