// What is wrong with the history of one key, and the plan that makes it right: what `verify --scd2`
// and `repair` ask of each key. Pure and thread-safe.
#ifndef HEADWATER_WORKER_CHANGE_VERSION_CHECK_H_
#define HEADWATER_WORKER_CHANGE_VERSION_CHECK_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "worker/change/version.h"

namespace headwater {

struct CheckOptions {
  HistoryRead read = HistoryRead::kRanges;
  // How sentences write an instant, such as CursorCalendar::Format. Empty: as its number.
  std::function<std::string(int64_t)> instant_text = {};
};

struct VersionProblem {
  enum class Kind {
    kOverlap,         // Two versions hold at once.
    kHole,            // Read by ranges only: none holds between two, or since the last one ended.
    kTwoCurrent,      // Two versions are marked current.
    kCurrentWithEnd,  // Marked current, and has an end.
    kEndlessNotCurrent,  // Has no end, and is not marked current.
    kEndNotAfterBegin,   // Holds never, or backwards.
    kSameBegin,          // Two versions begin at one instant, with equal or different content.
    kBadConfirmation,    // Cannot be read, does not ascend, or lies outside of its version.
  };
  Kind kind = Kind::kOverlap;
  std::vector<int> rows = {};  // One or two indexes of the versions, the earlier version first.
  std::string text = {};       // A plain sentence, without a full stop.
};

// All problems of the versions of one key, which may be in any order; by where they begin. Not each
// pair that overlaps is listed: a version is compared with the one that holds longest of
// those before it. No problem means that the history is sound, which MergeVersions relies on: no
// two versions hold at once, only the last can be current, and (read by ranges) none is missing.
std::vector<VersionProblem> CheckVersions(absl::Span<const Version> versions,
                                          const CheckOptions& options);

// Whether CheckVersions finds nothing; without the sentences' cost.
bool IsSound(absl::Span<const Version> versions, HistoryRead read);

// What a repair does to one row, and why.
struct RepairNote {
  int row = 0;
  std::string text = {};  // A plain sentence, without a full stop.
};

struct RepairResult {
  VersionPlan plan = {};               // Patches and drops; nothing is added.
  std::vector<RepairNote> notes = {};  // One for each row that is patched or dropped; by begin.
};

// The plan after which CheckVersions finds nothing. A sound history is left as it is, so a second
// repair does nothing.
//
// Begins and contents are believed; the rest follows from them:
// - Of rows that begin together one stays: that of the highest fence, of those the one with the
//   greatest hash, then one that ends, and early, then the one of lowest index. It takes on the
//   confirmations of those that have its hash.
// - Read by ranges, a version ends where the next begins and the last has no end. Whole reads leave
//   holes: an end is kept if it is after the begin and not after the next one's.
// - is_current says whether there is no end.
// - Confirmations are sorted; those outside of their version are dropped, as are unreadable ones.
//
// What it cannot know: a begin that was moved or a row that was deleted by hand. The source does:
// read again, a history that is read by ranges gets the rows that the source still has.
RepairResult RepairVersions(absl::Span<const Version> versions, const CheckOptions& options);

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_VERSION_CHECK_H_
