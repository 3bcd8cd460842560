// What SimWorld holds true: the invariants of the table, the claims and the coverage.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "tests/sim/sim_world.h"

namespace headwater {

void SimWorld::CheckClaims() {
  for (const auto& [id, dataset] : core_->state().datasets()) {  // I11
    for (auto a = dataset.claims.begin(); a != dataset.claims.end(); ++a) {
      for (auto b = std::next(a); b != dataset.claims.end(); ++b) {
        if (Overlaps(a->second.extent, b->second.extent)) Fail("two live claims cover one instant");
      }
    }
  }
}

// I4: what the ledger calls covered is in the table, with the very same rows; I2: nothing else is.
void SimWorld::CheckTableAgainstCoverage() {
  for (const auto& [id, dataset] : core_->state().datasets()) {
    const std::vector<SimPiece>& pieces = table_[id];
    for (const auto& [from, piece] : dataset.coverage.pieces()) {
      bool pending = false;
      for (const auto& [fence, claim] : dataset.claims) {
        pending |= claim.manifest.has_value() && Overlaps(claim.extent, Extent{piece.range, false});
      }
      if (pending) continue;  // Between commit and Published the table is ahead of the ledger.
      if (piece.empty()) {
        for (const SimPiece& visible : pieces) {
          if (!visible.contents.empty() && Overlaps(visible.extent, Extent{piece.range, false}))
            return Fail(absl::StrCat("rows where the ledger knows of none: ", ToString(id)));
        }
        continue;
      }
      const auto found =
          std::find_if(pieces.begin(), pieces.end(), [&, &piece = piece](const SimPiece& visible) {
            return visible.extent == Extent{piece.range, false} && visible.fence == piece.fence;
          });
      if (found == pieces.end())
        return Fail(absl::StrCat("recorded progress is not in the table: ", ToString(id)));
      Fingerprint visible;
      for (uint64_t content : found->contents) visible.Add(HashOf(content));
      if (!(visible == piece.fingerprint))
        return Fail("a piece's rows are not those of its attempt");
    }
  }
}

std::string SimWorld::DescribeLost(const DatasetId& id, const std::vector<uint64_t>& lost) const {
  if (lost.empty()) return "";
  const DatasetState& dataset = *core_->state().FindDataset(id);
  const std::vector<SimRow>& rows = sources_.at(id).rows;
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const SimRow& r) { return r.content == lost.front(); });
  std::string text =
      absl::StrCat("; first lost row stamped ", dataset.calendar->Format(row->cursor), ", visible ",
                   absl::FormatTime(row->visible_at, absl::UTCTimeZone()), "; settled to ",
                   dataset.calendar->Format(dataset.settled_to), ", domain ",
                   dataset.domain.has_value() ? dataset.calendar->Format(*dataset.domain) : "none");
  for (const auto& [from, piece] : dataset.coverage.pieces()) {
    if (!piece.range.Contains(row->cursor)) continue;
    absl::StrAppend(&text, ", in piece ", dataset.calendar->Format(piece.range), " of fence ",
                    piece.fence, " (shown ",
                    absl::FormatTime(piece.shown.clock, absl::UTCTimeZone()), ", settled through ",
                    dataset.calendar->Format(piece.settled_through), ")");
  }
  return text;
}

void SimWorld::CheckAgainstSources() {
  for (const auto& [id, source] : sources_) {
    std::vector<uint64_t> expected, seen;
    for (const SimRow& row : source.rows) expected.push_back(row.content);
    for (const SimPiece& piece : table_[id])
      seen.insert(seen.end(), piece.contents.begin(), piece.contents.end());
    std::sort(expected.begin(), expected.end());
    std::sort(seen.begin(), seen.end());
    if (seen == expected) continue;
    std::vector<uint64_t> lost, extra;
    std::set_difference(expected.begin(), expected.end(), seen.begin(), seen.end(),
                        std::back_inserter(lost));
    std::set_difference(seen.begin(), seen.end(), expected.begin(), expected.end(),
                        std::back_inserter(extra));
    Fail(absl::StrCat(ToString(id), " (", StrategyToString(source.spec.strategy),
                      "): ", lost.size(), " rows lost, ", extra.size(), " rows twice or wrong, of ",
                      expected.size(), DescribeLost(id, lost)));
  }
}

}  // namespace headwater
