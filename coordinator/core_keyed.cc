// Keyed writes: an attempt starts from the live files of its dataset, which the table's committer
// lists just before it is offered. One claim of a dataset at a time, so nothing of ours changes
// them meanwhile; whether others have is checked before the commit.
#include <utility>

#include "absl/algorithm/container.h"
#include "coordinator/core_impl.h"

namespace headwater {

bool Core::Impl::HasBase(const DatasetState& dataset) {
  if (!dataset.spec.keyed() || bases.contains(dataset.spec.id)) return true;
  // Asked for twice, the later answer would wait here while an attempt that started from the
  // earlier one is published, and the next attempt would start from files that are gone.
  const TableWork& work = tables[dataset.spec.id.table];
  const bool is_asked = work.phase == TableWork::Phase::kListing &&
                        absl::c_linear_search(work.listing_keyed, dataset.spec.id);
  if (!is_asked) bases_wanted.insert(dataset.spec.id);
  return false;
}

void Core::Impl::AskBases() {
  for (auto it = bases_wanted.begin(); it != bases_wanted.end();) {
    const std::string table = it->table;
    TableWork& work = tables[table];
    const bool waits = !MayListFiles(table);
    ListFiles ask{table, PublishedOf(table), {}, {}};
    for (; it != bases_wanted.end() && it->table == table;) {
      if (!waits) ask.keyed.push_back(*it);
      it = waits ? std::next(it) : bases_wanted.erase(it);
    }
    if (ask.keyed.empty()) continue;
    work.listing_keyed = ask.keyed;
    work.phase = TableWork::Phase::kListing;
    Send(std::move(ask));
  }
}

void Core::Impl::TakeBases(const FilesListed& input) {
  const std::vector<DatasetId> asked = std::exchange(tables[input.table].listing_keyed, {});
  for (size_t i = 0; i < asked.size(); ++i) {
    const DatasetState& dataset = *state->FindDataset(asked[i]);
    const absl::Status status = input.status.ok() ? input.keyed.at(i).status() : input.status;
    if (status.ok()) {
      bases.insert_or_assign(asked[i], TableBase{*input.keyed.at(i)});
    } else {
      FailDemands(asked[i], RunsWaitingFor(dataset), {FailureKind::kTask, status});
    }
    Touch(asked[i]);  // Its claims can be offered now.
  }
}

}  // namespace headwater
