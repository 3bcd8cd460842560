// What tests of reports share.
#ifndef HEADWATER_TESTS_UNIT_CLI_REPORT_TEXTS_H_
#define HEADWATER_TESTS_UNIT_CLI_REPORT_TEXTS_H_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_split.h"
#include "cli/output.h"

namespace headwater {

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

inline void ExpectFits(const std::string& text) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    EXPECT_LE(line.size(), kTextWidth) << line;
  }
}

}  // namespace headwater

#endif  // HEADWATER_TESTS_UNIT_CLI_REPORT_TEXTS_H_
