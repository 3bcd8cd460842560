#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/rpc/channel.h"
#include "headwater/v1/admin.grpc.pb.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Refusal(const std::string& address) {
  return std::string(Endpoint::Parse(address).status().message());
}

TEST(Endpoint, TakesUnixSocketsAndTheLoopback) {
  EXPECT_EQ(Endpoint::Parse("unix:/run/h.sock")->grpc_address(), "unix:/run/h.sock");
  EXPECT_EQ(Endpoint::Parse("127.0.0.1:7400")->grpc_address(), "127.0.0.1:7400");
  EXPECT_EQ(Endpoint::Parse("localhost:0")->grpc_address(), "localhost:0");
  EXPECT_EQ(Endpoint::Parse("[::1]:7400")->grpc_address(), "[::1]:7400");
}

TEST(Endpoint, RefusesANetworkWithoutTls) {
  EXPECT_THAT(Refusal("db.example.com:7400"), HasSubstr("TLS"));
  EXPECT_THAT(Refusal("0.0.0.0:7400"), HasSubstr("TLS"));
  EXPECT_THAT(Refusal("127.example.com:7400"), HasSubstr("TLS"));
}

TEST(Endpoint, RefusesWhatIsNoAddress) {
  EXPECT_THAT(Refusal(""), HasSubstr("expected host:port"));
  EXPECT_THAT(Refusal("localhost"), HasSubstr("expected host:port"));
  EXPECT_THAT(Refusal("localhost:70000"), HasSubstr("expected host:port"));
  EXPECT_THAT(Refusal("unix:"), HasSubstr("expected a path"));
}

TEST(Endpoint, ReachesAUnixPathThatIsTooLongForTheKernel) {
  TempFolder folder;
  const std::string deep = folder.path() + "/" + std::string(120, 'x');
  ASSERT_TRUE(std::filesystem::create_directory(deep));
  absl::StatusOr<Endpoint> endpoint = Endpoint::Parse("unix:" + deep + "/h.sock");
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  EXPECT_THAT(endpoint->grpc_address(), StartsWith("unix:/proc/self/fd/"));

  v1::AdminService::Service service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  Listen(builder, *endpoint);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  EXPECT_TRUE(std::filesystem::exists(deep + "/h.sock"));
  absl::StatusOr<Endpoint> client = Endpoint::Parse("unix:" + deep + "/h.sock");
  ASSERT_TRUE(client.ok());
  EXPECT_TRUE(OpenChannel(*client)->WaitForConnected(std::chrono::system_clock::now() +
                                                     std::chrono::seconds(10)));
  server->Shutdown(std::chrono::system_clock::now());
}

TEST(Endpoint, SaysWhichFolderOfALongPathIsMissing) {
  EXPECT_THAT(Refusal("unix:/nowhere/" + std::string(120, 'x') + "/h.sock"), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace headwater
