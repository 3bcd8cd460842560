#include "cli/report_text.h"

#include "absl/strings/str_cat.h"
#include "cli/output.h"

namespace headwater {

std::string NameOf(const v1::DatasetRef& dataset) {
  return absl::StrCat(dataset.server(), "/", dataset.table());
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::string Note(absl::string_view label, absl::string_view text) {
  constexpr size_t kIndent = 10;
  std::string head(label);
  head.resize(kIndent, ' ');
  return Wrap(absl::StrCat(head, text), kIndent) + "\n";
}

std::string ProblemNote(const v1::Problem& problem, absl::string_view label) {
  const bool warning = problem.message().empty();
  std::string text = NameOf(problem.dataset());
  if (!problem.extent().empty()) absl::StrAppend(&text, " ", problem.extent());
  absl::StrAppend(&text, ": ", warning ? problem.warning() : problem.message());
  if (problem.attempts() > 1) absl::StrAppend(&text, " (", problem.attempts(), " attempts)");
  return Note(warning ? "warning" : label, text);
}

std::string SilentNote(const v1::DatasetRef& dataset, const std::string& silent_for,
                       const std::string& bound) {
  return Note("silent", absl::StrCat(NameOf(dataset), ": no new rows for ", OrDash(silent_for),
                                     bound.empty() ? "" : ", newest ", bound));
}

}  // namespace headwater
