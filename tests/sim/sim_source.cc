#include "tests/sim/sim_source.h"

#include <algorithm>
#include <limits>

namespace headwater {

absl::Duration SimSource::LongestTransaction() const {
  switch (sight) {
    case SimSight::kQuick:
      return spec.settle - absl::Seconds(1);
    case SimSight::kSees:
      return absl::Minutes(20);
    case SimSight::kBlind:
    case SimSight::kReplica:
      return absl::Minutes(59);
  }
  return absl::ZeroDuration();
}

Schema SimSource::Columns() const {
  Schema schema;
  if (changes && whole()) {
    schema.columns = {{"note", {TypeKind::kString}, true}};
  } else if (cursor_type == CursorType::kInteger) {
    schema.columns = {{"id", {TypeKind::kLong}, true}};
  } else {
    schema.columns = {{"at", {TypeKind::kTimestamp}, true}};
  }
  if (changes) schema.columns.push_back({"key", {TypeKind::kLong}, true});
  return schema;
}

ProbeResult SimSource::Probe(const ProbeTask& task, absl::Time now) const {
  ProbeResult probe;
  probe.cursor_type = cursor_type;
  probe.source_clock = ClockAt(now);
  probe.transactions_known = sight == SimSight::kQuick || sight == SimSight::kSees;
  if (sight == SimSight::kReplica) probe.replay_time = probe.source_clock - lag;
  probe.schema = Columns();
  for (const Range& range : task.tail) probe.tail.push_back({range, 0, std::nullopt});
  const int64_t ahead = absl::ToUnixMicros(probe.source_clock + spec.max_ahead);
  for (const SimRow& row : rows) {
    if (sight == SimSight::kSees && row.begun <= now && now < row.visible_at) {
      const absl::Time began = ClockAt(row.begun);
      probe.oldest_transaction = std::min(probe.oldest_transaction.value_or(began), began);
    }
    if (!row.IsVisible(now) || cursor_type == CursorType::kNone) continue;
    if (!row.cursor.has_value()) {
      ++probe.null_rows;
      continue;
    }
    const int64_t cursor = *row.cursor;
    if (cursor_type == CursorType::kInstant && cursor > ahead) {
      ++probe.future_rows;
      continue;
    }
    probe.minimum = std::min(probe.minimum.value_or(cursor), cursor);
    probe.bound = std::max(probe.bound.value_or(cursor), cursor);
    for (TailCheck& check : probe.tail) {
      if (!check.range.Contains(cursor)) continue;
      ++check.rows;
      check.max_cursor = std::max(check.max_cursor.value_or(cursor), cursor);
    }
  }
  return probe;
}

Range SimSource::EmptyAround(const Range& range, absl::Time now) const {
  Range empty{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
  for (const SimRow& row : rows) {
    if (!row.cursor.has_value() || !row.IsVisible(now)) continue;
    if (*row.cursor < range.from) empty.from = std::max(empty.from, *row.cursor + 1);
    if (*row.cursor >= range.to) empty.to = std::min(empty.to, *row.cursor);
  }
  return empty;
}

std::vector<const SimRow*> SimSource::RowsOf(const Extent& extent, int64_t domain_end,
                                             absl::Time now) const {
  std::vector<const SimRow*> found;
  for (const SimRow& row : rows) {
    if (!row.IsVisible(now)) continue;
    const bool outside = !row.cursor.has_value() || *row.cursor >= domain_end;
    const bool inside =
        row.cursor.has_value() && extent.range.has_value() && extent.range->Contains(*row.cursor);
    if (whole() || inside || (outside && extent.outside)) found.push_back(&row);
  }
  return found;
}

std::vector<uint64_t> SimSource::Read(const Extent& piece, int64_t domain_end, absl::Time now,
                                      std::optional<int64_t>* max_cursor) const {
  std::vector<uint64_t> contents;
  for (const SimRow* row : RowsOf(piece, domain_end, now)) {
    contents.push_back(row->content);
    if (whole()) {
      *max_cursor = 0;
    } else if (row->cursor.has_value() && piece.range.has_value() &&
               piece.range->Contains(*row->cursor)) {
      *max_cursor = std::max(max_cursor->value_or(*row->cursor), *row->cursor);
    }
  }
  return contents;
}

ExtentChecksum SimSource::ChecksumOf(const Extent& piece, int64_t domain_end,
                                     absl::Time now) const {
  ExtentChecksum checksum{spec.checksum, 0, 0, "spec"};
  for (const SimRow* row : RowsOf(piece, domain_end, now)) {
    ++checksum.rows;
    checksum.sum += HashOf(row->content).high;
  }
  return checksum;
}

}  // namespace headwater
