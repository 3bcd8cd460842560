#include "common/data/partition_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

namespace headwater {
namespace {

using ::testing::HasSubstr;

TEST(PartitionPath, FollowsHive) {
  EXPECT_EQ(*PartitionPath({}), "");
  EXPECT_EQ(*PartitionPath({{"server_source", "ewr"}, {"cursor_day", "2013-01-01"}}),
            "server_source=ewr/cursor_day=2013-01-01");
  EXPECT_EQ(*PartitionPath({{"server_source", "a/b"}, {"cursor_hour", std::nullopt}}),
            "server_source=a%2Fb/cursor_hour=__HIVE_DEFAULT_PARTITION__");
  EXPECT_EQ(*PartitionPath({{"cursor_hour", "2013-01-01T05"}}), "cursor_hour=2013-01-01T05");
}

TEST(PartitionPath, EscapesWhatSparkEscapesAndNothingElse) {
  EXPECT_EQ(EscapePathName("\"#%'*/:=?\\{[]^\x7f\x01\x1f\n"),
            "%22%23%25%27%2A%2F%3A%3D%3F%5C%7B%5B%5D%5E%7F%01%1F%0A");
  EXPECT_EQ(EscapePathName("Zoë 1.5_a-b}~!$&()+,;<>@`|"), "Zoë 1.5_a-b}~!$&()+,;<>@`|");
}

TEST(PartitionPath, RefusesWhatIsNoFolderNameAndNamesTheColumn) {
  for (const char* value : {"", ".", "..", "__HIVE_DEFAULT_PARTITION__"}) {
    const absl::Status status = PartitionPath({{"server_source", value}}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << value;
    EXPECT_THAT(std::string(status.message()), HasSubstr("server_source"));
  }
  for (const char* column : {"", ".", "..", "_day", ".day"}) {
    EXPECT_EQ(PartitionPath({{column, "x"}}).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(PartitionPath({{"c", std::string("a\0b", 3)}}).ok());
  EXPECT_TRUE(PartitionPath({{"c", std::string(253, 'x')}}).ok());
  EXPECT_FALSE(PartitionPath({{"c", std::string(254, 'x')}}).ok());
  EXPECT_FALSE(PartitionPath({{"c", std::string(100, '/')}}).ok());  // 300 bytes once escaped.
}

TEST(PartitionPath, DifferentPartitionsNeverShareAFolderNorLeaveTheTable) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    constexpr absl::string_view kHostile = "a./=%2F_\\:\n\x7f";
    const auto text = [&] {
      std::string drawn;
      for (int size = 1 + random() % 4; size > 0; --size) {
        drawn += kHostile[random() % kHostile.size()];
      }
      return drawn;
    };
    std::map<std::string, PartitionValues> owners;
    for (int i = 0; i < 3000; ++i) {
      PartitionValues values = {{text(), text()}};
      if (random() % 2 == 0) values.emplace_back(text(), std::nullopt);
      const absl::StatusOr<std::string> path = PartitionPath(values);
      if (!path.ok()) continue;
      EXPECT_NE(path->front(), '/');
      EXPECT_EQ(("/" + *path + "/").find("/../"), std::string::npos) << *path;
      EXPECT_EQ(owners.try_emplace(*path, values).first->second, values) << *path;
    }
    EXPECT_GT(owners.size(), 500u);
  }
}

}  // namespace
}  // namespace headwater
