#include "tests/unit/coordinator/state/range_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/model_proto.h"
#include "coordinator/plan/planner.h"
#include "gtest/gtest.h"

namespace headwater {
namespace {

constexpr int64_t kCells = 60, kUnit = 7;

std::string TextOf(const SequenceMap& map) {
  std::string text;
  for (const SequenceMap::Entry& entry : map.entries()) {
    absl::StrAppend(&text, " [", entry.range.from, ", ", entry.range.to, "):", entry.sequence);
  }
  return text;
}

}  // namespace

RangeModel::RangeModel(uint64_t seed) : random_(seed), cells_(kCells) {
  DatasetSpec spec;
  spec.id = id_;
  spec.server.name = id_.server;
  spec.server.url = "odbc:Driver=None";
  spec.server.timezone = spec.cursor_timezone = "UTC";
  spec.strategy = Strategy::kIncremental;
  spec.cursor = "id";
  spec.relation = "t";
  spec.target_uri = "lake/t";
  spec.unit = *ParseUnit(absl::StrCat(kUnit));
  spec.settle_values = 10;
  v1::Event event;
  *event.mutable_dataset_defined()->mutable_spec() = ToProto(spec);
  event.mutable_dataset_defined()->set_digest("d");
  Apply(std::move(event));
  for (int i = 0; i < 5; ++i) cells_[static_cast<size_t>(i)].rows = 1;
  bound_ = 5;
}

void RangeModel::Step() {
  switch (random_() % 13) {
    case 0:
      return Grow();
    case 1:
      return ChangeSource();
    case 2:
      return StartRun(random_() % 2 == 0);
    case 3:
      return Probe();
    case 4:
    case 5:
    case 6:
      return Grant();
    case 7:
      return Read();
    case 8:
    case 9:
      return Finish();
    case 10:
      return random_() % 4 == 0 ? Lose() : EndRuns();
    case 11:
      return Compact();
    default:
      return random_() % 4 == 0 ? Restart() : CancelRun();
  }
}

void RangeModel::Check() {
  const DatasetState& dataset = Dataset();
  SequenceMap needs;
  std::map<std::string, SequenceMap> wanted;
  for (int64_t i = 0; i < kCells; ++i) {
    const Cell& cell = At(i);
    const auto covering = dataset.coverage.Overlapping({i, i + 1});
    ASSERT_EQ(covering.size(), cell.fill == 0 ? 0u : 1u) << "cell " << i;
    if (cell.fill != 0 && covering[0]->empty()) {
      // It may be of several reads, of which the first one counts.
      ASSERT_LE(covering[0]->fill_seq, cell.fill) << "cell " << i;
    } else if (cell.fill != 0) {
      ASSERT_EQ(covering[0]->fill_seq, cell.fill) << "cell " << i;
    }
    ASSERT_EQ(dataset.OverlapsClaim({Range{i, i + 1}, false}), cell.claim != 0) << "cell " << i;
    if (cell.need != 0) needs.Raise({i, i + 1}, cell.need);
    for (const auto& [run, sequence] : cell.wanted) wanted[run].Raise({i, i + 1}, sequence);
  }
  ASSERT_EQ(TextOf(dataset.needs), TextOf(needs)) << last_;
  for (const auto& [id, run] : state_->runs()) {
    const DemandState& demand = run.demands.at(id_);
    if (demand.phase != DemandPhase::kActive && demand.phase != DemandPhase::kDone) continue;
    ASSERT_EQ(TextOf(demand.remaining), TextOf(wanted[id])) << id << last_;
    if (demand.phase == DemandPhase::kDone) {
      ASSERT_TRUE(demand.remaining.empty()) << id;
    }
  }
  for (const auto& [from, piece] : dataset.coverage.pieces()) {
    int64_t rows = 0;
    for (int64_t i = piece.range.from; i < piece.range.to; ++i) rows += At(i).published_rows;
    ASSERT_EQ(piece.fingerprint.rows, rows) << "the piece from " << from;
  }
  CheckCompacting();
}

void RangeModel::Drain() {
  while (!attempts_.empty()) Finish();
  failures_ = false;
  for (int round = 0; round < 3 * kCells; ++round) {
    StartRun(
        /*backfill=*/false);  // A probe may look at pieces that the one before had no room for.
    Probe();
    Grant();
    Compact();
    if (attempts_.empty()) break;
    while (!attempts_.empty()) Finish();
    ASSERT_NO_FATAL_FAILURE(Check());
  }
  EXPECT_EQ(TextOf(Dataset().needs), "") << last_;
  CheckCompacted(kUnit);
  for (int64_t i = 0; i < seen_bound_; ++i) EXPECT_NE(At(i).fill, 0) << "cell " << i;
  for (const auto& [id, run] : state_->runs()) {
    const DemandPhase phase = run.demands.at(id_).phase;
    EXPECT_NE(phase, DemandPhase::kWaitingForProbe) << id;
    EXPECT_NE(phase, DemandPhase::kActive) << id;
  }
}

int64_t RangeModel::Apply(v1::Event event) {
  const int64_t sequence = state_->last_sequence() + 1;
  *event.mutable_at() = ToTimestamp(absl::FromUnixSeconds(1'000'000 + 60 * sequence));
  last_ = absl::StrCat(" after event ", sequence, ": ", event.ShortDebugString());
  state_->Apply(sequence, event);
  return sequence;
}

void RangeModel::Grow() {
  bound_ = std::min(kCells, bound_ + 1 + Below(4));
  At(bound_ - 1).rows = 1 + static_cast<int>(Below(3));
}

void RangeModel::StartRun(bool backfill) {
  const std::string run = absl::StrCat("r-", ++runs_);
  v1::Event event;
  v1::RunStarted& started = *event.mutable_run_started();
  started.set_run_id(run);
  started.set_idempotency_key(run);
  started.set_by_person(true);
  v1::Demand& demand = *started.add_demands();
  *demand.mutable_dataset() = RefOf(id_);
  started.set_kind(v1::RUN_KIND_INCREMENTAL);
  if (backfill) {
    started.set_kind(v1::RUN_KIND_BACKFILL);
    demand.set_mode(static_cast<v1::BackfillMode>(1 + Below(3)));  // All, missing or stale.
    const int64_t from = Below(bound_);
    demand.set_from_value(from);
    demand.set_to_value(from + 1 + Below(kCells));
    backfills_[run] = demand.mode();
  }
  waiting_.emplace(run, started);
  Apply(std::move(event));
}

void RangeModel::Probe() {
  ProbeResult probe;
  probe.cursor_type = CursorType::kInteger;
  probe.source_clock = absl::FromUnixSeconds(1'000'000);
  probe.transactions_known = true;
  probe.minimum = 0;
  for (int64_t i = 0; i < bound_; ++i) {
    if (At(i).rows > 0) probe.bound = i;
  }
  probe.bound = std::max(probe.bound.value_or(0), seen_bound_ - 1);
  seen_bound_ = *probe.bound + 1;
  for (const Range& range : Dataset().TailStretches()) probe.tail.push_back(Look(range));
  v1::Event event;
  *event.mutable_probed()->mutable_dataset() = RefOf(id_);
  *event.mutable_probed()->mutable_result() = ToProto(probe);
  for (const auto& [run, started] : waiting_) event.mutable_probed()->add_run_ids(run);
  const int64_t sequence = Apply(std::move(event));
  for (Cell& cell : cells_) cell.moved = false;
  for (const TailCheck& check : probe.tail) NoteTail(check, sequence);
  for (const auto& [run, started] : waiting_) NoteActivated(run, started, sequence);
  waiting_.clear();
}

TailCheck RangeModel::Look(const Range& range) {
  TailCheck check{range, 0, std::nullopt};
  for (int64_t i = range.from; i < range.to; ++i) {
    check.rows += At(i).rows;
    if (At(i).rows > 0) check.max_cursor = i;
  }
  return check;
}

void RangeModel::NoteTail(const TailCheck& check, int64_t sequence) {
  int64_t rows = 0;
  std::optional<int64_t> largest;
  for (int64_t i = check.range.from; i < check.range.to; ++i) {
    rows += At(i).published_rows;
    if (At(i).published_rows > 0) largest = i;
  }
  if (rows == check.rows && largest == check.max_cursor) return;
  for (int64_t i = check.range.from; i < check.range.to; ++i) {
    At(i).need = sequence;
    At(i).moved = true;
  }
}

void RangeModel::NoteActivated(const std::string& run, const v1::RunStarted& started,
                               int64_t sequence) {
  const v1::Demand& demand = started.demands(0);
  const bool backfill = started.kind() == v1::RUN_KIND_BACKFILL;
  const int64_t from = backfill ? demand.from_value() : 0;
  const int64_t to = backfill ? std::min(demand.to_value(), seen_bound_) : seen_bound_;
  for (int64_t i = from; i < to; ++i) {
    Cell& cell = At(i);
    if (backfill && demand.mode() == v1::BACKFILL_MODE_ALL) cell.need = sequence;
    if (cell.fill == 0) cell.need = std::max<int64_t>(cell.need, 1);
    const bool missing = cell.fill == 0;
    const bool left_out = backfill && ((demand.mode() == v1::BACKFILL_MODE_MISSING && !missing) ||
                                       (demand.mode() == v1::BACKFILL_MODE_STALE && missing));
    // A tick leaves to backfills what they read, unless it wants it itself.
    const bool theirs = !backfill && !missing && !cell.moved &&
                        std::any_of(cell.wanted.begin(), cell.wanted.end(), [&](const auto& want) {
                          return backfills_.contains(want.first);
                        });
    if (cell.need > 0 && !left_out && !theirs) cell.wanted[run] = cell.need;
  }
}

void RangeModel::Grant() {
  for (const auto& [id, run] : state_->runs()) {
    const DemandState& demand = run.demands.at(id_);
    const NextClaimResult next = NextClaim(Dataset(), demand, absl::InfiniteFuture());
    if (!next.claim.has_value()) {
      for (int64_t i = 0; i < kCells; ++i) {
        if (At(i).wanted.contains(id)) ExpectBusyNear(i);
      }
      continue;
    }
    const Range range = *next.claim->extent.range;
    for (int64_t i = range.from; i < range.to; ++i) EXPECT_EQ(At(i).claim, 0) << "cell " << i;
    EXPECT_EQ(range, Dataset().coverage.Widen(range));
    bool serves = false;
    for (int64_t i = range.from; i < range.to; ++i) serves |= At(i).wanted.contains(id);
    EXPECT_TRUE(serves);
    v1::Event event;
    *event.mutable_granted()->mutable_dataset() = RefOf(id_);
    *event.mutable_granted()->mutable_extent() = ToProto(next.claim->extent);
    for (const int64_t cut : next.claim->cuts) event.mutable_granted()->add_cuts(cut);
    const int64_t fence = Apply(std::move(event));
    for (int64_t i = range.from; i < range.to; ++i) At(i).claim = fence;
    attempts_[fence] = {range, next.claim->cuts, std::nullopt};
    return;
  }
}

void RangeModel::ExpectBusyNear(int64_t i) {
  const Range near = Dataset().coverage.Widen(
      {std::max<int64_t>(0, i - 2 * kUnit), std::min(kCells, i + 2 * kUnit)});
  bool busy = false;
  for (int64_t at = near.from; at < near.to; ++at) busy |= At(at).claim != 0;
  EXPECT_TRUE(busy) << "cell " << i;
}

std::optional<v1::Range> RangeModel::EmptyAround(const Attempt& attempt) {
  for (const int rows : *attempt.read) {
    if (rows > 0) return std::nullopt;
  }
  if (random_() % 3 == 0) return std::nullopt;
  Range empty = attempt.range;
  while (empty.from > 0 && At(empty.from - 1).rows == 0) --empty.from;
  while (empty.to < kCells && At(empty.to).rows == 0) ++empty.to;
  // The source may have changed since; even what was never true may do no harm.
  if (random_() % 5 == 0) empty = {Below(attempt.range.from + 1), attempt.range.to + Below(kCells)};
  return ToProto(empty);
}

void RangeModel::ReadNow(Attempt& attempt) {
  attempt.read.emplace();
  for (int64_t i = attempt.range.from; i < attempt.range.to; ++i) {
    attempt.read->push_back(At(i).rows);
  }
}

void RangeModel::Read() {
  for (auto& [fence, attempt] : attempts_) {
    if (attempt.read.has_value() || random_() % 2 == 0) continue;
    return ReadNow(attempt);
  }
}

void RangeModel::Finish() {
  if (attempts_.empty()) return;
  auto it = attempts_.begin();
  std::advance(it, Below(static_cast<int64_t>(attempts_.size())));
  const int64_t fence = it->first;
  Attempt attempt = it->second;
  attempts_.erase(it);
  if (failures_ && random_() % 3 == 0) return Fail(fence);
  if (attempt.compaction) return FinishCompaction(fence, std::move(attempt));
  if (!attempt.read.has_value()) ReadNow(attempt);
  bool same = true;
  for (int64_t i = attempt.range.from; i < attempt.range.to; ++i) {
    same &= At(i).fill != 0 && At(i).published_rows == RowsRead(attempt, i);
  }
  if (same && random_() % 2 == 0) {
    v1::Event event;
    event.mutable_confirmed()->set_fence(fence);
    if (const auto empty = EmptyAround(attempt); empty.has_value())
      *event.mutable_confirmed()->mutable_empty_around() = *empty;
    Apply(std::move(event));
  } else if (!Publish(fence, attempt)) {
    return Release(fence);
  }
  for (int64_t i = attempt.range.from; i < attempt.range.to; ++i) {
    Cell& cell = At(i);
    cell.fill = fence;
    cell.published_rows = RowsRead(attempt, i);
    if (cell.need <= fence) cell.need = 0;
    std::erase_if(cell.wanted, [&](const auto& want) { return want.second <= fence; });
  }
  Release(fence);
}

bool RangeModel::Publish(int64_t fence, const Attempt& attempt) {
  Manifest manifest;
  manifest.spec_version = "v";
  manifest.schema.columns = {{"id", {TypeKind::kLong}, false}};
  for (const Extent& extent : PiecesOf({attempt.range, false}, attempt.cuts)) {
    StagedPiece piece;
    piece.extent = extent;
    for (int64_t i = extent.range->from; i < extent.range->to; ++i) {
      for (int row = 0; row < RowsRead(attempt, i); ++row) {
        piece.fingerprint.Add(Hash128{static_cast<uint64_t>(row), static_cast<uint64_t>(i)});
      }
      if (RowsRead(attempt, i) > 0) piece.max_cursor = i;
    }
    manifest.pieces.push_back(piece);
  }
  v1::Event staged, intended;
  staged.mutable_staged()->set_fence(fence);
  *staged.mutable_staged()->mutable_manifest() = ToProto(manifest);
  if (const auto empty = EmptyAround(attempt); empty.has_value())
    *staged.mutable_staged()->mutable_manifest()->mutable_empty_around() = *empty;
  Apply(std::move(staged));
  intended.mutable_intended()->set_table(id_.table);
  intended.mutable_intended()->set_commit_sequence(++commits_);
  intended.mutable_intended()->add_fences(fence);
  Apply(std::move(intended));
  const bool abandoned = failures_ && random_() % 5 == 0;
  v1::Event outcome;
  if (abandoned) {
    outcome.mutable_abandoned()->set_table(id_.table);
    outcome.mutable_abandoned()->set_commit_sequence(commits_);
  } else {
    outcome.mutable_published()->set_table(id_.table);
    outcome.mutable_published()->set_commit_sequence(commits_);
    outcome.mutable_published()->set_version(commits_);
    outcome.mutable_published()->add_fences(fence);
  }
  Apply(std::move(outcome));
  return !abandoned;
}

}  // namespace headwater
