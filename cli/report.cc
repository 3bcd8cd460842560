#include "cli/report.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/output.h"
#include "cli/report_text.h"
#include "cli/window_request.h"

namespace headwater {
namespace {

// What failed. What is wrong with a whole table or server, in the same words for each of its
// datasets, is said once.
std::string FailureNotes(const v1::WatchRunResponse& run) {
  constexpr size_t kMaxNamed = 5;
  std::string notes;
  std::map<std::string, std::vector<const v1::Problem*>> alike;
  for (const v1::Problem& problem : run.problems()) {
    if (!problem.message().empty() && problem.extent().empty())
      alike[problem.message()].push_back(&problem);
  }
  for (const v1::Problem& problem : run.problems()) {
    if (problem.message().empty()) continue;
    if (!problem.extent().empty()) {
      notes += ProblemNote(problem, "FAILED");
      continue;
    }
    const std::vector<const v1::Problem*>& same = alike[problem.message()];
    if (same.front() != &problem) continue;
    if (same.size() == 1) {
      notes += ProblemNote(problem, "FAILED");
      continue;
    }
    std::vector<std::string> names;
    for (const v1::Problem* one : same) names.push_back(NameOf(one->dataset()));
    const size_t more = names.size() > kMaxNamed ? names.size() - kMaxNamed : 0;
    names.resize(names.size() - more);
    notes += Note("FAILED", absl::StrCat(absl::StrJoin(names, ", "),
                                         more > 0 ? absl::StrCat(" and ", more, " more") : "", ": ",
                                         problem.message()));
  }
  return notes;
}

const char* StateWord(const v1::RunDataset& dataset) {
  switch (dataset.state()) {
    case v1::RunDataset::STATE_DONE:
      return "done";
    case v1::RunDataset::STATE_FAILED:
      return "FAILED";
    case v1::RunDataset::STATE_CANCELLED:
      return "cancelled";
    default:
      return "unfinished";
  }
}

// What was read and is not in the table as it is in the source: said last, above the closing lines.
std::string BadRowNotes(const v1::WatchRunResponse& run) {
  std::string notes;
  for (const v1::RunDataset& dataset : run.datasets()) {
    const std::string name = NameOf(dataset.dataset());
    if (dataset.bad_rows() > 0) {
      notes += Note("BAD ROWS", absl::StrCat(name, ": ", Counted(dataset.bad_rows(), "row"),
                                             " with a value that does not fit: not loaded, but in ",
                                             dataset.quarantine()));
    }
    if (dataset.truncated_values() > 0) {
      notes +=
          Note("truncated", absl::StrCat(name, ": ", Counted(dataset.truncated_values(), "value"),
                                         " cut to microseconds"));
    }
  }
  return notes;
}

// What keyed writes did row by row, where they did something.
std::string KeyedNotes(v1::RunKind kind, const v1::RunDataset& dataset) {
  std::string notes;
  if (kind == v1::RUN_KIND_REPAIR && dataset.keyed() && dataset.rows_read() == 0) {
    return Note("mended", absl::StrCat(NameOf(dataset.dataset()), ": ",
                                       Counted(dataset.rows_changed(), "version"), " changed, ",
                                       FormatCount(dataset.rows_deleted()), " removed"));
  }
  if (dataset.rows_new() + dataset.rows_changed() + dataset.rows_deleted() > 0) {
    notes += Note("by key",
                  absl::StrCat(NameOf(dataset.dataset()), ": ", FormatCount(dataset.rows_new()),
                               " new, ", FormatCount(dataset.rows_changed()), " changed, ",
                               FormatCount(dataset.rows_deleted()), " deleted, ",
                               FormatCount(dataset.rows_same()), " same"));
  }
  if (dataset.rows_duplicate() > 0) {
    notes +=
        Note("left out",
             absl::StrCat(NameOf(dataset.dataset()), ": ", Counted(dataset.rows_duplicate(), "row"),
                          " with the key of another row of the same read (dedup)"));
  }
  return notes;
}

// What a checksum of the source told to be unchanged.
std::string SkippedNote(const v1::RunDataset& dataset) {
  if (dataset.rows_skipped() == 0) return "";
  const std::string bytes =
      dataset.bytes_skipped() > 0
          ? absl::StrCat(", about ", FormatBytes(dataset.bytes_skipped()), " of them")
          : "";
  return Note("not read",
              absl::StrCat(NameOf(dataset.dataset()), ": ", Counted(dataset.rows_skipped(), "row"),
                           bytes, ", unchanged by the source's checksum"));
}

struct Totals {
  int64_t failed_datasets = 0;
  int64_t microbatches = 0, unchanged = 0, failed = 0;
  int64_t rows = 0, rows_written = 0, bytes_written = 0, bad_rows = 0;
  std::string first_failed;
};

Totals TotalsOf(const v1::WatchRunResponse& run) {
  Totals totals;
  for (const v1::RunDataset& dataset : run.datasets()) {
    totals.microbatches += dataset.microbatches_done();
    totals.unchanged += dataset.microbatches_unchanged();
    totals.failed += dataset.microbatches_failed();
    totals.rows += dataset.rows_read();
    totals.rows_written += dataset.rows_written();
    totals.bytes_written += dataset.bytes_written();
    totals.bad_rows += dataset.bad_rows();
    if (dataset.state() != v1::RunDataset::STATE_FAILED) continue;
    ++totals.failed_datasets;
    if (totals.first_failed.empty()) totals.first_failed = NameOf(dataset.dataset());
  }
  return totals;
}

std::string RunClosing(const v1::WatchRunResponse& run) {
  const Totals totals = TotalsOf(run);
  std::string text;
  if (run.cancelled()) {
    absl::StrAppend(&text, "cancelled: what is done is published\n");
  } else if (run.failed()) {
    absl::StrAppend(&text, "failed: ", FormatCount(totals.failed_datasets), " of ",
                    Counted(run.datasets_size(), "dataset"), "; the rest is published\n");
  } else if (totals.microbatches == 0) {
    absl::StrAppend(&text, "nothing new: ", Counted(run.datasets_size(), "dataset"),
                    " up to date\n");
  } else {
    absl::StrAppend(&text, "done: ", Counted(run.datasets_size(), "dataset"), "\n");
  }
  const double rate = run.seconds() > 0 ? static_cast<double>(totals.rows) / run.seconds() : 0;
  absl::StrAppend(&text, Counted(totals.rows, "row"), " read, ", FormatCount(totals.rows_written),
                  " written (", FormatBytes(totals.bytes_written), ")");
  if (totals.bad_rows > 0) {
    absl::StrAppend(&text, ", ", FormatCount(totals.bad_rows), " in quarantine");
  }
  absl::StrAppend(&text, " in ", FormatSeconds(run.seconds()), ", ", FormatRate(rate));
  if (run.workers() > 0) absl::StrAppend(&text, ", ", Counted(run.workers(), "worker"));
  absl::StrAppend(&text, "\n");
  if (run.failed() && !totals.first_failed.empty()) {
    absl::StrAppend(&text, "next: headwater status ", totals.first_failed,
                    "   then: headwater retry ", run.run_id(), "\n");
  }
  return text;
}

constexpr int64_t kMaxNamedMicrobatches = 12;  // By a plan; JSON has a thousand of each dataset.

std::string MicrobatchNotes(const v1::PlannedDataset& dataset) {
  std::string notes;
  for (const v1::PlannedMicrobatch& one : dataset.list()) {
    std::string text = absl::StrCat(NameOf(dataset.dataset()), " ", one.extent(), ": ", one.why());
    if (one.rows() > 0) absl::StrAppend(&text, ", about ", Counted(one.rows(), "row"));
    notes += Note("reads", text);
  }
  return notes;
}

}  // namespace

std::string RunReport(const v1::WatchRunResponse& run) {
  TextTable table({{"DATASET"},
                   {"STATE"},
                   {"LOADED", true},
                   {"UNCHANGED", true},
                   {"FAILED", true},
                   {"ROWS", true},
                   {"WRITTEN", true},
                   {"UP TO"}});
  std::string notes;
  for (const v1::RunDataset& dataset : run.datasets()) {
    table.AddRow({NameOf(dataset.dataset()), StateWord(dataset),
                  FormatCount(dataset.microbatches_done()),
                  FormatCount(dataset.microbatches_unchanged()),
                  FormatCount(dataset.microbatches_failed()), FormatCount(dataset.rows_written()),
                  FormatBytes(dataset.bytes_written()), OrDash(dataset.bound())});
    if (dataset.silent()) {
      notes += SilentNote(dataset.dataset(), dataset.silent_for(), dataset.bound());
    }
    if (dataset.rewritten_size() > 0) {
      notes += Note("rewritten", absl::StrCat(NameOf(dataset.dataset()), ": ",
                                              absl::StrJoin(dataset.rewritten(), " ")));
    }
    notes += KeyedNotes(run.kind(), dataset);
    notes += SkippedNote(dataset);
    if (dataset.compacted_units() > 0) {
      notes += Note("compacted", absl::StrCat(NameOf(dataset.dataset()), ": ",
                                              Counted(dataset.compacted_units(), "unit"), ", ",
                                              Counted(dataset.compacted_files(), "file"), " into ",
                                              FormatCount(dataset.compacted_into())));
    }
  }
  notes += BadRowNotes(run);
  for (const v1::Problem& problem : run.problems()) {
    if (problem.message().empty()) notes += ProblemNote(problem, "");
  }
  return absl::StrCat(table.Render(), "\n", notes, FailureNotes(run), RunClosing(run));
}

std::string PlanReport(const v1::PlanResponse& plan) {
  TextTable table({{"DATASET"},
                   {"STRATEGY"},
                   {"MICROBATCHES", true},
                   {"ROWS~", true},
                   {"FROM"},
                   {"TO"},
                   {"WHY"}});
  std::string notes;
  int64_t microbatches = 0, rows = 0, bytes = 0, failed = 0;
  double seconds = 0;
  for (const v1::PlannedDataset& dataset : plan.datasets()) {
    const bool known = dataset.estimated_rows() >= 0;
    table.AddRow({NameOf(dataset.dataset()), OrDash(dataset.strategy()),
                  dataset.has_problem() ? "-" : FormatCount(dataset.microbatches()),
                  known && !dataset.has_problem() ? FormatCount(dataset.estimated_rows()) : "-",
                  OrDash(dataset.from()), OrDash(dataset.to()),
                  dataset.has_problem() ? "FAILED" : OrDash(dataset.why())});
    microbatches += dataset.microbatches();
    if (known) rows += dataset.estimated_rows();
    bytes += std::max<int64_t>(0, dataset.estimated_bytes());
    seconds += std::max(0.0, dataset.estimated_seconds());
    for (const std::string& conflict : dataset.conflicts())
      notes += Note("meanwhile", absl::StrCat(NameOf(dataset.dataset()), ": ", conflict));
    if (dataset.silent()) {
      notes += SilentNote(dataset.dataset(), dataset.silent_for(), dataset.bound());
    }
    for (const std::string& warning : dataset.warnings()) {
      notes += Note("warning", absl::StrCat(NameOf(dataset.dataset()), ": ", warning));
    }
    if (dataset.has_problem()) {
      ++failed;
      v1::Problem problem = dataset.problem();
      *problem.mutable_dataset() = dataset.dataset();
      notes += ProblemNote(problem, "FAILED");
    }
  }
  for (const v1::PlannedDataset& dataset : plan.datasets()) {
    if (microbatches <= kMaxNamedMicrobatches) notes += MicrobatchNotes(dataset);
  }
  std::string closing =
      microbatches == 0
          ? absl::StrCat("nothing to do in ", Counted(plan.datasets_size(), "dataset"))
          : absl::StrCat(
                "would read ", Counted(microbatches, "microbatch", "microbatches"), " of ",
                Counted(plan.datasets_size(), "dataset"),
                rows > 0 ? absl::StrCat(", about ", Counted(rows, "row")) : "",
                bytes > 0 ? absl::StrCat(", ", FormatBytes(bytes)) : "",
                seconds >= 1 ? absl::StrCat(", ", FormatSeconds(seconds), " of reading") : "");
  if (failed > 0) {
    absl::StrAppend(&closing, "; ", Counted(failed, "dataset"), " could not be probed");
  }
  if (!plan.plan_id().empty())
    absl::StrAppend(&closing, "\nnext: headwater run --plan ", plan.plan_id(), "   does just this");
  if (microbatches > kMaxNamedMicrobatches)
    absl::StrAppend(&closing, "\nnext: headwater plan -o json   lists each, with its reason");
  return absl::StrCat(table.Render(), "\n", WindowNotes(plan.windows()), notes, closing, "\n");
}

namespace {

constexpr int kMaxNamedRows = 10;  // Of one dataset.

const char* WordFor(v1::Difference::Kind kind) {
  switch (kind) {
    case v1::Difference::KIND_NOT_IN_TABLE:
      return "not in the table";
    case v1::Difference::KIND_NOT_IN_SOURCE:
      return "no more in the source";
    default:
      return "other content";
  }
}

// The rows that differ, as far as they were told apart.
std::string DifferingRowNotes(const v1::VerifiedDataset& dataset) {
  std::string notes;
  for (const v1::Difference& row : dataset.differences()) {
    if (&row - &dataset.differences(0) == kMaxNamedRows) break;
    notes += Note(
        "row", absl::StrCat(NameOf(dataset.dataset()), ": ", row.key(), ": ", WordFor(row.kind())));
  }
  const int64_t more = dataset.rows_different() - kMaxNamedRows;
  if (more > 0) {
    notes += Note("row", absl::StrCat(NameOf(dataset.dataset()), ": ", Counted(more, "row"),
                                      " more; -o json has up to 100"));
  }
  return notes;
}

}  // namespace

std::string DifferencesReport(const v1::VerifyResponse& result) {
  TextTable table({{"DATASET"}, {"PIECES", true}, {"ROWS", true}, {"DIFFERENT", true}, {"RESULT"}});
  std::string notes;
  int64_t pieces = 0, rows = 0, skipped = 0, read = 0, different = 0, failed = 0;
  for (const v1::VerifiedDataset& dataset : result.datasets()) {
    const char* word = dataset.different() > 0 ? "DIFFERENT"
                       : dataset.failed()      ? "FAILED"
                       : dataset.pieces() == 0 ? "never loaded"
                                               : "equal";
    table.AddRow({NameOf(dataset.dataset()), FormatCount(dataset.pieces()),
                  FormatCount(dataset.rows()), FormatCount(dataset.different()), word});
    pieces += dataset.pieces();
    rows += dataset.rows();
    skipped += dataset.rows_skipped();
    read += dataset.rows_read();
    different += dataset.different();
    failed += dataset.failed() ? 1 : 0;
    for (v1::Problem problem : dataset.problems()) {
      *problem.mutable_dataset() = dataset.dataset();
      notes += ProblemNote(problem, dataset.different() > 0 ? "differs" : "FAILED");
    }
    notes += DifferingRowNotes(dataset);
  }
  for (const v1::VerifiedDataset& dataset : result.datasets()) {
    if (dataset.pieces_left_out() == 0) continue;
    notes +=
        Note("sample", absl::StrCat(NameOf(dataset.dataset()), ": ",
                                    Counted(dataset.pieces_left_out(), "piece"), " not looked at"));
  }
  std::string closing;
  if (different > 0) {
    closing = absl::StrCat("different: ", Counted(different, "piece"), " of ", FormatCount(pieces));
  } else if (failed > 0) {
    closing = absl::StrCat("not verified: ", Counted(failed, "dataset"));
  } else {
    closing = absl::StrCat("equal: ", Counted(pieces, "piece"));
  }
  absl::StrAppend(&closing, ", ", Counted(rows, "row"), " compared");
  if (skipped > 0)
    absl::StrAppend(&closing, " (", FormatCount(skipped), " by the source's checksum, ",
                    FormatCount(read), " read)");
  absl::StrAppend(&closing, " in ", FormatSeconds(result.seconds()), "\n");
  return absl::StrCat(table.Render(), "\n", notes, closing);
}

std::string VerifyReport(const v1::VerifyResponse& result) {
  std::string report = DifferencesReport(result);
  for (const v1::VerifiedDataset& dataset : result.datasets()) {
    if (dataset.different() == 0) continue;
    return absl::StrCat(report, "next: headwater repair ", NameOf(dataset.dataset()),
                        "   reads again what differs\n");
  }
  return report;
}

}  // namespace headwater
