#include "coordinator/history/run_file.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;

// Sets every field that there is, each to something of its own: one that gets no column is missed.
void Fill(Message& message, int64_t& last) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    ++last;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      for (int one = 0; field->is_repeated() && one < 2; ++one)
        Fill(*reflection->AddMessage(&message, field), last);
      if (!field->is_repeated()) Fill(*reflection->MutableMessage(&message, field), last);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && field->is_repeated()) {
      reflection->AddString(&message, field, absl::StrCat("text ", last));
      reflection->AddString(&message, field, "");
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection->SetString(&message, field, absl::StrCat("text ", last));
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
      reflection->SetInt64(&message, field, last);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
      reflection->SetInt32(&message, field, static_cast<int32_t>(last) * 1000);  // Microseconds.
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
      reflection->SetBool(&message, field, true);
    } else {
      ADD_FAILURE() << "no value for " << field->full_name();
    }
  }
}

v1::EndedRun FilledRun(int64_t first) {
  v1::EndedRun run;
  Fill(run, first);
  return run;
}

std::string DifferenceOf(const Message& a, const Message& b) {
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  return differencer.Compare(a, b) ? "" : difference;
}

TEST(RunFileTest, EveryFieldComesBack) {
  const std::vector<v1::EndedRun> runs = {FilledRun(0), FilledRun(1'000)};
  const absl::StatusOr<std::string> bytes = EncodeRuns(runs);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const auto read = DecodeRuns(*bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(DifferenceOf(runs[i], (*read)[i]), "");
}

TEST(RunFileTest, WhatIsAbsentStaysAbsent) {
  v1::EndedRun run;
  run.set_run_id("r-1");
  run.mutable_started()->set_seconds(-1);  // Before 1970, by a clock that was wrong.
  run.mutable_started()->set_nanos(999'999'000);
  run.mutable_ended()->set_seconds(5);
  run.set_archived(true);
  v1::EndedRun other = run;
  other.set_run_id("r-2");
  other.add_datasets()->mutable_dataset()->set_server("jfk");
  const auto read = DecodeRuns(*EncodeRuns({run, other}));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2);
  EXPECT_EQ(DifferenceOf(run, (*read)[0]), "");
  EXPECT_EQ(DifferenceOf(other, (*read)[1]), "");
}

TEST(RunFileTest, TheSameRunsMakeTheSameBytes) {
  EXPECT_EQ(*EncodeRuns({FilledRun(0)}), *EncodeRuns({FilledRun(0)}));
  EXPECT_NE(*EncodeRuns({FilledRun(0)}), *EncodeRuns({FilledRun(1)}));
}

TEST(RunFileTest, AFileThatIsNoneIsDataLoss) {
  const std::string whole = *EncodeRuns({FilledRun(0)});
  for (const std::string& bytes :
       {std::string(), std::string("PAR1"), whole.substr(0, whole.size() / 2), whole.substr(9)}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeRuns(bytes).status())) << bytes.size();
  }
}

}  // namespace
}  // namespace headwater
