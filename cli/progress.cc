#include "cli/progress.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/output.h"

namespace headwater {
namespace {

std::string NameOf(const v1::DatasetRef& dataset) {
  return absl::StrCat(dataset.server(), "/", dataset.table());
}

bool IsEnded(const v1::RunDataset& dataset) {
  return dataset.state() == v1::RunDataset::STATE_DONE ||
         dataset.state() == v1::RunDataset::STATE_FAILED ||
         dataset.state() == v1::RunDataset::STATE_CANCELLED;
}

const char* StateWord(const v1::RunDataset& dataset) {
  switch (dataset.state()) {
    case v1::RunDataset::STATE_PROBING:
      return "probing";
    case v1::RunDataset::STATE_RUNNING:
      return dataset.in_flight() > 0 ? "running" : "waiting";
    case v1::RunDataset::STATE_DONE:
      return "done";
    case v1::RunDataset::STATE_FAILED:
      return "FAILED";
    case v1::RunDataset::STATE_CANCELLED:
      return "cancelled";
    default:
      return "waiting";
  }
}

std::string DatasetLine(const v1::RunDataset& dataset) {
  std::string line = absl::StrFormat("%-28s %-9s %6s done", NameOf(dataset.dataset()),
                                     StateWord(dataset), FormatCount(dataset.microbatches_done()));
  if (dataset.microbatches_unchanged() > 0) {
    absl::StrAppend(&line, "  ", FormatCount(dataset.microbatches_unchanged()), " unchanged");
  }
  if (dataset.microbatches_failed() > 0) {
    absl::StrAppend(&line, "  ", FormatCount(dataset.microbatches_failed()), " failed");
  }
  if (dataset.in_flight() > 0 && !IsEnded(dataset)) {
    absl::StrAppend(&line, "  ", FormatCount(dataset.in_flight()), " in flight");
  }
  absl::StrAppend(&line, "  ", Counted(dataset.rows_read(), "row"));
  return line;
}

std::string TotalLine(const v1::WatchRunResponse& update) {
  int64_t rows = 0, done = 0, in_flight = 0, ended = 0;
  for (const v1::RunDataset& dataset : update.datasets()) {
    rows += dataset.rows_read();
    done += dataset.microbatches_done() + dataset.microbatches_unchanged();
    in_flight += dataset.in_flight();
    ended += IsEnded(dataset) ? 1 : 0;
  }
  const double rate = update.seconds() > 0 ? static_cast<double>(rows) / update.seconds() : 0;
  return absl::StrCat(FormatSeconds(update.seconds()), "  ", FormatCount(ended), " of ",
                      Counted(update.datasets_size(), "dataset"), "  ",
                      Counted(done, "microbatch", "microbatches"), " done, ",
                      FormatCount(in_flight), " in flight  ", Counted(rows, "row"), "  ",
                      FormatRate(rate));
}

// A line that would wrap breaks the counting of lines.
std::string Cut(std::string line) {
  if (line.size() > kTextWidth - 1) line.resize(kTextWidth - 1);
  return line;
}

}  // namespace

ProgressMode ResolveProgressMode(ProgressMode mode, bool stderr_is_terminal) {
  if (mode != ProgressMode::kAuto) return mode;
  return stderr_is_terminal ? ProgressMode::kBar : ProgressMode::kPlain;
}

std::string ProgressRenderer::Update(const v1::WatchRunResponse& update, absl::Time now) {
  switch (mode_) {
    case ProgressMode::kBar:
      return Bar(update, now);
    case ProgressMode::kPlain:
      return Plain(update, now);
    case ProgressMode::kJson:
      return MessageToJson(update, "progress") + "\n";
    case ProgressMode::kAuto:
    case ProgressMode::kOff:
      return "";
  }
  return "";
}

std::string ProgressRenderer::Clear() {
  if (drawn_lines_ == 0) return "";
  std::string text = absl::StrCat("\x1b[", drawn_lines_, "A\r\x1b[J");
  drawn_lines_ = 0;
  return text;
}

std::string ProgressRenderer::Bar(const v1::WatchRunResponse& update, absl::Time now) {
  if (update.ended()) return Clear();
  if (now - last_ < kBarEvery) return "";
  last_ = now;
  std::string text = Clear();
  std::vector<const v1::RunDataset*> live;
  for (const v1::RunDataset& dataset : update.datasets()) {
    if (!IsEnded(dataset)) {
      live.push_back(&dataset);
    } else if (dataset.state() == v1::RunDataset::STATE_FAILED &&
               told_.insert(NameOf(dataset.dataset())).second) {
      absl::StrAppend(&text, Cut(DatasetLine(dataset)), "\n");
    }
  }
  std::stable_sort(live.begin(), live.end(), [](const auto* a, const auto* b) {
    return (a->in_flight() > 0) > (b->in_flight() > 0);
  });
  const int room = kMaxLines - 1;  // The last line is the total.
  const int count = static_cast<int>(live.size());
  const int shown = count <= room ? count : room - 1;
  for (int i = 0; i < shown; ++i) absl::StrAppend(&text, Cut(DatasetLine(*live[i])), "\n");
  drawn_lines_ = shown + 1;
  if (shown < count) {
    absl::StrAppend(&text, "... and ", count - shown, " more\n");
    ++drawn_lines_;
  }
  absl::StrAppend(&text, Cut(TotalLine(update)), "\n");
  return text;
}

std::string ProgressRenderer::Plain(const v1::WatchRunResponse& update, absl::Time now) {
  std::string text;
  for (const v1::RunDataset& dataset : update.datasets()) {
    if (!IsEnded(dataset) || !told_.insert(NameOf(dataset.dataset())).second) continue;
    absl::StrAppend(&text, DatasetLine(dataset), "\n");
  }
  if (last_ == absl::InfinitePast()) last_ = now;  // Nothing is worth saying at once.
  if (!update.ended() && now - last_ >= kPlainEvery) {
    last_ = now;
    absl::StrAppend(&text, TotalLine(update), "\n");
  }
  return text;
}

}  // namespace headwater
