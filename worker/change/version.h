// The history of one key in a table of strategy scd2, and what may be done to it. docs/history.md
// tells people the same.
//
// A version is one row of the table. Its columns `valid_from`, `valid_to` and `is_current` say when
// its content held; `_hw_confirmed_at` has the later instants at which the very same content was
// seen again. Without these the order of arrival would show: A seen at 1 and 3 is one version, and
// a B that arrives late, of 2, must leave A from 1 to 2 and again from 3.
//
// All instants are int64 in the cursor's own resolution. All functions are pure and thread-safe.
#ifndef HEADWATER_WORKER_CHANGE_VERSION_H_
#define HEADWATER_WORKER_CHANGE_VERSION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/data/fingerprint.h"

namespace headwater {

// How the rows of a history are read; it decides what a history may look like.
enum class HistoryRead {
  kRanges,  // By ranges of last_modified. A row that was not read says nothing: no holes.
  kWhole,   // Whole reads, one after another. A key may be away: holes, and no current version.
};

// When a version's content held, and when that was seen.
struct VersionTimes {
  int64_t valid_from = 0;           // Included.
  std::optional<int64_t> valid_to;  // Excluded; none: still holds.
  bool is_current = false;          // Of a sound version: whether it has no end.
  // Ascending, each after valid_from and before the end. Grows by one for each instant at which a
  // range read shows the content again; whole reads add none.
  std::vector<int64_t> confirmed;
  friend bool operator==(const VersionTimes&, const VersionTimes&) = default;
};

// A row as a table holds it. Tables can be edited by others: nothing of it need make sense.
struct Version {
  int64_t valid_from = 0;
  std::optional<int64_t> valid_to = std::nullopt;
  bool is_current = false;
  Hash128 hash = {};  // Over the tracked columns: neither the cursor nor what is ignored.
  std::vector<int64_t> confirmed = {};
  int64_t fence = 0;  // Of the attempt that wrote the row; only repairs look at it.
  // False: what the column holds is no confirmations (DecodeConfirmed fails); `confirmed` is empty.
  bool confirmed_readable = true;
};

VersionTimes TimesOf(const Version& version);

// What becomes of one row.
struct VersionChange {
  enum class Kind { kKeep, kPatch, kDrop };
  Kind kind = Kind::kKeep;
  // Of kPatch: all times as they shall be. Where valid_from differs from the row's, the caller also
  // sets the cursor's column to it (in histories that are read by ranges).
  VersionTimes times = {};
};

// A row to be added.
struct NewVersion {
  enum class Content {
    kSourceRow,  // The row `from` of the source, an Observation's `row`.
    kVersion,    // A copy of the existing row `from`, as it was before this plan.
  };
  VersionTimes times = {};
  Hash128 hash = {};  // Of the content, which has exactly this one.
  Content content = Content::kSourceRow;
  // The caller sets the cursor's column to times.valid_from, as with a patch. A copy's columns that
  // are not tracked hold what the copied row held.
  int from = 0;
};

// What makes the history of one key right.
struct VersionPlan {
  std::vector<VersionChange> changes = {};  // One for each existing version, in their order.
  std::vector<NewVersion> inserted = {};    // By valid_from.

  // Nothing is dropped, patched or added.
  bool ChangesNothing() const;
};

// The order in which versions begin: their indexes by valid_from, equal ones by index.
std::vector<int> OrderOf(absl::Span<const Version> versions);

// The text of `confirmed` in the column `_hw_confirmed_at`; none (NULL) when it is empty.
//
//   text    = instant {" " instant}
//   instant = "0" | ["-"] digit {digit}      without leading zeros; fits int64
//
// {1357020000000000, 1357106400000000} is "1357020000000000 1357106400000000".
std::optional<std::string> EncodeConfirmed(absl::Span<const int64_t> confirmed);

// The inverse. That instants ascend and lie within their version is CheckVersions' business.
// INVALID_ARGUMENT: anything that EncodeConfirmed does not write, the empty text too.
absl::StatusOr<std::vector<int64_t>> DecodeConfirmed(std::optional<absl::string_view> text);

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_VERSION_H_
