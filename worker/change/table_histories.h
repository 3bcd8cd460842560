// The versions that a table has, by key: what merges of versions and repairs of histories look at.
#ifndef HEADWATER_WORKER_CHANGE_TABLE_HISTORIES_H_
#define HEADWATER_WORKER_CHANGE_TABLE_HISTORIES_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/data/fingerprint.h"
#include "worker/change/base_scan.h"
#include "worker/change/file_plan.h"
#include "worker/change/keyed_columns.h"
#include "worker/change/version.h"

namespace headwater {

// Confined to one thread. Needs about 130 bytes for each version.
class TableHistories {
 public:
  // A version of the table, and where it is.
  struct Place {
    int file = 0;
    int64_t row = 0;
    Version version;
    bool has_begin = true, has_times = true;  // As in BaseRow.
    int32_t next = -1;                        // The next version of the same key, in no order.
  };
  using Keys = absl::flat_hash_map<Hash128, int32_t, KeyHashOfHash>;

  // Requires: fewer than 2^31 rows in all.
  void Add(const BaseRow& row);

  const Keys& keys() const { return keys_; }  // To the first version of each.
  const Place& at(int32_t place) const { return places_[static_cast<size_t>(place)]; }
  int64_t size() const { return static_cast<int64_t>(places_.size()); }

  // Puts the versions of one key, from `first` on (-1: none), into `versions`, and the place of
  // each into `places`.
  void Take(int32_t first, std::vector<Version>& versions, std::vector<int32_t>& places) const;

  // Adds what becomes of the versions at `places` to the plans of their files.
  void Plan(const std::vector<VersionChange>& changes, const std::vector<int32_t>& places,
            FilePlans& files) const;
  void Plan(int32_t place, RowChange::Kind kind, VersionTimes times, FilePlans& files) const;

 private:
  std::vector<Place> places_;
  Keys keys_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_TABLE_HISTORIES_H_
