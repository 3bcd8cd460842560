// What `gc` says.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/report_text.h"

namespace headwater {
namespace {

std::string AgeOf(int64_t seconds) {
  if (seconds >= 86'400) return absl::StrCat(seconds / 86'400, " d");
  if (seconds >= 3'600) return absl::StrCat(seconds / 3'600, " h");
  return absl::StrCat(seconds / 60, " m");
}

std::string ItemNotes(const v1::CollectedTable& table) {
  std::string notes;
  for (const v1::GarbageItem& item : table.items()) {
    absl::StrAppend(&notes, item.path(), "  ", FormatBytes(item.bytes()), ", ",
                    AgeOf(item.age_seconds()), " old, ", item.why(), "\n");
  }
  const int64_t more = table.files() + table.log_entries() - table.items_size();
  if (table.items_size() > 0 && more > 0)
    absl::StrAppend(&notes, "and ", FormatCount(more), " more in ", table.table(), "\n");
  return notes;
}

}  // namespace

std::string CollectionReport(const v1::CollectGarbageResponse& result) {
  TextTable table(
      {{"TABLE"}, {"FILES", true}, {"BYTES", true}, {"LOG", true}, {"KEPT", true}, {"RESULT"}});
  std::string items, notes;
  int64_t files = 0, bytes = 0, log = 0;
  int failed = 0;
  for (const v1::CollectedTable& one : result.tables()) {
    int64_t kept = 0;
    for (const v1::KeptGarbage& why : one.kept()) {
      kept += why.count();
      notes += Note("kept", absl::StrCat(one.table(), ": ", Counted(why.count(), "file"), ", ",
                                         FormatBytes(why.bytes()), ": ", why.why()));
    }
    for (const std::string& problem : one.problems())
      notes += Note("FAILED", absl::StrCat(one.table(), ": ", problem));
    const int64_t gone = one.files() + one.log_entries();
    table.AddRow({one.table(), FormatCount(one.files()), FormatBytes(one.bytes() + one.log_bytes()),
                  FormatCount(one.log_entries()), FormatCount(kept),
                  one.problems_size() > 0 ? "FAILED"
                  : !one.complete()       ? "interrupted"
                  : gone == 0             ? "nothing to do"
                  : result.dry_run()      ? "would go"
                                          : "gone"});
    items += ItemNotes(one);
    files += one.files();
    log += one.log_entries();
    bytes += one.bytes() + one.log_bytes();
    failed += one.problems_size() > 0 ? 1 : 0;
  }
  std::string closing =
      absl::StrCat(result.dry_run() ? "would remove " : "removed ", Counted(files, "file"), " and ",
                   Counted(log, "log entry", "log entries"), ", ", FormatBytes(bytes), ", of ",
                   Counted(result.tables_size(), "table"));
  if (failed > 0) absl::StrAppend(&closing, "; ", Counted(failed, "table"), " with problems");
  return absl::StrCat(items, items.empty() ? "" : "\n", table.Render(), "\n", notes, closing, "\n");
}

}  // namespace headwater
