// The two spellings of one thing: absl::Status inside, grpc::Status on the wire. Codes are equal by
// definition; payloads stay behind.
#ifndef HEADWATER_COMMON_RPC_GRPC_STATUS_H_
#define HEADWATER_COMMON_RPC_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace headwater {

grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace headwater

#endif  // HEADWATER_COMMON_RPC_GRPC_STATUS_H_
