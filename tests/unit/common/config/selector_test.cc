#include "common/config/selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Config Airports() {
  Config config;
  for (const char* table : {"flights", "planes"}) {
    for (const char* server : {"ewr", "jfk"}) {
      DatasetConfig dataset;
      dataset.spec.id = {table, server};
      dataset.spec.server.name = server;
      dataset.spec.server.fleet = "airports";
      dataset.spec.relation = std::string("public.") + table;
      dataset.database = "nyc";
      dataset.spec.strategy = table[0] == 'f' ? Strategy::kPartition : Strategy::kFull;
      dataset.frequency = "daily";
      dataset.tags = {std::string("tag_") + table};
      config.datasets.push_back(dataset);
    }
  }
  return config;
}

// The names selected, or the error.
std::vector<std::string> Names(const Selector& selector) {
  const Config config = Airports();
  const auto selected = Select(config, selector);
  if (!selected.ok()) return {std::string(selected.status().message())};
  std::vector<std::string> names;
  for (const DatasetConfig* dataset : *selected) names.push_back(ToString(dataset->spec.id));
  return names;
}

Selector Pattern(std::string pattern) {
  Selector selector;
  selector.patterns = {std::move(pattern)};
  return selector;
}

TEST(Select, AnEmptySelectorNamesAll) { EXPECT_EQ(Names({}).size(), 4u); }

TEST(Select, MatchesServerFleetTableAndRelation) {
  EXPECT_THAT(Names(Pattern("jfk/flights")), ElementsAre("jfk/flights"));
  EXPECT_THAT(Names(Pattern("*/flights")), ElementsAre("ewr/flights", "jfk/flights"));
  EXPECT_THAT(Names(Pattern("airports/planes")), ElementsAre("ewr/planes", "jfk/planes"));
  EXPECT_THAT(Names(Pattern("flights")), ElementsAre("ewr/flights", "jfk/flights"));
  EXPECT_THAT(Names(Pattern("ewr/public.*")), ElementsAre("ewr/flights", "ewr/planes"));
  EXPECT_THAT(Names(Pattern("ewr/nyc.public.planes")), ElementsAre("ewr/planes"));
  EXPECT_THAT(Names(Pattern("?wr/pl*s")), ElementsAre("ewr/planes"));
}

TEST(Select, ListsAreAnded) {
  Selector selector;
  selector.servers = {"jfk"};
  selector.strategies = {"full", "partition"};
  selector.tags = {"tag_planes"};
  EXPECT_THAT(Names(selector), ElementsAre("jfk/planes"));
  selector.tables = {"flights"};
  EXPECT_THAT(Names(selector)[0], HasSubstr("all of the patterns and filters together"));
}

TEST(Select, WhatNamesNothingIsSaidWithTheNearest) {
  EXPECT_THAT(Names(Pattern("jkf/flights"))[0], HasSubstr("did you mean 'jfk/flights'?"));
  EXPECT_THAT(Names(Pattern("jfk"))[0], HasSubstr("did you mean 'jfk/*'?"));
  EXPECT_THAT(Names(Pattern("*"))[0], HasSubstr("flights"));
  EXPECT_THAT(Names(Pattern("zzzzzz"))[0], HasSubstr("there are ewr/flights, "));
  Selector selector;
  selector.servers = {"ewt"};
  EXPECT_THAT(Names(selector)[0],
              HasSubstr("'--server ewt' names no dataset; did you mean 'ewr'?"));
}

}  // namespace
}  // namespace headwater
