// A live run as text for stderr. The renderer returns what to write and never writes itself; time
// is an argument, so a test is a list of updates.
#ifndef HEADWATER_CLI_PROGRESS_H_
#define HEADWATER_CLI_PROGRESS_H_

#include <set>
#include <string>

#include "absl/time/time.h"
#include "cli/commands.h"
#include "headwater/v1/admin.pb.h"

namespace headwater {

// kAuto becomes kBar on a terminal and kPlain elsewhere; other modes stay.
ProgressMode ResolveProgressMode(ProgressMode mode, bool stderr_is_terminal);

// One run's progress. Confined to one thread.
//
//   bar    one live line for each dataset at work, at most 12, rewritten in place; a line stays
//          above them for each dataset that has failed
//   plain  one line every 10 s and one for each dataset that has ended; safe for log files
//   json   each update as one line of JSON, schema headwater.progress/v1
//   off    nothing
class ProgressRenderer {
 public:
  static constexpr int kMaxLines = 12;  // Leaves room on a terminal of 24 lines.
  static constexpr absl::Duration kPlainEvery = absl::Seconds(10);
  static constexpr absl::Duration kBarEvery = absl::Milliseconds(100);

  // Requires: `mode` is not kAuto.
  explicit ProgressRenderer(ProgressMode mode) : mode_(mode) {}

  // What to write for `update`, seen at `now`; may be empty. Updates are whole: one may be skipped.
  // The update with `ended` set clears what bar has drawn.
  std::string Update(const v1::WatchRunResponse& update, absl::Time now);

  // Clears what bar has drawn, for a message that must stand alone.
  std::string Clear();

 private:
  std::string Bar(const v1::WatchRunResponse& update, absl::Time now);
  std::string Plain(const v1::WatchRunResponse& update, absl::Time now);

  const ProgressMode mode_;
  absl::Time last_ = absl::InfinitePast();
  int drawn_lines_ = 0;
  std::set<std::string> told_;  // Datasets whose end has been said.
};

}  // namespace headwater

#endif  // HEADWATER_CLI_PROGRESS_H_
