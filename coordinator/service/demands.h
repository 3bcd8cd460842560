// From what a person wrote (a selection, a window) to what the core takes: demands.
#ifndef HEADWATER_COORDINATOR_SERVICE_DEMANDS_H_
#define HEADWATER_COORDINATOR_SERVICE_DEMANDS_H_

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/config/config.h"
#include "coordinator/core.h"
#include "headwater/v1/admin.pb.h"

namespace headwater {

// The datasets that are meant. NOT_FOUND: as Select().
absl::StatusOr<std::vector<const DatasetConfig*>> Resolve(const Config& config,
                                                          const v1::Selection& selection);

// One demand for each dataset, its window read in the server's zone; an absent end is open. Four
// digits are a year and a value: what the cursor is, only the probe knows, and the core uses the
// one that fits. INVALID_ARGUMENT: a kind or mode that is not one, an end that cannot be read, a
// window that is empty, a window for a run that is no backfill.
absl::StatusOr<std::vector<DemandRequest>> MakeDemands(
    const std::vector<const DatasetConfig*>& datasets, v1::RunKind kind,
    const v1::BackfillWindow* window, absl::Time now);

// The window as it was understood, once for each time zone. Requires: MakeDemands() took it.
std::vector<v1::Window> DescribeWindows(const std::vector<const DatasetConfig*>& datasets,
                                        const v1::BackfillWindow& window, absl::Time now);

// INVALID_ARGUMENT: none of `datasets` keeps a history, or less than all of it is asked for.
absl::Status CheckHistoryRequest(const v1::VerifyRequest& request,
                                 const std::vector<const DatasetConfig*>& datasets);

// INVALID_ARGUMENT: a unit that does not parse, a negative number, or a unit smaller than the
// partitions of one of the datasets.
absl::StatusOr<Pace> MakePace(const v1::Pace& pace,
                              const std::vector<const DatasetConfig*>& datasets);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_SERVICE_DEMANDS_H_
