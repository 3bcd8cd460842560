// Datasets whose rows are looked up by key, and static ones: how they are configured, and how their
// sources update, delete and bring back rows.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/sim_world.h"

namespace headwater {
namespace {

constexpr MissingPolicy kMissing[] = {MissingPolicy::kKeep, MissingPolicy::kMark,
                                      MissingPolicy::kRemove};

// A row of the key that is visible, or will be.
bool Lives(const SimSource& source, int64_t key) {
  return std::any_of(source.rows.begin(), source.rows.end(), [&](const SimRow& row) {
    return row.key == key && row.gone_at == absl::InfiniteFuture();
  });
}

}  // namespace

// What configurations can say of such a dataset: common/config/write_settings.cc.
void SimWorld::ConfigureKeyed(SimSource& source) {
  DatasetSpec& spec = source.spec;
  source.changes = true;
  source.late = Chance(0.5);
  source.sums = Chance(0.8);
  spec.checksum = ChecksumKind::kMd5;
  const int64_t kind = Pick(7);
  const bool ranges = kind < 3;
  if (ranges) {
    source.cursor_type = CursorType::kInstant;
    spec.cursor = "at";
    spec.unit = *ParseUnit("1h");
    spec.lookback_units = static_cast<int>(Pick(3));
    if (Chance(0.5)) spec.checksum = ChecksumKind::kNone;
  }
  if (kind != 5) spec.key_columns = {"key"};
  spec.write = WriteMode::kMerge;
  spec.on_missing = kMissing[Pick(3)];
  if (kind == 0) {  // An update takes a row out of its range.
    spec.strategy = Strategy::kIncremental;
    spec.cursor_modified = true;
    spec.on_missing = MissingPolicy::kKeep;
  } else if (kind == 1) {
    spec.strategy = Strategy::kIncremental;
  } else if (kind == 2) {
    spec.strategy = Strategy::kScd2;
    spec.write = WriteMode::kVersions;
    spec.on_missing = MissingPolicy::kKeep;
    spec.on_null_cursor = OutsidePolicy::kError;
  } else if (kind == 3) {
    spec.strategy = Strategy::kScd2;
    spec.write = WriteMode::kVersions;
    spec.on_missing = Chance(0.7) ? MissingPolicy::kClose : MissingPolicy::kKeep;
  } else if (kind == 4 || kind == 5) {
    spec.strategy = Strategy::kStatic;
    if (kind == 5) spec.write = WriteMode::kReplace;  // Without a key.
    if (kind == 5) spec.on_missing = MissingPolicy::kKeep;
    if (Chance(0.2)) spec.force_after = absl::Hours(1 + Pick(5));
  } else {
    spec.strategy = Strategy::kFull;
    spec.checksum = ChecksumKind::kNone;
  }
}

// Updates give rows other cursors: no such row is stamped far from now, see ChangeRows().
bool SimWorld::MovesRows(const SimSource& source) {
  return source.changes && !source.whole() &&
         (source.spec.cursor_modified || source.spec.write == WriteMode::kVersions);
}

void SimWorld::ChangeRows(SimSource& source) {
  for (int64_t left = 1 + Pick(4); left > 0 && source.last_key > 0; --left) {
    const int64_t key = 1 + Pick(source.last_key);
    if (!Lives(source, key)) {
      if (Chance(0.5)) BringBack(source, key);
      continue;
    }
    const auto row = std::find_if(source.rows.begin(), source.rows.end(), [&](const SimRow& one) {
      return one.key == key && one.IsVisible(now_) && one.gone_at == absl::InfiniteFuture();
    });
    // Another transaction has it, or it is outside, where rows are counted, no more.
    const bool outside =
        row != source.rows.end() && !source.whole() &&
        (!row->cursor.has_value() || *row->cursor > absl::ToUnixMicros(source.ClockAt(now_)));
    if (row == source.rows.end() || row->begun >= now_ || outside) continue;
    const absl::Time ends = now_ + OpenFor(source) + source.lag;
    row->gone_at = ends;
    // What probes count cannot tell a row that has gone from one that came instead, nor that a row
    // is another.
    source.dirty |= !source.whole() && (!MovesRows(source) || source.late);
    if (Chance(0.3)) continue;  // Deleted.
    SimRow updated = *row;
    updated.content = ++contents_;
    if (!Chance(0.2)) updated.value = updated.content;
    updated.begun = now_;
    updated.visible_at = ends;
    updated.gone_at = absl::InfiniteFuture();
    if (MovesRows(source)) updated.cursor = absl::ToUnixMicros(source.ClockAt(now_));
    cursors_[updated.content] = updated.cursor;
    source.rows.push_back(updated);
  }
  Trace([&] { return absl::StrCat("rows of ", ToString(source.spec.id), " change"); });
}

void SimWorld::BringBack(SimSource& source, int64_t key) {
  const auto old = std::find_if(source.rows.rbegin(), source.rows.rend(),
                                [&](const SimRow& row) { return row.key == key; });
  if (old == source.rows.rend() || old->gone_at >= now_) return;  // Not gone yet.
  const uint64_t value = old->value;
  AddRow(source, now_, false);
  SimRow& row = source.rows.back();
  row.key = key;
  --source.last_key;
  if (Chance(0.3)) row.value = value;
}

}  // namespace headwater
