#include "worker/change/table_histories.h"

#include <utility>

namespace headwater {

void TableHistories::Add(const BaseRow& row) {
  const auto [first, is_new] = keys_.try_emplace(row.key, -1);
  Version version{row.times.valid_from, row.times.valid_to,  row.times.is_current,
                  row.content,          row.times.confirmed, row.fence};
  version.confirmed_readable = row.confirmed_readable;
  places_.push_back(
      {row.file, row.row, std::move(version), row.has_begin, row.has_times, first->second});
  first->second = static_cast<int32_t>(places_.size() - 1);
}

void TableHistories::Take(int32_t first, std::vector<Version>& versions,
                          std::vector<int32_t>& places) const {
  versions.clear();
  places.clear();
  for (int32_t i = first; i >= 0; i = at(i).next) {
    versions.push_back(at(i).version);
    places.push_back(i);
  }
}

void TableHistories::Plan(const std::vector<VersionChange>& changes,
                          const std::vector<int32_t>& places, FilePlans& files) const {
  for (size_t i = 0; i < changes.size(); ++i) {
    const VersionChange& change = changes[i];
    if (change.kind == VersionChange::Kind::kKeep) continue;
    const bool drops = change.kind == VersionChange::Kind::kDrop;
    Plan(places[i], drops ? RowChange::Kind::kDrop : RowChange::Kind::kPatch, change.times, files);
  }
}

void TableHistories::Plan(int32_t place, RowChange::Kind kind, VersionTimes times,
                          FilePlans& files) const {
  files[static_cast<size_t>(at(place).file)].changes.push_back(
      {at(place).row, kind, std::move(times)});
}

}  // namespace headwater
