#include "worker/piece_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "common/data/hash_algorithm.h"

namespace headwater {
namespace {

using ::testing::IsEmpty;

const Schema kSchema = {{{"id", {TypeKind::kLong}}}};

ExtentChecksum Md5(int64_t rows, uint64_t sum) {
  return {ChecksumKind::kMd5, rows, sum, ColumnsVersionOf(kSchema)};
}

// Tells of each range what a test says: by its begin, one answer after the other.
class TellingSource final : public Source {
 public:
  absl::StatusOr<ProbeResult> Probe(const DatasetSpec&, const ProbeTask&,
                                    std::stop_token) override {
    return absl::UnimplementedError("not asked");
  }
  absl::StatusOr<std::unique_ptr<SourceReader>> Read(const DatasetSpec&, const Extent&,
                                                     const ReadOptions&, std::stop_token) override {
    return absl::UnimplementedError("not asked");
  }
  absl::StatusOr<ExtentChecksums> Checksums(const DatasetSpec&, const std::vector<Extent>& extents,
                                            const ReadOptions&, const ChecksumOptions&,
                                            std::stop_token) override {
    if (!status.ok()) return status;
    ExtentChecksums told;
    told.columns = kSchema;
    told.differing = differing;
    for (const Extent& extent : extents) {
      asked.push_back(extent);
      std::vector<RowChecksum>& next = sums[extent.range.has_value() ? extent.range->from : -1];
      told.extents.push_back(next.front());
      if (next.size() > 1) next.erase(next.begin());
    }
    return told;
  }

  absl::Status status;
  std::vector<std::string> differing;
  std::map<int64_t, std::vector<RowChecksum>> sums;
  std::vector<Extent> asked;
};

class PieceChecksTest : public ::testing::Test {
 protected:
  PieceChecksTest() {
    staging_.dataset.id = {"flights", "ewr"};
    staging_.dataset.checksum = ChecksumKind::kMd5;
    staging_.cursor_type = CursorType::kInteger;
    staging_.extent.range = Range{0, 40};
    staging_.cuts = {10, 20, 30};
    for (int64_t from = 0; from < 40; from += 10) {
      Know({from, from + 10}, Md5(from + 1, 7));
      source_.sums[from] = {{from + 1, 7}};
    }
  }

  void Know(Range range, std::optional<ExtentChecksum> checksum) {
    staging_.known.push_back(
        {{range, false}, Fingerprint{range.from + 1, {1, 2}}, "spec", std::move(checksum)});
  }
  PieceChecks::Asking Asking() { return {source_, no_table_, SchemaPolicy::kEvolve, tag_, {}}; }
  PieceChecks Ask() {
    absl::StatusOr<PieceChecks> checks = PieceChecks::Ask(Asking(), staging_);
    EXPECT_TRUE(checks.ok()) << checks.status();
    return *std::move(checks);
  }
  // As a writer describes what it was given to read.
  static Manifest ManifestOf(const StagingOptions& read) {
    Manifest manifest;
    for (const Extent& extent : PiecesOf(read.extent, read.cuts)) {
      StagedPiece& piece = manifest.pieces.emplace_back();
      piece.extent = extent;
      piece.fingerprint.rows = extent.range->from + 1;
    }
    return manifest;
  }

  TellingSource source_;
  const Schema no_table_;
  const std::string tag_ = "run=r";
  StagingOptions staging_;
};

TEST_F(PieceChecksTest, WhatHasItsChecksumIsNotRead) {
  const PieceChecks checks = Ask();
  EXPECT_TRUE(checks.all_unchanged());
  const Manifest unread = checks.Unread(staging_.dataset);
  ASSERT_EQ(unread.pieces.size(), 4u);
  EXPECT_TRUE(unread.pieces[3].unchanged);
  EXPECT_EQ(unread.pieces[3].fingerprint.rows, 31);
  EXPECT_EQ(unread.rows_skipped, 1 + 11 + 21 + 31);
  EXPECT_EQ(unread.rows_read, 0);
}

TEST_F(PieceChecksTest, OnlyWhatLiesBetweenTheFirstAndTheLastDifferenceIsRead) {
  source_.sums[10] = {{11, 8}};
  source_.sums[20] = {{22, 7}};
  PieceChecks checks = Ask();
  EXPECT_FALSE(checks.all_unchanged());
  StagingOptions read = staging_;
  checks.Narrow(read);
  EXPECT_EQ(read.extent, (Extent{Range{10, 30}, false}));
  EXPECT_EQ(read.cuts, std::vector<int64_t>{20});
  EXPECT_TRUE(read.checksums);
  Manifest manifest = ManifestOf(read);
  ASSERT_EQ(checks.Complete(Asking(), staging_, manifest), absl::OkStatus());
  ASSERT_EQ(manifest.pieces.size(), 4u);
  EXPECT_TRUE(manifest.pieces[0].unchanged);
  EXPECT_FALSE(manifest.pieces[1].unchanged);
  EXPECT_TRUE(manifest.pieces[3].unchanged);
  EXPECT_EQ(manifest.rows_skipped, 1 + 31);
}

TEST_F(PieceChecksTest, ASourceWithoutChecksumsTellsNothing) {
  for (const absl::Status& none :
       {absl::UnimplementedError("no MD5"), absl::DataLossError("a row is too long")}) {
    source_.status = none;
    PieceChecks checks = Ask();
    EXPECT_FALSE(checks.all_unchanged());
    StagingOptions read = staging_;
    checks.Narrow(read);
    EXPECT_EQ(read.extent, staging_.extent);
    EXPECT_EQ(read.cuts, staging_.cuts);
    EXPECT_FALSE(read.checksums);
    Manifest manifest = ManifestOf(read);
    ASSERT_EQ(checks.Complete(Asking(), staging_, manifest), absl::OkStatus());
    EXPECT_FALSE(manifest.pieces[0].checksum.has_value());
  }
}

TEST_F(PieceChecksTest, ASourceThatFailsIsNoSourceWithoutChecksums) {
  source_.status = absl::UnavailableError("gone");
  EXPECT_EQ(PieceChecks::Ask(Asking(), staging_).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(PieceChecksTest, NothingIsAskedOfWhatIsNotKnown) {
  staging_.known.clear();
  PieceChecks checks = Ask();
  EXPECT_THAT(source_.asked, IsEmpty());
  StagingOptions read = staging_;
  checks.Narrow(read);
  EXPECT_TRUE(read.checksums);  // For the next time.
}

TEST_F(PieceChecksTest, AChecksumOfAnotherKindOrOtherColumnsSaysNothing) {
  staging_.known[0].checksum->kind = ChecksumKind::kFast;
  staging_.known[1].checksum->spec_version = "other";
  StagingOptions read = staging_;
  Ask().Narrow(read);
  EXPECT_EQ(read.extent, (Extent{Range{0, 20}, false}));
}

TEST_F(PieceChecksTest, WhereRowsDoNotGiveTheChecksumItIsKeptIfNothingCameInBetween) {
  source_.differing = {"ratio"};
  source_.sums[0] = {{1, 8}, {1, 8}};     // As before and after the read.
  source_.sums[10] = {{11, 8}, {11, 9}};  // A row changed meanwhile.
  source_.sums[20] = {{99, 8}, {99, 8}};  // Not the rows that were read.
  PieceChecks checks = Ask();
  StagingOptions read = staging_;
  checks.Narrow(read);
  EXPECT_FALSE(read.checksums);
  Manifest manifest = ManifestOf(read);
  ASSERT_EQ(checks.Complete(Asking(), staging_, manifest), absl::OkStatus());
  EXPECT_EQ(manifest.pieces[0].checksum, Md5(1, 8));
  EXPECT_FALSE(manifest.pieces[1].checksum.has_value());
  EXPECT_FALSE(manifest.pieces[2].checksum.has_value());
  EXPECT_TRUE(manifest.pieces[3].unchanged);
}

}  // namespace
}  // namespace headwater
