// Phrases that reports share.
#ifndef HEADWATER_CLI_REPORT_TEXT_H_
#define HEADWATER_CLI_REPORT_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "headwater/v1/admin.pb.h"

namespace headwater {

std::string NameOf(const v1::DatasetRef& dataset);  // "jfk/flights"
std::string OrDash(const std::string& text);

// A line, wrapped, with its label in front: "failed    jfk/flights [a, b): no such column".
std::string Note(absl::string_view label, absl::string_view text);

// A problem under `label`, or a warning.
std::string ProblemNote(const v1::Problem& problem, absl::string_view label);

std::string SilentNote(const v1::DatasetRef& dataset, const std::string& silent_for,
                       const std::string& bound);

}  // namespace headwater

#endif  // HEADWATER_CLI_REPORT_TEXT_H_
