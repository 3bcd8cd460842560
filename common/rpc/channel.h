// Addresses of a coordinator, and channels and server ports made from them.
//
//   address = "unix:" path | host ":" port
//
// Credentials are insecure, so only a Unix socket and the loopback are taken: everything else is
// refused until mutual TLS is built (design section 7, security).
#ifndef HEADWATER_COMMON_RPC_CHANNEL_H_
#define HEADWATER_COMMON_RPC_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace headwater {

// Largest message either side takes: a manifest of ten thousand files is about 5 MB, and a frame
// carries several. A limit, so that a broken peer cannot fill the memory.
inline constexpr int kMaxMessageBytes = 64 << 20;

// An address in the form that gRPC takes. A Unix path longer than the 107 bytes that the kernel
// allows is reached through an open descriptor of its folder (/proc/self/fd/N/name), which lives as
// long as this object: keep it as long as the channel or server. Movable.
class Endpoint {
 public:
  // INVALID_ARGUMENT: not an address, or neither a Unix socket nor the loopback (says that TLS is
  // not in this version). NOT_FOUND: the folder of a long Unix path cannot be opened.
  static absl::StatusOr<Endpoint> Parse(absl::string_view address);

  Endpoint(Endpoint&& other) noexcept;
  Endpoint& operator=(Endpoint&& other) noexcept;
  ~Endpoint();

  const std::string& grpc_address() const { return grpc_address_; }

 private:
  Endpoint(std::string grpc_address, int folder)
      : grpc_address_(std::move(grpc_address)), folder_(folder) {}

  std::string grpc_address_;
  int folder_;  // Descriptor, or -1.
};

// A lazy channel to the endpoint: it connects at the first call and again after each loss, waiting
// at most a second between tries that were refused and ten for one that is not answered, and
// notices within 20 s a peer that vanished without a word. Its last owner must not be a callback of
// gRPC's: on gRPC's own thread the channel's end is that thread's too.
// Two channels never share a connection. Requires: `endpoint` outlives the channel.
std::shared_ptr<grpc::Channel> OpenChannel(const Endpoint& endpoint);

// Makes `builder` listen at the endpoint, with the limits of this header. `port`, when given,
// receives the port that was bound (for port 0) after BuildAndStart(); 0 means that it failed. A
// second server on one Unix path does not fail: hold a file lock before binding.
void Listen(grpc::ServerBuilder& builder, const Endpoint& endpoint, int* port = nullptr);

}  // namespace headwater

#endif  // HEADWATER_COMMON_RPC_CHANNEL_H_
