#include "coordinator/commit/delta/checkpointer.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "coordinator/commit/delta/delta_checkpoint.h"
#include "coordinator/commit/delta/delta_log.h"

namespace headwater {
namespace {

constexpr char kRetentionProperty[] = "delta.deletedFileRetentionDuration";
constexpr absl::Duration kDefaultRetention = absl::Hours(24 * 7);

std::optional<absl::Duration> UnitNamed(absl::string_view name) {
  absl::ConsumeSuffix(&name, "s");
  constexpr std::pair<absl::string_view, int64_t> kSeconds[] = {
      {"second", 1}, {"minute", 60}, {"hour", 3'600}, {"day", 86'400}, {"week", 604'800}};
  for (const auto& [unit, seconds] : kSeconds) {
    if (unit == name) return absl::Seconds(seconds);
  }
  if (name == "millisecond") return absl::Milliseconds(1);
  if (name == "microsecond") return absl::Microseconds(1);
  if (name == "nanosecond") return absl::Nanoseconds(1);
  return std::nullopt;
}

// "interval 1 day 12 hours"; the first word may be missing.
std::optional<absl::Duration> ParseInterval(absl::string_view text) {
  std::vector<std::string> words =
      absl::StrSplit(absl::AsciiStrToLower(text), ' ', absl::SkipEmpty());
  if (!words.empty() && words.front() == "interval") words.erase(words.begin());
  if (words.empty() || words.size() % 2 != 0) return std::nullopt;
  absl::Duration interval;
  for (size_t i = 0; i < words.size(); i += 2) {
    int64_t count = 0;
    const std::optional<absl::Duration> unit = UnitNamed(words[i + 1]);
    if (!absl::SimpleAtoi(words[i], &count) || count < 0 || !unit.has_value()) return std::nullopt;
    interval += count * *unit;
  }
  return interval;
}

absl::Status Put(ObjectStore& store, const DeltaVersion& state, int64_t version) {
  RETURN_IF_ERROR(Failpoint("delta.before_checkpoint"));
  ASSIGN_OR_RETURN(const std::string bytes, EncodeCheckpoint(state));
  RETURN_IF_ERROR(store.Put(CheckpointKey(version), bytes));
  RETURN_IF_ERROR(Failpoint("delta.during_checkpoint"));
  const size_t actions = 2 + state.txns.size() + state.removes.size() + state.adds.size();
  RETURN_IF_ERROR(store.Put(kLastCheckpointKey,
                            absl::StrCat("{\"version\":", version, ",\"size\":", actions, "}\n")));
  return Failpoint("delta.after_checkpoint");
}

}  // namespace

absl::Duration TombstoneRetention(const DeltaMetadata& metadata) {
  return IntervalProperty(metadata, kRetentionProperty).value_or(kDefaultRetention);
}

std::optional<absl::Duration> IntervalProperty(const DeltaMetadata& metadata,
                                               const std::string& name) {
  const auto property = metadata.configuration.find(name);
  if (property == metadata.configuration.end()) return std::nullopt;
  return ParseInterval(property->second).value_or(absl::InfiniteDuration());
}

void Checkpointer::Loaded(int64_t version) {
  due_ = std::max<int64_t>(version, 0) + every_;
  wait_ = 1;
}

void Checkpointer::Write(ObjectStore& store, DeltaSnapshot& snapshot, absl::Time collected_before) {
  const int64_t version = snapshot.version();
  if (version < due_ || !snapshot.metadata().has_value()) return;
  snapshot.ForgetRemoved(
      std::min(clock_->Now() - TombstoneRetention(*snapshot.metadata()), collected_before));
  const absl::Status status = Put(store, snapshot.ToCheckpoint(), version);
  if (status.ok()) return Loaded(version);
  Log(LogLevel::kWarning, absl::StrCat("table ", table_, ": checkpoint ", version,
                                       " was not written: ", status.message()));
  due_ = version + wait_;
  wait_ = std::min(2 * wait_, every_);
}

}  // namespace headwater
