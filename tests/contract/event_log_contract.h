// What every event log must do. A suite is instantiated with a factory that opens the same log
// again and again, as restarts do.
#ifndef HEADWATER_TESTS_CONTRACT_EVENT_LOG_CONTRACT_H_
#define HEADWATER_TESTS_CONTRACT_EVENT_LOG_CONTRACT_H_

#include <functional>
#include <memory>
#include <string>

#include "coordinator/ledger/event_log.h"
#include "gtest/gtest.h"

namespace headwater {

// A place where one log lives: Open() may be called again once the last log is gone.
class EventLogPlace {
 public:
  virtual ~EventLogPlace() = default;
  virtual absl::StatusOr<std::unique_ptr<EventLog>> Open() = 0;
};

struct EventLogKind {
  std::string name;
  std::function<std::unique_ptr<EventLogPlace>()> make_place;
};

class EventLogContract : public testing::TestWithParam<EventLogKind> {};

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_EVENT_LOG_CONTRACT_H_
