#include "coordinator/plan/takeover_plan.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/model/model_proto.h"

namespace headwater {
namespace {

constexpr int64_t kUnknown = std::numeric_limits<int64_t>::min();
constexpr int kMaxListedFiles = 20;
constexpr char kAdoptThem[] = "; `headwater repair --adopt` takes such files over";

std::string Count(int64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

// As the table's columns tell, for people; none: the cursor is not among them.
std::optional<CursorCalendar> CalendarIn(const DatasetSpec& spec, const Schema& schema) {
  const int at = schema.Find(spec.cursor);
  if (spec.cursor.empty() || at < 0) return std::nullopt;
  const std::optional<CursorType> type =
      CursorTypeOf(schema.columns[static_cast<size_t>(at)].type.kind);
  if (!type.has_value()) return std::nullopt;
  const absl::StatusOr<CursorCalendar> calendar = CalendarOf(spec, *type);
  if (!calendar.ok()) return std::nullopt;
  return *calendar;
}

std::string ValueText(const DatasetSpec& spec, const Schema& schema, int64_t value) {
  const std::optional<CursorCalendar> calendar = CalendarIn(spec, schema);
  return calendar.has_value() ? calendar->Format(value) : absl::StrCat(value);
}

// Up to where rows had settled when the newest piece was written.
int64_t SettledTo(const SurveyedServer& server) {
  int64_t fence = 0, settled_to = kUnknown;
  for (const SurveyedPiece& piece : server.pieces) {
    if (piece.fence <= fence) continue;
    fence = piece.fence;
    settled_to = piece.settled_to;
  }
  return settled_to;
}

// Why the pieces cannot be what an attempt of this dataset wrote; empty: they can.
std::string WhyNotPieces(const DatasetSpec& spec, const SurveyedServer& server) {
  const bool whole = spec.cursor.empty();
  int64_t end = kUnknown;
  for (const SurveyedPiece& piece : server.pieces) {
    if (!piece.one_attempt) return "files of several attempts lie in one piece";
    if (!piece.extent.range.has_value()) {
      if (whole) return "its rows were loaded by a cursor, and now they are to be loaded without";
      continue;
    }
    const Range& range = *piece.extent.range;
    if (range.from < end) return "its pieces overlap";
    end = range.to;
    const bool is_whole = range == Range{0, 1};
    if (whole && !is_whole)
      return "its rows were loaded by a cursor, and now they are to be loaded without";
    if (!whole && is_whole && server.pieces.size() == 1 && spec.unit.kind != Unit::Kind::kValues) {
      return "its rows were loaded without a cursor, and now they are to be loaded by one";
    }
  }
  return "";
}

// The recorded piece: what FindLost() would compare is what is there.
v1::PieceSnapshot PieceOf(const SurveyedPiece& surveyed, bool fresh, int64_t settled_to) {
  const Range range = *surveyed.extent.range;
  v1::PieceSnapshot piece;
  *piece.mutable_range() = ToProto(range);
  *piece.mutable_fingerprint() = ToProto(surveyed.fingerprint);
  piece.set_bad_rows(surveyed.bad_rows);
  piece.set_fence(surveyed.fence);
  piece.set_fill_seq(surveyed.fence);
  piece.set_settled_through(std::min(range.to, settled_to));
  piece.set_shown_clock_us(kUnknown);
  piece.set_began_clock_us(kUnknown);
  piece.set_shown_limit(kUnknown);
  if (surveyed.whole()) piece.set_spec_version(surveyed.spec_version);
  // No row of it lies lower: enough to see that a source has lost them.
  if (fresh) piece.set_max_cursor(range.from);
  if (surveyed.whole() || surveyed.live_rows < 0) return piece;
  piece.set_bad_rows(surveyed.live_bad_rows);
  piece.mutable_fingerprint()->set_rows(surveyed.live_rows + surveyed.live_bad_rows);
  return piece;
}

void TakeOutside(const SurveyedPiece& surveyed, PlannedTakeover& plan) {
  v1::DatasetProgress& progress = plan.progress;
  v1::OutsideSnapshot* outside = progress.mutable_outside();
  const int64_t live =
      surveyed.live_rows < 0 ? surveyed.fingerprint.rows - surveyed.bad_rows : surveyed.live_rows;
  *outside->mutable_fingerprint() = ToProto(surveyed.fingerprint);
  outside->mutable_fingerprint()->set_rows(live + surveyed.live_bad_rows);
  outside->set_bad_rows(surveyed.live_bad_rows);
  outside->set_fence(surveyed.fence);
  outside->set_fill_seq(surveyed.fence);
  outside->set_outside_end(std::numeric_limits<int64_t>::max());
  if (surveyed.whole()) outside->set_spec_version(surveyed.spec_version);
  progress.set_outside_stale(true);
  // Some of its rows may have come into the domain since, which began to end after the last piece.
  const int pieces = progress.pieces_size();
  progress.set_joined_from(pieces == 0 ? kUnknown : progress.pieces(pieces - 1).range().to() - 1);
  plan.report.add_reasons(absl::StrCat(
      Count(outside->fingerprint().rows(), "row"),
      " outside of the domain (NULL or far-future cursor): stale, since the table does not say "
      "where the domain ended; read again with all that comes after the last piece"));
}

void TakePieces(const DatasetSpec& spec, const TableSurvey& survey, const SurveyedServer& server,
                PlannedTakeover& plan) {
  const int64_t settled_to = spec.cursor.empty() ? kUnknown : SettledTo(server);
  int64_t fresh_rows = 0, unsettled = 0, damaged = 0;
  for (const SurveyedPiece& surveyed : server.pieces) {
    if (!surveyed.extent.range.has_value()) continue;
    const bool fresh = surveyed.whole() && surveyed.extent.range->to <= settled_to;
    const v1::PieceSnapshot piece = PieceOf(surveyed, fresh, settled_to);
    *plan.progress.add_pieces() = piece;
    plan.report.set_rows(plan.report.rows() + piece.fingerprint().rows());
    if (fresh) {
      plan.report.set_fresh_pieces(plan.report.fresh_pieces() + 1);
      fresh_rows += piece.fingerprint().rows();
      continue;
    }
    *plan.progress.add_stale() = ToProto(*surveyed.extent.range);
    plan.report.set_stale_pieces(plan.report.stale_pieces() + 1);
    ++(surveyed.whole() ? unsettled : damaged);
  }
  if (plan.report.fresh_pieces() > 0) {
    plan.report.add_reasons(absl::StrCat(
        Count(plan.report.fresh_pieces(), "piece"), " with ", Count(fresh_rows, "row"),
        ": taken over as they are, since they had settled (up to ",
        ValueText(spec, survey.schema, settled_to), ") and all of their rows are there"));
  }
  if (unsettled > 0) {
    plan.report.add_reasons(absl::StrCat(Count(unsettled, "piece"),
                                         spec.cursor.empty()
                                             ? ": stale, since without a cursor nothing settles"
                                             : ": stale, since they had not settled",
                                         "; the next read takes the place of their files"));
  }
  if (damaged > 0) {
    plan.report.add_reasons(
        absl::StrCat(Count(damaged, "piece"),
                     ": stale, since files of theirs are gone from the table or its quarantine"));
  }
  if (plan.progress.pieces_size() > 0 && !spec.cursor.empty()) {
    plan.progress.set_settled_to(settled_to == kUnknown ? plan.progress.pieces(0).range().from()
                                                        : settled_to);
    plan.report.add_reasons(
        "ranges without rows: missing, since they leave no trace in a table; read again");
  }
  for (const SurveyedPiece& surveyed : server.pieces) {
    if (!surveyed.extent.range.has_value()) TakeOutside(surveyed, plan);
  }
}

void ListForeign(const SurveyedServer& server, v1::TakenDataset& report) {
  report.set_foreign_file_count(static_cast<int64_t>(server.foreign.size()));
  for (size_t i = 0; i < server.foreign.size() && i < kMaxListedFiles; ++i)
    report.add_foreign_files(server.foreign[i]);
}

void Refuse(std::string why, PlannedTakeover& plan) {
  plan.possible = false;
  plan.report.add_reasons(std::move(why));
}

void TakeKeyed(const SurveyedServer& server, bool adopt, PlannedTakeover& plan) {
  if (!server.pieces.empty() || server.adopted_files > 0) {
    return Refuse(
        "the table's rows of this server were not written by key, and now they are to be (write: "
        "merge, strategy static or scd2): nothing is taken over; load into another table "
        "(target_table), or remove this one",
        plan);
  }
  if (!server.foreign.empty() && !adopt) {
    return Refuse(absl::StrCat(Count(plan.report.foreign_file_count(), "file"),
                               " that Headwater did not write: nothing is taken over", kAdoptThem),
                  plan);
  }
  plan.adopts_by_key = !server.foreign.empty();
  plan.report.set_rows(std::max<int64_t>(0, server.keyed_rows));
  // With rows of others nothing says yet how many there are.
  if (!plan.adopts_by_key) plan.progress.set_table_rows(plan.report.rows());
  if (plan.adopts_by_key) {
    plan.report.set_adopted(true);
    plan.report.add_reasons(absl::StrCat(Count(plan.report.foreign_file_count(), "file"),
                                         " of another writer: taken over as files of this dataset; "
                                         "their rows are looked up by key like all others"));
  }
  plan.report.add_reasons(
      "rows by key: missing, since their files do not say what was read; everything is read again, "
      "and only what differs is written");
}

}  // namespace

PlannedTakeover PlanTakeover(const DatasetSpec& spec, const TableSurvey& survey, bool adopt) {
  PlannedTakeover plan;
  plan.report.mutable_dataset()->set_table(spec.id.table);
  plan.report.mutable_dataset()->set_server(spec.id.server);
  const auto found = survey.servers.find(spec.id.server);
  if (found == survey.servers.end()) {
    plan.report.add_reasons("missing: the table has no rows of this server");
    return plan;
  }
  const SurveyedServer& server = found->second;
  ListForeign(server, plan.report);
  if (spec.keyed()) {
    TakeKeyed(server, adopt, plan);
    return plan;
  }
  if (server.keyed_files > 0) {
    Refuse(
        "the table's rows of this server were written by key (write: merge, strategy static or "
        "scd2), and now they are not to be: nothing is taken over; load into another table "
        "(target_table), or remove this one",
        plan);
    return plan;
  }
  std::string why = WhyNotPieces(spec, server);
  if (!server.foreign.empty())
    why = absl::StrCat(Count(plan.report.foreign_file_count(), "file"),
                       " that Headwater did not write");
  if (!why.empty() && !adopt) {
    Refuse(absl::StrCat(why, ": nothing is taken over", kAdoptThem), plan);
    return plan;
  }
  if (why.empty() && server.adopted_files == 0) {
    TakePieces(spec, survey, server, plan);
    return plan;
  }
  plan.adopts = !why.empty();
  plan.progress.set_adopted(true);
  plan.report.set_adopted(true);
  plan.report.add_reasons(absl::StrCat(
      why.empty() ? "files were taken over from another writer before" : why,
      ": all files of this dataset are taken over as one; the next run reads everything in one "
      "microbatch, and takes their place in one version"));
  return plan;
}

}  // namespace headwater
