// The door between the wire and the model: FromProto validates everything a sender could get wrong
// (INVALID_ARGUMENT names the field), ToProto cannot fail. Enum zero is always refused.
#ifndef HEADWATER_COMMON_MODEL_MODEL_PROTO_H_
#define HEADWATER_COMMON_MODEL_MODEL_PROTO_H_

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "common/model/extent.h"
#include "common/model/task.h"
#include "headwater/v1/session.pb.h"
#include "headwater/v1/types.pb.h"

namespace headwater {

absl::StatusOr<CursorType> FromProto(v1::CursorType type);
absl::StatusOr<Range> FromProto(const v1::Range& range);
absl::StatusOr<Extent> FromProto(const v1::Extent& extent);
absl::StatusOr<Unit> FromProto(const v1::Unit& unit);
absl::StatusOr<Schema> FromProto(const v1::Schema& schema);
absl::StatusOr<DatasetSpec> FromProto(const v1::DatasetSpec& spec);
absl::StatusOr<ProbeResult> FromProto(const v1::ProbeResult& result);
absl::StatusOr<Manifest> FromProto(const v1::Manifest& manifest);
absl::StatusOr<Difference> FromProto(const v1::Difference& difference);
absl::StatusOr<Failure> FromProto(const v1::Failure& failure);
absl::StatusOr<TaskSpec> FromProto(const v1::TaskSpec& task);
absl::StatusOr<Outcome> FromProto(const v1::Outcome& outcome);
absl::StatusOr<LeaseRef> FromProto(const v1::LeaseRef& lease);
Fingerprint FromProto(const v1::Fingerprint& fingerprint);

v1::CursorType ToProto(CursorType type);
v1::Range ToProto(const Range& range);
v1::Extent ToProto(const Extent& extent);
v1::Unit ToProto(const Unit& unit);
v1::Schema ToProto(const Schema& schema);
v1::DatasetSpec ToProto(const DatasetSpec& spec);
v1::ProbeResult ToProto(const ProbeResult& result);
v1::Manifest ToProto(const Manifest& manifest);
v1::Difference ToProto(const Difference& difference);
v1::Failure ToProto(const Failure& failure);
v1::TaskSpec ToProto(const TaskSpec& task);
v1::Outcome ToProto(const Outcome& outcome);
v1::LeaseRef ToProto(const LeaseRef& lease);
v1::Fingerprint ToProto(const Fingerprint& fingerprint);

}  // namespace headwater

#endif  // HEADWATER_COMMON_MODEL_MODEL_PROTO_H_
