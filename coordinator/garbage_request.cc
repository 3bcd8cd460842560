#include "coordinator/garbage_request.h"

namespace headwater {

GarbageRequest GarbageRequestOf(const ClusterState& state, const std::string& table) {
  GarbageRequest request;
  request.as_of = state.last_sequence();
  const TableState* known = state.FindTable(table);
  request.keep_log = known != nullptr && known->intended.has_value();
  for (auto it = state.datasets().lower_bound({table, ""});
       it != state.datasets().end() && it->first.table == table; ++it) {
    for (const auto& [fence, claim] : it->second.claims) {
      request.live_fences.insert(fence);
      if (!claim.manifest.has_value()) continue;
      for (const StagedPiece& piece : claim.manifest->pieces) {
        for (const StagedFile& file : piece.files) request.named.insert(file.path);
        for (const StagedFile& file : piece.bad_files) request.named.insert(file.path);
      }
      if (!claim.manifest->keyed.has_value()) continue;
      for (const StagedFile& file : claim.manifest->keyed->files) request.named.insert(file.path);
    }
  }
  return request;
}

}  // namespace headwater
