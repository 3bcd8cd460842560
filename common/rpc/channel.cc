#include "common/rpc/channel.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace headwater {
namespace {

constexpr size_t kMaxUnixPath = sizeof(sockaddr_un::sun_path) - 1;  // 107

bool IsLoopback(absl::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr address;
  return absl::StartsWith(host, "127.") &&
         inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

}  // namespace

absl::StatusOr<Endpoint> Endpoint::Parse(absl::string_view address) {
  absl::string_view path = address;
  if (absl::ConsumePrefix(&path, "unix:")) {
    if (path.empty()) {
      return absl::InvalidArgumentError("coordinator address 'unix:': expected a path after it");
    }
    if (path.size() <= kMaxUnixPath) return Endpoint(std::string(address), -1);
    const size_t slash = path.rfind('/');
    const std::string folder(slash == absl::string_view::npos ? "." : path.substr(0, slash + 1));
    const int descriptor = open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
      return absl::NotFoundError(absl::StrCat("opening the folder ", folder,
                                              " of the coordinator's socket: ", strerror(errno)));
    }
    std::string near =
        absl::StrCat("unix:/proc/self/fd/", descriptor, "/",
                     slash == absl::string_view::npos ? path : path.substr(slash + 1));
    return Endpoint(std::move(near), descriptor);
  }
  const size_t colon = address.rfind(':');
  int port = -1;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 || port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(
        "coordinator address '", address, "': expected host:port or unix:/path/of/socket"));
  }
  if (!IsLoopback(address.substr(0, colon))) {
    return absl::InvalidArgumentError(
        absl::StrCat("coordinator address '", address,
                     "': expected the loopback (127.0.0.1, [::1], localhost) or a Unix socket; "
                     "connections over a network need TLS, which is not in this version"));
  }
  return Endpoint(std::string(address), -1);
}

Endpoint::Endpoint(Endpoint&& other) noexcept
    : grpc_address_(std::move(other.grpc_address_)), folder_(std::exchange(other.folder_, -1)) {}

Endpoint& Endpoint::operator=(Endpoint&& other) noexcept {
  std::swap(grpc_address_, other.grpc_address_);
  std::swap(folder_, other.folder_);
  return *this;
}

Endpoint::~Endpoint() {
  if (folder_ >= 0) close(folder_);
}

std::shared_ptr<grpc::Channel> OpenChannel(const Endpoint& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Despite its name, how long one try to connect may take: a busy machine needs more than a
  // moment.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(endpoint.grpc_address(), grpc::InsecureChannelCredentials(),
                                   arguments);
}

void Listen(grpc::ServerBuilder& builder, const Endpoint& endpoint, int* port) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Workers ping every 10 s, also while nothing is said.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder.AddListeningPort(endpoint.grpc_address(), grpc::InsecureServerCredentials(), port);
}

}  // namespace headwater
