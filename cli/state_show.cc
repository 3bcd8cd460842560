#include "cli/state_show.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/output.h"
#include "cli/report_text.h"

namespace headwater {
namespace {

std::vector<std::string> CellsOf(const v1::StateSegment& segment) {
  return {segment.state(), segment.extent(), FormatCount(segment.pieces()),
          FormatCount(segment.rows()), segment.settled() ? "settled" : ""};
}

std::string LineOf(const v1::StateSegment& segment) {
  return absl::StrCat(segment.state(), "  ", segment.extent(), "  ",
                      Counted(segment.pieces(), "piece"), ", ", Counted(segment.rows(), "row"));
}

using Segments = google::protobuf::RepeatedPtrField<v1::StateSegment>;

bool Has(const Segments& segments, const v1::StateSegment& wanted) {
  return std::any_of(segments.begin(), segments.end(), [&](const v1::StateSegment& segment) {
    return LineOf(segment) == LineOf(wanted);
  });
}

}  // namespace

std::string StateText(const v1::GetStateResponse& state) {
  std::string text;
  for (const v1::DatasetRecord& dataset : state.datasets()) {
    absl::StrAppend(&text, NameOf(dataset.dataset()), "  ", dataset.strategy());
    if (!dataset.settled_to().empty())
      absl::StrAppend(&text, ", settled up to ", dataset.settled_to());
    if (dataset.progress().adopted())
      absl::StrAppend(&text, ", adopted: the next read is of everything");
    absl::StrAppend(&text, "\n");
    if (dataset.segments().empty()) absl::StrAppend(&text, "nothing is recorded of it\n");
    TextTable table({{"STATE"}, {"EXTENT"}, {"PIECES", true}, {"ROWS", true}, {""}});
    for (const v1::StateSegment& segment : dataset.segments()) table.AddRow(CellsOf(segment));
    if (!table.empty()) absl::StrAppend(&text, table.Render());
    absl::StrAppend(&text, "\n");
  }
  absl::StrAppend(&text, "ledger ", state.ledger_id(), " at event ", state.ledger_sequence(), "\n");
  return text;
}

std::string StateDiff(const v1::ChangeStateResponse& changes) {
  std::string text;
  for (const v1::ChangedDataset& dataset : changes.datasets()) {
    absl::StrAppend(&text, NameOf(dataset.dataset()), dataset.changed() ? "" : ": as it is", "\n");
    for (const v1::StateSegment& segment : dataset.before()) {
      if (!Has(dataset.after(), segment)) absl::StrAppend(&text, "  - ", LineOf(segment), "\n");
    }
    for (const v1::StateSegment& segment : dataset.after()) {
      if (!Has(dataset.before(), segment)) absl::StrAppend(&text, "  + ", LineOf(segment), "\n");
    }
    for (const std::string& note : dataset.notes())
      absl::StrAppend(&text, "    ", Wrap(note, 4, kTextWidth - 4), "\n");
  }
  return text;
}

}  // namespace headwater
