// A worker that is only its wire.
#ifndef HEADWATER_TESTS_CLUSTER_RAW_WORKER_H_
#define HEADWATER_TESTS_CLUSTER_RAW_WORKER_H_

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/model/model_proto.h"
#include "common/rpc/channel.h"

namespace headwater {

// The test reads and writes its frames.
struct RawWorker {
  explicit RawWorker(const std::string& address)
      : endpoint(*Endpoint::Parse(address)),
        stub(v1::SessionService::NewStub(OpenChannel(endpoint))),
        stream(stub->Session(&context)) {}
  ~RawWorker() {
    context.TryCancel();
    if (!finished) stream->Finish();
  }

  void Hello(int protocol = 1, const v1::TaskSpec* held = nullptr) {
    v1::WorkerFrame frame;
    frame.mutable_hello()->set_protocol_min(protocol);
    frame.mutable_hello()->set_protocol_max(protocol);
    frame.mutable_hello()->set_worker_name("raw");
    frame.mutable_hello()->set_boot_id("boot");
    frame.mutable_hello()->set_slots(1);
    if (held != nullptr) {
      v1::LeaseRef& lease = *frame.mutable_hello()->add_held();
      lease.set_task_id(held->task_id());
      lease.set_fence(held->fence());
    }
    stream->Write(frame);
    frame.mutable_credit()->set_tasks(1);
    stream->Write(frame);
  }
  v1::CoordinatorFrame Read() {
    v1::CoordinatorFrame frame;
    EXPECT_TRUE(stream->Read(&frame));
    if (frame.has_welcome()) session = frame.welcome().session_id();
    for (const auto& named : frame.offers().datasets()) ++specs_sent[named.digest()];
    return frame;
  }
  v1::TaskSpec ReadOffer() {
    while (true) {
      v1::CoordinatorFrame frame = Read();
      if (frame.has_offers()) return frame.offers().offers(0).task();
      if (frame.frame_case() == v1::CoordinatorFrame::FRAME_NOT_SET) return {};
    }
  }
  void Accept(const v1::TaskSpec& task) {
    v1::WorkerFrame frame;
    v1::OfferReply& reply = *frame.mutable_replies()->add_replies();
    reply.mutable_lease()->set_task_id(task.task_id());
    reply.mutable_lease()->set_fence(task.fence());
    reply.set_accepted(true);
    stream->Write(frame);
  }
  v1::ReportAck Report(const v1::TaskSpec& task) {
    v1::WorkerFrame frame;
    frame.mutable_report()->set_number(1);
    v1::LeaseReport& lease = *frame.mutable_report()->add_leases();
    lease.mutable_lease()->set_task_id(task.task_id());
    lease.mutable_lease()->set_fence(task.fence());
    lease.set_phase(v1::PHASE_READING);
    stream->Write(frame);
    while (true) {
      v1::CoordinatorFrame answer = Read();
      if (answer.has_report_ack()) return answer.report_ack();
      if (answer.frame_case() == v1::CoordinatorFrame::FRAME_NOT_SET) return {};
    }
  }
  std::vector<absl::StatusCode> Deliver(const std::vector<v1::Outcome>& outcomes) {
    v1::DeliverRequest request;
    v1::DeliverResponse response;
    request.set_session_id(session);
    for (const v1::Outcome& outcome : outcomes) *request.add_outcomes() = outcome;
    grpc::ClientContext call;
    const grpc::Status status = stub->Deliver(&call, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::vector<absl::StatusCode> codes;
    for (const v1::ItemStatus& verdict : response.verdicts()) {
      codes.push_back(static_cast<absl::StatusCode>(verdict.code()));
    }
    return codes;
  }

  Endpoint endpoint;
  std::unique_ptr<v1::SessionService::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::WorkerFrame, v1::CoordinatorFrame>> stream;
  bool finished = false;
  std::string session;
  std::map<std::string, int> specs_sent;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_CLUSTER_RAW_WORKER_H_
