// What every FromProto needs: the words of a refusal, and the well-known time types. Private to
// common/model.
#ifndef HEADWATER_COMMON_MODEL_PROTO_CHECK_H_
#define HEADWATER_COMMON_MODEL_PROTO_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/data/fingerprint.h"
#include "common/model/extent.h"
#include "common/model/task.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "headwater/v1/types.pb.h"

namespace headwater {

// INVALID_ARGUMENT "<field>: <problem>".
absl::Status BadField(absl::string_view field, absl::string_view problem);

// INVALID_ARGUMENT unless the value is what the name says.
absl::Status CheckNotEmpty(absl::string_view field, absl::string_view value);
absl::Status CheckAtLeast(absl::string_view field, int64_t value, int64_t minimum);

// INVALID_ARGUMENT unless `cuts` ascend strictly and lie strictly inside the extent's range; an
// extent without a range has none.
absl::Status CheckCuts(absl::string_view field, const Extent& extent,
                       const std::vector<int64_t>& cuts);

// INVALID_ARGUMENT for a negative row count.
absl::StatusOr<Fingerprint> CheckedFingerprint(const v1::Fingerprint& fingerprint);

// Twins of data files: what the paths of `files` name lies inside of the table's folder.
absl::StatusOr<std::vector<StagedFile>> FilesFromProto(
    const google::protobuf::RepeatedPtrField<v1::StagedFile>& files);
v1::StagedFile FileToProto(const StagedFile& file);

// A microbatch's files hold exactly the rows that were fingerprinted; of a keyed write no piece has
// files.
absl::Status CheckFilesHoldAllRows(const Manifest& manifest);

absl::StatusOr<TailCheck> TailFromProto(const v1::TailCheck& check);
v1::TailCheck TailToProto(const TailCheck& check);

// INVALID_ARGUMENT unless an attempt has a fence and everything else has none.
absl::Status CheckFence(const LeaseRef& lease, bool is_attempt);

inline constexpr int kMaxTail = 8;  // Design: a tail never has more pieces.
inline constexpr int kMaxSpread = 5000;

// Timestamps are refused outside the years 1 to 9999, durations when negative or longer than
// 10,000 years, both when nanos are out of range: the limits of google.protobuf.
absl::StatusOr<absl::Time> FromProto(absl::string_view field,
                                     const google::protobuf::Timestamp& timestamp);
absl::StatusOr<absl::Duration> FromProto(absl::string_view field,
                                         const google::protobuf::Duration& duration);

// Values beyond those limits are brought to the nearest one that the wire can carry.
google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);

// `text` with each byte that is not part of valid UTF-8 replaced by U+FFFD. Drivers speak in the
// server's encoding, and a proto string that is not UTF-8 does not parse at the other end.
std::string ValidUtf8(absl::string_view text);

}  // namespace headwater

#endif  // HEADWATER_COMMON_MODEL_PROTO_CHECK_H_
