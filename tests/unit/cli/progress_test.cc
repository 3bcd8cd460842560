#include "cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

v1::WatchRunResponse Running(int datasets) {
  v1::WatchRunResponse update;
  for (int i = 0; i < datasets; ++i) {
    v1::RunDataset* dataset = update.add_datasets();
    dataset->mutable_dataset()->set_server(absl::StrCat("s", i));
    dataset->mutable_dataset()->set_table("t");
    dataset->set_state(v1::RunDataset::STATE_RUNNING);
    dataset->set_microbatches_done(2);
    dataset->set_in_flight(i % 2);
    dataset->set_rows_read(1000);
  }
  update.set_seconds(2);
  return update;
}

TEST(Progress, BarRewritesItsLinesInPlace) {
  ProgressRenderer bar(ProgressMode::kBar);
  const std::string lines =
      "s1/t                         running        2 done  1 in flight  1,000 rows\n"
      "s0/t                         waiting        2 done  1,000 rows\n"
      "2.00 s  0 of 2 datasets  4 microbatches done, 1 in flight  2,000 rows  1.0k rows/s\n";
  EXPECT_EQ(bar.Update(Running(2), kStart), lines);
  EXPECT_EQ(bar.Update(Running(2), kStart + absl::Milliseconds(99)), "");
  EXPECT_EQ(bar.Update(Running(2), kStart + absl::Seconds(1)), "\x1b[3A\r\x1b[J" + lines);
  v1::WatchRunResponse ended = Running(2);
  ended.set_ended(true);
  EXPECT_EQ(bar.Update(ended, kStart + absl::Seconds(1)), "\x1b[3A\r\x1b[J");
  EXPECT_EQ(bar.Clear(), "");
}

TEST(Progress, BarNeverDrawsMoreThanItsLines) {
  ProgressRenderer bar(ProgressMode::kBar);
  const std::string text = bar.Update(Running(500), kStart);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), ProgressRenderer::kMaxLines);
  EXPECT_THAT(text, HasSubstr("... and 490 more\n"));
}

TEST(Progress, PlainSpeaksEveryTenSecondsAndOncePerEndedDataset) {
  ProgressRenderer plain(ProgressMode::kPlain);
  v1::WatchRunResponse update = Running(2);
  EXPECT_EQ(plain.Update(update, kStart), "");
  EXPECT_EQ(plain.Update(update, kStart + absl::Seconds(9)), "");
  EXPECT_EQ(plain.Update(update, kStart + absl::Seconds(10)),
            "2.00 s  0 of 2 datasets  4 microbatches done, 1 in flight  2,000 rows  1.0k rows/s\n");
  update.mutable_datasets(0)->set_state(v1::RunDataset::STATE_FAILED);
  update.mutable_datasets(0)->set_microbatches_failed(1);
  EXPECT_EQ(plain.Update(update, kStart + absl::Seconds(11)),
            "s0/t                         FAILED         2 done  1 failed  1,000 rows\n");
  EXPECT_EQ(plain.Update(update, kStart + absl::Seconds(12)), "");
}

TEST(Progress, JsonIsOneLinePerUpdateAndOffIsNothing) {
  const std::string text = ProgressRenderer(ProgressMode::kJson).Update(Running(1), kStart);
  EXPECT_THAT(text, StartsWith("{\"schema\":\"headwater.progress/v1\","));
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  EXPECT_EQ(ProgressRenderer(ProgressMode::kOff).Update(Running(1), kStart), "");
}

TEST(Progress, AutoLooksAtTheTerminal) {
  EXPECT_EQ(ResolveProgressMode(ProgressMode::kAuto, true), ProgressMode::kBar);
  EXPECT_EQ(ResolveProgressMode(ProgressMode::kAuto, false), ProgressMode::kPlain);
  EXPECT_EQ(ResolveProgressMode(ProgressMode::kOff, true), ProgressMode::kOff);
}

}  // namespace
}  // namespace headwater
