// How a dataset is written and compared, to and from the wire; parts of model_proto.h's messages.
#ifndef HEADWATER_COMMON_MODEL_WRITE_PROTO_H_
#define HEADWATER_COMMON_MODEL_WRITE_PROTO_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/dataset_spec.h"
#include "common/model/task.h"
#include "headwater/v1/types.pb.h"

namespace headwater {

// The fields of DatasetSpec from `write` on. INVALID_ARGUMENT: names the field, and what is wrong.
absl::Status WriteFromProto(const v1::DatasetSpec& proto, DatasetSpec& spec);
void WriteToProto(const DatasetSpec& spec, v1::DatasetSpec& proto);

// INVALID_ARGUMENT: a number that is none, or a kind that cannot be.
absl::StatusOr<ExtentChecksum> ChecksumFromProto(const v1::ExtentChecksum& checksum);
v1::ExtentChecksum ChecksumToProto(const ExtentChecksum& checksum);

absl::StatusOr<KeyedChange> KeyedFromProto(const v1::KeyedChange& change);
v1::KeyedChange KeyedToProto(const KeyedChange& change);

// None: it is not said. INVALID_ARGUMENT: an unknown one.
absl::StatusOr<std::optional<HashAlgorithm>> AlgorithmFromProto(v1::HashAlgorithm algorithm);
v1::HashAlgorithm AlgorithmToProto(std::optional<HashAlgorithm> algorithm);

absl::StatusOr<SystemColumn> SystemColumnFromProto(v1::SystemColumn column);
v1::SystemColumn SystemColumnToProto(SystemColumn column);

}  // namespace headwater

#endif  // HEADWATER_COMMON_MODEL_WRITE_PROTO_H_
