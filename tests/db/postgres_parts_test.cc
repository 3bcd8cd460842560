// A whole table read over several connections that see one state of a real PostgreSQL.
#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "common/data/row_batch.h"
#include "gmock/gmock.h"
#include "tests/db/copy_under_test.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kRows = 60'000;
using Readers = std::vector<std::unique_ptr<SourceReader>>;

class PostgresParts : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    db_ = CopyUnderTest::Create(why);
    if (db_ == nullptr) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << "CI forbids skips: " << why;
      GTEST_SKIP() << why;
    }
    dataset_.relation = "t";
    dataset_.server = db_->server();
    options_.query_tag = "run=r-12 fence=77 dataset=s/t";
  }

  // `t` with `id` from 1 to kRows, and whatever else `columns` says of it.
  void Create(const std::string& columns, const std::string& values = "") {
    db_->Execute(absl::StrCat("CREATE TABLE t (id bigint, ", columns, ")"));
    Fill(values);
  }
  void Fill(const std::string& values) {
    db_->Execute(absl::StrCat("INSERT INTO t SELECT i", values.empty() ? "" : ", ", values,
                              " FROM generate_series(1, ", kRows, ") AS i"));
  }

  Readers Open(int connections, std::stop_token stop = {}) {
    source_ = *OpenPostgresSource(dataset_.server);
    auto readers = source_->ReadParts(dataset_, Extent{Range{0, 1}, false}, options_, connections,
                                      std::move(stop));
    EXPECT_TRUE(readers.ok()) << readers.status();
    return readers.ok() ? *std::move(readers) : Readers();
  }

  static std::vector<int64_t> IdsOf(SourceReader& reader) {
    std::vector<int64_t> ids;
    const int column = reader.schema().Find("id");
    while (true) {
      auto batch = reader.Next();
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok() || *batch == nullptr) return ids;
      const auto& array = static_cast<const arrow::Int64Array&>(*(*batch)->arrow()->column(column));
      ids.insert(ids.end(), array.raw_values(), array.raw_values() + array.length());
    }
  }

  // How many rows each part has; together they must be 1 to kRows.
  std::vector<size_t> Sizes(Readers readers) {
    std::vector<size_t> sizes;
    std::vector<int64_t> all;
    for (const auto& reader : readers) {
      const std::vector<int64_t> ids = IdsOf(*reader);
      sizes.push_back(ids.size());
      all.insert(all.end(), ids.begin(), ids.end());
    }
    std::sort(all.begin(), all.end());
    std::vector<int64_t> expected(kRows);
    std::iota(expected.begin(), expected.end(), 1);
    EXPECT_TRUE(all == expected) << all.size() << " rows";
    return sizes;
  }

  // Three parts of about the same size.
  void ExpectThirds(const std::vector<size_t>& sizes) {
    ASSERT_EQ(sizes.size(), 3U);
    for (const size_t size : sizes) {
      EXPECT_GT(size, kRows / 5U);
      EXPECT_LT(size, kRows / 2U);
    }
  }

  bool Divisible() {
    source_ = *OpenPostgresSource(dataset_.server);
    const auto probe = source_->Probe(dataset_, ProbeTask{}, {});
    EXPECT_TRUE(probe.ok()) << probe.status();
    return probe.ok() && probe->divisible;
  }

  std::string Ours(const std::string& what) {
    return db_->Ask(absl::StrCat(
        "SELECT ", what, " FROM pg_stat_activity WHERE application_name LIKE 'headwater%'"));
  }
  // Backends end a moment after their connections.
  void AwaitNoConnection() {
    while (Ours("count(*)") != "0") db_->Ask("SELECT pg_sleep(0.01)");
  }

  std::unique_ptr<CopyUnderTest> db_;
  std::unique_ptr<Source> source_;
  DatasetSpec dataset_;
  ReadOptions options_;
};

TEST_F(PostgresParts, ByThePrimaryKey) {
  Create("k int PRIMARY KEY", "-i");
  EXPECT_TRUE(Divisible());
  Readers readers = Open(3);
  EXPECT_THAT(Ours("string_agg(query, '')"), HasSubstr("WHERE \"k\" >="));
  ExpectThirds(Sizes(std::move(readers)));
}

TEST_F(PostgresParts, ByAConfiguredKeyThatHasAnIndexAndNulls) {
  Create("pk int PRIMARY KEY, token uuid", "i, CASE WHEN i % 10 > 0 THEN md5(i::text)::uuid END");
  db_->Execute("CREATE INDEX ON t (token)");
  dataset_.key_columns = {"token", "pk"};
  Readers readers = Open(3);
  EXPECT_THAT(Ours("string_agg(query, '')"), HasSubstr("\"token\" IS NULL"));
  EXPECT_EQ(Sizes(std::move(readers)).size(), 3U);
}

TEST_F(PostgresParts, ByTextInTheOrderOfTheServer) {
  Create("name text COLLATE \"C\" PRIMARY KEY", "E'\\\\it''s \"' || chr(65 + i % 50) || i");
  ExpectThirds(Sizes(Open(3)));
}

TEST_F(PostgresParts, ByPagesWithoutAKey) {
  Create("filler text", "repeat('x', 50)");
  EXPECT_TRUE(Divisible());
  Readers readers = Open(3);
  EXPECT_THAT(Ours("string_agg(query, '')"), HasSubstr("ctid >="));
  ExpectThirds(Sizes(std::move(readers)));
}

TEST_F(PostgresParts, ByPagesWhereTheKeysFirstColumnHasTooFewValues) {
  Create("region int, n int, PRIMARY KEY (region, n)", "i % 2, i");
  ExpectThirds(Sizes(Open(3)));
}

TEST_F(PostgresParts, APartitionedTableByThePagesOfItsTables) {
  db_->Execute("CREATE TABLE t (id bigint, at int) PARTITION BY LIST (at)");
  for (int i = 0; i < 3; ++i) {
    db_->Execute(absl::StrCat("CREATE TABLE t", i, " PARTITION OF t FOR VALUES IN (", i, ")"));
  }
  Fill("i % 3");
  EXPECT_TRUE(Divisible());
  ExpectThirds(Sizes(Open(3)));
}

TEST_F(PostgresParts, ATableWithChildrenHasTheirRows) {
  db_->Execute("CREATE TABLE t (id bigint); CREATE TABLE child () INHERITS (t)");
  db_->Execute(absl::StrCat("INSERT INTO child SELECT generate_series(11, ", kRows,
                            "); INSERT INTO t SELECT generate_series(1, 10)"));
  ExpectThirds(Sizes(Open(3)));
}

TEST_F(PostgresParts, AnEmptyTableIsOnePart) {
  db_->Execute("CREATE TABLE t (id bigint PRIMARY KEY)");
  Readers readers = Open(3);
  ASSERT_EQ(readers.size(), 1U);
  EXPECT_THAT(IdsOf(*readers[0]), ElementsAre());
}

TEST_F(PostgresParts, WhatMayNotSeeTheSnapshotIsReadOverOneConnection) {
  Create("k int PRIMARY KEY", "i");
  db_->Execute(
      "CREATE VIEW v AS SELECT * FROM t; CREATE MATERIALIZED VIEW m AS SELECT * FROM t;"
      "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER other FOREIGN DATA WRAPPER w;"
      "CREATE TABLE p (id bigint) PARTITION BY LIST (id);"
      "CREATE FOREIGN TABLE far PARTITION OF p FOR VALUES IN (1) SERVER other");
  for (const char* relation : {"v", "m", "far", "p"}) {
    dataset_.relation = relation;
    EXPECT_FALSE(Divisible()) << relation;
  }
  for (const char* relation : {"v", "m"}) {
    dataset_.relation = relation;
    EXPECT_THAT(Sizes(Open(3)), ElementsAre(kRows)) << relation;
  }
  db_->Execute("DROP FOREIGN DATA WRAPPER w CASCADE");
}

// With every row moved to another part, some gone and some new, between the first part's read and
// the others'.
TEST_F(PostgresParts, AllPartsSeeOneStateWhateverIsCommittedMeanwhile) {
  Create("k int PRIMARY KEY", "i");
  Readers readers = Open(3);
  ASSERT_EQ(readers.size(), 3U);
  std::vector<int64_t> all = IdsOf(*readers[1]);
  db_->Execute(absl::StrCat("BEGIN; UPDATE t SET k = ", kRows, " - k + 1000000; DELETE FROM t ",
                            "WHERE id % 3 = 0; INSERT INTO t SELECT -i, -i FROM ",
                            "generate_series(1, 1000) AS i; COMMIT"));
  for (const int i : {2, 0}) {
    const std::vector<int64_t> ids = IdsOf(*readers[i]);
    all.insert(all.end(), ids.begin(), ids.end());
  }
  EXPECT_EQ(all.size(), static_cast<size_t>(kRows));
  EXPECT_EQ(std::accumulate(all.begin(), all.end(), int64_t{0}), int64_t{kRows} * (kRows + 1) / 2);
}

TEST_F(PostgresParts, NobodyRewritesTheTableWhileItIsReadInParts) {
  Create("k int PRIMARY KEY", "i");
  Readers readers = Open(2);
  ASSERT_EQ(readers.size(), 2U);
  EXPECT_EQ(Ours("count(*)"), "2");
  EXPECT_EQ(db_->Ask("SELECT count(DISTINCT pid) FROM pg_locks WHERE relation = 't'::regclass AND "
                     "mode = 'AccessShareLock' AND granted"),
            "2");
  readers.clear();
  AwaitNoConnection();
}

TEST_F(PostgresParts, AServerThatGivesFewerConnectionsIsReadOverThose) {
  Create("k int PRIMARY KEY", "i");
  db_->Execute(
      "CREATE ROLE modest LOGIN CONNECTION LIMIT 2; GRANT USAGE ON SCHEMA public TO modest;"
      "GRANT SELECT ON t TO modest");
  const std::string url = dataset_.server.url;
  dataset_.server.url = absl::StrCat(url.substr(0, url.find("&user=")), "&user=modest");
  EXPECT_EQ(Sizes(Open(4)).size(), 2U);
  AwaitNoConnection();
  db_->Execute("DROP OWNED BY modest; DROP ROLE modest");
}

TEST_F(PostgresParts, AnAdministratorSeesWhichPartIsRead) {
  Create("filler text", "repeat('x', 1000)");
  Readers readers = Open(3);
  EXPECT_EQ(Ours("string_agg(application_name, '; ' ORDER BY application_name)"),
            "headwater r-12 fence=77 s/t part=1/3; headwater r-12 fence=77 s/t part=2/3; "
            "headwater r-12 fence=77 s/t part=3/3");
}

TEST_F(PostgresParts, ALostConnectionIsOnePartsError) {
  Create("filler text", "repeat('x', 1000)");
  Readers readers = Open(3);
  ASSERT_EQ(readers.size(), 3U);
  EXPECT_EQ(Ours("pg_terminate_backend(pid)").substr(0, 1), "t");
  int unavailable = 0;
  for (const auto& reader : readers) {
    absl::Status status;
    while (status.ok()) {
      auto batch = reader->Next();
      status = batch.status();
      if (batch.ok() && *batch == nullptr) break;
    }
    unavailable += absl::IsUnavailable(status) ? 1 : 0;
  }
  EXPECT_EQ(unavailable, 3);  // The statement ended each of them.
  readers.clear();
  EXPECT_EQ(Sizes(Open(3)).size(), 3U);  // And the next attempt has new ones.
}

TEST_F(PostgresParts, AStopBeforeThePartsAreOpenIsObeyed) {
  Create("k int PRIMARY KEY", "i");
  std::stop_source stop;
  stop.request_stop();
  source_ = *OpenPostgresSource(dataset_.server);
  EXPECT_EQ(source_->ReadParts(dataset_, Extent{Range{0, 1}, false}, options_, 3, stop.get_token())
                .status()
                .code(),
            absl::StatusCode::kCancelled);
  AwaitNoConnection();
}

}  // namespace
}  // namespace headwater
