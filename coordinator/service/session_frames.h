// Worker frames to core inputs, core effects to coordinator frames. Pure functions.
#ifndef HEADWATER_COORDINATOR_SERVICE_SESSION_FRAMES_H_
#define HEADWATER_COORDINATOR_SERVICE_SESSION_FRAMES_H_

#include <deque>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/coordinator.h"
#include "headwater/v1/session.pb.h"

namespace headwater {

// INVALID_ARGUMENT: no name, no boot id, no slots, or a lease that is not one.
// FAILED_PRECONDITION: no protocol version in common; says both ranges.
absl::StatusOr<SessionOpened> HelloToInput(const SessionId& session, const v1::Hello& hello);

// What a frame after the first means, in order. Goodbye means nothing: the stream's end follows it.
// INVALID_ARGUMENT: a second Hello, an empty frame, or a field out of its range.
absl::StatusOr<std::vector<Input>> FrameToInputs(const SessionId& session,
                                                 const v1::WorkerFrame& frame);

// Takes from the front of `effects` what fits one frame: all offers in a row (at most kMaxOffers),
// all cancels in a row, or one of the others. Requires: `effects` is not empty.
v1::CoordinatorFrame TakeFrame(std::deque<SessionEffect>& effects);

inline constexpr int kMaxOffers = 256;  // About 100 kB: a frame stays far below the message limit.

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_SERVICE_SESSION_FRAMES_H_
