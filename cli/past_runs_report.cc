// What `history` says.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/report_text.h"

namespace headwater {
namespace {

constexpr int kMaxNotes = 3;  // Of one run; JSON has all.

absl::Time TimeOf(const google::protobuf::Timestamp& at) {
  return absl::FromUnixSeconds(at.seconds()) + absl::Nanoseconds(at.nanos());
}

std::string ResultOf(const v1::EndedRun& run) {
  return run.result() == "failed" ? "FAILED" : run.result();
}

// What went wrong in it, dataset by dataset.
std::string NotesOf(const v1::EndedRun& run) {
  std::string notes;
  int told = 0, more = 0;
  for (const v1::EndedDemand& demand : run.datasets()) {
    for (const v1::EndedProblem& problem : demand.problems()) {
      if (++told > kMaxNotes) {
        ++more;
        continue;
      }
      notes += Note("FAILED", absl::StrCat(run.run_id(), " ", NameOf(demand.dataset()),
                                           problem.extent().empty() ? "" : " ", problem.extent(),
                                           ": ", problem.message()));
    }
  }
  if (more > 0)
    notes += Note("FAILED", absl::StrCat(run.run_id(), ": ", Counted(more, "more problem")));
  return notes;
}

}  // namespace

std::string PastRunsReport(const v1::GetHistoryResponse& history) {
  TextTable table({{"RUN"},
                   {"KIND"},
                   {"ENDED (UTC)"},
                   {"TOOK", true},
                   {"DATASETS", true},
                   {"READ", true},
                   {"WRITTEN", true},
                   {"RESULT"}});
  std::string notes;
  for (const v1::EndedRun& run : history.runs()) {
    int64_t read = 0, written = 0;
    for (const v1::EndedDemand& demand : run.datasets()) {
      read += demand.rows_read();
      written += demand.rows_written();
    }
    const absl::Time ended = TimeOf(run.ended());
    table.AddRow({run.run_id(), run.kind(),
                  absl::FormatTime("%Y-%m-%d %H:%M:%S", ended, absl::UTCTimeZone()),
                  FormatSeconds(absl::ToDoubleSeconds(ended - TimeOf(run.started()))),
                  FormatCount(run.datasets_size()), FormatCount(read), FormatCount(written),
                  ResultOf(run)});
    notes += NotesOf(run);
  }
  for (const std::string& problem : history.problems()) notes += Note("warning", problem);
  std::string report = table.empty() ? "no run has ended there\n" : table.Render();
  if (!notes.empty()) absl::StrAppend(&report, "\n", notes);
  if (history.more()) {
    absl::StrAppend(&report, "older ones: headwater history --last ",
                    history.runs_size() < 100 ? 100 : 1'000, ", or --to T\n");
  }
  return report;
}

}  // namespace headwater
