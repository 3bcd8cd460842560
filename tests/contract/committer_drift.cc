// What every committer must do when the columns of what is staged are not those of the table.
#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "gmock/gmock.h"
#include "tests/contract/committer_contract.h"

namespace headwater {
namespace {

using testing::HasSubstr;

// Columns as "name type, …".
std::string Shown(const absl::StatusOr<std::optional<Schema>>& columns) {
  if (!columns.ok()) return std::string(columns.status().message());
  if (!columns->has_value()) return "no table";
  std::string text;
  for (const Column& column : (*columns)->columns) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", column.name, " ", TypeToString(column.type));
  }
  return text;
}

Column Col(const std::string& name, absl::string_view type) {
  return {name, *ParseType(type), true};
}

// Rows of [10 fence, 10 fence + 10) of one server, with these columns and then Headwater's.
Replacement Rows(CommitterPlace& place, const std::string& server, int64_t fence,
                 std::vector<Column> columns) {
  Replacement replacement;
  replacement.dataset = {"deals", server};
  replacement.fence = fence;
  replacement.extent.range = Range{10 * fence, 10 * fence + 10};
  columns.push_back({"_hw_loaded_at", {TypeKind::kTimestamp}, true, SystemColumn::kLoadedAt});
  columns.push_back({"_hw_microbatch", {TypeKind::kString}, true, SystemColumn::kMicrobatch});
  replacement.manifest.schema.columns = std::move(columns);
  replacement.manifest.spec_version = "spec";
  StagedPiece piece;
  piece.extent = replacement.extent;
  piece.fingerprint = {1, {1, static_cast<uint64_t>(fence)}};
  piece.files = place.Stage(server, fence, absl::StrCat("f", fence));
  replacement.manifest.pieces.push_back(std::move(piece));
  return replacement;
}

Intent IntentOf(int64_t sequence, std::vector<Replacement> replacements) {
  Intent intent{"deals", sequence, "", std::move(replacements)};
  intent.hash = IntentHash(intent);
  return intent;
}

TEST_P(CommitterContract, ANewColumnComesInTheVersionOfItsRows) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  EXPECT_EQ(Shown(committer->Columns()), "no table");
  ASSERT_TRUE(committer->Commit(IntentOf(1, {Rows(*place, "p1", 1, {Col("id", "long")})})).ok());
  const Intent grown = IntentOf(
      2, {Rows(*place, "p1", 2, {Col("note", "string"), Col("id", "long"), Col("n", "short")})});
  EXPECT_TRUE((*committer->Check(grown.replacements))[0].ok());
  EXPECT_EQ(Shown(committer->Columns()), "id long");
  const auto result = committer->Commit(grown);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->version, 1);
  EXPECT_EQ(Shown(committer->Columns()), "id long, note string, n short");
  EXPECT_EQ(Shown(place->Open()->Columns()), "id long, note string, n short");
  EXPECT_EQ(place->Visible()["p1"].size(), 2u);
}

TEST_P(CommitterContract, ServersOfDifferentColumnsMakeOneTable) {
  for (const bool one_intent : {true, false}) {
    for (const bool table_is_there : {true, false}) {
      auto place = GetParam().make_place();
      auto committer = place->Open();
      int64_t sequence = 0;
      if (table_is_there) {
        const Intent first = IntentOf(++sequence, {Rows(*place, "p0", 1, {Col("id", "short")})});
        ASSERT_TRUE(committer->Commit(first).ok());
      }
      const std::vector<Replacement> all = {
          Rows(*place, "p1", 2, {Col("id", "integer"), Col("a", "float")}),
          Rows(*place, "p2", 3, {Col("b", "decimal(9,2)"), Col("id", "long")}),
          Rows(*place, "p3", 4, {Col("b", "decimal(12,2)"), Col("a", "double"), Col("c", "date")}),
          Rows(*place, "p4", 5, {Col("id", "byte")})};
      const auto checked = *committer->Check(all);
      for (const absl::Status& status : checked) EXPECT_TRUE(status.ok()) << status;
      if (one_intent) {
        ASSERT_TRUE(committer->Commit(IntentOf(++sequence, all)).ok());
      } else {
        for (const Replacement& one : all) {
          ASSERT_TRUE(place->Open()->Commit(IntentOf(++sequence, {one})).ok());
        }
      }
      EXPECT_EQ(Shown(committer->Columns()), "id long, a double, b decimal(12,2), c date");
      EXPECT_EQ(place->Visible().size(), table_is_there ? 5u : 4u);
    }
  }
}

TEST_P(CommitterContract, WhatIsRefusedAddsNoColumns) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  ASSERT_TRUE(committer->Commit(IntentOf(1, {Rows(*place, "p1", 1, {Col("id", "long")})})).ok());
  const auto statuses =
      *committer->Check({Rows(*place, "p1", 2, {Col("id", "string"), Col("x", "date")}),
                         Rows(*place, "p2", 3, {Col("id", "long"), Col("x", "string")}),
                         Rows(*place, "p3", 4, {Col("id", "long"), Col("x", "date")}),
                         Rows(*place, "p4", 5, {Col("id", "long"), Col("X", "string")})});
  EXPECT_THAT(std::string(statuses[0].message()),
              HasSubstr("column id is long in the table and string in the source"));
  EXPECT_TRUE(statuses[1].ok()) << statuses[1];
  EXPECT_THAT(std::string(statuses[2].message()),
              HasSubstr("column x is string in the table and date in the source"));
  EXPECT_THAT(std::string(statuses[3].message()),
              HasSubstr("column x of the table is written X in the source"));
  EXPECT_EQ(Shown(committer->Columns()), "id long");
}

TEST_P(CommitterContract, ColumnsGrowOnceWhateverFails) {
  for (const std::string& failpoint : GetParam().failpoints) {
    for (const bool restart : {false, true}) {
      SCOPED_TRACE(failpoint);
      auto place = GetParam().make_place();
      auto committer = place->Open();
      ASSERT_TRUE(
          committer->Commit(IntentOf(1, {Rows(*place, "p1", 1, {Col("id", "integer")})})).ok());
      const Intent grown =
          IntentOf(2, {Rows(*place, "p1", 2, {Col("id", "long"), Col("x", "string")}),
                       Rows(*place, "p2", 3, {Col("y", "date"), Col("id", "integer")})});
      ASSERT_TRUE(ArmFailpoints(absl::StrCat(failpoint, ":error:UNKNOWN")).ok());
      EXPECT_EQ(committer->Commit(grown).status().code(), absl::StatusCode::kUnknown);
      ASSERT_TRUE(ArmFailpoints("").ok());
      if (restart) committer = place->Open();
      for (int again = 0; again < 2; ++again) {
        const auto retried = committer->Commit(grown);
        ASSERT_TRUE(retried.ok()) << retried.status();
        EXPECT_EQ(retried->version, 1);
      }
      EXPECT_EQ(Shown(place->Open()->Columns()), "id long, x string, y date");
    }
  }
}

TEST_P(CommitterContract, AnAbandonedIntentAddsNoColumns) {
  auto place = GetParam().make_place();
  auto committer = place->Open();
  ASSERT_TRUE(committer->Commit(IntentOf(1, {Rows(*place, "p1", 1, {Col("id", "long")})})).ok());
  const Intent grown =
      IntentOf(2, {Rows(*place, "p1", 2, {Col("id", "long"), Col("x", "string")})});
  ASSERT_TRUE(committer->Abandon(grown).ok());
  EXPECT_EQ(place->Open()->Commit(grown).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Shown(place->Open()->Columns()), "id long");
  ASSERT_TRUE(
      committer->Commit(IntentOf(3, {Rows(*place, "p1", 3, {Col("id", "long"), Col("x", "date")})}))
          .ok());
  EXPECT_EQ(Shown(committer->Columns()), "id long, x date");
}

}  // namespace
}  // namespace headwater
