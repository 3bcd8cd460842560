// What a SQLSTATE, and the words of drivers that have only words, mean to us. Pure.
#ifndef HEADWATER_WORKER_SOURCE_SQLSTATE_H_
#define HEADWATER_WORKER_SOURCE_SQLSTATE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace headwater {

// Payload under which the SQLSTATE travels.
inline constexpr absl::string_view kSqlstatePayload = "headwater/sqlstate";

// Status for `sqlstate`, with the driver's words and the state as payload:
//   08xxx, HYT00, HYT01, 57P01-57P03, 53xxx   UNAVAILABLE
//   28xxx, 42501                              PERMISSION_DENIED
//   42S02, 42S22, 42P01, 42703, 3D000, 3F000  NOT_FOUND
//   HY008, 57014                              CANCELLED; DEADLINE_EXCEEDED if the words speak of a
//                                             statement timeout, as of PostgreSQL and MariaDB
//   40xxx                                     ABORTED
//   22xxx, 42xxx, 07xxx                       INVALID_ARGUMENT
//   HY001, HY014                              RESOURCE_EXHAUSTED
//   IM002, IM003                              INVALID_ARGUMENT: the driver is not installed
// SQLite's driver says HY000 for everything; its words decide then ("no such table", "is locked").
// Anything else is UNKNOWN.
absl::Status StatusFromSqlstate(absl::string_view sqlstate, absl::string_view words);

// What a server said, for a message: without blanks around it, and escaped where it is not UTF-8.
std::string ServerWords(absl::string_view words);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_SQLSTATE_H_
