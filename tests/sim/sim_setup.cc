// What the simulated servers are, how their datasets are configured, and what becomes of their
// rows.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/sim_world.h"

namespace headwater {
namespace {

constexpr int64_t kPast = 40'000;  // Seconds back from the beginning that rows are stamped.

}  // namespace

void SimWorld::AddDatasets() {
  for (int i = 0; i < (options_.datasets + 1) / 2; ++i) {
    ServerSpec spec;
    spec.name = absl::StrCat("p", i);
    spec.max_connections = 1 + static_cast<int>(Pick(3));
    spec.url = "sim:";
    if (Chance(0.15)) {
      const int from = static_cast<int>(Pick(24)) * 60;
      spec.quiet_windows.push_back(
          {0x7f, from, (from + 180) % 1440 == 0 ? 1440 : (from + 180) % 1440});
    }
    if (Chance(0.15)) spec.max_tasks_per_minute = 20 + static_cast<int>(Pick(60));
    servers_[spec.name].spec = spec;
  }
  for (int i = 0; i < options_.datasets; ++i) AddDataset(i);
}

void SimWorld::AddDataset(int number) {
  SimSource source;
  DatasetSpec& spec = source.spec;
  spec.id = {number % 2 == 0 ? "deals" : "orders", absl::StrCat("p", number / 2)};
  spec.server = servers_.at(spec.id.server).spec;
  spec.cursor_timezone = "UTC";
  spec.relation = spec.id.table;
  spec.target_uri = "/lake";
  spec.settle = absl::Minutes(5);
  spec.settle_values = 300;
  spec.retries = 3;
  spec.reload_on_regress = Chance(0.5);
  const bool keyed = options_.keyed > 0 && Chance(options_.keyed);
  if (keyed) ConfigureKeyed(source);
  const int64_t kind = keyed ? 0 : Pick(6);
  if (kind > 0) {
    source.cursor_type = kind == 5 ? CursorType::kInteger : CursorType::kInstant;
    spec.strategy = kind < 3 ? Strategy::kPartition : Strategy::kIncremental;
    spec.cursor = kind == 5 ? "id" : "at";
    spec.unit = *ParseUnit(kind == 5 ? "100" : "1h");
    spec.lookback_units = static_cast<int>(Pick(3));
  }
  const int64_t sight = kind == 5 ? 0 : Pick(8);  // Integers say nothing of when they were drawn.
  source.sight = sight < 4   ? SimSight::kQuick
                 : sight < 6 ? SimSight::kSees
                 : sight < 7 ? SimSight::kBlind
                             : SimSight::kReplica;
  if (source.sight == SimSight::kReplica) source.lag = absl::Seconds(Pick(7'200));
  source.skew = absl::Seconds(Pick(600) - 300);
  Configure(source);
  std::vector<absl::Time> times;
  for (int64_t i = Pick(60); i > 0; --i) times.push_back(now_ - absl::Seconds(Pick(kPast)));
  std::sort(times.begin(), times.end());
  for (const absl::Time at : times) AddRow(source, at, false);
  sources_.emplace(spec.id, std::move(source));
}

void SimWorld::Configure(SimSource& source) {
  by_digest_.emplace(DigestOf(source.spec), source.spec.id);
}

// Another configuration, with which the next coordinator starts.
void SimWorld::Reconfigure() {
  for (auto& [id, source] : sources_) {
    if (source.whole() || !Chance(0.5)) continue;
    source.spec.lookback_units = static_cast<int>(Pick(3));
    source.spec.unit = source.cursor_type == CursorType::kInteger
                           ? *ParseUnit(Chance(0.5) ? "100" : "37")
                           : *ParseUnit(Chance(0.5)   ? "1h"
                                        : Chance(0.5) ? "3h"
                                                      : "1d");
    Configure(source);
    ++counts_.reloads;
    Trace([&, &id = id, &source = source] {
      return absl::StrCat(ToString(id), " has unit ", UnitToString(source.spec.unit));
    });
  }
}

// How long a transaction stays open.
absl::Duration SimWorld::OpenFor(const SimSource& source) {
  if (!source.late) return absl::ZeroDuration();
  const int64_t longest = absl::ToInt64Seconds(source.LongestTransaction());
  return Chance(0.5) ? absl::ZeroDuration()
                     : absl::Seconds(Pick(Chance(0.8) ? std::min<int64_t>(300, longest) : longest));
}

// A row of a transaction that begins at `begun`. `odd`: some are stamped far from then.
void SimWorld::AddRow(SimSource& source, absl::Time begun, bool odd) {
  SimRow row;
  row.content = row.value = ++contents_;
  row.key = ++source.last_key;
  row.begun = begun;
  row.visible_at = begun + OpenFor(source) + source.lag;
  const absl::Time stamp = source.ClockAt(begun);
  if (source.cursor_type == CursorType::kInteger) {
    source.last_value += 1 + Pick(4);
    row.cursor = source.last_value;
  } else if (source.cursor_type == CursorType::kInstant) {
    row.cursor = absl::ToUnixMicros(stamp);
  }
  if (odd && source.cursor_type != CursorType::kNone && !MovesRows(source)) {
    if (Chance(0.04)) row.cursor.reset();
    if (source.cursor_type == CursorType::kInstant) {
      if (Chance(0.02)) row.cursor = absl::ToUnixMicros(stamp + absl::Hours(Pick(23)));
      if (Chance(0.01)) row.cursor = absl::ToUnixMicros(stamp + absl::Hours(24 + Pick(3)));
      if (Chance(0.01)) row.cursor = absl::ToUnixMicros(absl::FromUnixSeconds(4'070'908'800));
    }
    if (Chance(0.01) && row.cursor.has_value()) {  // Of long ago: nobody looks there any more.
      *row.cursor -= source.cursor_type == CursorType::kInteger
                         ? 400
                         : absl::ToInt64Microseconds(absl::Hours(Pick(30)));
      source.dirty = true;
    }
  }
  cursors_[row.content] = row.cursor;
  source.rows.push_back(row);
}

void SimWorld::AddRows() {
  auto it = sources_.begin();
  std::advance(it, Pick(static_cast<int64_t>(sources_.size())));
  SimSource& source = it->second;
  if (source.changes && Chance(0.5)) return ChangeRows(source);
  const size_t before = source.rows.size();
  for (int64_t i = 1 + Pick(4); i > 0; --i) AddRow(source, now_, true);
  // Ties: rows of one instant, of transactions of their own.
  const std::optional<int64_t> first = source.rows[before].cursor;
  for (size_t i = before + 1; i < source.rows.size(); ++i) {
    if (source.cursor_type != CursorType::kInstant || !Chance(0.5) || !first.has_value() ||
        *first > absl::ToUnixMicros(source.ClockAt(now_))) {
      continue;
    }
    source.rows[i].cursor = cursors_[source.rows[i].content] = first;
  }
}

// Rows go: those of long ago (purged), some (deleted, updated), or, where a backup is restored, the
// newest ones.
void SimWorld::LoseRows() {
  auto it = sources_.begin();
  std::advance(it, Pick(static_cast<int64_t>(sources_.size())));
  auto& [id, source] = *it;
  if (source.changes && (source.whole() || MovesRows(source))) return ChangeRows(source);
  source.dirty = true;
  const int64_t how = Pick(5);
  const absl::Time from = now_ - absl::Seconds(Pick(kPast));
  for (size_t i = source.rows.size(); i-- > 0;) {
    SimRow& row = source.rows[i];
    // What is outside is counted, no more: those rows stay.
    if (!row.IsVisible(now_) || row.gone_at != absl::InfiniteFuture() || !row.cursor.has_value() ||
        row.visible_at - row.begun > absl::Hours(20) ||
        (source.cursor_type == CursorType::kInstant &&
         *row.cursor > absl::ToUnixMicros(source.ClockAt(now_)))) {
      continue;
    }
    const bool goes = how == 0 ? row.begun < from : how == 1 ? row.begun > from : Chance(0.1);
    if (!goes) continue;
    row.gone_at = now_;
    if (how < 3) continue;
    SimRow updated = row;
    updated.content = updated.value = ++contents_;
    updated.begun = updated.visible_at = now_;
    updated.gone_at = absl::InfiniteFuture();
    cursors_[updated.content] = updated.cursor;
    source.rows.push_back(updated);
  }
  Trace([&, &id = id] { return absl::StrCat(ToString(id), " loses rows, kind ", how); });
}

}  // namespace headwater
