#include "cli/takeover_report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/output.h"
#include "cli/report_text.h"

namespace headwater {
namespace {

bool IsLeft(const v1::TakenDataset& dataset) {
  return dataset.foreign_file_count() > 0 && !dataset.adopted();
}

std::string StateOf(const v1::TakenDataset& dataset) {
  if (IsLeft(dataset)) return "left as it is";
  if (dataset.adopted()) return "all to be read again";
  if (dataset.fresh_pieces() + dataset.stale_pieces() == 0) return "to be read";
  return absl::StrCat(Counted(dataset.fresh_pieces(), "piece"), " fresh, ", dataset.stale_pieces(),
                      " stale, ", Counted(dataset.rows(), "row"));
}

}  // namespace

std::string TakeoverText(const v1::TakeoverReport& report) {
  std::string text;
  for (const v1::TakenTable& table : report.tables()) {
    absl::StrAppend(&text, table.table(), " (", table.folder(), "): ");
    if (!table.refused().empty()) {
      absl::StrAppend(&text, "left alone\n", Note("why", table.refused()));
      continue;
    }
    if (table.version() < 0) {
      absl::StrAppend(&text, "no table yet; everything is to be read\n");
      continue;
    }
    absl::StrAppend(&text, "version ", table.version(), ", of ledger ", table.owner(), "\n");
    for (const v1::TakenDataset& dataset : table.datasets()) {
      absl::StrAppend(&text, "  ", NameOf(dataset.dataset()), ": ", StateOf(dataset), "\n");
      for (const std::string& reason : dataset.reasons())
        absl::StrAppend(&text, "    - ", Wrap(reason, 6, kTextWidth - 6), "\n");
      for (const std::string& file : dataset.foreign_files())
        absl::StrAppend(&text, "      ", file, "\n");
      const int64_t more = dataset.foreign_file_count() - dataset.foreign_files_size();
      if (more > 0) absl::StrAppend(&text, "      and ", more, " more\n");
    }
    for (const std::string& note : table.notes()) absl::StrAppend(&text, Note("note", note));
  }
  return text;
}

bool LeftSomething(const v1::TakeoverReport& report) {
  return std::any_of(report.tables().begin(), report.tables().end(), [](const auto& table) {
    return !table.refused().empty() ||
           std::any_of(table.datasets().begin(), table.datasets().end(), IsLeft);
  });
}

}  // namespace headwater
