// Tasks whose readers are slow to be cancelled, as on a server that swallows packets.
#include "tests/cluster/session_fixture.h"
#include "tests/support/fake_source.h"
#include "worker/microbatch_runner.h"

namespace headwater {
namespace {

class NoRows : public StagingWriter {
 public:
  absl::Status Write(const RowBatch&) override { return absl::InternalError("there are no rows"); }
  absl::StatusOr<Manifest> Finish() override { return absl::InternalError("there is no end"); }
  absl::Status Remove(const StagedPiece&) override { return absl::OkStatus(); }
};

class StopTest : public SessionTest {
 protected:
  StopTest() {
    WorkerOptions options = OptionsOfWorker();
    options.run_task = [this](const DatasetSpec& dataset, const TaskSpec& task, Source&, absl::Time,
                              std::stop_token stop, const ProgressCallback& progress) {
      const bool reads = std::holds_alternative<MicrobatchTask>(task.kind) && hangs_;
      return reads ? ReadUntilCancelled(dataset, task, stop, progress) : runner_(task, stop);
    };
    StartWorker(std::move(options));
  }

  ~StopTest() override {
    if (!let_go_.HasBeenNotified()) let_go_.Notify();
    worker_.reset();  // Its tasks use what is ours.
  }

  // Reads nothing until it is cancelled; cancelling it takes until the test lets go.
  Outcome ReadUntilCancelled(const DatasetSpec& dataset, const TaskSpec& task, std::stop_token stop,
                             const ProgressCallback& progress) {
    FakeSource source;
    source.script.schema = {{{"id", {TypeKind::kLong}}}};
    source.script.blocks_at_end = true;
    source.script.on_cancel = [this] {
      ++cancels_;
      let_go_.WaitForNotification();
    };
    const StagingFactory no_rows = [](const StagingOptions&) { return std::make_unique<NoRows>(); };
    return RunTask(dataset, task, source, no_rows, {}, stop, [&](const TaskProgress& now) {
      progress(now);
      // From here on it is another thread that cancels.
      if (now.phase == TaskPhase::kReading) ++readers_;
    });
  }

  // Begins a run whose microbatch hangs when it is cancelled, and cancels it.
  void HangInCancel(const std::string& run_id) {
    const int before = cancels_;
    SubmitRun(run_id);
    Eventually("the task reads", [&] { return readers_ == before + 1; });
    CancelRun(run_id);
    Eventually("the reader is being cancelled", [&] { return cancels_ == before + 1; });
  }

  std::atomic<bool> hangs_ = true;  // What begins from now on.
  std::atomic<int> readers_ = 0;
  std::atomic<int> cancels_ = 0;
  absl::Notification let_go_;
};

TEST_F(StopTest, ACancelThatHangsHoldsUpNothingElse) {
  HangInCancel("r-1");
  hangs_ = false;
  runner_.Open();
  SubmitRun("r-2");
  Eventually("another task of the worker is published", [&] { return committers_.commits == 1; });
  EXPECT_FALSE(let_go_.HasBeenNotified());
}

TEST_F(StopTest, AWorkerWhoseCancelHangsStillStopsItselfInTime) {
  HangInCancel("r-1");
  EXPECT_EQ(worker_->held(), 1);
  Cut();
  clock_.Advance(absl::Seconds(12));
  Eventually("no lease is held", [&] { return worker_->held() == 0; });
  EXPECT_EQ(cancels_, 1) << "stopped once more, and cancelled once";
}

TEST_F(StopTest, NoCancelWaitsForAnother) {
  HangInCancel("r-1");
  HangInCancel("r-2");
}

TEST_F(StopTest, ShutdownWaitsForACancelThatIsUnderWay) {
  HangInCancel("r-1");
  std::atomic<bool> ended = false;
  std::thread shutdown([&] {
    worker_->Shutdown();
    ended = true;
  });
  Eventually("the session is over", [&] { return worker_->held() == 0; });
  EXPECT_FALSE(ended);
  let_go_.Notify();
  shutdown.join();
}

}  // namespace
}  // namespace headwater
