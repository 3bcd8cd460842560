// What a command is told when the server cuts its calls off, as one does that is shutting down.
#include "cli/admin_client.h"

#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/rpc/channel.h"
#include "headwater/v1/admin.grpc.pb.h"

namespace headwater {
namespace {

class CuttingService : public v1::AdminService::Service {
 public:
  grpc::Status SubmitRun(grpc::ServerContext*, const v1::SubmitRunRequest*,
                         v1::SubmitRunResponse*) override {
    return grpc::Status::CANCELLED;
  }
  grpc::Status WatchRun(grpc::ServerContext*, const v1::WatchRunRequest*,
                        grpc::ServerWriter<v1::WatchRunResponse>* writer) override {
    writer->Write({});
    return grpc::Status::CANCELLED;
  }
};

class AdminClientTest : public testing::Test {
 protected:
  AdminClientTest() : listening_(*Endpoint::Parse("127.0.0.1:0")) {
    grpc::ServerBuilder builder;
    Listen(builder, listening_, &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    client_ = *AdminClient::Create(absl::StrCat("127.0.0.1:", port_));
  }

  CuttingService service_;
  Endpoint listening_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<AdminClient> client_;
};

TEST_F(AdminClientTest, ACallThatIsCutOffIsACoordinatorThatIsGone) {
  EXPECT_EQ(client_->SubmitRun({}).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(AdminClientTest, SoIsAWatchThatIsCutOff) {
  int updates = 0;
  const auto ended = client_->WatchRun("r-1", [&](const v1::WatchRunResponse&) { ++updates; });
  EXPECT_EQ(ended.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(updates, 1);
}

}  // namespace
}  // namespace headwater
