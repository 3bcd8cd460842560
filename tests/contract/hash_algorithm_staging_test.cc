// A table whose rows were hashed by another algorithm than what is written from now on: nothing
// looks changed for that, and nothing is taken for unchanged that was not compared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/data/hash_algorithm.h"
#include "tests/contract/keyed_fixture.h"
#include "tests/contract/staging_fixture.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;

const Schema kPlanes = {
    {{"id", {TypeKind::kLong}}, {"name", {TypeKind::kString}}, {"at", {TypeKind::kLong}}}};
constexpr char kRows[] = R"([[1, "a", 10], [2, "b", 10], [3, null, 10]])";
const std::vector<std::string> kHashes = {"id", "_hw_row_hash"};

class KeyedHashAlgorithm : public KeyedFixture,
                           public ::testing::WithParamInterface<HashAlgorithm> {
 protected:
  KeyedHashAlgorithm() : KeyedFixture(kPlanes) {}

  void WriteVersions() {
    options_.dataset.write = WriteMode::kVersions;
    options_.dataset.strategy = Strategy::kScd2;
    options_.dataset.cursor_modified = true;
    ReadRange("at", CursorType::kInteger, {0, 100});
  }
  void StartAnew() {
    options_.base->files.clear();
    std::filesystem::remove_all(root_);
  }
  void Change() { options_.dataset.hash_algorithm = GetParam(); }
  std::string Expected(const std::vector<std::string>& columns) const {
    Schema schema;
    for (const std::string& name : columns)
      schema.columns.push_back(kPlanes.columns[static_cast<size_t>(kPlanes.Find(name))]);
    return SpecVersionOf(schema, options_.dataset.hash_algorithm);
  }
};

TEST_P(KeyedHashAlgorithm, OfAMergeNoRowLooksChanged) {
  Load(kRows);
  const std::vector<std::string> before = Rows(kHashes);
  Change();
  EXPECT_TRUE(Load(kRows).empty());
  EXPECT_EQ(Rows(kHashes), before);  // They say what they are of: their file's tag does.
  EXPECT_EQ(live()[0].spec_version, SpecVersionOf(kPlanes, HashAlgorithm::kXxh3));
}

TEST_P(KeyedHashAlgorithm, AFileOfAMergeThatIsTouchedGetsItsHashesAnew) {
  Load(kRows);
  Change();
  const KeyedChange change = Load(R"([[1, "a", 10], [2, "B", 10], [3, null, 10]])");
  EXPECT_EQ(CountsOf(change), "new 0 changed 1 same 2 deleted 0 duplicate 0");
  EXPECT_EQ(live()[0].spec_version, Expected({"id", "name", "at"}));
  const std::vector<std::string> after = Rows(kHashes);
  // Now the stored ones are compared: they are right.
  EXPECT_TRUE(Load(R"([[1, "a", 10], [2, "B", 10], [3, null, 10]])").empty());
  // A table that never had others is the same.
  StartAnew();
  Load(R"([[1, "a", 10], [2, "B", 10], [3, null, 10]])");
  EXPECT_EQ(Rows(kHashes), after);
}

TEST_P(KeyedHashAlgorithm, OfAHistoryNoVersionBeginsForIt) {
  WriteVersions();
  Load(kRows);
  const std::vector<std::string> before = Rows(kHashes);
  Change();
  EXPECT_TRUE(Load(kRows).empty());
  EXPECT_EQ(Rows(kHashes), before);
}

TEST_P(KeyedHashAlgorithm, OfAHistoryJustWhatChangedBeginsAVersion) {
  WriteVersions();
  Load(kRows);
  Change();
  Load(R"([[1, "a", 20], [2, "B", 20]])");
  EXPECT_THAT(Rows({"id", "name", "valid_from", "valid_to", "_hw_confirmed_at"}),
              ElementsAre("1|a|10||20", "2|B|20||", "2|b|10|20|", "3||10||"));
  const std::vector<std::string> after = Rows(kHashes);
  for (const StagedFile& file : live()) EXPECT_EQ(file.spec_version, Expected({"name"}));
  StartAnew();
  Load(kRows);
  Load(R"([[1, "a", 20], [2, "B", 20]])");
  EXPECT_EQ(Rows(kHashes), after);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, KeyedHashAlgorithm,
                         ::testing::Values(HashAlgorithm::kMd5, HashAlgorithm::kSha256),
                         [](const auto& info) { return NameOf(info.param); });

class HashAlgorithmStaging : public StagingFixture {
 protected:
  HashAlgorithmStaging()
      : StagingFixture({{{"id", {TypeKind::kLong}}, {"at", {TypeKind::kTimestamp}}}}) {
    options_.dataset.on_bad_row = BadRowPolicy::kQuarantine;
  }

  Manifest Stage(HashAlgorithm algorithm) {
    options_.dataset.hash_algorithm = algorithm;
    const auto rows = BatchOf(options_.source_schema, R"([[1, "1970-01-01 05:00:00"]])");
    const BadRow bad{"id", R"({"id":"x"})", "x", "expected a long", R"({"id":"x"})", 5};
    const std::unique_ptr<StagingWriter> writer = Open();
    EXPECT_TRUE(writer->Write(RowBatch(rows->arrow(), {bad})).ok());
    absl::StatusOr<Manifest> manifest = writer->Finish();
    EXPECT_TRUE(manifest.ok()) << manifest.status();
    return *std::move(manifest);
  }
};

TEST_F(HashAlgorithmStaging, APieceIsUnchangedOnlyByItsOwnAlgorithm) {
  for (const HashAlgorithm before : kHashAlgorithms) {
    options_.known.clear();
    const Manifest first = Stage(before);
    EXPECT_EQ(first.spec_version, SpecVersionOf(options_.source_schema, before));
    options_.known = {{first.pieces[0].extent, first.pieces[0].fingerprint, first.spec_version}};
    for (const HashAlgorithm now : kHashAlgorithms) {
      SCOPED_TRACE(NameOf(before) + " then " + NameOf(now));
      const Manifest second = Stage(now);
      EXPECT_EQ(second.pieces[0].unchanged, now == before);
      EXPECT_EQ(second.pieces[0].fingerprint == first.pieces[0].fingerprint, now == before);
      EXPECT_EQ(second.pieces[0].fingerprint.rows, 2);
    }
  }
}

TEST_F(HashAlgorithmStaging, RowsThatDoNotFitAreHashedByItToo) {
  options_.known.clear();
  Fingerprint alone[std::size(kHashAlgorithms)];
  for (const HashAlgorithm algorithm : kHashAlgorithms) {
    const Manifest both = Stage(algorithm);
    Fingerprint& left = alone[static_cast<size_t>(algorithm)] = both.pieces[0].fingerprint;
    const auto rows = BatchOf(options_.source_schema, R"([[1, "1970-01-01 05:00:00"]])");
    const std::unique_ptr<StagingWriter> writer = Open();
    ASSERT_TRUE(writer->Write(*rows).ok());
    left.Subtract((*writer->Finish()).pieces[0].fingerprint);
    EXPECT_EQ(left.rows, 1);
  }
  // Of the bytes "bad row\nid\n{"id":"x"}", as hashlib has them.
  EXPECT_EQ(HexOf(alone[static_cast<size_t>(HashAlgorithm::kMd5)].sum),
            "949430669a95903e933ff65aa61ee668");
  EXPECT_EQ(HexOf(alone[static_cast<size_t>(HashAlgorithm::kSha256)].sum),
            "9a896f129b0d459edbcaf9f16745257c");
}

TEST_F(HashAlgorithmStaging, AChecksumOfTheSourceIsOfNoAlgorithm) {
  options_.checksums = true;
  options_.dataset.on_bad_row = BadRowPolicy::kFail;
  std::vector<std::optional<ExtentChecksum>> checksums;
  for (const HashAlgorithm algorithm : kHashAlgorithms) {
    options_.dataset.hash_algorithm = algorithm;
    const auto rows = BatchOf(options_.source_schema, R"([[1, "1970-01-01 05:00:00"]])");
    const std::unique_ptr<StagingWriter> writer = Open();
    ASSERT_TRUE(writer->Write(*rows).ok());
    checksums.push_back((*writer->Finish()).pieces[0].checksum);
  }
  ASSERT_TRUE(checksums[0].has_value());
  EXPECT_EQ(checksums[1], checksums[0]);
  EXPECT_EQ(checksums[2], checksums[0]);
}

}  // namespace
}  // namespace headwater
