// How the log of a Delta table says that its columns have grown.
#include "common/storage/local_store.h"
#include "coordinator/commit/delta/delta_log.h"
#include "gmock/gmock.h"
#include "tests/contract/delta_place.h"

namespace headwater {
namespace {

using testing::HasSubstr;

Intent WithColumn(DeltaPlace& place, int64_t number, const std::string& name,
                  absl::string_view type) {
  Intent intent = Numbered(place, number);
  intent.replacements[0].manifest.schema.columns = {{"id", {TypeKind::kLong}, true},
                                                    {name, *ParseType(type), true}};
  intent.hash = IntentHash(intent);
  return intent;
}

DeltaSnapshot SnapshotOf(DeltaPlace& place) {
  return *DeltaSnapshot::Load(*OpenLocalStore(place.root()));
}

TEST(DeltaShape, TheProtocolGrowsWithTheFirstColumnThatNeedsMore) {
  DeltaPlace place;
  auto committer = place.Open("ledger");
  ASSERT_TRUE(committer->Commit(WithColumn(place, 1, "note", "string")).ok());
  EXPECT_EQ(*SnapshotOf(place).protocol(), (DeltaProtocol{1, 2, {}, {}}));
  ASSERT_TRUE(committer->Commit(WithColumn(place, 2, "at", "timestamp_ntz")).ok());
  EXPECT_EQ(*SnapshotOf(place).protocol(),
            (DeltaProtocol{3, 7, {"timestampNtz"}, {"appendOnly", "invariants", "timestampNtz"}}));
  // What the table says now is said once.
  ASSERT_TRUE(committer->Commit(WithColumn(place, 3, "at", "timestamp_ntz")).ok());
  const auto last = ReadVersion(*OpenLocalStore(place.root()), 2);
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_FALSE(last->protocol.has_value());
  EXPECT_FALSE(last->metadata.has_value());
}

TEST(DeltaShape, WhatOthersSaidOfTheTableStays) {
  for (const int64_t checkpoint_every : {int64_t{50}, int64_t{1}}) {
    DeltaPlace place(checkpoint_every);
    ASSERT_TRUE(place.Open("ledger")->Commit(WithColumn(place, 1, "note", "string")).ok());
    DeltaVersion comment;
    comment.metadata = SnapshotOf(place).metadata();
    comment.metadata->name = "deals";
    comment.metadata->description = "all of them";
    comment.metadata->configuration["their.property"] = "1";
    std::string& schema = comment.metadata->schema_string;
    const std::string plain = R"("metadata":{})";
    schema.replace(schema.find(plain), plain.size(), R"("metadata":{"comment":"the \"id\""})");
    ASSERT_TRUE(PutVersion(*OpenLocalStore(place.root()), 1, comment).ok());
    ASSERT_TRUE(place.Open("ledger")->Commit(WithColumn(place, 2, "more", "date")).ok());
    ASSERT_TRUE(place.Open("ledger")->Commit(WithColumn(place, 3, "most", "date")).ok());
    const DeltaMetadata metadata = *SnapshotOf(place).metadata();
    EXPECT_EQ(metadata.id, comment.metadata->id);
    EXPECT_EQ(metadata.name, "deals");
    EXPECT_EQ(metadata.description, "all of them");
    EXPECT_EQ(metadata.configuration, comment.metadata->configuration);
    EXPECT_EQ(metadata.partition_columns, std::vector<std::string>{"server_source"});
    EXPECT_THAT(metadata.schema_string, HasSubstr(R"({"comment":"the \"id\""})"));
    EXPECT_THAT(metadata.schema_string, HasSubstr(R"({"name":"most","type":"date")"));
  }
}

TEST(DeltaShape, AColumnThatSomebodyAddedIsTheTables) {
  DeltaPlace place;
  ASSERT_TRUE(place.Open("ledger")->Commit(WithColumn(place, 1, "note", "string")).ok());
  DeltaVersion altered;
  altered.metadata = SnapshotOf(place).metadata();
  std::string& schema = altered.metadata->schema_string;
  schema.insert(schema.size() - 2,
                R"(,{"name":"theirs","type":"date","nullable":true,"metadata":{}})");
  ASSERT_TRUE(PutVersion(*OpenLocalStore(place.root()), 1, altered).ok());
  auto committer = place.Open("ledger");
  ASSERT_TRUE(committer->Commit(WithColumn(place, 2, "note", "string")).ok());
  EXPECT_GE((*committer->Columns())->Find("theirs"), 0);
  const auto statuses =
      *committer->Check({WithColumn(place, 3, "theirs", "string").replacements.front()});
  EXPECT_THAT(std::string(statuses[0].message()),
              HasSubstr("column theirs is date in the table and string in the source"));
}

}  // namespace
}  // namespace headwater
