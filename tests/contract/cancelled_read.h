// A read that is cancelled by one thread while another one reads.
#ifndef HEADWATER_TESTS_CONTRACT_CANCELLED_READ_H_
#define HEADWATER_TESTS_CONTRACT_CANCELLED_READ_H_

#include <thread>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "worker/source/source_reader.h"

namespace headwater {

// What a read ends with that is cancelled when its first batch is there, in the middle of whatever
// it does then. OK: the cancellation came too late.
inline absl::Status CancelAfterFirstBatch(SourceReader& reader) {
  absl::Notification begun;
  absl::Status status;
  std::thread reads([&] {
    while (true) {
      const auto batch = reader.Next();
      if (!begun.HasBeenNotified()) begun.Notify();
      status = batch.status();
      if (!batch.ok() || *batch == nullptr) return;
    }
  });
  begun.WaitForNotification();
  reader.Cancel();
  reads.join();
  return status;
}

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_CANCELLED_READ_H_
