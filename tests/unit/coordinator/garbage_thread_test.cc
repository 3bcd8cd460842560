#include "coordinator/garbage_thread.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/synchronization/notification.h"
#include "common/base/bounded_queue.h"

namespace headwater {
namespace {

// Tables whose collection does not end by itself.
class EndlessTables : public GarbageCollectorFactory {
 public:
  absl::StatusOr<std::unique_ptr<GarbageCollector>> Open(const TableLocation& location) override {
    if (location.uri.empty()) return absl::NotFoundError("no such folder");
    return std::make_unique<Collector>(&begun);
  }
  absl::Notification begun;

 private:
  class Collector : public GarbageCollector {
   public:
    explicit Collector(absl::Notification* begun) : begun_(begun) {}
    GarbageReport Collect(const GarbageRequest&, std::stop_token stop) override {
      absl::Notification stopped;
      const std::stop_callback on_stop(stop, [&] { stopped.Notify(); });
      begun_->Notify();
      stopped.WaitForNotification();
      return {.complete = false, .files = 3};
    }

   private:
    absl::Notification* const begun_;
  };
};

class GarbageThreadTest : public ::testing::Test {
 protected:
  GarbageCollected Answer() { return std::get<GarbageCollected>(*answers_.Pop()); }

  EndlessTables tables_;
  BoundedQueue<Input> answers_{16};
  std::function<TableLocation(const std::string&)> locate_ = [](const std::string& table) {
    return TableLocation{table, table == "none" ? "" : "/lake/" + table, "ledger"};
  };
  std::function<void(Input)> post_ = [this](Input input) { answers_.Push(std::move(input)); };
  GarbageThread thread_{&tables_, locate_, post_};
};

TEST_F(GarbageThreadTest, AnInterruptEndsWhatIsUnderWayAndWhatFollows) {
  thread_.Run({"deals", 7, {}});
  thread_.Run({"orders", 8, {}});
  tables_.begun.WaitForNotification();
  thread_.Interrupt();
  const GarbageCollected begun = Answer();
  EXPECT_EQ(begun.table, "deals");
  EXPECT_EQ(begun.call, 7);
  EXPECT_TRUE(begun.report.status.ok());
  EXPECT_EQ(begun.report.files, 3);
  const GarbageCollected other = Answer();
  EXPECT_EQ(other.table, "orders");
  EXPECT_TRUE(absl::IsCancelled(other.report.status));
}

TEST_F(GarbageThreadTest, ATableThatCannotBeOpenedIsAnsweredWithWhy) {
  thread_.Run({"none", 0, {}});
  EXPECT_TRUE(absl::IsNotFound(Answer().report.status));
}

TEST_F(GarbageThreadTest, WithoutCollectorsNothingIsCollected) {
  GarbageThread thread(nullptr, locate_, post_);
  thread.Run({"deals", 0, {}});
  EXPECT_TRUE(absl::IsUnimplemented(Answer().report.status));
}

TEST_F(GarbageThreadTest, ItsEndDoesNotWaitForACollection) {
  thread_.Run({"deals", 0, {}});
  tables_.begun.WaitForNotification();
  thread_.Stop();
  thread_.Stop();
}

}  // namespace
}  // namespace headwater
