#include "coordinator/fsck_checks.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

constexpr size_t kMaxForeign = 20;  // Named; where there are more, most are alike.
constexpr char kReadAgain[] = "`headwater run` reads it again and puts this right";
constexpr char kHeal[] = "end all runs, then `headwater state heal`";

std::string NameOf(const DatasetId& id) { return absl::StrCat(id.server, "/", id.table); }

// What the ledger has of one published piece.
struct Recorded {
  Extent extent;
  int64_t fence = 0;
  Fingerprint fingerprint;
  int64_t bad_rows = 0;

  int64_t table_rows() const { return fingerprint.rows - bad_rows; }
};

using ExtentKey = std::tuple<bool, int64_t, int64_t>;
ExtentKey KeyOf(const Extent& extent) {
  if (!extent.range.has_value()) return {true, 0, 0};
  return {false, extent.range->from, extent.range->to};
}

std::map<ExtentKey, Recorded> RecordedOf(const DatasetState& dataset) {
  std::map<ExtentKey, Recorded> recorded;
  for (const auto& [from, piece] : dataset.coverage.pieces()) {
    const Extent extent{piece.range, false};
    recorded[KeyOf(extent)] = {extent, piece.fence, piece.fingerprint, piece.bad_rows};
  }
  if (dataset.outside.has_value()) {
    const Extent extent{std::nullopt, true};
    recorded[KeyOf(extent)] = {extent, dataset.outside->fence, dataset.outside->fingerprint,
                               dataset.outside->bad_rows};
  }
  return recorded;
}

std::string Text(const Recorded& piece) {
  return absl::StrCat(
      "attempt ", piece.fence, ", ", piece.table_rows(), " rows",
      piece.bad_rows > 0 ? absl::StrCat(", ", piece.bad_rows, " in the quarantine") : "", ", sum ",
      HexOf(piece.fingerprint.sum));
}

std::string Text(const SurveyedPiece& piece) {
  return absl::StrCat(
      "attempt ", piece.fence, ", ",
      piece.live_rows < 0 ? std::string("unknown") : absl::StrCat(piece.live_rows), " rows of ",
      piece.fingerprint.rows - piece.bad_rows,
      piece.bad_rows + piece.live_bad_rows > 0
          ? absl::StrCat(", ", piece.live_bad_rows, " of ", piece.bad_rows, " in the quarantine")
          : "",
      ", sum ", HexOf(piece.fingerprint.sum),
      piece.one_attempt ? "" : ", and files of other attempts");
}

bool IsSame(const Recorded& recorded, const SurveyedPiece& found) {
  // Statistics that another writer has left out say nothing against the piece.
  const bool rows = found.live_rows < 0 || found.live_rows == recorded.table_rows();
  return found.one_attempt && found.fence == recorded.fence && rows &&
         found.fingerprint == recorded.fingerprint && found.bad_rows == recorded.bad_rows &&
         found.live_bad_rows == recorded.bad_rows;
}

void CheckPieces(const DatasetState& dataset, const SurveyedServer& server, v1::CheckedTable& out) {
  const DatasetId& id = dataset.spec.id;
  const std::map<ExtentKey, Recorded> recorded = RecordedOf(dataset);
  std::map<ExtentKey, const SurveyedPiece*> found;
  for (const SurveyedPiece& piece : server.pieces) found[KeyOf(piece.extent)] = &piece;
  for (const auto& [key, piece] : recorded) {
    if (piece.table_rows() == 0) continue;  // No file of the table shows it.
    const auto it = found.find(key);
    if (it != found.end() && IsSame(piece, *it->second)) continue;
    v1::Violation& violation = AddViolation(out, "I4", &id, Describe(dataset, piece.extent));
    violation.set_expected(Text(piece));
    violation.set_found(it == found.end() ? "no file of it in the table's log" : Text(*it->second));
    violation.set_advice(kReadAgain);
  }
  int64_t unknown = 0;
  const SurveyedPiece* before = nullptr;
  for (const SurveyedPiece& piece : server.pieces) {
    if (piece.extent.range.has_value()) {
      if (before != nullptr && before->extent.range->to > piece.extent.range->from) {
        v1::Violation& violation = AddViolation(out, "I1", &id, Describe(dataset, piece.extent));
        violation.set_expected("pieces in the table's log that do not overlap");
        violation.set_found(absl::StrCat("it overlaps ", Describe(dataset, before->extent)));
        violation.set_advice(kHeal);
      }
      before = &piece;
    }
    const auto it = recorded.find(KeyOf(piece.extent));
    if (it != recorded.end() && it->second.table_rows() > 0) continue;
    const bool covered =
        it != recorded.end() || (piece.extent.range.has_value() &&
                                 !dataset.coverage.Overlapping(*piece.extent.range).empty());
    if (!covered) {
      ++unknown;
      continue;
    }
    v1::Violation& violation = AddViolation(out, "I1", &id, Describe(dataset, piece.extent));
    violation.set_expected("no files: the ledger has other pieces there, or none with rows");
    violation.set_found(Text(piece));
    violation.set_advice(absl::StrCat("`headwater state reset ", NameOf(id),
                                      "`, then `headwater run` reads it again"));
  }
  if (unknown > 0) {
    out.add_notes(absl::StrCat(NameOf(id), ": ", unknown,
                               " pieces are in the table that the ledger does not count as loaded; "
                               "the next read of these ranges replaces them"));
  }
}

void CheckKeyed(const DatasetState& dataset, const SurveyedServer& server, v1::CheckedTable& out) {
  const DatasetId& id = dataset.spec.id;
  if (server.keyed_rows >= 0 && server.keyed_rows != dataset.table_rows) {
    v1::Violation& violation = AddViolation(out, "I4", &id, "all rows, by key");
    violation.set_expected(absl::StrCat(dataset.table_rows, " rows"));
    violation.set_found(absl::StrCat(server.keyed_rows, " rows in ", server.keyed_files, " files"));
    violation.set_advice(kReadAgain);
  }
  if (!server.pieces.empty()) {
    v1::Violation& violation = AddViolation(out, "I1", &id, "files of pieces");
    violation.set_expected("none: rows of this dataset are written by key");
    violation.set_found(absl::StrCat(server.pieces.size(), " pieces"));
    violation.set_advice(absl::StrCat("`headwater repair --adopt ", NameOf(id), "`"));
  }
}

void CheckForeign(const DatasetId* id, const SurveyedServer& server, v1::CheckedTable& out) {
  for (size_t i = 0; i < server.foreign.size() && i < kMaxForeign; ++i) {
    v1::Violation& violation = AddViolation(out, "I2", id, server.foreign[i]);
    violation.set_expected("our tags on each file that the table's log names");
    violation.set_found(server.foreign.size() > kMaxForeign
                            ? absl::StrCat("none, on ", server.foreign.size(), " files")
                            : "none");
    violation.set_advice(id == nullptr
                             ? "remove it: nothing says whose rows it has"
                             : absl::StrCat("`headwater repair --adopt ", NameOf(*id), "`"));
  }
}

void CheckDataset(const DatasetState& dataset, const SurveyedServer& server,
                  v1::CheckedTable& out) {
  const DatasetId& id = dataset.spec.id;
  const bool keyed = dataset.spec.keyed();
  out.set_rows(out.rows() + (keyed ? dataset.table_rows : dataset.rows() - dataset.bad_rows()));
  CheckForeign(&id, server, out);
  if (server.adopted_files > 0 && !dataset.adopted) {
    v1::Violation& violation = AddViolation(out, "I4", &id, "adopted files");
    violation.set_expected("none that the ledger does not know of");
    violation.set_found(absl::StrCat(server.adopted_files, " files"));
    violation.set_advice(absl::StrCat("`headwater repair --adopt ", NameOf(id), "` once more"));
  }
  if (keyed) {
    CheckKeyed(dataset, server, out);
  } else {
    CheckPieces(dataset, server, out);
  }
}

// False: ledger and table cannot be compared any further.
bool CheckOwner(const TableView& view, v1::CheckedTable& out) {
  const TableSurvey& survey = view.survey;
  if (!survey.exists || survey.version < view.least.version ||
      survey.own_sequence < view.least.sequence) {
    if (view.least.version < 0) return false;  // Nothing was published yet.
    v1::Violation& violation = AddViolation(out, "I4", nullptr, out.folder());
    violation.set_expected(absl::StrCat("version ", view.least.version, " or a later one, commit ",
                                        view.least.sequence, " or a later one"));
    violation.set_found(
        survey.exists ? absl::StrCat("version ", survey.version, ", commit ", survey.own_sequence)
                      : "no table");
    violation.set_advice(
        "restore the folder; or move it and .headwater away, and load everything again");
    return false;
  }
  if (survey.owner != view.ledger_id) {
    v1::Violation& violation = AddViolation(out, "owner", nullptr, "headwater.ledger");
    violation.set_expected(view.ledger_id);
    violation.set_found(survey.owner.empty() ? "none" : survey.owner);
    violation.set_advice(
        absl::StrCat(kHeal, "; or, if this table is to change hands, `headwater repair --adopt`"));
    return false;
  }
  return true;
}

// Whether the ledger is the newest that has written this table.
bool CheckNumbers(const TableView& view, v1::CheckedTable& out) {
  const TableState* known = view.state.FindTable(out.table());
  const int64_t last = known == nullptr ? 0 : known->last_sequence;
  const auto add = [&](const std::string& what, int64_t expected, int64_t found) {
    v1::Violation& violation = AddViolation(out, "I8", nullptr, what);
    violation.set_expected(absl::StrCat("at most ", expected, ", as the ledger has it"));
    violation.set_found(
        absl::StrCat(found, ": the ledger is an older copy, or another wrote here"));
    violation.set_advice(kHeal);
  };
  const bool older = view.survey.own_sequence > last;
  if (older) add("the table's last commit", last, view.survey.own_sequence);
  if (view.survey.max_fence > std::max(view.state.last_sequence(), last))
    add("the table's highest fence", view.state.last_sequence(), view.survey.max_fence);
  return !older;
}

void CheckCoverage(const DatasetState& dataset, v1::CheckedTable& out) {
  const Piece* before = nullptr;
  for (const auto& [from, piece] : dataset.coverage.pieces()) {
    const bool ordered = from == piece.range.from && piece.range.from < piece.range.to &&
                         (before == nullptr || before->range.to <= piece.range.from);
    if (!ordered) {
      v1::Violation& violation =
          AddViolation(out, "I1", &dataset.spec.id, Describe(dataset, {piece.range, false}));
      violation.set_expected("pieces in order that do not overlap");
      violation.set_found(before == nullptr ? "an empty range"
                                            : Describe(dataset, {before->range, false}));
      violation.set_advice(kHeal);
    }
    before = &piece;
  }
}

bool Overlap(const Extent& a, const Extent& b) {
  if (a.outside && b.outside) return true;
  return a.range.has_value() && b.range.has_value() && a.range->Overlaps(*b.range);
}

void CheckClaims(const DatasetState& dataset, int64_t last_sequence, v1::CheckedTable& out) {
  const DatasetId& id = dataset.spec.id;
  for (auto it = dataset.claims.begin(); it != dataset.claims.end(); ++it) {
    const Claim& claim = it->second;
    for (auto other = std::next(it); other != dataset.claims.end(); ++other) {
      if (!Overlap(claim.extent, other->second.extent)) continue;
      v1::Violation& violation = AddViolation(out, "I11", &id, Describe(dataset, claim.extent));
      violation.set_expected("one live claim");
      violation.set_found(absl::StrCat("those of attempts ", claim.fence, " and ", other->first));
      violation.set_advice("end all runs; the next one drops both and reads again");
    }
    if (it->first != claim.fence || claim.fence > last_sequence) {
      v1::Violation& violation = AddViolation(out, "I11", &id, Describe(dataset, claim.extent));
      violation.set_expected(absl::StrCat("a fence up to ", last_sequence));
      violation.set_found(absl::StrCat(claim.fence));
      violation.set_advice(kHeal);
    }
    if (claim.granted == absl::InfinitePast()) {
      v1::Violation& violation = AddViolation(out, "I12", &id, Describe(dataset, claim.extent));
      violation.set_expected("a claim that knows when it was granted, so that it can end");
      violation.set_found(absl::StrCat("attempt ", claim.fence, " does not"));
      violation.set_advice("end all runs; the next one ends the claim");
    }
  }
  for (const Blocked& blocked : dataset.blocked) {
    if (blocked.quarantined || blocked.not_before < absl::InfiniteFuture()) continue;
    v1::Violation& violation = AddViolation(out, "I12", &id, Describe(dataset, blocked.extent));
    violation.set_expected("a time at which it is tried again");
    violation.set_found("none");
    violation.set_advice(absl::StrCat("`headwater state reset ", NameOf(id), "`"));
  }
}

}  // namespace

v1::Violation& AddViolation(v1::CheckedTable& out, const std::string& invariant,
                            const DatasetId* dataset, const std::string& where) {
  v1::Violation& violation = *out.add_violations();
  violation.set_invariant(invariant);
  if (dataset != nullptr) *violation.mutable_dataset() = RefOf(*dataset);
  violation.set_where(where);
  return violation;
}

void CheckProgressOf(const DatasetState& dataset, int64_t last_sequence, v1::CheckedTable& out) {
  CheckCoverage(dataset, out);
  CheckClaims(dataset, last_sequence, out);
}

void CheckLedger(const ClusterState& state, v1::CheckedTable& out) {
  for (auto it = state.datasets().lower_bound({out.table(), ""});
       it != state.datasets().end() && it->first.table == out.table(); ++it) {
    const DatasetState& dataset = it->second;
    out.set_datasets(out.datasets() + 1);
    out.set_pieces(out.pieces() + static_cast<int64_t>(dataset.coverage.pieces().size()) +
                   (dataset.outside.has_value() ? 1 : 0));
    out.set_claims(out.claims() + static_cast<int64_t>(dataset.claims.size()));
    CheckProgressOf(dataset, state.last_sequence(), out);
  }
}

void CheckTable(const TableView& view, v1::CheckedTable& out) {
  if (!CheckOwner(view, out)) return;
  if (!CheckNumbers(view, out)) return;
  const SurveyedServer nothing;
  std::map<std::string, const SurveyedServer*> servers;
  for (const auto& [name, server] : view.survey.servers) servers[name] = &server;
  for (auto it = view.state.datasets().lower_bound({out.table(), ""});
       it != view.state.datasets().end() && it->first.table == out.table(); ++it) {
    const auto server = servers.find(it->first.server);
    CheckDataset(it->second, server == servers.end() ? nothing : *server->second, out);
    if (server != servers.end()) servers.erase(server);
  }
  for (const auto& [name, server] : servers) {
    if (name.empty()) {
      CheckForeign(nullptr, *server, out);
    } else {
      out.add_notes(absl::StrCat("server ", name, " is not known to the ledger: ",
                                 server->pieces.size(), " pieces of it were not checked"));
    }
  }
}

}  // namespace headwater
