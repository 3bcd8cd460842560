#include <string>

#include "absl/strings/str_cat.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/report_text.h"

namespace headwater {
namespace {

std::string NotesOf(const v1::VerifiedDataset& dataset) {
  const std::string name = NameOf(dataset.dataset());
  std::string notes;
  for (v1::Problem problem : dataset.problems()) {
    *problem.mutable_dataset() = dataset.dataset();
    notes += ProblemNote(problem, "FAILED");
  }
  for (const v1::Difference& difference : dataset.differences()) {
    notes += Note("broken", absl::StrCat(name, " ", difference.key(), ": ", difference.found()));
    notes += Note("  repair", difference.remedy());
  }
  const int64_t more = dataset.rows_different() - dataset.differences_size();
  if (more > 0 && dataset.differences_size() > 0)
    notes += Note("broken", absl::StrCat(name, ": ", Counted(more, "more key")));
  return notes;
}

const char* WordOf(const v1::VerifiedDataset& dataset) {
  if (dataset.rows_different() > 0) return "BROKEN";
  if (dataset.different() > 0 || dataset.failed()) return "FAILED";
  return dataset.rows() == 0 ? "no versions" : "sound";
}

std::string Histories(int64_t count) { return Counted(count, "history", "histories"); }

}  // namespace

std::string HistoriesReport(const v1::VerifyResponse& result) {
  TextTable table(
      {{"DATASET"}, {"HISTORIES", true}, {"VERSIONS", true}, {"BROKEN", true}, {"RESULT"}});
  std::string notes;
  int64_t histories = 0, versions = 0, broken = 0, failed = 0;
  for (const v1::VerifiedDataset& dataset : result.datasets()) {
    table.AddRow({NameOf(dataset.dataset()), FormatCount(dataset.pieces()),
                  FormatCount(dataset.rows()), FormatCount(dataset.rows_different()),
                  WordOf(dataset)});
    histories += dataset.pieces();
    versions += dataset.rows();
    broken += dataset.rows_different();
    failed += dataset.failed() || dataset.different() > dataset.rows_different() ? 1 : 0;
    notes += NotesOf(dataset);
  }
  std::string closing =
      broken > 0   ? absl::StrCat("broken: ", Histories(broken), " of ", FormatCount(histories))
      : failed > 0 ? absl::StrCat("not verified: ", Counted(failed, "dataset"))
                   : absl::StrCat("sound: ", Histories(histories));
  absl::StrAppend(&closing, ", ", Counted(versions, "version"), " in ",
                  FormatSeconds(result.seconds()), "\n");
  return absl::StrCat(table.Render(), "\n", notes, closing);
}

std::string HistoriesToRepairReport(const v1::VerifyResponse& result) {
  std::string report = HistoriesReport(result);
  for (const v1::VerifiedDataset& dataset : result.datasets()) {
    if (dataset.rows_different() == 0) continue;
    return absl::StrCat(report, "next: headwater repair ", NameOf(dataset.dataset()),
                        " --scd2   does this, in one commit\n");
  }
  return report;
}

}  // namespace headwater
