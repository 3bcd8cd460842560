#include "worker/change/version.h"

#include <limits>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

TEST(ConfirmedText, IsNullWhereNothingIsConfirmed) {
  EXPECT_EQ(EncodeConfirmed({}), std::nullopt);
  EXPECT_THAT(DecodeConfirmed(std::nullopt).value(), IsEmpty());
}

TEST(ConfirmedText, IsDecimalNumbersWithABlankBetween) {
  EXPECT_EQ(EncodeConfirmed({1357020000000000, 1357106400000000}),
            "1357020000000000 1357106400000000");
}

TEST(ConfirmedText, GivesEveryInstantBack) {
  const std::vector<int64_t> all = {kLeast, -1, 0, 7, kMost};
  EXPECT_EQ(DecodeConfirmed(EncodeConfirmed(all)).value(), all);
}

TEST(ConfirmedText, KeepsAnOrderThatIsWrongForTheCheckToFind) {
  EXPECT_THAT(DecodeConfirmed("9 3 3").value(), ElementsAre(9, 3, 3));
}

TEST(ConfirmedText, IsRefusedWhereItIsNotWhatWouldBeWritten) {
  for (const char* text : {"", " ", "1 ", " 1", "1  2", "1\t2", "1,2", "+1", "01", "-0", "-", "0x1",
                           "1.0", "1e3", "9223372036854775808", "-9223372036854775809", "NULL"}) {
    const auto decoded = DecodeConfirmed(text);
    EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument) << "'" << text << "'";
    EXPECT_THAT(decoded.status().message(), HasSubstr("verify --scd2")) << "'" << text << "'";
  }
}

TEST(Version, IsOrderedByItsBegin) {
  EXPECT_THAT(OrderOf({{.valid_from = 5}, {.valid_from = -1}, {.valid_from = 5}}),
              ElementsAre(1, 0, 2));
}

}  // namespace
}  // namespace headwater
