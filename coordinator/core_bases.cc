// What a task starts from: live files of its dataset, which the table's committer lists just before
// it is offered. A keyed write, a repair and a verification start from some. Nothing of ours
// changes them while a claim covers them; whether others have is checked before the commit.
#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "coordinator/core_impl.h"

namespace headwater {
namespace {

// Whether these are all rows of a keyed dataset that were published.
bool IsWhole(const DatasetState& dataset, const std::vector<StagedFile>& files) {
  int64_t rows = 0;
  for (const StagedFile& file : files) {
    if (file.rows < 0) return true;
    rows += file.rows;
  }
  return dataset.table_rows == 0 || rows == dataset.table_rows;
}

}  // namespace

std::vector<PublishedPiece> PiecesWithRows(const DatasetState& dataset, const Extent& extent) {
  std::vector<PublishedPiece> pieces;
  if (extent.range.has_value()) pieces = PiecesWithRows(dataset, *extent.range);
  if (extent.outside && dataset.outside.has_value()) {
    const OutsidePiece& outside = *dataset.outside;
    if (outside.fingerprint.rows > 0) {
      pieces.push_back({dataset.spec.id,
                        {std::nullopt, true},
                        outside.fence,
                        outside.fingerprint.rows - outside.bad_rows,
                        outside.bad_rows});
    }
  }
  return pieces;
}

bool AreSame(const std::vector<PublishedPiece>& a, const std::vector<PublishedPiece>& b) {
  return absl::c_equal(a, b, [](const PublishedPiece& one, const PublishedPiece& other) {
    return one.extent == other.extent && one.fence == other.fence;
  });
}

bool Core::Impl::HasBase(const DatasetState& dataset, const Extent& extent) {
  BaseWanted wanted{dataset.spec.id, {}};
  if (!dataset.spec.keyed()) {
    wanted.pieces = PiecesWithRows(dataset, extent);
    if (wanted.pieces.empty()) bases.insert_or_assign(wanted.dataset, ListedBase{{}, TableBase{}});
  }
  const auto listed = bases.find(wanted.dataset);
  if (listed != bases.end() && AreSame(listed->second.pieces, wanted.pieces)) return true;
  // Asked for twice, the later answer would wait here while an attempt that started from the
  // earlier one is published, and the next attempt would start from files that are gone.
  const TableWork& work = tables[wanted.dataset.table];
  const bool is_asked =
      work.phase == TableWork::Phase::kListing &&
      absl::c_any_of(work.listing_bases, [&](const BaseWanted& asked) {
        return asked.dataset == wanted.dataset && AreSame(asked.pieces, wanted.pieces);
      });
  if (!is_asked) bases_wanted.insert_or_assign(wanted.dataset, std::move(wanted));
  return false;
}

std::optional<TableBase> Core::Impl::TakeBase(const DatasetId& id) {
  return std::move(bases.extract(id).mapped().base);
}

void Core::Impl::AskBases() {
  for (auto it = bases_wanted.begin(); it != bases_wanted.end();) {
    const std::string table = it->first.table;
    TableWork& work = tables[table];
    const bool waits = !MayListFiles(table);
    ListFiles ask{table, PublishedOf(table), {}, {}};
    for (; it != bases_wanted.end() && it->first.table == table;) {
      if (waits) {
        ++it;
        continue;
      }
      const BaseWanted& wanted = work.listing_bases.emplace_back(std::move(it->second));
      if (wanted.pieces.empty()) {
        ask.keyed.push_back(wanted.dataset);
      } else {
        ask.pieces.insert(ask.pieces.end(), wanted.pieces.begin(), wanted.pieces.end());
      }
      it = bases_wanted.erase(it);
    }
    if (waits) continue;
    work.phase = TableWork::Phase::kListing;
    Send(std::move(ask));
  }
}

std::vector<std::string> Core::Impl::RunsThatNeedBase(const DatasetId& id) const {
  const DatasetState& dataset = *state->FindDataset(id);
  std::vector<std::string> runs = RunsWaitingFor(dataset);
  if (dataset.spec.keyed()) return runs;
  std::erase_if(runs, [&](const std::string& run) {
    return !state->FindRun(run)->demands.at(id).demand.differing();
  });
  return runs;
}

void Core::Impl::TakeBases(const FilesListed& input) {
  size_t next_keyed = 0, next_piece = 0;
  for (BaseWanted& asked : std::exchange(tables[input.table].listing_bases, {})) {
    const bool keyed = asked.pieces.empty();
    const absl::Status status =
        !input.status.ok() || !keyed ? input.status : input.keyed.at(next_keyed).status();
    if (!status.ok()) {
      FailDemands(asked.dataset, RunsThatNeedBase(asked.dataset), {FailureKind::kTask, status});
      FailVerifications(asked.dataset, status);
    } else if (const DatasetState& dataset = *state->FindDataset(asked.dataset);
               keyed && !dataset.live_runs.empty() &&
               !IsWhole(dataset, *input.keyed.at(next_keyed))) {
      // Others have removed rows since the look at the table. A write that starts from what is left
      // would make that all there is, and nobody would miss them any more: another look first.
      unasked.insert(input.table);
    } else if (keyed) {
      bases.insert_or_assign(asked.dataset, ListedBase{{}, TableBase{*input.keyed.at(next_keyed)}});
    } else {
      TableBase base;
      bool whole = true;
      for (size_t i = 0; i < asked.pieces.size(); ++i, ++next_piece) {
        const std::vector<StagedFile>& files = input.files.at(next_piece);
        whole &= !files.empty() || asked.pieces[i].rows == 0;
        base.files.insert(base.files.end(), files.begin(), files.end());
      }
      bases.insert_or_assign(asked.dataset,
                             ListedBase{std::move(asked.pieces),
                                        whole ? std::optional(std::move(base)) : std::nullopt});
    }
    next_keyed += keyed ? 1 : 0;
    Touch(asked.dataset);  // Its claims can be offered now.
  }
}

}  // namespace headwater
