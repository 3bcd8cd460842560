#include "worker/stage/merged_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headwater {
namespace {

const std::string kVersion = "columns 1";
const Schema kSchema = {{{"id", {TypeKind::kLong}}}};
const Extent kFirst = {Range{0, 10}, false};
const Extent kSecond = {Range{10, 20}, false};

Fingerprint PrintOf(int64_t rows, uint64_t sum) {
  Fingerprint print;
  print.rows = rows;
  print.sum = {.high = 0, .low = sum};
  return print;
}

StagedPiece PieceOf(const Extent& extent, const Fingerprint& print, std::optional<int64_t> max,
                    const std::string& file) {
  StagedFile staged;
  staged.path = file;
  staged.size_bytes = 100;
  StagedPiece piece;
  piece.extent = extent;
  piece.fingerprint = print;
  piece.max_cursor = max;
  piece.files.push_back(staged);
  return piece;
}

Manifest ManifestOf(std::vector<StagedPiece> pieces) {
  Manifest manifest;
  manifest.pieces = std::move(pieces);
  manifest.schema = kSchema;
  manifest.rows_read = 5;
  manifest.bytes_read = 50;
  manifest.bytes_staged = 200;
  manifest.spec_version = kVersion;
  return manifest;
}

class MergedManifest : public ::testing::Test {
 protected:
  std::vector<Manifest> parts_ = {ManifestOf({PieceOf(kFirst, PrintOf(2, ~uint64_t{0}), 7, "a"),
                                              PieceOf(kSecond, PrintOf(1, 1), std::nullopt, "b")}),
                                  ManifestOf({PieceOf(kFirst, PrintOf(3, 2), 3, "c"),
                                              PieceOf(kSecond, PrintOf(4, 5), 12, "d")})};
  // What the parts' first pieces are together: the sum carries over.
  const Fingerprint together_ = {.rows = 5, .sum = {.high = 1, .low = 1}};
};

TEST_F(MergedManifest, AddsRowsSumsAndFilesAndKeepsTheLargestCursor) {
  const auto whole = MergeManifests(parts_, {});
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->rows_read, 10);
  EXPECT_EQ(whole->bytes_read, 100);
  EXPECT_EQ(whole->bytes_staged, 400);
  EXPECT_EQ(whole->schema, kSchema);
  EXPECT_EQ(whole->spec_version, kVersion);
  ASSERT_EQ(whole->pieces.size(), 2U);
  EXPECT_EQ(whole->pieces[0].extent, kFirst);
  EXPECT_EQ(whole->pieces[0].fingerprint, together_);
  EXPECT_EQ(whole->pieces[0].max_cursor, 7);
  EXPECT_EQ(whole->pieces[0].files.size(), 2U);
  EXPECT_FALSE(whole->pieces[0].unchanged);
  EXPECT_EQ(whole->pieces[1].fingerprint, PrintOf(5, 6));
  EXPECT_EQ(whole->pieces[1].max_cursor, 12);
}

TEST_F(MergedManifest, APieceThatIsUnchangedAsAWholeHasNoFiles) {
  const auto whole = MergeManifests(parts_, {{kFirst, together_, kVersion}});
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_TRUE(whole->pieces[0].unchanged);
  EXPECT_TRUE(whole->pieces[0].files.empty());
  EXPECT_FALSE(whole->pieces[1].unchanged);
  EXPECT_EQ(whole->bytes_staged, 200);
}

TEST_F(MergedManifest, RowsThatDoNotFitAreAddedTooAndGoWhereThePieceIsUnchanged) {
  for (Manifest& part : parts_) {
    part.truncated_values = 4;
    part.pieces[0].bad_rows = 1;
    part.pieces[0].bad_files = part.pieces[0].files;
  }
  const auto whole = MergeManifests(parts_, {});
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->truncated_values, 8);
  EXPECT_EQ(whole->bytes_staged, 600);
  EXPECT_EQ(whole->pieces[0].bad_rows, 2);
  EXPECT_EQ(whole->pieces[0].bad_files.size(), 2U);
  const auto same = MergeManifests(parts_, {{kFirst, together_, kVersion}});
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->pieces[0].bad_rows, 2);
  EXPECT_TRUE(same->pieces[0].bad_files.empty());
}

TEST_F(MergedManifest, WhatOnePartAloneEqualsIsNotUnchanged) {
  const auto whole = MergeManifests(parts_, {{kFirst, PrintOf(3, 2), kVersion},
                                             {kFirst, together_, "of other columns"},
                                             {kSecond, together_, kVersion}});
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_FALSE(whole->pieces[0].unchanged);
  EXPECT_FALSE(whole->pieces[1].unchanged);
}

TEST_F(MergedManifest, PartsOfDifferentPiecesOrColumnsAreRefused) {
  for (const auto& differ : std::vector<std::function<void(Manifest&)>>{
           [](Manifest& part) { part.pieces.pop_back(); },
           [](Manifest& part) { part.pieces[1].extent = kFirst; },
           [](Manifest& part) { part.schema.columns.clear(); },
           [](Manifest& part) { part.spec_version += "w"; }}) {
    std::vector<Manifest> parts = parts_;
    differ(parts[1]);
    EXPECT_EQ(MergeManifests(parts, {}).status().code(), absl::StatusCode::kInternal);
  }
}

}  // namespace
}  // namespace headwater
