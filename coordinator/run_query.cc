#include "coordinator/run_query.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/ended_run.h"

namespace headwater {

absl::StatusOr<RunQuery> QueryOf(const v1::GetHistoryRequest& request) {
  RunQuery query;
  if (request.has_from()) query.from = TimeOf(request.from());
  if (request.has_to()) query.to = TimeOf(request.to());
  query.limit = request.limit();
  if (query.limit < 1 || query.limit > kMaxShownRuns) {
    return absl::InvalidArgumentError(
        absl::StrCat("limit: expected 1 to ", kMaxShownRuns, ", found ", query.limit));
  }
  if (query.from >= query.to)
    return absl::InvalidArgumentError("expected from before to (to is excluded)");
  return query;
}

bool Narrow(const RunQuery& query, v1::EndedRun& run) {
  const absl::Time ended = TimeOf(run.ended());
  if (ended < query.from || ended >= query.to) return false;
  if (!query.datasets.has_value()) return true;
  auto* datasets = run.mutable_datasets();
  datasets->erase(std::remove_if(datasets->begin(), datasets->end(),
                                 [&](const v1::EndedDemand& demand) {
                                   return !query.datasets->contains(IdOf(demand.dataset()));
                                 }),
                  datasets->end());
  return !datasets->empty();
}

void Order(const RunQuery& query, v1::GetHistoryResponse& response) {
  auto* runs = response.mutable_runs();
  std::sort(runs->begin(), runs->end(), [](const v1::EndedRun& a, const v1::EndedRun& b) {
    return std::tuple(TimeOf(a.ended()), a.run_id()) > std::tuple(TimeOf(b.ended()), b.run_id());
  });
  int shown = 0;
  size_t bytes = 0;
  for (; shown < std::min(runs->size(), query.limit); ++shown) {
    bytes += runs->Get(shown).ByteSizeLong();
    if (bytes > kMaxShownBytes && shown > 0) break;
  }
  if (shown == runs->size()) return;
  runs->DeleteSubrange(shown, runs->size() - shown);
  response.set_more(true);
}

v1::GetHistoryResponse FindEndedRuns(const ClusterState& state, const RunQuery& query) {
  std::vector<const RunState*> ended;
  for (const auto& [id, run] : state.runs()) {
    if (!run.ended.has_value() || *run.ended < query.from || *run.ended >= query.to) continue;
    const bool wanted = !query.datasets.has_value() ||
                        std::any_of(run.demands.begin(), run.demands.end(), [&](const auto& entry) {
                          return query.datasets->contains(entry.first);
                        });
    if (wanted) ended.push_back(&run);
  }
  const auto newer = [](const RunState* a, const RunState* b) {
    return std::tie(*a->ended, a->id) > std::tie(*b->ended, b->id);
  };
  // One more than is wanted says that there are more.
  const size_t shown = std::min(ended.size(), static_cast<size_t>(query.limit) + 1);
  std::partial_sort(ended.begin(), ended.begin() + static_cast<int64_t>(shown), ended.end(), newer);
  v1::GetHistoryResponse response;
  for (size_t i = 0; i < shown; ++i) {
    v1::EndedRun run = EndedRunOf(*ended[i]);
    if (Narrow(query, run)) *response.add_runs() = std::move(run);
  }
  Order(query, response);
  return response;
}

}  // namespace headwater
