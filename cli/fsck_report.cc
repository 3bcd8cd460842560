#include "cli/fsck_report.h"

#include "absl/strings/str_cat.h"
#include "cli/output.h"
#include "cli/report_text.h"

namespace headwater {
namespace {

std::string ViolationNote(const v1::CheckedTable& table, const v1::Violation& violation) {
  const std::string whose = violation.has_dataset() ? NameOf(violation.dataset()) : table.table();
  return Note(violation.invariant(),
              absl::StrCat(whose, ": ", violation.where(), ": expected ", violation.expected(),
                           "; found ", violation.found(), ". ", violation.advice()));
}

std::string ResultOf(const v1::CheckedTable& table) {
  if (table.violations_size() > 0) return Counted(table.violations_size(), "violation");
  if (table.problems_size() > 0) return "not checked";
  return table.version() < 0 ? "no table yet" : "ok";
}

}  // namespace

std::string FsckText(const v1::FsckReport& report) {
  TextTable text({{"TABLE"},
                  {"VERSION", true},
                  {"PIECES", true},
                  {"ROWS", true},
                  {"CLAIMS", true},
                  {"FILES", true},
                  {"BYTES", true},
                  {"OTHERS", true},
                  {"RESULT"}});
  std::string violations, notes;
  int64_t count = 0;
  for (const v1::CheckedTable& table : report.tables()) {
    text.AddRow({table.table(), table.version() < 0 ? "-" : FormatCount(table.version()),
                 FormatCount(table.pieces()), FormatCount(table.rows()),
                 FormatCount(table.claims()), FormatCount(table.files()),
                 FormatBytes(table.bytes()), FormatCount(table.unreferenced()), ResultOf(table)});
    for (const v1::Violation& violation : table.violations())
      violations += ViolationNote(table, violation);
    for (const std::string& note : table.notes())
      notes += Note("note", absl::StrCat(table.table(), ": ", note));
    for (const std::string& problem : table.problems())
      notes += Note("FAILED", absl::StrCat(table.table(), ": ", problem));
    count += table.violations_size();
  }
  return absl::StrCat(
      text.Render(), "\n", violations, notes,
      count == 0 ? "nothing wrong was found" : absl::StrCat(Counted(count, "violation")), " in ",
      Counted(report.tables_size(), "table"), ", ledger ", report.ledger_id(), " at event ",
      report.ledger_sequence(), ", in ", FormatSeconds(report.seconds()), "\n");
}

ExitCode ExitCodeOf(const v1::FsckReport& report) {
  ExitCode code = kExitDone;
  for (const v1::CheckedTable& table : report.tables()) {
    if (table.violations_size() > 0) return kExitVerification;
    if (table.problems_size() > 0) code = kExitPartial;
  }
  return code;
}

}  // namespace headwater
