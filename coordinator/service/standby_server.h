// What a coordinator serves that does not lead: it says who does.
#ifndef HEADWATER_COORDINATOR_SERVICE_STANDBY_SERVER_H_
#define HEADWATER_COORDINATOR_SERVICE_STANDBY_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace headwater {

// Metadata at the end of an answer: the caller asked a coordinator that stands by. Its value is the
// leader's address, or empty where nobody leads.
inline constexpr char kLeaderKey[] = "headwater-leader";

// Answers every call with UNAVAILABLE and kLeaderKey; sessions get NotLeader first. Thread-safe.
class StandbyServer {
 public:
  // UNAVAILABLE: cannot listen at `address`. INVALID_ARGUMENT: not an address.
  static absl::StatusOr<std::unique_ptr<StandbyServer>> Start(const std::string& address);
  ~StandbyServer();  // Ends the calls that it serves.

  // The port that was bound.
  int port() const;

  void SetLeader(std::string address);

 private:
  struct Impl;
  explicit StandbyServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_SERVICE_STANDBY_SERVER_H_
