// Equal rows hash alike, whether they come from PostgreSQL or MariaDB (by their own protocols or by
// ODBC) or SQLite, or are read again by Arrow from the Parquet files that were staged of them.
// docs/row-hash.md says what must be equal for that. HEADWATER_SEED repeats a run that failed.
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <random>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "common/data/arrow_schema.h"
#include "common/data/row_hash.h"
#include "gtest/gtest.h"
#include "tests/contract/sqlite_under_test.h"
#include "tests/db/copy_under_test.h"
#include "tests/db/cross_source_rows.h"
#include "tests/db/mariadb_under_test.h"
#include "tests/db/psqlodbc_under_test.h"
#include "worker/source/batch_builder.h"
#include "worker/stage/delta_staging_writer.h"

namespace headwater {
namespace {

constexpr size_t kRowsPerInsert = 100;

// Hashes by one algorithm, in one order, whatever order the rows came in.
using Hashes = std::vector<std::pair<uint64_t, uint64_t>>;

void AddHashes(const Schema& schema, const RowBatch& batch, HashAlgorithm algorithm,
               Hashes& hashes) {
  std::vector<Hash128> added;
  const absl::Status status = (*RowHasher::Create(schema, algorithm))->Hash(batch, added);
  ASSERT_TRUE(status.ok()) << status;
  for (const Hash128& hash : added) hashes.emplace_back(hash.high, hash.low);
  std::sort(hashes.begin(), hashes.end());
}

Fingerprint FingerprintOf(const Hashes& hashes) {
  Fingerprint fingerprint;
  for (const auto& [high, low] : hashes) fingerprint.Add(Hash128{high, low});
  return fingerprint;
}

// Of the rows themselves: no source, driver or parser had a hand in them.
Hashes ExpectedHashes(const Schema& schema, const std::vector<std::vector<Value>>& rows,
                      HashAlgorithm algorithm = HashAlgorithm::kXxh3) {
  BatchBuilder batch(schema);
  for (const std::vector<Value>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const int column = static_cast<int>(i);
      const TypeKind kind = schema.columns[i].type.kind;
      if (row[i].null) {
        batch.AppendNull(column);
      } else if (kind == TypeKind::kBoolean) {
        batch.AppendBool(column, row[i].integer != 0);
      } else if (kind == TypeKind::kDecimal) {
        batch.AppendDecimal(column, row[i].unscaled);
      } else if (kind == TypeKind::kDouble || kind == TypeKind::kFloat) {
        batch.AppendDouble(column, row[i].real);
      } else if (kind == TypeKind::kString || kind == TypeKind::kBinary) {
        batch.AppendBytes(column, row[i].literal);
      } else {
        batch.AppendInteger(column, row[i].integer);
      }
    }
    batch.EndRow();
  }
  Hashes hashes;
  AddHashes(schema, **batch.Finish(), algorithm, hashes);
  return hashes;
}

// What one source, and the files staged of it, gave.
struct Loaded {
  Schema schema;
  Hashes read, read_again;
  Manifest manifest;
};

class CrossSourceHash : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* given = std::getenv("HEADWATER_SEED");
    const uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::printf("HEADWATER_SEED=%llu\n", static_cast<unsigned long long>(seed));
    random_.seed(seed);
    std::string why;
    sources_.emplace_back("PostgreSQL by COPY", CopyUnderTest::Create(why));
    if (sources_.back().second != nullptr) {
      // Makes the schema anew, so before any table.
      sources_.emplace_back("PostgreSQL by ODBC", PsqlOdbcUnderTest::Create(why));
      sources_.emplace_back("MariaDB", StreamedMariaDbUnderTest::Create(why));
      sources_.emplace_back("MariaDB by ODBC", MariaDbUnderTest::Create(why));
    }
    if (sources_.back().second == nullptr) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << "CI forbids skips: " << why;
      GTEST_SKIP() << why;
    }
    sources_.emplace_back("SQLite", SqliteUnderTest::Create(why));
    sources_[kMariaDb].second->Execute("SET sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES'");
  }

  // `columns` as each source declares them. A table that is read in two ways is made once.
  void Fill(size_t source, const std::string& columns, const Schema& schema,
            const std::vector<std::vector<Value>>& rows) {
    SourceUnderTest& db = *sources_[source].second;
    if (source == kOdbc || source == kMariaDbOdbc) return;
    db.Execute(absl::StrCat("CREATE TABLE t (", columns, ")"));
    for (size_t begin = 0; begin < rows.size(); begin += kRowsPerInsert) {
      std::string insert = "INSERT INTO t VALUES ";
      for (size_t row = begin; row < std::min(begin + kRowsPerInsert, rows.size()); ++row) {
        absl::StrAppend(&insert, row == begin ? "(" : ", (");
        for (size_t i = 0; i < rows[row].size(); ++i) {
          absl::StrAppend(&insert, i == 0 ? "" : ", ",
                          Literal(db, source, schema.columns[i].type.kind, rows[row][i]));
        }
        absl::StrAppend(&insert, ")");
      }
      db.Execute(insert);
    }
  }

  static std::string Literal(const SourceUnderTest& db, size_t source, TypeKind kind,
                             const Value& value) {
    if (value.null) return "NULL";
    if (kind == TypeKind::kBinary) return db.Blob(absl::BytesToHexString(value.literal));
    if (kind == TypeKind::kTimestamp) {
      return absl::StrCat("'", value.literal, source == kMariaDb ? "'" : "+00'");
    }
    const bool bare = kind == TypeKind::kBoolean && source != kCopy;
    if (bare) return value.literal;
    return absl::StrCat("'", absl::StrReplaceAll(value.literal, {{"'", "''"}}), "'");
  }

  Loaded Load(size_t source, HashAlgorithm algorithm = HashAlgorithm::kXxh3) {
    SourceUnderTest& db = *sources_[source].second;
    const TempFolder folder;
    Loaded loaded;
    StagingOptions staging;
    staging.dataset.id = {"t", "s"};
    staging.dataset.relation = "t";
    staging.dataset.server = db.server();
    staging.dataset.target_uri = folder.path() + "/t";
    staging.dataset.hash_algorithm = algorithm;
    staging.lease = {"t", 7};
    staging.extent = {Range{0, 1}, false};
    staging.loaded_at = absl::UnixEpoch();
    staging.memory_bytes = 64 << 10;  // Several row groups.
    const auto opened = db.Open();
    EXPECT_TRUE(opened.ok()) << opened.status();
    ReadOptions options;
    options.batch_bytes = 64 << 10;
    auto reader = (*opened)->Read(staging.dataset, staging.extent, options);
    EXPECT_TRUE(reader.ok()) << reader.status();
    if (!reader.ok()) return loaded;
    loaded.schema = staging.source_schema = (*reader)->schema();
    auto writer = OpenParquetStaging(staging);
    EXPECT_TRUE(writer.ok()) << writer.status();
    while (true) {
      auto batch = (*reader)->Next();
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok() || *batch == nullptr) break;
      AddHashes(loaded.schema, **batch, algorithm, loaded.read);
      EXPECT_TRUE((*writer)->Write(**batch).ok());
    }
    loaded.manifest = *(*writer)->Finish();
    for (const StagedPiece& piece : loaded.manifest.pieces) {
      for (const StagedFile& file : piece.files) {
        ReadAgain(staging.dataset.target_uri + "/" + file.path, algorithm, loaded);
      }
    }
    return loaded;
  }

  static void ReadAgain(const std::string& path, HashAlgorithm algorithm, Loaded& loaded) {
    const auto file = *arrow::io::ReadableFile::Open(path);
    const auto reader = *parquet::arrow::OpenFile(file, ArrowPool());
    std::vector<std::string> names;
    for (const Column& column : loaded.schema.columns) names.push_back(column.name);
    const auto table = *(*reader->ReadTable())->SelectColumns([&] {
      std::vector<int> chosen;
      for (size_t i = 0; i < names.size(); ++i) chosen.push_back(static_cast<int>(i));
      return chosen;
    }());
    EXPECT_EQ(table->ColumnNames(), names);
    AddHashes(loaded.schema, RowBatch(*table->CombineChunksToBatch(ArrowPool())), algorithm,
              loaded.read_again);
  }

  static constexpr size_t kCopy = 0, kOdbc = 1, kMariaDb = 2, kMariaDbOdbc = 3, kSqlite = 4;
  std::vector<std::pair<const char*, std::unique_ptr<SourceUnderTest>>> sources_;
  std::mt19937_64 random_;
};

std::vector<TypeKind> KindsOf(const Schema& schema) {
  std::vector<TypeKind> kinds;
  for (const Column& column : schema.columns) kinds.push_back(column.type.kind);
  return kinds;
}

TEST_F(CrossSourceHash, EqualRowsAreEqualFromEverySourceAndFromTheirFiles) {
  const Schema schema{{{"id", {TypeKind::kLong}},
                       {"whole", {TypeKind::kLong}},
                       {"amount", {TypeKind::kDecimal, 15, 4}},
                       {"ratio", {TypeKind::kDouble}},
                       {"name", {TypeKind::kString}},
                       {"flag", {TypeKind::kBoolean}},
                       {"day", {TypeKind::kDate}},
                       {"at", {TypeKind::kTimestampNtz}},
                       {"payload", {TypeKind::kBinary}}}};
  const std::array<std::string, 5> columns = {
      "id bigint, whole bigint, amount numeric(15,4), ratio float8, name text, flag boolean, "
      "day date, at timestamp, payload bytea",
      "",
      "id bigint, whole bigint, amount decimal(15,4), ratio double, name longtext charset utf8mb4, "
      "flag boolean, day date, at datetime(6), payload longblob",
      "",
      "id INTEGER, whole BIGINT, amount DECIMAL(15,4), ratio REAL, name TEXT, flag BOOLEAN, "
      "day DATE, at TIMESTAMP, payload BLOB"};
  const auto rows = RowsOf(schema, random_);
  for (size_t source = 0; source < sources_.size(); ++source) {
    SCOPED_TRACE(sources_[source].first);
    Fill(source, columns[source], schema, rows);
    for (const HashAlgorithm algorithm : kHashAlgorithms) {
      SCOPED_TRACE(NameOf(algorithm));
      const Hashes expected = ExpectedHashes(schema, rows, algorithm);
      const Loaded loaded = Load(source, algorithm);
      EXPECT_EQ(loaded.read, expected);
      EXPECT_EQ(loaded.read_again, expected);
      ASSERT_EQ(loaded.manifest.pieces.size(), 1u);
      EXPECT_EQ(loaded.manifest.pieces[0].fingerprint, FingerprintOf(expected));
      EXPECT_EQ(loaded.manifest.spec_version, SpecVersionOf(schema, algorithm));
    }
  }
}

TEST_F(CrossSourceHash, TypesThatSqliteHasNotAreEqualFromTheOthers) {
  const Schema schema{{{"id", {TypeKind::kLong}},
                       {"small", {TypeKind::kShort}},
                       {"number", {TypeKind::kInteger}},
                       {"single", {TypeKind::kFloat}},
                       {"exact", {TypeKind::kDecimal, 38, 10}},
                       {"stamp", {TypeKind::kTimestamp}}}};
  const auto rows = RowsOf(schema, random_);
  const Hashes expected = ExpectedHashes(schema, rows);
  for (const size_t source : {kCopy, kOdbc, kMariaDb, kMariaDbOdbc}) {
    SCOPED_TRACE(sources_[source].first);
    Fill(source,
         source == kMariaDb ? "id bigint, small smallint, number int, single float, exact "
                              "decimal(38,10), stamp timestamp(6) null"
                            : "id bigint, small int2, number int4, single float4, exact "
                              "numeric(38,10), stamp timestamptz",
         schema, rows);
    const Loaded loaded = Load(source);
    EXPECT_EQ(loaded.read, expected);
    EXPECT_EQ(loaded.read_again, expected);
    EXPECT_EQ(loaded.manifest.spec_version, SpecVersionOf(schema, HashAlgorithm::kXxh3));
  }
}

TEST_F(CrossSourceHash, WidthsDoNotShowInAHashButInTheSpecVersion) {
  const Schema schema{{{"id", {TypeKind::kLong}},
                       {"small", {TypeKind::kShort}},
                       {"single", {TypeKind::kFloat}},
                       {"amount", {TypeKind::kDecimal, 9, 2}}}};
  const auto rows = RowsOf(schema, random_);
  const Hashes expected = ExpectedHashes(schema, rows);
  Fill(kCopy, "id int2, small int4, single float8, amount numeric(30,2)", schema, rows);
  Fill(kSqlite, "id INTEGER, small INTEGER, single REAL, amount DECIMAL(12,2)", schema, rows);
  const Loaded copy = Load(kCopy), sqlite = Load(kSqlite);
  EXPECT_NE(KindsOf(copy.schema), KindsOf(sqlite.schema));
  EXPECT_EQ(copy.read, expected);
  EXPECT_EQ(sqlite.read, expected);
  EXPECT_NE(copy.manifest.spec_version, sqlite.manifest.spec_version);
}

TEST_F(CrossSourceHash, AWallClockIsNoInstantAndAScaleIsPartOfAValue) {
  const Schema instants{{{"id", {TypeKind::kLong}}, {"at", {TypeKind::kTimestamp}}}};
  const auto rows = RowsOf(instants, random_);
  const Hashes expected = ExpectedHashes(instants, rows);
  Fill(kMariaDb, "id bigint, at datetime(6)", instants, rows);
  Hashes shared;
  const Hashes zoneless = Load(kMariaDb).read;
  std::set_intersection(expected.begin(), expected.end(), zoneless.begin(), zoneless.end(),
                        std::back_inserter(shared));
  EXPECT_TRUE(shared.empty());
  const Schema amounts{{{"id", {TypeKind::kLong}}, {"v", {TypeKind::kDecimal, 9, 2}}}};
  auto amount_rows = RowsOf(amounts, random_);
  std::erase_if(amount_rows, [](const auto& row) { return row[1].null; });  // NULL has no scale.
  Fill(kCopy, "id bigint, v numeric(12,3)", amounts, amount_rows);
  const Hashes scaled = Load(kCopy).read, as_written = ExpectedHashes(amounts, amount_rows);
  shared.clear();
  std::set_intersection(scaled.begin(), scaled.end(), as_written.begin(), as_written.end(),
                        std::back_inserter(shared));
  EXPECT_TRUE(shared.empty());
}

}  // namespace
}  // namespace headwater
