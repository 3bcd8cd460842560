#include "common/data/row_hash.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/data/arrow_schema.h"
#include "tests/support/fake_source.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

Schema SchemaOf(const std::vector<std::string>& types) {
  Schema schema;
  for (const std::string& type : types) {
    schema.columns.push_back({absl::StrCat("c", schema.columns.size()), *ParseType(type)});
  }
  return schema;
}

std::vector<Hash128> HashesOf(const Schema& schema, const RowBatch& batch,
                              HashAlgorithm algorithm = HashAlgorithm::kXxh3) {
  std::vector<Hash128> hashes;
  const absl::Status status = (*RowHasher::Create(schema, algorithm))->Hash(batch, hashes);
  EXPECT_TRUE(status.ok()) << status;
  return hashes;
}

std::string HexOfRow(const std::vector<std::string>& types, const std::string& row,
                     HashAlgorithm algorithm = HashAlgorithm::kXxh3) {
  const Schema schema = SchemaOf(types);
  return HexOf(HashesOf(schema, *BatchOf(schema, absl::StrCat("[[", row, "]]")), algorithm).at(0));
}

Fingerprint FingerprintOf(const Schema& schema, const RowBatch& batch,
                          HashAlgorithm algorithm = HashAlgorithm::kXxh3) {
  Fingerprint fingerprint;
  for (const Hash128& hash : HashesOf(schema, batch, algorithm)) fingerprint.Add(hash);
  return fingerprint;
}

std::string HexDigestOf(const std::string& bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return HexOf({hash.high64, hash.low64});
}

struct Vector {
  std::string type, value, bytes;
  std::vector<std::string> hashes;  // As kHashAlgorithms has them.
};

// The rows of the table in docs/row-hash.md.
std::vector<Vector> DocumentedVectors() {
  std::ifstream page(HEADWATER_SOURCE_FOLDER "/docs/row-hash.md");
  std::vector<Vector> vectors;
  for (std::string line; std::getline(page, line);) {
    const std::vector<std::string> cells = absl::StrSplit(line, " | ");
    if (cells.size() != 6 || cells[0].substr(0, 3) != "| `") continue;
    const auto text = [](absl::string_view cell) {
      return std::string(cell.substr(cell.find('`') + 1, cell.rfind('`') - cell.find('`') - 1));
    };
    const std::string bytes = absl::StrReplaceAll(text(cells[2]), {{" ", ""}});
    vectors.push_back({text(cells[0]),
                       text(cells[1]),
                       absl::HexStringToBytes(bytes),
                       {text(cells[3]), text(cells[4]), text(cells[5])}});
  }
  return vectors;
}

TEST(RowHash, EveryVectorOfItsSpecificationHolds) {
  std::set<TypeKind> kinds;
  const std::vector<Vector> vectors = DocumentedVectors();
  EXPECT_EQ(vectors.size(), 40u);
  for (const Vector& vector : vectors) {
    SCOPED_TRACE(absl::StrCat(vector.type, " ", vector.value));
    kinds.insert(ParseType(vector.type)->kind);
    EXPECT_EQ(HexDigestOf(vector.bytes), vector.hashes[0]);
    for (size_t i = 0; i < vector.hashes.size(); ++i) {
      EXPECT_EQ(HexOfRow({vector.type}, vector.value, kHashAlgorithms[i]), vector.hashes[i])
          << NameOf(kHashAlgorithms[i]);
    }
  }
  EXPECT_EQ(kinds.size(), 13u);
}

TEST(RowHash, TheWorkedExampleHolds) {
  const Schema schema = {{{"id", {TypeKind::kLong}},
                          {"name", {TypeKind::kString}},
                          {"price", {TypeKind::kDecimal, 9, 2}},
                          {"at", {TypeKind::kTimestamp}}}};
  const auto batch = BatchOf(schema, R"([[42, "Zoë", "12.50", null]])");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"4f6a6a47bb97419f7f8db7e794db346a", "ed8587b2aca5e8dddcfce66c4fe91e78"},
      {"198a5cacb5f7e1009f072c2d627eeac3", "1fe3ba1c7f47b85546b68fe2b487b1b8"},
      {"158532d5e45df99b2da40afc27946ad6", "4695494eb53056a7760358adfe8331d3"}};
  for (size_t i = 0; i < expected.size(); ++i) {
    SCOPED_TRACE(NameOf(kHashAlgorithms[i]));
    EXPECT_EQ(HexOf(HashesOf(schema, *batch, kHashAlgorithms[i]).at(0)), expected[i].first);
    EXPECT_EQ(SpecVersionOf(schema, kHashAlgorithms[i]), expected[i].second);
  }
}

TEST(RowHash, TheDocumentedFingerprintHolds) {
  const Schema schema = SchemaOf({"long"});
  const Fingerprint sum = FingerprintOf(schema, *BatchOf(schema, "[[0], [1], [1]]"));
  EXPECT_EQ(sum.rows, 3);
  EXPECT_EQ(HexOf(sum.sum), "867f102abe1abf0a6699e3eaf2898b17");
}

TEST(RowHash, BytesThatAreNoRowAreHashedByTheSameAlgorithm) {
  const Schema schema = SchemaOf({"boolean"});
  for (const HashAlgorithm algorithm : kHashAlgorithms) {
    const auto hasher = *RowHasher::Create(schema, algorithm);
    const absl::StatusOr<Hash128> hash = hasher->HashText(absl::string_view("\x01\x00\x01", 3));
    ASSERT_TRUE(hash.ok()) << hash.status();
    EXPECT_EQ(HexOf(*hash), HexOfRow({"boolean"}, "true", algorithm));
  }
}

TEST(RowHash, AnAlgorithmThatOpensslRefusesIsUnimplemented) {
  ASSERT_EQ(EVP_default_properties_enable_fips(nullptr, 1), 1);
  const auto refused = RowHasher::Create(SchemaOf({"long"}), HashAlgorithm::kMd5);
  const auto own = RowHasher::Create(SchemaOf({"long"}), HashAlgorithm::kXxh3);
  ASSERT_EQ(EVP_default_properties_enable_fips(nullptr, 0), 1);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("MD5"));
  EXPECT_TRUE(own.ok()) << own.status();
}

TEST(RowHash, EveryNanIsOne) {
  const Schema schema = SchemaOf({"double"});
  for (const uint64_t bits : {0x7ff8000000000000ull, 0xfff8000000000000ull, 0x7ff0000000000001ull,
                              0x7fffffffffffffffull, 0xffffffffffffffffull}) {
    const std::vector<double> values = {std::bit_cast<double>(bits)};
    const auto array = std::make_shared<arrow::DoubleArray>(1, arrow::Buffer::Wrap(values));
    const RowBatch batch(arrow::RecordBatch::Make(ToArrow(schema), 1, {array}));
    EXPECT_EQ(HexOf(HashesOf(schema, batch).at(0)), HexOfRow({"double"}, R"("nan")")) << bits;
  }
}

TEST(RowHash, WhatDiffersHashesApart) {
  const std::vector<std::pair<std::string, std::string>> cells = {
      {"string", "null"},
      {"string", R"("")"},
      {"binary", R"("")"},
      {"string", R"("\u0000")"},
      {"string", R"("a")"},
      {"binary", R"("a")"},
      {"string", R"("a ")"},
      {"string", R"("A")"},
      {"long", "null"},
      {"long", "0"},
      {"double", "0.0"},
      {"boolean", "false"},
      {"decimal(9,0)", R"("0")"},
      {"decimal(9,1)", R"("0")"},
      {"date", R"("1970-01-01")"},
      {"double", R"("nan")"},
      {"double", R"("inf")"},
      {"double", R"("-inf")"},
      {"double", "null"},
      {"timestamp", R"("1970-01-01 00:00:00")"},
      {"timestamp", "null"},
      {"timestamp_ntz", R"("1970-01-01 00:00:00")"}};
  std::set<std::string> hashes;
  for (const auto& [type, value] : cells) {
    EXPECT_TRUE(hashes.insert(HexOfRow({type}, value)).second) << type << " " << value;
  }
}

TEST(RowHash, ColumnsAreToldApartByPlace) {
  const std::vector<std::string> texts = {"string", "string"};
  EXPECT_NE(HexOfRow(texts, R"("a", "b")"), HexOfRow(texts, R"("b", "a")"));
  EXPECT_NE(HexOfRow(texts, R"("ab", "")"), HexOfRow(texts, R"("a", "b")"));
  EXPECT_NE(HexOfRow(texts, R"("", null)"), HexOfRow(texts, R"(null, "")"));
  EXPECT_NE(HexOfRow({"long", "string"}, R"(1, "a")"), HexOfRow({"string", "long"}, R"("a", 1)"));
}

TEST(RowHash, OtherArrowTypesAreRefusedAndHashAlikeOnceCast) {
  const Schema schema = SchemaOf({"string"});
  const auto plain = BatchOf(schema, R"([["a"], [null], ["é"], ["a"]])");
  const auto hasher = *RowHasher::Create(schema, HashAlgorithm::kXxh3);
  for (const auto& type : {arrow::dictionary(arrow::int32(), arrow::utf8()), arrow::large_utf8()}) {
    arrow::Datum other;
    if (type->id() == arrow::Type::DICTIONARY) {
      other = *arrow::compute::CallFunction("dictionary_encode", {plain->arrow()->column(0)});
    } else {
      other = *arrow::compute::Cast(plain->arrow()->column(0), type);
    }
    const auto fields = arrow::schema({arrow::field("c0", type)});
    std::vector<Hash128> hashes;
    const absl::Status status =
        hasher->Hash(RowBatch(arrow::RecordBatch::Make(fields, 4, {other.make_array()})), hashes);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("'c0'"));
    EXPECT_TRUE(hashes.empty());
    const auto cast = arrow::compute::Cast(other, arrow::utf8())->make_array();
    const RowBatch back(arrow::RecordBatch::Make(ToArrow(schema), 4, {cast}));
    EXPECT_EQ(HashesOf(schema, back), HashesOf(schema, *plain));
  }
}

TEST(SpecVersion, MovesWithNamesTypesAndOrderOnly) {
  const Schema schema = {{{"a", {TypeKind::kLong}}, {"b", {TypeKind::kDecimal, 9, 2}}}};
  Schema nullable = schema, renamed = schema, widened = schema, swapped = schema;
  nullable.columns[0].nullable = false;
  renamed.columns[0].name = "A";
  widened.columns[1].type.precision = 10;
  std::swap(swapped.columns[0], swapped.columns[1]);
  EXPECT_EQ(SpecVersionOf(nullable, HashAlgorithm::kXxh3),
            SpecVersionOf(schema, HashAlgorithm::kXxh3));
  for (const Schema& other : {renamed, widened, swapped, Schema{{schema.columns[0]}}}) {
    EXPECT_NE(SpecVersionOf(other, HashAlgorithm::kXxh3),
              SpecVersionOf(schema, HashAlgorithm::kXxh3));
  }
}

TEST(SpecVersion, TellsTheAlgorithmToWhoKnowsTheColumns) {
  const Schema schema = SchemaOf({"long", "string"});
  std::set<std::string> versions;
  for (const HashAlgorithm algorithm : kHashAlgorithms) {
    const std::string version = SpecVersionOf(schema, algorithm);
    EXPECT_TRUE(versions.insert(version).second);
    EXPECT_EQ(AlgorithmOf(schema, version), algorithm);
    EXPECT_EQ(AlgorithmOf(SchemaOf({"long"}), version), std::nullopt);
    EXPECT_EQ(HashAlgorithmNamed(NameOf(algorithm)), algorithm);
  }
  EXPECT_EQ(AlgorithmOf(schema, ""), std::nullopt);
  EXPECT_EQ(HashAlgorithmNamed("sha512"), std::nullopt);
  // Of rows that a source has summed: ledgers have it from before there were algorithms.
  EXPECT_EQ(ColumnsVersionOf(schema), SpecVersionOf(schema, HashAlgorithm::kXxh3));
}

// ---- properties
// ----------------------------------------------------------------------------------

class RowHashProperty : public ::testing::TestWithParam<uint32_t> {
 protected:
  int Draw(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  // A value of `type` as JSON. Different `key`s give different values.
  static std::string ValueOf(const std::string& type, int key) {
    const int sign = key % 2 == 0 ? 1 : -1;
    if (key < 0) return "null";
    if (type == "boolean") return key % 2 == 0 ? "true" : "false";
    if (type == "double" || type == "float") return absl::StrCat(sign * (key + 1), ".5");
    if (type == "string" || type == "binary") {
      return absl::StrCat("\"", std::string(key % 40, 'x'), "é", key, "\"");
    }
    if (type.substr(0, 7) == "decimal") return absl::StrCat("\"", sign * (key + 1), ".25\"");
    if (type == "date") return absl::StrCat("\"", 1900 + key, "-02-03\"");
    if (type.substr(0, 9) == "timestamp")
      return absl::StrCat("\"", 1900 + key, "-02-03 04:05:06\"");
    return absl::StrCat(sign * (key + 1));
  }

  std::string RowOf(const std::vector<int>& keys) const {
    std::vector<std::string> values;
    for (size_t i = 0; i < keys.size(); ++i) values.push_back(ValueOf(types_[i], keys[i]));
    return absl::StrCat("[", absl::StrJoin(values, ", "), "]");
  }

  std::unique_ptr<RowBatch> Batch(const Schema& schema) const {
    std::vector<std::string> rows;
    for (const std::vector<int>& keys : keys_) rows.push_back(RowOf(keys));
    return BatchOf(schema, absl::StrCat("[", absl::StrJoin(rows, ", "), "]"));
  }

  // More than two blocks of the hasher, with NULLs, all types in random order.
  void DrawRows() {
    types_ = {"boolean",       "byte",   "short",  "integer", "long",      "float",        "double",
              "decimal(18,2)", "string", "binary", "date",    "timestamp", "timestamp_ntz"};
    std::shuffle(types_.begin(), types_.end(), random_);
    keys_.resize(600 + Draw(200));
    for (std::vector<int>& keys : keys_) {
      keys.resize(types_.size());
      for (int& key : keys) key = Draw(5) == 0 ? -1 : Draw(100);
    }
  }

  std::mt19937 random_{GetParam()};
  std::vector<std::string> types_;
  std::vector<std::vector<int>> keys_;
};

TEST_P(RowHashProperty, BatchesSlicesOrderAndWidthsDoNotCount) {
  DrawRows();
  const Schema schema = SchemaOf(types_);
  const auto whole = Batch(schema);
  const HashAlgorithm algorithm = kHashAlgorithms[Draw(std::size(kHashAlgorithms))];
  SCOPED_TRACE(NameOf(algorithm));
  const Fingerprint expected = FingerprintOf(schema, *whole, algorithm);
  EXPECT_EQ(expected.rows, static_cast<int64_t>(keys_.size()));

  const auto hasher = *RowHasher::Create(schema, algorithm);
  Fingerprint sliced;
  for (int64_t begin = 0; begin < whole->rows();) {
    const int64_t count = 1 + Draw(300);
    std::vector<Hash128> hashes;
    ASSERT_TRUE(hasher->Hash(RowBatch(whole->arrow()->Slice(begin, count)), hashes).ok());
    for (const Hash128& hash : hashes) sliced.Add(hash);
    begin += count;
  }
  EXPECT_EQ(sliced, expected);

  std::shuffle(keys_.begin(), keys_.end(), random_);
  EXPECT_EQ(FingerprintOf(schema, *Batch(schema), algorithm), expected);

  for (std::string& type : types_) {
    if (type == "byte" || type == "short" || type == "integer") type = "long";
    if (type == "float") type = "double";
    if (type == "decimal(18,2)") type = "decimal(38,2)";
  }
  const Schema wide = SchemaOf(types_);
  EXPECT_EQ(FingerprintOf(wide, *Batch(wide), algorithm), expected);
}

TEST_P(RowHashProperty, AnyChangedValueAndAnyRepeatedOrMissingRowCounts) {
  DrawRows();
  const Schema schema = SchemaOf(types_);
  const Fingerprint before = FingerprintOf(schema, *Batch(schema));
  for (size_t column = 0; column < types_.size(); ++column) {
    int& key = keys_[Draw(keys_.size())][column];
    const int old = key;
    key = old < 0 ? Draw(100) : (Draw(3) == 0 ? -1 : old + 1);
    EXPECT_NE(FingerprintOf(schema, *Batch(schema)), before) << types_[column] << " " << old;
    key = old;
  }
  keys_.push_back(keys_[0]);
  EXPECT_NE(FingerprintOf(schema, *Batch(schema)), before);
  keys_.resize(keys_.size() - 2);
  EXPECT_NE(FingerprintOf(schema, *Batch(schema)), before);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RowHashProperty, ::testing::Range(1u, 6u));

}  // namespace
}  // namespace headwater
