#include "coordinator/plan/verification_plan.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <string>

namespace headwater {
namespace {

// From where on rows are those of the outside piece. Without far-future rows in it, what has come
// between where it ended then and now is in the domain, or will be.
int64_t VerifiedEnd(const DatasetState& dataset) {
  if (!dataset.outside.has_value()) return dataset.OutsideEnd();
  if (dataset.outside->future_rows > 0) return dataset.outside->end;
  return std::max(dataset.outside->end, dataset.OutsideEnd());
}

// What is compared: a published piece, or of a keyed table a stretch that is covered.
struct Compared {
  Extent extent;
  std::string spec_version;
  std::optional<KnownPiece> known;  // It has a checksum.
};

std::vector<Compared> PublishedOf(const DatasetState& dataset) {
  std::vector<Compared> pieces;
  for (const auto& [from, piece] : dataset.coverage.pieces()) {
    const Extent extent{piece.range, false};
    Compared& compared = pieces.emplace_back(Compared{extent, piece.spec_version, std::nullopt});
    if (piece.checksum.has_value()) {
      compared.known = KnownPiece{extent, piece.fingerprint, piece.spec_version, piece.checksum};
    }
  }
  if (dataset.outside.has_value())
    pieces.push_back({{std::nullopt, true}, dataset.outside->spec_version, std::nullopt});
  return pieces;
}

// Rows are given the columns that the table has now.
std::vector<Compared> StretchesOf(const DatasetState& dataset) {
  std::vector<Compared> stretches;
  for (const auto& [from, piece] : dataset.coverage.pieces()) {
    if (!stretches.empty() && stretches.back().extent.range->to == from) {
      stretches.back().extent.range->to = piece.range.to;
    } else {
      stretches.push_back({{piece.range, false}, piece.spec_version, std::nullopt});
    }
    stretches.back().spec_version = piece.spec_version;
  }
  if (dataset.outside.has_value())
    stretches.push_back({{std::nullopt, true}, dataset.outside->spec_version, std::nullopt});
  return stretches;
}

// Keeps `count` of them, in order.
void Sample(int count, uint64_t seed, std::vector<Compared>& pieces) {
  std::vector<size_t> order(pieces.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937_64 random(seed);
  // Not std::shuffle: the same seed is the same sample with every standard library.
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  order.resize(std::min(order.size(), static_cast<size_t>(count)));
  std::sort(order.begin(), order.end());
  std::vector<Compared> chosen;
  for (const size_t i : order) chosen.push_back(pieces[i]);
  pieces = std::move(chosen);
}

// Whether `next` can be compared by the same task, behind its last piece.
bool Joins(const VerificationTask& task, const std::string& spec_version, const Compared& next) {
  return task.extent.range.has_value() && next.extent.range.has_value() &&
         task.extent.range->to == next.extent.range->from && spec_version == next.spec_version;
}

}  // namespace

VerificationPlan PlanVerification(const DatasetState& dataset, const TableState& table,
                                  const VerificationOptions& options) {
  VerificationPlan plan;
  if (!dataset.calendar.has_value()) return plan;
  // Where updates give rows other cursors, pieces do not say how many rows they have now.
  const bool looked_up =
      dataset.spec.keyed() && (!options.counts_only || dataset.spec.cursor_modified);
  std::vector<Compared> pieces = looked_up ? StretchesOf(dataset) : PublishedOf(dataset);
  const size_t all = pieces.size();
  if (options.sample > 0) Sample(options.sample, options.seed, pieces);
  plan.left_out = static_cast<int64_t>(all - pieces.size());
  std::string spec_version;  // Of the last task's.
  for (Compared& piece : pieces) {
    const bool joins =
        !plan.tasks.empty() && !looked_up &&
        static_cast<int>(plan.tasks.back().cuts.size()) + 1 < options.pieces_per_task &&
        Joins(plan.tasks.back(), spec_version, piece);
    if (joins) {
      plan.tasks.back().cuts.push_back(piece.extent.range->from);
      plan.tasks.back().extent.range->to = piece.extent.range->to;
    } else {
      VerificationTask& task = plan.tasks.emplace_back();
      task.extent = piece.extent;
      task.cursor_type = dataset.calendar->type();
      task.domain_end = VerifiedEnd(dataset);
      task.counts_only = options.counts_only && !looked_up;
      if (const Schema* columns = table.ColumnsOf(piece.spec_version); columns != nullptr)
        task.table_schema = *columns;
      // Rows that are looked up are hashed on both sides anew.
      if (!looked_up) task.hash_algorithm = table.AlgorithmOf(piece.spec_version);
      spec_version = piece.spec_version;
    }
    if (piece.known.has_value() && !plan.tasks.back().counts_only)
      plan.tasks.back().known.push_back(*std::move(piece.known));
  }
  return plan;
}

}  // namespace headwater
