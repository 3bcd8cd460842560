// ServerSpec to and from the wire; a part of model_proto.h's DatasetSpec.
#ifndef HEADWATER_COMMON_MODEL_SERVER_PROTO_H_
#define HEADWATER_COMMON_MODEL_SERVER_PROTO_H_

#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "headwater/v1/types.pb.h"

namespace headwater {

// INVALID_ARGUMENT: names the field, and what is wrong with it.
absl::StatusOr<ServerSpec> ServerFromProto(const v1::ServerSpec& server);
v1::ServerSpec ServerToProto(const ServerSpec& server);

}  // namespace headwater

#endif  // HEADWATER_COMMON_MODEL_SERVER_PROTO_H_
