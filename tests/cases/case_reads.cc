// What the workers of a CaseWorld find: probes, reads, and pieces put together.
#include <algorithm>

#include "coordinator/plan/planner.h"
#include "tests/cases/case_world.h"

namespace headwater {
namespace {

Hash128 HashOf(uint64_t content) { return {content * 0x9e3779b97f4a7c15ULL, content}; }

TypeKind KindOf(CursorType type) {
  switch (type) {
    case CursorType::kInteger:
      return TypeKind::kLong;
    case CursorType::kDate:
      return TypeKind::kDate;
    case CursorType::kWallClock:
      return TypeKind::kTimestampNtz;
    default:
      return TypeKind::kTimestamp;
  }
}

}  // namespace

bool CaseWorld::IsVisible(const CaseServer& server, const CaseRow& row) const {
  return row.visible_at + server.behind.value_or(absl::ZeroDuration()) <= now_;
}

ProbeResult CaseWorld::Probe(const CaseServer& server, const ProbeTask& task) {
  ++probes_;
  ProbeResult probe;
  probe.source_clock = now_;
  probe.transactions_known = server.transactions_known;
  probe.oldest_transaction = server.oldest_transaction;
  if (server.behind.has_value()) probe.replay_time = now_ - *server.behind;
  probe.cursor_type = server.type;
  probe.schema.columns = {{"at", {KindOf(server.type)}, true}};
  const auto calendar = CalendarOf(server.spec, server.type);
  const int64_t end = server.type == CursorType::kInteger
                          ? INT64_MAX
                          : calendar->FromInstant(now_ + server.spec.max_ahead) + 1;
  for (const Range& range : task.tail) probe.tail.push_back({range, 0, std::nullopt});
  for (const CaseRow& row : server.rows) {
    if (!IsVisible(server, row)) continue;
    if (!row.cursor.has_value()) {
      ++probe.null_rows;
      continue;
    }
    for (TailCheck& check : probe.tail) {
      if (!check.range.Contains(*row.cursor)) continue;
      ++check.rows;
      check.max_cursor = std::max(check.max_cursor.value_or(*row.cursor), *row.cursor);
    }
    if (*row.cursor >= end) {
      ++probe.future_rows;
      continue;
    }
    probe.minimum = std::min(probe.minimum.value_or(*row.cursor), *row.cursor);
    probe.bound = std::max(probe.bound.value_or(*row.cursor), *row.cursor);
  }
  return probe;
}

Manifest CaseWorld::Read(const CaseServer& server, const MicrobatchTask& task, int64_t fence) {
  reads_.push_back({server.spec.id.server, task.extent, task.cuts});
  Manifest manifest;
  manifest.spec_version = "spec";
  manifest.schema.columns = {{"at", {KindOf(server.type)}, true}};
  std::vector<CasePiece>& files = staged_[fence];
  for (const Extent& extent : PiecesOf(task.extent, task.cuts)) {
    StagedPiece piece;
    piece.extent = extent;
    CasePiece file{extent, fence, {}};
    for (const CaseRow& row : server.rows) {
      const bool outside = row.cursor.has_value()
                               ? *row.cursor >= task.domain_end &&
                                     server.spec.on_future_cursor == OutsidePolicy::kLoad
                               : server.spec.on_null_cursor == OutsidePolicy::kLoad;
      const bool in = extent.range.has_value()
                          ? row.cursor.has_value() && extent.range->Contains(*row.cursor)
                          : outside;
      if (!in || !IsVisible(server, row)) continue;
      piece.fingerprint.Add(HashOf(row.content));
      if (extent.range.has_value())
        piece.max_cursor = std::max(piece.max_cursor.value_or(*row.cursor), *row.cursor);
      file.contents.push_back(row.content);
    }
    for (const KnownPiece& known : task.known)
      piece.unchanged |= known.extent == extent && known.fingerprint == piece.fingerprint;
    manifest.rows_read += piece.fingerprint.rows;
    manifest.pieces.push_back(std::move(piece));
    files.push_back(std::move(file));
  }
  if (task.look_around && manifest.rows_read == 0)
    manifest.empty_around = EmptyAround(server, *task.extent.range);
  return manifest;
}

Range CaseWorld::EmptyAround(const CaseServer& server, const Range& range) const {
  Range empty{INT64_MIN, INT64_MAX};
  for (const CaseRow& row : server.rows) {
    if (!row.cursor.has_value() || !IsVisible(server, row)) continue;
    if (*row.cursor < range.from) empty.from = std::max(empty.from, *row.cursor + 1);
    if (*row.cursor >= range.to) empty.to = std::min(empty.to, *row.cursor);
  }
  return empty;
}

Manifest CaseWorld::Compact(const CaseServer& server, const MicrobatchTask& task, int64_t fence) {
  Manifest manifest;
  manifest.spec_version = "spec";
  manifest.schema.columns = {{"at", {KindOf(server.type)}, true}};
  StagedPiece& piece = manifest.pieces.emplace_back();
  piece.extent = task.extent;
  CasePiece file{task.extent, fence, {}};
  for (const CasePiece& old : table_[server.spec.id]) {
    if (!Overlaps(old.extent, task.extent)) continue;
    for (uint64_t content : old.contents) {
      piece.fingerprint.Add(HashOf(content));
      file.contents.push_back(content);
    }
  }
  for (const CaseRow& row : server.rows) {
    if (std::find(file.contents.begin(), file.contents.end(), row.content) != file.contents.end())
      piece.max_cursor = std::max(piece.max_cursor.value_or(*row.cursor), *row.cursor);
  }
  staged_[fence].push_back(std::move(file));
  return manifest;
}

}  // namespace headwater
