#include "coordinator/fsck.h"

#include <functional>
#include <memory>
#include <set>
#include <stop_token>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "coordinator/fsck_checks.h"
#include "coordinator/garbage_request.h"
#include "coordinator/startup.h"

namespace headwater {
namespace {

constexpr absl::Duration kLookAgain = absl::Milliseconds(20);
// What a collector keeps of a folder without knowing where it is from; see garbage_plan.cc.
constexpr char kUnexplained[] = "not written by Headwater, nor ever in the table";
constexpr char kLive[] = "in the table";

// Of a table's last intent, as seen from the ledger.
enum class Outcome { kTaken, kOpen, kUnknown };

class Checker {
 public:
  Checker(EventLog& log, ClusterState& state, const FsckOptions& options)
      : log_(log), state_(state), options_(options) {}

  absl::StatusOr<v1::CheckedTable> Check(const FsckTable& table);

 private:
  // Takes in events until `enough`, or all that there are.
  absl::Status Advance(const std::function<bool()>& enough);
  absl::StatusOr<Outcome> Follow(const std::string& table, int64_t sequence);
  Outcome OutcomeOf(const std::string& table, int64_t sequence) const;
  absl::Status WaitForOutcome(const std::string& table);
  absl::StatusOr<v1::CheckedTable> Look(const FsckTable& table);
  absl::Status Compare(const FsckTable& table, const PublishedTable& least,
                       const absl::StatusOr<TableSurvey>& survey, v1::CheckedTable& out);
  void CheckFiles(const FsckTable& table, v1::CheckedTable& out);
  void CheckUnreferenced(const FsckTable& table, const PublishedTable& least,
                         v1::CheckedTable& out);
  TableLocation LocationOf(const FsckTable& table) const {
    return {table.table, table.uri, log_.ledger_id()};
  }

  EventLog& log_;
  ClusterState& state_;
  const FsckOptions& options_;
};

absl::Status Checker::Advance(const std::function<bool()>& enough) {
  if (enough()) return absl::OkStatus();
  bool stopped = false;
  const absl::Status status = log_.Replay(
      state_.last_sequence(), [&](int64_t sequence, absl::string_view payload) -> absl::Status {
        RETURN_IF_ERROR(ApplyEvent(sequence, payload, state_));
        stopped = enough();
        return stopped ? absl::CancelledError("enough") : absl::OkStatus();
      });
  return stopped ? absl::OkStatus() : status;
}

Outcome Checker::OutcomeOf(const std::string& table, int64_t sequence) const {
  const TableState* known = state_.FindTable(table);
  const int64_t last = known == nullptr ? 0 : known->last_sequence;
  const bool open = known != nullptr && known->intended.has_value();
  // Intents of a table follow each other: one that the table does not show has changed nothing.
  if (open && known->intended->commit_sequence() <= sequence) return Outcome::kOpen;
  return last >= sequence ? Outcome::kTaken : Outcome::kUnknown;
}

absl::StatusOr<Outcome> Checker::Follow(const std::string& table, int64_t sequence) {
  const absl::Time deadline = absl::Now() + options_.patience;
  while (true) {
    RETURN_IF_ERROR(Advance([&] { return OutcomeOf(table, sequence) == Outcome::kTaken; }));
    const Outcome outcome = OutcomeOf(table, sequence);
    // An intent is in the ledger before it is in the table: what is not there now never comes.
    if (outcome != Outcome::kOpen || absl::Now() >= deadline) return outcome;
    absl::SleepFor(kLookAgain);
  }
}

absl::Status Checker::WaitForOutcome(const std::string& table) {
  const absl::Time deadline = absl::Now() + options_.patience;
  while (true) {
    RETURN_IF_ERROR(Advance([] { return false; }));
    const TableState* known = state_.FindTable(table);
    if (known == nullptr || !known->intended.has_value() || absl::Now() >= deadline)
      return absl::OkStatus();
    absl::SleepFor(kLookAgain);
  }
}

absl::Status Checker::Compare(const FsckTable& table, const PublishedTable& least,
                              const absl::StatusOr<TableSurvey>& survey, v1::CheckedTable& out) {
  if (!survey.ok()) {
    const bool violated =
        absl::IsAlreadyExists(survey.status()) || absl::IsDataLoss(survey.status());
    if (!violated) {
      out.add_problems(std::string(survey.status().message()));
      return absl::OkStatus();
    }
    v1::Violation& violation =
        AddViolation(out, absl::IsDataLoss(survey.status()) ? "I3" : "owner", nullptr, table.uri);
    violation.set_expected(least.version < 0 ? "an empty folder, or a table of this ledger"
                                             : "a table of this ledger that can be read");
    violation.set_found(std::string(survey.status().message()));
    violation.set_advice("restore the folder; or move it away");
    return absl::OkStatus();
  }
  out.set_version(survey->version);
  const bool ours = survey->exists && survey->owner == log_.ledger_id();
  Outcome outcome = Outcome::kTaken;
  if (ours) {
    ASSIGN_OR_RETURN(outcome, Follow(table.table, survey->own_sequence));
  }
  if (outcome == Outcome::kOpen) {
    out.add_notes(
        "a commit was begun there whose outcome the ledger does not have; its pieces were not "
        "compared: `headwater run` finds out, then ask again");
    return absl::OkStatus();
  }
  CheckTable({state_, *survey, log_.ledger_id(), least}, out);
  return absl::OkStatus();
}

void Checker::CheckFiles(const FsckTable& table, v1::CheckedTable& out) {
  const absl::StatusOr<FileCheck> check = options_.files->CheckFiles(LocationOf(table));
  if (!check.ok()) {
    out.add_problems(std::string(check.status().message()));
    return;
  }
  out.set_files(check->files);
  out.set_bytes(check->bytes);
  for (const FaultyFile& file : check->faulty) {
    const DatasetId id{table.table, file.server};
    v1::Violation& violation =
        AddViolation(out, "I7", file.server.empty() ? nullptr : &id, file.path);
    violation.set_expected(absl::StrCat(file.expected_bytes, " bytes"));
    violation.set_found(file.found_bytes.has_value() ? absl::StrCat(*file.found_bytes, " bytes")
                                                     : "no file");
    violation.set_advice(absl::StrCat("restore it; or `headwater state reset ", file.server, "/",
                                      table.table,
                                      "`, then `headwater run` writes all of it again"));
  }
  const int64_t more = check->faulty_count - static_cast<int64_t>(check->faulty.size());
  if (more > 0) out.add_notes(absl::StrCat(more, " more files are gone or not whole"));
}

void Checker::CheckUnreferenced(const FsckTable& table, const PublishedTable& least,
                                v1::CheckedTable& out) {
  absl::StatusOr<std::unique_ptr<GarbageCollector>> collector =
      options_.collectors->Open(LocationOf(table));
  if (!collector.ok()) {
    out.add_problems(std::string(collector.status().message()));
    return;
  }
  GarbageRequest request = GarbageRequestOf(state_, table.table);
  request.published = least;
  request.retention = table.retention;
  request.dry_run = true;
  request.keep_log = true;  // Of the log no file needs a reason.
  const GarbageReport report = (*collector)->Collect(request, std::stop_token());
  if (!report.status.ok()) out.add_problems(std::string(report.status.message()));
  for (const std::string& problem : report.problems) out.add_problems(problem);
  int64_t unreferenced = report.files;
  for (const auto& [why, kept] : report.kept) {
    if (why != kLive) unreferenced += kept.count;
    if (why != kUnexplained) continue;
    v1::Violation& violation = AddViolation(out, "I7", nullptr, table.uri);
    violation.set_expected("a reason for each file that the table's log does not name");
    violation.set_found(absl::StrCat(kept.count, " files, ", kept.size_bytes, " bytes, ", why));
    violation.set_advice(
        "look for files there whose names do not begin with hw-, or in folders that are no "
        "partition, and move them away: Headwater never does");
  }
  out.set_unreferenced(unreferenced);
}

absl::StatusOr<v1::CheckedTable> Checker::Look(const FsckTable& table) {
  v1::CheckedTable out;
  out.set_table(table.table);
  out.set_folder(table.uri);
  out.set_version(-1);
  RETURN_IF_ERROR(Advance([] { return false; }));
  PublishedTable least;
  if (const TableState* known = state_.FindTable(table.table); known != nullptr)
    least = {known->published_version, known->published_sequence};
  absl::StatusOr<std::unique_ptr<TableTakeover>> opened = options_.tables->Open(LocationOf(table));
  absl::StatusOr<TableSurvey> survey =
      opened.ok() ? (*opened)->Survey() : absl::StatusOr<TableSurvey>(opened.status());
  RETURN_IF_ERROR(Compare(table, least, survey, out));
  CheckLedger(state_, out);
  if (!survey.ok() || !survey->exists) return out;
  CheckFiles(table, out);
  // A collector refuses what is not ours, or is behind, as the comparison has done.
  if (survey->owner == log_.ledger_id() && survey->version >= least.version)
    CheckUnreferenced(table, least, out);
  return out;
}

// By what was expected where: what was found may go on changing.
std::string KeyOf(const v1::Violation& violation) {
  return absl::StrCat(violation.invariant(), "\n", violation.dataset().server(), "\n",
                      violation.where(), "\n", violation.expected());
}

absl::StatusOr<v1::CheckedTable> Checker::Check(const FsckTable& table) {
  ASSIGN_OR_RETURN(const v1::CheckedTable first, Look(table));
  if (first.violations().empty()) return first;
  RETURN_IF_ERROR(WaitForOutcome(table.table));
  ASSIGN_OR_RETURN(v1::CheckedTable again, Look(table));
  std::set<std::string> seen;
  for (const v1::Violation& violation : first.violations()) seen.insert(KeyOf(violation));
  google::protobuf::RepeatedPtrField<v1::Violation> both;
  for (const v1::Violation& violation : again.violations()) {
    if (seen.contains(KeyOf(violation))) *both.Add() = violation;
  }
  *again.mutable_violations() = std::move(both);
  return again;
}

}  // namespace

absl::StatusOr<v1::FsckReport> Fsck(const std::vector<FsckTable>& tables, EventLog& log,
                                    ClusterState& state, const FsckOptions& options) {
  const absl::Time begun = absl::Now();
  Checker checker(log, state, options);
  v1::FsckReport report;
  for (const FsckTable& table : tables) {
    ASSIGN_OR_RETURN(*report.add_tables(), checker.Check(table));
  }
  report.set_ledger_id(log.ledger_id());
  report.set_ledger_sequence(state.last_sequence());
  report.set_seconds(absl::ToDoubleSeconds(absl::Now() - begun));
  return report;
}

}  // namespace headwater
