// From a backfill's options to the request's fields.
#ifndef HEADWATER_CLI_WINDOW_REQUEST_H_
#define HEADWATER_CLI_WINDOW_REQUEST_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/commands.h"
#include "headwater/v1/admin.pb.h"

namespace headwater {

// `otherwise`: the mode when the options name none. INVALID_ARGUMENT: a mode that is not one, or
// columns beside another mode.
absl::StatusOr<v1::BackfillWindow> WindowOf(const WindowOptions& options,
                                            v1::BackfillMode otherwise);

// INVALID_ARGUMENT: `every` is no unit.
absl::StatusOr<v1::Pace> PaceOf(const WindowOptions& options);

// "window   jfk, lga: [2013-03-01 00:00:00, …) America/New_York = [2013-03-01 05:00:00, …) UTC".
std::string WindowNotes(const google::protobuf::RepeatedPtrField<v1::Window>& windows);

}  // namespace headwater

#endif  // HEADWATER_CLI_WINDOW_REQUEST_H_
