#include "common/model/proto_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"

namespace headwater {
namespace {

constexpr int64_t kMinSeconds = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr int64_t kMaxSeconds = 253'402'300'799;  // 9999-12-31T23:59:59Z
constexpr int64_t kMaxDurationSeconds = 315'576'000'000;
constexpr int32_t kMaxNanos = 999'999'999;

// Bytes of the well-formed UTF-8 character at the front of `text`, or 0.
size_t CharacterBytes(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

}  // namespace

absl::Status BadField(absl::string_view field, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", problem));
}

absl::Status CheckNotEmpty(absl::string_view field, absl::string_view value) {
  return value.empty() ? BadField(field, "is empty") : absl::OkStatus();
}

absl::Status CheckAtLeast(absl::string_view field, int64_t value, int64_t minimum) {
  if (value >= minimum) return absl::OkStatus();
  return BadField(field, absl::StrCat("expected at least ", minimum, ", found ", value));
}

absl::Status CheckCuts(absl::string_view field, const Extent& extent,
                       const std::vector<int64_t>& cuts) {
  if (cuts.empty()) return absl::OkStatus();
  if (!extent.range.has_value()) return BadField(field, "an extent without a range has no cuts");
  int64_t previous = extent.range->from;
  for (int64_t cut : cuts) {
    if (cut <= previous || cut >= extent.range->to) {
      return BadField(
          field, absl::StrCat("expected ascending values strictly inside [", extent.range->from,
                              ", ", extent.range->to, "), found ", cut, " after ", previous));
    }
    previous = cut;
  }
  return absl::OkStatus();
}

absl::StatusOr<Fingerprint> CheckedFingerprint(const v1::Fingerprint& fingerprint) {
  RETURN_IF_ERROR(CheckAtLeast("fingerprint.rows", fingerprint.rows(), 0));
  return FromProto(fingerprint);
}

absl::Status CheckFence(const LeaseRef& lease, bool is_attempt) {
  if (is_attempt == (lease.fence > 0)) return absl::OkStatus();
  return BadField("fence", is_attempt ? "a microbatch has a fence above 0"
                                      : "a probe or a verification has no fence");
}

absl::StatusOr<absl::Time> FromProto(absl::string_view field,
                                     const google::protobuf::Timestamp& timestamp) {
  if (timestamp.seconds() < kMinSeconds || timestamp.seconds() > kMaxSeconds ||
      timestamp.nanos() < 0 || timestamp.nanos() > kMaxNanos) {
    return BadField(field, "not a time between the years 1 and 9999");
  }
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

absl::StatusOr<absl::Duration> FromProto(absl::string_view field,
                                         const google::protobuf::Duration& duration) {
  if (duration.seconds() < 0 || duration.seconds() > kMaxDurationSeconds || duration.nanos() < 0 ||
      duration.nanos() > kMaxNanos) {
    return BadField(field, "not a duration between 0 and 10,000 years");
  }
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  time = std::clamp(time, absl::FromUnixSeconds(kMinSeconds), absl::FromUnixSeconds(kMaxSeconds));
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(absl::ToUnixSeconds(time));  // Rounds down.
  timestamp.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(timestamp.seconds()))));
  return timestamp;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  duration = std::clamp(duration, absl::ZeroDuration(), absl::Seconds(kMaxDurationSeconds));
  google::protobuf::Duration result;
  result.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  result.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
  return result;
}

std::string ValidUtf8(absl::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const size_t length = CharacterBytes(text);
    if (length == 0) {
      valid += "\xEF\xBF\xBD";
    } else {
      absl::StrAppend(&valid, text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return valid;
}

}  // namespace headwater
