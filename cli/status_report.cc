// What `status` and `explain` say.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/report_text.h"

namespace headwater {
namespace {

constexpr int kMaxShownRanges = 3;  // `explain` and JSON have more.

std::string RangesNote(absl::string_view label, const v1::DatasetStatus& dataset,
                       const v1::RangeList& ranges, absl::string_view what) {
  if (ranges.count() == 0) return "";
  std::string text = absl::StrCat(NameOf(dataset.dataset()), ": ", what);
  for (int i = 0; i < ranges.first_size() && i < kMaxShownRanges; ++i)
    absl::StrAppend(&text, i == 0 ? "" : ", ", ranges.first(i));
  if (ranges.count() > kMaxShownRanges)
    absl::StrAppend(&text, " and ", FormatCount(ranges.count() - kMaxShownRanges), " more");
  return Note(label, text);
}

std::string TaskNote(const v1::DatasetStatus& dataset, const v1::TaskInFlight& task) {
  std::string text = NameOf(dataset.dataset());
  absl::StrAppend(&text, " ", task.extent().empty() ? task.kind() : task.extent(), ": ",
                  task.worker().empty() ? "waits for its worker to come back"
                                        : absl::StrCat(task.phase(), " on ", task.worker()),
                  ", ", FormatSeconds(task.seconds()));
  if (task.rows() > 0) {
    absl::StrAppend(&text, ", ", Counted(task.rows(), "row"), ", ",
                    FormatRate(task.rows_per_second()));
  }
  return Note("in flight", text);
}

std::string StatusNotes(const v1::DatasetStatus& dataset) {
  std::string notes;
  if (dataset.silent()) {
    notes += SilentNote(dataset.dataset(), dataset.silent_for(), dataset.bound());
  }
  if (!dataset.behind_for().empty()) {
    notes += Note("behind", absl::StrCat(NameOf(dataset.dataset()),
                                         ": the replica that it is read "
                                         "from lagged by ",
                                         dataset.behind_for()));
  }
  notes += RangesNote("missing", dataset, dataset.missing(), "not loaded: ");
  notes += RangesNote("stale", dataset, dataset.stale(), "to be read again: ");
  if (dataset.quarantined() > 0) {
    notes +=
        Note("held back", absl::StrCat(NameOf(dataset.dataset()), ": ",
                                       Counted(dataset.quarantined(), "microbatch", "microbatches"),
                                       " failed too often; `headwater run ",
                                       NameOf(dataset.dataset()), "` tries once more"));
  }
  if (!dataset.last_error().empty()) {
    notes += Note("error", absl::StrCat(NameOf(dataset.dataset()), ": ", dataset.last_error()));
  }
  if (dataset.bad_rows() > 0) {
    notes += Note(
        "bad rows",
        absl::StrCat(NameOf(dataset.dataset()), ": ", Counted(dataset.bad_rows(), "row"),
                     " with a value that does not fit: not loaded, but in ", dataset.quarantine()));
  }
  if (dataset.outside_rows() > 0) {
    notes += Note("outside", absl::StrCat(NameOf(dataset.dataset()), ": ",
                                          Counted(dataset.outside_rows(), "row"),
                                          " with no cursor or one far ahead"));
  }
  return notes;
}

}  // namespace

std::string StatusReport(const v1::GetStatusResponse& status) {
  TextTable table(
      {{"DATASET"}, {"STATE"}, {"SOURCE"}, {"ROWS", true}, {"LOADED UP TO"}, {"COMPLETE THROUGH"}});
  std::string notes;
  for (const v1::DatasetStatus& dataset : status.datasets()) {
    table.AddRow({NameOf(dataset.dataset()), OrDash(dataset.state()), OrDash(dataset.condition()),
                  FormatCount(dataset.rows()), OrDash(dataset.watermark()),
                  OrDash(dataset.complete_through())});
    notes += StatusNotes(dataset);
    for (const v1::TaskInFlight& task : dataset.tasks()) notes += TaskNote(dataset, task);
  }
  for (const v1::WorkerStatus& worker : status.workers()) {
    notes += Note("worker", absl::StrCat(worker.name(), ": ", worker.held(), " of ",
                                         Counted(worker.slots(), "slot"), " busy"));
  }
  for (const std::string& run : status.live_runs()) notes += Note("run", run + " is live");
  return absl::StrCat(
      table.Render(), "\n", notes,
      status.live() ? "live coordinator" : "no coordinator is running; read from the ledger",
      ", ledger at event ", FormatCount(status.ledger_sequence()), "\n");
}

std::string ExplainReport(const v1::ExplainResponse& response) {
  std::string text;
  const v1::DatasetRef* last = nullptr;
  for (const v1::Explanation& one : response.explanations()) {
    if (last == nullptr || NameOf(*last) != NameOf(one.dataset()))
      absl::StrAppend(&text, last == nullptr ? "" : "\n", NameOf(one.dataset()), "\n");
    last = &one.dataset();
    std::string line = one.extent();
    absl::StrAppend(&line, line.empty() ? "" : ": ", one.why());
    if (one.has_until()) {
      absl::StrAppend(
          &line, "; again at ",
          absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromUnixSeconds(one.until().seconds()),
                           absl::UTCTimeZone()));
    }
    if (!one.run_id().empty()) absl::StrAppend(&line, " (run ", one.run_id(), ")");
    text += Note(absl::StrCat("  ", one.state()), line);
  }
  if (text.empty()) text = "nothing is known of it: no run has asked for it yet\n";
  if (!response.live()) text += "no coordinator is running; read from the ledger\n";
  return text;
}

}  // namespace headwater
