#include "coordinator/state/table_state.h"

#include <algorithm>
#include <utility>

#include "common/data/schema_drift.h"

namespace headwater {

const Schema* TableState::ColumnsOf(const std::string& spec_version) const {
  const auto known = written.find(spec_version);
  if (known != written.end()) return &known->second;
  return headwater::AlgorithmOf(columns, spec_version).has_value() ? &columns : nullptr;
}

std::optional<HashAlgorithm> TableState::AlgorithmOf(const std::string& spec_version) const {
  const Schema* known = ColumnsOf(spec_version);
  return known == nullptr ? std::nullopt : headwater::AlgorithmOf(*known, spec_version);
}

void TableState::TakePublished(int64_t version, int64_t sequence) {
  if (version < 0) return;  // Nothing had to change there.
  published_version = std::max(published_version, version);
  published_sequence = std::max(published_sequence, sequence);
}

void TableState::TakeCollected(const v1::Collected& event, absl::Time at) {
  collected = at;
  if (!event.has_removed_before()) return;
  removed_before =
      std::max(removed_before, absl::FromUnixSeconds(event.removed_before().seconds()));
}

void TableState::TakeRows(const Manifest& manifest, bool in_version) {
  if (manifest.schema.columns.empty()) return;
  Schema rows = SourceColumns(manifest.schema);
  if (in_version) {
    // The table has taken them; where they do not join, a look at it will say what it has.
    absl::StatusOr<Schema> joined = JoinSchemas(columns, rows);
    if (joined.ok()) columns = *std::move(joined);
  }
  written.emplace(manifest.spec_version, std::move(rows));
}

}  // namespace headwater
