// What `state heal` and `repair --adopt` tell people of tables.
#ifndef HEADWATER_CLI_TAKEOVER_REPORT_H_
#define HEADWATER_CLI_TAKEOVER_REPORT_H_

#include <string>

#include "headwater/v1/state.pb.h"

namespace headwater {

// Table by table, dataset by dataset: what is taken over and what is not, and why.
std::string TakeoverText(const v1::TakeoverReport& report);

// Whether some dataset or table could not be taken.
bool LeftSomething(const v1::TakeoverReport& report);

}  // namespace headwater

#endif  // HEADWATER_CLI_TAKEOVER_REPORT_H_
