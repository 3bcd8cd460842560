#include "common/base/log.h"

#include <gtest/gtest.h>

namespace headwater {
namespace {

TEST(Log, ATextRecordIsOneLineThatPeopleAndGrepCanRead) {
  EXPECT_EQ(FormatLogRecord(LogFormat::kText, "T", LogLevel::kWarning, "worker\nlost",
                            {{"worker", "w1"}, {"why", "no route\tto \"x\""}, {"empty", ""}}),
            "T warning worker\\nlost worker=w1 why=\"no route\\u0009to \\\"x\\\"\" empty=\"\"\n");
}

TEST(Log, AJsonRecordEscapesWhatJsonCannotHold) {
  EXPECT_EQ(FormatLogRecord(LogFormat::kJson, "T", LogLevel::kError, "a \"b\" \\ \n", {{"k", "v"}}),
            R"({"time":"T","level":"error","message":"a \"b\" \\ \n","k":"v"})"
            "\n");
}

}  // namespace
}  // namespace headwater
