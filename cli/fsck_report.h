// What `fsck` says. Pure functions.
#ifndef HEADWATER_CLI_FSCK_REPORT_H_
#define HEADWATER_CLI_FSCK_REPORT_H_

#include <string>

#include "cli/exit_code.h"
#include "headwater/v1/fsck.pb.h"

namespace headwater {

// What was checked of each table, then every violation with what to do, then what could not be
// checked. Ends in '\n'.
std::string FsckText(const v1::FsckReport& report);

// 5 as soon as something is as it may not be, else 1 when something could not be checked.
ExitCode ExitCodeOf(const v1::FsckReport& report);

}  // namespace headwater

#endif  // HEADWATER_CLI_FSCK_REPORT_H_
