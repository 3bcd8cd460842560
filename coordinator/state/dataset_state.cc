#include "coordinator/state/dataset_state.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/status.h"
#include "common/data/instant.h"
#include "coordinator/state/compaction.h"

namespace headwater {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

absl::Time NotAfter(absl::Time time, const std::optional<absl::Time>& other) {
  return other.has_value() ? std::min(time, *other) : time;
}

}  // namespace

absl::StatusOr<std::optional<int64_t>> BeginOf(const DatasetSpec& spec,
                                               const CursorCalendar& calendar) {
  if (spec.begin.empty() || calendar.type() == CursorType::kNone) return std::nullopt;
  if (calendar.type() == CursorType::kInteger) {
    ASSIGN_OR_RETURN(const int64_t value, ParseValue(spec.begin));
    return value;
  }
  absl::TimeZone zone;
  HW_CHECK(absl::LoadTimeZone(spec.server.timezone, &zone));
  // Relative times would move with every probe: `begin` is a fixed place.
  ASSIGN_OR_RETURN(const absl::Time instant, ParseInstant(spec.begin, absl::InfinitePast(), zone));
  if (instant == absl::InfinitePast()) {
    return absl::InvalidArgumentError("begin: expected a date or a time, not one relative to now");
  }
  return calendar.FromInstant(instant);
}

bool Overlaps(const Extent& a, const Extent& b) {
  if (a.outside && b.outside) return true;
  return a.range.has_value() && b.range.has_value() && a.range->Overlaps(*b.range);
}

void DatasetState::TakeSpec(const DatasetSpec& new_spec, const std::string& new_digest) {
  spec = new_spec;
  digest = new_digest;
  compaction_from = std::numeric_limits<int64_t>::min();  // Other units, perhaps.
  if (probe.has_value()) {
    auto made = CalendarOf(spec, probe->cursor_type);
    HW_CHECK(made.ok());
    calendar = *made;
  }
}

std::vector<Range> DatasetState::TailStretches() const {
  std::vector<Range> stretches;
  if (!domain.has_value() || !calendar.has_value() || calendar->type() == CursorType::kNone)
    return stretches;
  for (const Piece* piece : coverage.Overlapping({settled_to, kMax})) {
    if (piece->range.to <= settled_to) continue;
    stretches.push_back(piece->range);
  }
  // Too many (after a long absence): the oldest ones that touch are checked as one.
  while (stretches.size() > kMaxTailChecks) {
    size_t i = 0;
    while (i + 1 < stretches.size() && stretches[i].to != stretches[i + 1].from) ++i;
    if (i + 1 >= stretches.size()) {
      stretches.resize(kMaxTailChecks);  // Full of holes: the rest is NotSeen().
      break;
    }
    stretches[i].to = stretches[i + 1].to;
    stretches.erase(stretches.begin() + i + 1);
  }
  return stretches;
}

absl::Duration DatasetState::EffectiveSettle() const {
  // Without sight of open transactions, an hour stands in for them.
  return probe.has_value() && probe->transactions_known ? spec.settle
                                                        : std::max(spec.settle, absl::Hours(1));
}

ProbeFacts DatasetState::Facts() const {
  ProbeFacts facts;
  if (!probe.has_value()) return facts;
  facts.clock = probe->source_clock;
  facts.seen = NotAfter(probe->source_clock, probe->replay_time);
  facts.oldest_transaction = probe->oldest_transaction;
  facts.limit = probe->bound.value_or(std::numeric_limits<int64_t>::min());
  if (probe->cursor_type != CursorType::kInteger && probe->cursor_type != CursorType::kNone) {
    facts.limit = std::min(facts.limit, calendar->LowestFrom(facts.seen));
  }
  return facts;
}

int64_t DatasetState::OutsideEnd() const {
  if (!probe.has_value() || probe->cursor_type == CursorType::kInteger ||
      probe->cursor_type == CursorType::kNone) {
    return kMax;
  }
  // Never in the domain, whose rows would be read twice: a wall clock is turned back, `max_ahead`
  // is configured anew.
  const int64_t end = calendar->FromInstant(probe->source_clock + spec.max_ahead) + 1;
  return domain.has_value() ? std::max(end, domain->to) : end;
}

void DatasetState::TakeProbe(const ProbeResult& result, int64_t sequence, int64_t asked_after) {
  // A dataset that was set to what its table has is without a domain until now.
  if (!domain.has_value()) domain = coverage.Hull();
  const std::optional<Range> old_domain = domain;
  const bool reload = spec.reload_on_regress && RegressedFrom(result).has_value();
  probe = result;
  probe_sequence = sequence;
  empty_around.reset();
  auto made = CalendarOf(spec, result.cursor_type);
  HW_CHECK(made.ok());
  calendar = *made;
  if (result.cursor_type == CursorType::kNone) {
    domain = Range{0, 1};
    return;
  }
  const auto configured = BeginOf(spec, *calendar);
  HW_CHECK(configured.ok());  // Looked at before the probe was taken in.
  std::optional<int64_t> begin = *configured;
  if (!begin.has_value()) begin = result.minimum;
  if (begin.has_value() && result.bound.has_value()) {
    const bool whole_units = !configured->has_value() || spec.strategy == Strategy::kPartition;
    if (whole_units && spec.unit.kind != Unit::Kind::kNone)
      begin = calendar->UnitStart(*begin, spec.unit);
    Range seen{*begin, *result.bound + 1};
    if (old_domain.has_value()) {
      seen = {std::min(seen.from, old_domain->from), std::max(seen.to, old_domain->to)};
    }
    if (!seen.empty()) domain = seen;
  }
  if (joined_from.has_value() && domain.has_value())
    joined_from = std::clamp(*joined_from, domain->from, domain->to - 1);
  SettleFirstLoad(result);
  if (reload) Reload(result, sequence);
  CheckTail(result, sequence);
  for (const Range& range : NotSeen(asked_after).ranges()) needs.Raise(range, asked_after + 1);
  CheckOutside(result, sequence, old_domain);
}

RangeSet DatasetState::NotSeen(int64_t asked_after) const {
  RangeSet not_seen;
  if (!domain.has_value() || calendar->type() == CursorType::kNone) return not_seen;
  const auto add = [&](const Range& read) {
    not_seen.Add({std::max(read.from, settled_to), std::min(read.to, domain->to)});
  };
  for (const auto& [fence, claim] : claims) {
    if (fence <= asked_after && claim.extent.range.has_value() && claim.reads())
      add(*claim.extent.range);
  }
  for (const Piece* piece : coverage.Overlapping({settled_to, kMax})) {
    if (piece->fill_seq <= asked_after) add(piece->range);
  }
  for (const TailCheck& check : probe->tail) not_seen.Subtract(check.range);
  return not_seen;
}

void DatasetState::SettleFirstLoad(const ProbeResult& result) {
  if (first_load_settled || !domain.has_value()) return;
  first_load_settled = true;
  if (!coverage.pieces().empty()) return;
  settled_to = SettledAtFirst(result, domain->to - 1);
}

// Up to where rows have settled that are read after this probe, the first of all.
int64_t DatasetState::SettledAtFirst(const ProbeResult& result, int64_t bound) const {
  if (result.cursor_type == CursorType::kInteger)
    return std::max(domain->from, bound + 1 - spec.settle_values);
  const absl::Time seen =
      NotAfter(NotAfter(result.source_clock, result.oldest_transaction), result.replay_time);
  // Not the bound's own instant: a source that lags may have more of its rows to come, of a date
  // cursor those of most of a day.
  return std::min(calendar->LowestFrom(seen - EffectiveSettle()), bound);
}

std::optional<int64_t> DatasetState::RegressedFrom(const ProbeResult& result) const {
  const bool comparable = !probe.has_value() || probe->cursor_type == result.cursor_type;
  if (!comparable || result.cursor_type == CursorType::kNone || spec.clock_bound)
    return std::nullopt;
  // Not the end of the domain: rows that have not settled may be gone again.
  for (auto it = coverage.pieces().rbegin(); it != coverage.pieces().rend(); ++it) {
    const std::optional<int64_t>& last = it->second.max_cursor;
    if (!last.has_value() || *last >= settled_to) continue;
    return result.bound.has_value() && *result.bound >= *last ? std::nullopt : last;
  }
  return std::nullopt;
}

// All is read again, and what is beyond the new bound with it: it becomes empty, and part of the
// tail, where the source's next rows are found. The domain stays, so that there is no gap in it.
void DatasetState::Reload(const ProbeResult& result, int64_t sequence) {
  needs.Raise(*domain, sequence);
  if (outside.has_value()) outside_need = sequence;
  settled_to = result.bound.has_value() ? SettledAtFirst(result, *result.bound) : domain->from;
  for (Piece* piece : coverage.Overlapping({std::numeric_limits<int64_t>::min(), kMax})) {
    piece->settled_through = std::min(piece->settled_through, settled_to);
    piece->shown = Facts();  // What was shown before says nothing of this source.
  }
}

void DatasetState::TrySettle(Piece& piece, const ProbeFacts& confirmed) const {
  // A replica that stands still shows nothing of what was committed since.
  const bool waited = confirmed.seen >= piece.shown.clock + EffectiveSettle();
  const bool transactions_ended = !confirmed.oldest_transaction.has_value() ||
                                  *confirmed.oldest_transaction > piece.shown.clock;
  if (!waited || !transactions_ended) return;
  piece.settled_through =
      std::max(piece.settled_through, std::min(piece.range.to, piece.shown.limit));
  piece.shown = confirmed;  // The rest, if any, waits anew from here.
}

void DatasetState::AdvanceSettled() {
  for (const Piece* piece : std::as_const(coverage).Overlapping({settled_to, kMax})) {
    if (piece->range.from > settled_to || piece->settled_through <= settled_to) break;
    settled_to = piece->settled_through;
    if (settled_to < piece->range.to) break;
  }
}

void DatasetState::CheckTail(const ProbeResult& result, int64_t sequence) {
  const ProbeFacts facts = Facts();
  for (const TailCheck& check : result.tail) {
    if (Moved(check)) {
      needs.Raise(check.range, sequence);
      continue;
    }
    for (Piece* piece : coverage.Overlapping(check.range)) TrySettle(*piece, facts);
  }
  AdvanceSettled();
  for (const TailCheck& check : result.tail) coverage.JoinEmpty(check.range);
}

void DatasetState::CheckOutside(const ProbeResult& result, int64_t sequence,
                                std::optional<Range> old_domain) {
  const int64_t null_rows = spec.on_null_cursor == OutsidePolicy::kLoad ? result.null_rows : 0;
  const int64_t future_rows =
      spec.on_future_cursor == OutsidePolicy::kLoad ? result.future_rows : 0;
  const int64_t published = outside.has_value() ? outside->fingerprint.rows : 0;
  if (null_rows + future_rows != published) outside_need = sequence;
  // The bound has come to where the outside piece began: some of its rows may be in the domain now.
  if (outside.has_value() && outside->future_rows > 0 && domain.has_value() &&
      domain->to > outside->end) {
    outside_need = sequence;
    const int64_t from = old_domain.has_value() ? old_domain->to : domain->from;
    // What an earlier probe has shown may still be to come.
    joined_from = std::min({joined_from.value_or(from), from, domain->to - 1});
    needs.Raise({*joined_from, domain->to}, sequence);
  }
}

Range DatasetState::LookbackRange() const {
  if (!domain.has_value() || spec.lookback_units <= 0 || calendar->type() == CursorType::kNone)
    return {};
  const int64_t bound = probe->bound.value_or(domain->to - 1);  // May have moved back.
  int64_t from = calendar->UnitStart(std::clamp(bound, domain->from, domain->to - 1), spec.unit);
  for (int i = 0; i < spec.lookback_units && from > domain->from; ++i) {
    from = calendar->UnitStart(from - 1, spec.unit);
  }
  return {std::max(from, domain->from), domain->to};
}

void DatasetState::Publish(const Claim& claim, absl::Time now) {
  HW_CHECK(claim.manifest.has_value());
  if (claim.manifest->empty_around.has_value()) empty_around = claim.manifest->empty_around;
  if (claim.manifest->keyed.has_value()) table_rows = claim.manifest->keyed->table_rows;
  std::vector<Piece> written;
  for (const StagedPiece& staged : claim.manifest->pieces) {
    if (!staged.extent.range.has_value()) {
      // What came after the probe and is no NULL it counted may be of the far future as well.
      const int64_t nulls = spec.on_null_cursor == OutsidePolicy::kLoad ? probe->null_rows : 0;
      const int64_t future_rows = std::max(probe->future_rows, staged.fingerprint.rows - nulls);
      const int64_t fence = staged.unchanged && outside.has_value() ? outside->fence : claim.fence;
      outside = OutsidePiece{
          staged.fingerprint, fence,       claim.fence,    claim.manifest->spec_version,
          claim.outside_end,  future_rows, staged.bad_rows};
      continue;
    }
    const Range range = *staged.extent.range;
    if (staged.unchanged) {  // Confirm() is for the rest of it.
      if (staged.checksum.has_value()) TakeChecksum(staged.extent, *staged.checksum);
      continue;
    }
    Piece piece{range,       staged.fingerprint, claim.fence,
                claim.fence, staged.max_cursor,  claim.manifest->spec_version,
                claim.shown, claim.shown.clock};
    piece.bad_rows = staged.bad_rows;
    piece.checksum = staged.checksum;
    for (const Piece* old : std::as_const(coverage).Overlapping(range)) {
      if (old->range.from == range.from && old->settled_through <= range.from)
        piece.began = old->began;
    }
    if (range.from < settled_to) piece.settled_through = std::min(range.to, settled_to);
    written.push_back(std::move(piece));
  }
  // The claim was widened to whole pieces, but its cuts may go through them: all old ones first.
  if (claim.whole) {
    adopted = false;
    coverage = Coverage();
  }
  for (const Piece& piece : written) {
    coverage.Drop(piece.range);
    compaction_from = std::min(compaction_from, piece.range.from);
  }
  for (Piece& piece : written) coverage.Put(std::move(piece));
  AdvanceSettled();
  Confirm(claim, now);
}

void DatasetState::PublishCompacted(const Claim& claim) {
  const Range range = *claim.extent.range;
  Piece whole = CompactedPiece(*this, range);
  whole.fence = claim.fence;
  compaction_failures = 0;
  compaction_not_before = absl::InfinitePast();
  coverage.Drop(range);
  coverage.Put(std::move(whole));
}

void DatasetState::Confirm(const Claim& claim, absl::Time now) {
  if (claim.extent.range.has_value()) {
    for (Piece* piece : coverage.CutOut(*claim.extent.range)) {
      if (piece->fill_seq >= claim.fence) continue;
      piece->fill_seq = claim.fence;
      TrySettle(*piece, claim.shown);
    }
    needs.DropUpTo(*claim.extent.range, claim.fence);
    if (joined_from.has_value() && claim.extent.outside) joined_from.reset();
    AdvanceSettled();
    coverage.JoinEmpty(*claim.extent.range);
  }
  if (claim.extent.outside) {
    if (outside.has_value()) outside->fill_seq = claim.fence;
    if (outside.has_value()) outside->end = claim.outside_end;  // It was read from there on.
    if (outside_need <= claim.fence) outside_need = 0;
  }
  DropBlocked(claim.extent);
  last_loaded = now;
}

bool DatasetState::Publishes(const Extent& extent, const Fingerprint& fingerprint) const {
  if (!extent.range.has_value()) return outside.has_value() && outside->fingerprint == fingerprint;
  const Piece* piece = coverage.Known(*extent.range);
  return piece != nullptr && piece->fingerprint == fingerprint;
}

void DatasetState::Lose(const Extent& extent, int64_t sequence) {
  if (extent.range.has_value()) coverage.Drop(*extent.range);
  if (!extent.outside || !outside.has_value()) return;
  outside.reset();
  outside_need = sequence;
}

bool DatasetState::OverlapsClaim(const Extent& extent) const {
  return std::any_of(claims.begin(), claims.end(),
                     [&](const auto& entry) { return Overlaps(entry.second.extent, extent); });
}

const Blocked* DatasetState::FindBlocked(const Extent& extent) const {
  for (const Blocked& entry : blocked) {
    if (Overlaps(entry.extent, extent)) return &entry;
  }
  return nullptr;
}

void DatasetState::DropBlocked(const Extent& extent) {
  std::erase_if(blocked, [&](const Blocked& entry) { return Overlaps(entry.extent, extent); });
}

}  // namespace headwater
