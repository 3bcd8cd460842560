#include "worker/change/version_check.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace headwater {
namespace {

using Kind = VersionProblem::Kind;

constexpr int kNone = -1;

// Told of each problem: its kind, the version, and the other one (kNone where there is none).
using ProblemSink = absl::FunctionRef<void(Kind, int, int)>;

const Version& At(absl::Span<const Version> versions, int index) {
  return versions[static_cast<size_t>(index)];
}

bool EndsLate(const Version& version) {
  return !version.valid_to.has_value() || *version.valid_to > version.valid_from;
}

// Whether `a` holds longer than `b`.
bool Outlasts(const Version& a, const Version& b) {
  if (!b.valid_to.has_value()) return false;
  return !a.valid_to.has_value() || *a.valid_to > *b.valid_to;
}

// The first confirmation that cannot be; none if all are good.
std::optional<size_t> BadConfirmation(const Version& version) {
  int64_t before = version.valid_from;
  for (size_t i = 0; i < version.confirmed.size(); ++i) {
    const int64_t at = version.confirmed[i];
    if (at <= before || (version.valid_to.has_value() && at >= *version.valid_to)) return i;
    before = at;
  }
  return std::nullopt;
}

void ScanOne(const Version& version, int index, ProblemSink found) {
  if (version.is_current && version.valid_to.has_value()) {
    found(Kind::kCurrentWithEnd, index, kNone);
  }
  if (!version.is_current && !version.valid_to.has_value()) {
    found(Kind::kEndlessNotCurrent, index, kNone);
  }
  if (!EndsLate(version)) found(Kind::kEndNotAfterBegin, index, kNone);
  if (!version.confirmed_readable || BadConfirmation(version).has_value()) {
    found(Kind::kBadConfirmation, index, kNone);
  }
}

void Scan(absl::Span<const Version> versions, HistoryRead read, ProblemSink found) {
  const bool by_ranges = read == HistoryRead::kRanges;
  int before = kNone, current = kNone;
  int longest = kNone;  // Of those before, the one that holds longest.
  for (const int index : OrderOf(versions)) {
    const Version& version = At(versions, index);
    ScanOne(version, index, found);
    if (version.is_current) {
      if (current != kNone) found(Kind::kTwoCurrent, current, index);
      if (current == kNone) current = index;
    }
    const bool together = before != kNone && At(versions, before).valid_from == version.valid_from;
    if (together) {
      found(Kind::kSameBegin, before, index);
    } else if (longest != kNone) {
      const std::optional<int64_t>& end = At(versions, longest).valid_to;
      if (!end.has_value() || *end > version.valid_from) {
        found(Kind::kOverlap, longest, index);
      } else if (by_ranges && *end < version.valid_from) {
        found(Kind::kHole, longest, index);
      }
    }
    before = index;
    if (longest == kNone || Outlasts(version, At(versions, longest))) longest = index;
  }
  if (by_ranges && longest != kNone && At(versions, longest).valid_to.has_value()) {
    found(Kind::kHole, longest, kNone);
  }
}

// Sentences about versions.
class Teller {
 public:
  Teller(absl::Span<const Version> versions, const CheckOptions& options)
      : versions_(versions), options_(options) {}

  std::string Instant(int64_t at) const {
    return options_.instant_text ? options_.instant_text(at) : absl::StrCat(at);
  }
  std::string End(const std::optional<int64_t>& end) const {
    return end.has_value() ? absl::StrCat("ends at ", Instant(*end)) : "has no end";
  }
  std::string Begin(int row) const { return Instant(At(versions_, row).valid_from); }

  std::string Problem(Kind kind, int row, int other) const {
    const Version& version = At(versions_, row);
    const std::string the = absl::StrCat("the version that begins at ", Begin(row));
    switch (kind) {
      case Kind::kOverlap:
        return absl::StrCat(the, " ", End(version.valid_to), ", but another begins at ",
                            Begin(other));
      case Kind::kHole:
        return absl::StrCat("no version holds from ", Instant(*version.valid_to),
                            other == kNone ? " on" : absl::StrCat(" to ", Begin(other)));
      case Kind::kTwoCurrent:
        return absl::StrCat("the versions that begin at ", Begin(row), " and at ", Begin(other),
                            " are both marked current");
      case Kind::kCurrentWithEnd:
        return absl::StrCat(the, " is marked current, but ", End(version.valid_to));
      case Kind::kEndlessNotCurrent:
        return absl::StrCat(the, " has no end, but is not marked current");
      case Kind::kEndNotAfterBegin:
        return absl::StrCat(the, " ", End(version.valid_to), ", which is not after its begin");
      case Kind::kSameBegin:
        return absl::StrCat(
            "two versions begin at ", Begin(row), ", with ",
            version.hash == At(versions_, other).hash ? "the same content" : "different contents");
      case Kind::kBadConfirmation:
        return BadConfirmationOf(version, the);
    }
    return "";
  }

 private:
  std::string BadConfirmationOf(const Version& version, const std::string& the) const {
    const std::optional<size_t> bad = BadConfirmation(version);
    if (!version.confirmed_readable || !bad.has_value()) {
      return absl::StrCat("the confirmations of ", the, " cannot be read");
    }
    const int64_t at = version.confirmed[*bad];
    const std::string confirmed = absl::StrCat(the, " is confirmed at ", Instant(at), ", ");
    if (at <= version.valid_from) return absl::StrCat(confirmed, "which is not after its begin");
    if (version.valid_to.has_value() && at >= *version.valid_to) {
      return absl::StrCat(confirmed, "but ", End(version.valid_to));
    }
    return absl::StrCat(confirmed, "which does not follow the confirmation before it");
  }

  absl::Span<const Version> versions_;
  const CheckOptions& options_;
};

// Which of two rows that begin together stays.
bool Better(const Version& a, const Version& b) {
  if (a.fence != b.fence) return a.fence > b.fence;
  if (!(a.hash == b.hash)) {
    return std::pair(a.hash.high, a.hash.low) > std::pair(b.hash.high, b.hash.low);
  }
  return Outlasts(b, a);
}

class Repair {
 public:
  Repair(absl::Span<const Version> versions, const CheckOptions& options)
      : versions_(versions),
        by_ranges_(options.read == HistoryRead::kRanges),
        tell_(versions, options) {
    result_.plan.changes.resize(versions.size());
  }

  RepairResult Run() {
    const std::vector<int> order = OrderOf(versions_);
    for (size_t from = 0; from < order.size();) {
      size_t to = from + 1;
      while (to < order.size() && FromOf(order[to]) == FromOf(order[from])) ++to;
      std::optional<int64_t> next;
      if (to < order.size()) next = FromOf(order[to]);
      Settle(absl::MakeConstSpan(order).subspan(from, to - from), next);
      from = to;
    }
    return std::move(result_);
  }

 private:
  int64_t FromOf(int row) const { return At(versions_, row).valid_from; }

  // Of rows that begin together; `next` is where the next ones do.
  void Settle(absl::Span<const int> rows, std::optional<int64_t> next) {
    const int kept = *std::min_element(rows.begin(), rows.end(), [&](int a, int b) {
      return Better(At(versions_, a), At(versions_, b));
    });
    const Version& version = At(versions_, kept);
    VersionTimes times = TimesOf(version);
    for (const int row : rows) {
      if (row == kept) continue;
      Drop(row, kept);
      const Version& dropped = At(versions_, row);
      if (!(dropped.hash == version.hash)) continue;
      times.confirmed.insert(times.confirmed.end(), dropped.confirmed.begin(),
                             dropped.confirmed.end());
    }
    const bool believed = !by_ranges_ && version.valid_to.has_value() && EndsLate(version) &&
                          (!next.has_value() || *version.valid_to <= *next);
    if (!believed) times.valid_to = next;
    times.is_current = !times.valid_to.has_value();
    MendConfirmed(times);
    if (times == TimesOf(version) && version.confirmed_readable) return;
    result_.notes.push_back({kept, PatchText(version, times)});
    result_.plan.changes[static_cast<size_t>(kept)] = {VersionChange::Kind::kPatch,
                                                       std::move(times)};
  }

  static void MendConfirmed(VersionTimes& times) {
    std::vector<int64_t>& all = times.confirmed;
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    const auto outside = [&](int64_t at) {
      return at <= times.valid_from || (times.valid_to.has_value() && at >= *times.valid_to);
    };
    all.erase(std::remove_if(all.begin(), all.end(), outside), all.end());
  }

  void Drop(int row, int kept) {
    const Version &dropped = At(versions_, row), &stays = At(versions_, kept);
    std::string text = absl::StrCat("drop: another row begins at ", tell_.Begin(row));
    if (dropped.hash == stays.hash) {
      absl::StrAppend(&text, " with the same content");
    } else if (dropped.fence != stays.fence) {
      absl::StrAppend(&text, " with other content and was written later (fence ", stays.fence,
                      ", this one ", dropped.fence, ")");
    } else {
      absl::StrAppend(&text, " with other content; both have fence ", stays.fence,
                      ", so neither is known to be the later one, and the greater hash stays");
    }
    result_.plan.changes[static_cast<size_t>(row)].kind = VersionChange::Kind::kDrop;
    result_.notes.push_back({row, std::move(text)});
  }

  std::string PatchText(const Version& was, const VersionTimes& times) const {
    std::vector<std::string> parts;
    if (was.valid_to != times.valid_to) {
      parts.push_back(absl::StrCat("it ", tell_.End(times.valid_to), " (",
                                   was.valid_to.has_value() ? tell_.Instant(*was.valid_to) : "none",
                                   " before)"));
    }
    if (was.is_current != times.is_current) {
      parts.push_back(times.is_current ? "it is current" : "it is not current");
    }
    if (was.confirmed != times.confirmed || !was.confirmed_readable) {
      parts.push_back(absl::StrCat(
          "its confirmations are ", times.confirmed.size(), " (",
          was.confirmed_readable ? absl::StrCat(was.confirmed.size()) : "unreadable", " before)"));
    }
    return absl::StrCat("patch the version that begins at ", tell_.Instant(was.valid_from), ": ",
                        absl::StrJoin(parts, ", "));
  }

  absl::Span<const Version> versions_;
  bool by_ranges_;
  Teller tell_;
  RepairResult result_;
};

}  // namespace

std::vector<VersionProblem> CheckVersions(absl::Span<const Version> versions,
                                          const CheckOptions& options) {
  std::vector<VersionProblem> problems;
  const Teller tell(versions, options);
  Scan(versions, options.read, [&](Kind kind, int row, int other) {
    VersionProblem problem{kind, {row}, tell.Problem(kind, row, other)};
    if (other != kNone) problem.rows.push_back(other);
    problems.push_back(std::move(problem));
  });
  return problems;
}

bool IsSound(absl::Span<const Version> versions, HistoryRead read) {
  bool sound = true;
  Scan(versions, read, [&](Kind, int, int) { sound = false; });
  return sound;
}

RepairResult RepairVersions(absl::Span<const Version> versions, const CheckOptions& options) {
  return Repair(versions, options).Run();
}

}  // namespace headwater
