#include "coordinator/plan/state_change.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/data/range_set.h"
#include "common/model/model_proto.h"
#include "coordinator/plan/takeover_plan.h"
#include "coordinator/state/progress.h"

namespace headwater {
namespace {

void PutNeeds(const SequenceMap& needs, v1::DatasetProgress& progress) {
  progress.clear_needs();
  for (const SequenceMap::Entry& entry : needs.entries()) {
    v1::NeedSnapshot* need = progress.add_needs();
    *need->mutable_range() = ToProto(entry.range);
    need->set_sequence(entry.sequence);
  }
}

void MarkFresh(const DatasetState& dataset, Range window, bool everything,
               ChangedProgress& changed) {
  if (dataset.adopted || dataset.joined_from.has_value()) {
    changed.notes.push_back(
        dataset.adopted
            ? "its files were taken over from another writer: only a read can tell what they hold"
            : "rows are to move from outside into the domain: only a read can do that");
    return;
  }
  SequenceMap needs = dataset.needs;
  int64_t kept = 0;
  for (const Range& part : RangeSet(window).ranges()) {
    for (const Piece* piece : dataset.coverage.Overlapping(part)) {
      // What is not known to be whole is not called so.
      if (piece->spec_version.empty()) {
        kept += dataset.needs.Within(piece->range).empty() ? 0 : 1;
        continue;
      }
      needs.DropUpTo({std::max(piece->range.from, part.from), std::min(piece->range.to, part.to)},
                     std::numeric_limits<int64_t>::max());
    }
  }
  PutNeeds(needs, changed.progress);
  if (everything && dataset.outside.has_value() && !dataset.outside->spec_version.empty())
    changed.progress.set_outside_need(0);
  if (kept > 0) {
    changed.notes.push_back(
        absl::StrCat(kept, " pieces stay stale: nobody knows that they are whole"));
  }
}

// A piece of the table, and what an import says of it.
bool IsSame(const v1::PieceSnapshot& imported, const SurveyedPiece& surveyed) {
  return surveyed.whole() && imported.fence() == surveyed.fence &&
         FromProto(imported.fingerprint()) == surveyed.fingerprint &&
         imported.bad_rows() == surveyed.bad_rows &&
         imported.spec_version() == surveyed.spec_version;
}

class Importer {
 public:
  Importer(const DatasetState& dataset, const SurveyedServer& server,
           const v1::DatasetProgress& imported, int64_t last_sequence)
      : dataset_(dataset), imported_(imported), last_sequence_(last_sequence) {
    for (const SurveyedPiece& piece : server.pieces) {
      if (piece.extent.range.has_value()) {
        surveyed_.emplace(piece.extent.range->from, &piece);
      } else {
        outside_ = &piece;
      }
    }
    for (const v1::NeedSnapshot& need : imported.needs())
      wanted_.Add({need.range().from(), need.range().to()});
    for (const v1::Range& stale : imported.stale()) wanted_.Add({stale.from(), stale.to()});
  }

  // `base` is what the table alone tells.
  ChangedProgress Run(const v1::DatasetProgress& base) {
    changed_.progress = base;
    changed_.progress.clear_pieces();
    changed_.progress.clear_stale();
    std::map<int64_t, v1::PieceSnapshot> pieces;
    for (const v1::PieceSnapshot& piece : base.pieces())
      pieces.emplace(piece.range().from(), piece);
    TakePieces(pieces);
    for (const v1::Range& stale : base.stale()) {
      if (!proved_.contains(stale.from())) *changed_.progress.add_stale() = stale;
    }
    for (const Range& range : wanted_.ranges()) *changed_.progress.add_stale() = ToProto(range);
    KeepEmptyPieces(pieces);
    for (const auto& [from, piece] : pieces) *changed_.progress.add_pieces() = piece;
    TakeOutside();
    TakeDomain();
    return std::move(changed_);
  }

 private:
  void TakePieces(std::map<int64_t, v1::PieceSnapshot>& pieces) {
    int64_t left_out = 0;
    for (const v1::PieceSnapshot& piece : imported_.pieces()) {
      if (piece.fingerprint().rows() == 0) continue;
      const auto found = surveyed_.find(piece.range().from());
      const auto base = pieces.find(piece.range().from());
      const bool same = found != surveyed_.end() && base != pieces.end() &&
                        found->second->extent.range->to == piece.range().to() &&
                        IsSame(piece, *found->second) && piece.fill_seq() <= last_sequence_;
      if (!same) {
        ++left_out;
        continue;
      }
      base->second = piece;
      proved_.insert(piece.range().from());
    }
    const size_t unknown = pieces.size() - proved_.size();
    changed_.notes.push_back(absl::StrCat(proved_.size(), " pieces are in the table as imported"));
    if (left_out > 0) {
      changed_.notes.push_back(
          absl::StrCat(left_out,
                       " pieces are left out: the table does not show them with that attempt and "
                       "fingerprint"));
    }
    if (unknown > 0) {
      changed_.notes.push_back(absl::StrCat(
          unknown, " pieces are only in the table: taken from there, as a heal would"));
    }
    // What has settled goes up to where the import's word holds.
    if (imported_.has_settled_to() && left_out == 0)
      changed_.progress.set_settled_to(imported_.settled_to());
  }

  // They leave no trace in a table: only this ledger's own word is taken for them.
  void KeepEmptyPieces(std::map<int64_t, v1::PieceSnapshot>& pieces) {
    for (const auto& [from, piece] : dataset_.coverage.pieces()) {
      if (!piece.empty()) continue;
      const Range empty = piece.range;
      const bool overlaps = std::any_of(pieces.begin(), pieces.end(), [&](const auto& entry) {
        return Range{entry.second.range().from(), entry.second.range().to()}.Overlaps(empty);
      });
      if (!overlaps) pieces.emplace(from, ToSnapshot(piece));
    }
  }

  void TakeOutside() {
    if (outside_ == nullptr || !imported_.has_outside()) return;
    const v1::OutsideSnapshot& outside = imported_.outside();
    const bool same = outside_->whole() && outside.fence() == outside_->fence &&
                      FromProto(outside.fingerprint()) == outside_->fingerprint &&
                      outside.bad_rows() == outside_->bad_rows;
    if (!same) return;
    *changed_.progress.mutable_outside() = outside;
    changed_.progress.set_outside_stale(imported_.outside_need() != 0 || imported_.outside_stale());
    changed_.progress.clear_joined_from();
    if (imported_.has_joined_from()) changed_.progress.set_joined_from(imported_.joined_from());
  }

  // It holds every piece, and never becomes smaller.
  void TakeDomain() {
    std::optional<Range> domain = dataset_.domain;
    const auto join = [&](Range range) {
      domain = domain.has_value()
                   ? Range{std::min(domain->from, range.from), std::max(domain->to, range.to)}
                   : range;
    };
    if (!domain.has_value() && imported_.has_begin()) join({imported_.begin(), imported_.end()});
    for (const v1::PieceSnapshot& piece : changed_.progress.pieces())
      join({piece.range().from(), piece.range().to()});
    if (!domain.has_value()) return;
    changed_.progress.set_begin(domain->from);
    changed_.progress.set_end(domain->to);
  }

  const DatasetState& dataset_;
  const v1::DatasetProgress& imported_;
  const int64_t last_sequence_;
  std::map<int64_t, const SurveyedPiece*> surveyed_;
  const SurveyedPiece* outside_ = nullptr;
  RangeSet wanted_;
  std::set<int64_t> proved_;  // Pieces, by their begin.
  ChangedProgress changed_;
};

}  // namespace

ChangedProgress MarkProgress(const DatasetState& dataset, Range window, bool everything,
                             bool fresh) {
  ChangedProgress changed{ProgressOf(dataset)};
  if (fresh) {
    MarkFresh(dataset, window, everything, changed);
    return changed;
  }
  RangeSet covered(window);
  for (const Range& missing : dataset.coverage.Missing(window)) covered.Subtract(missing);
  for (const Range& range : covered.ranges()) *changed.progress.add_stale() = ToProto(range);
  changed.progress.set_outside_stale(everything && dataset.outside.has_value());
  if (covered.ranges().empty() && !changed.progress.outside_stale())
    changed.notes.push_back("nothing is loaded there");
  return changed;
}

ChangedProgress ResetProgress(const DatasetState& dataset) {
  ChangedProgress changed{ProgressOf(dataset)};
  v1::DatasetProgress& progress = changed.progress;
  if (dataset.spec.keyed()) {
    progress.clear_pieces();  // Files belong to none, so that no reading can cut one.
    changed.notes.push_back("rows by key: all of them are looked up and compared again");
  }
  for (v1::PieceSnapshot& piece : *progress.mutable_pieces()) {
    piece.clear_spec_version();  // Never found to be unchanged.
    piece.clear_checksum();
    *progress.add_stale() = piece.range();
  }
  progress.set_outside_stale(progress.has_outside());
  if (progress.has_outside()) progress.mutable_outside()->clear_spec_version();
  return changed;
}

ChangedProgress ImportProgress(const DatasetState& dataset, const TableSurvey& survey,
                               const v1::DatasetProgress& imported, int64_t last_sequence) {
  if (dataset.spec.keyed()) {
    return {ProgressOf(dataset),
            {"rows by key: left as it is, since the table cannot tell what was read"}};
  }
  const PlannedTakeover base = PlanTakeover(dataset.spec, survey, false);
  if (!base.possible || base.progress.adopted()) {
    return {ProgressOf(dataset), {base.report.reasons().begin(), base.report.reasons().end()}};
  }
  static const SurveyedServer kNothing;
  const auto found = survey.servers.find(dataset.spec.id.server);
  const SurveyedServer& server = found == survey.servers.end() ? kNothing : found->second;
  return Importer(dataset, server, imported, last_sequence).Run(base.progress);
}

}  // namespace headwater
