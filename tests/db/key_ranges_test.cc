// Parts of a key on real servers: what the server sums of each is what we sum of the rows that were
// read, and what a read of the part alone gives. HEADWATER_SEED repeats a run that failed.
#include "worker/source/key_ranges.h"

#include <cstdio>
#include <cstdlib>
#include <random>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/sqlite_under_test.h"
#include "tests/db/copy_under_test.h"
#include "tests/db/mariadb_under_test.h"
#include "worker/source/mariadb/mariadb_session.h"
#include "worker/source/odbc/odbc_session.h"
#include "worker/source/postgres/postgres_session.h"
#include "worker/source/prepared_read.h"
#include "worker/source/summed_extents.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kRows = 500;

template <typename UnderTest>
struct Place;
template <>
struct Place<CopyUnderTest> {
  static constexpr bool kUuid = true;
  // Columns that are ordered by other rules than their bytes'.
  static constexpr const char* kTexts =
      "plain text, icu text COLLATE \"en-x-icu\", folded varchar(900) COLLATE folded, c "
      "varchar(900) "
      "COLLATE \"C\"";
  static constexpr const char* kPrepare =
      "CREATE COLLATION IF NOT EXISTS folded (provider = icu, locale = 'und-u-ks-level1', "
      "deterministic = false)";
  static std::string Literal(const std::string& text) {
    return absl::StrCat("CONVERT_FROM('\\x", absl::BytesToHexString(text), "', 'UTF8')");
  }
  static absl::StatusOr<std::unique_ptr<SourceSession>> Open(const ServerSpec& server) {
    return PostgresSession::Open(server.url);
  }
};
template <>
struct Place<StreamedMariaDbUnderTest> {
  static constexpr bool kUuid = false;
  static constexpr const char* kTexts =
      "plain longtext CHARACTER SET utf8mb4, padded char(250) CHARACTER SET utf8mb4, folded "
      "varchar(900) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, binary_order varchar(900) "
      "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
  static constexpr const char* kPrepare = "SET @nothing = 0";
  static std::string Literal(const std::string& text) {
    return absl::StrCat("CONVERT(X'", absl::BytesToHexString(text), "' USING utf8mb4)");
  }
  static absl::StatusOr<std::unique_ptr<SourceSession>> Open(const ServerSpec& server) {
    return MariaDbSession::Open(server.url);
  }
};
template <>
struct Place<SqliteUnderTest> {
  static constexpr bool kUuid = false;
  static constexpr const char* kTexts =
      "plain text, folded varchar(900) COLLATE NOCASE, trimmed text COLLATE RTRIM, numbers_too "
      "json";
  static constexpr const char* kPrepare = "SELECT 0";
  static std::string Literal(const std::string& text) {
    return absl::StrCat("CAST(X'", absl::BytesToHexString(text), "' AS TEXT)");
  }
  static absl::StatusOr<std::unique_ptr<SourceSession>> Open(const ServerSpec& server) {
    return OdbcSession::Open(std::string(absl::StripPrefix(server.url, "odbc:")));
  }
};

template <typename UnderTest>
class KeyRangesOn : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    db_ = UnderTest::Create(why);
    if (db_ == nullptr) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << "CI forbids skips: " << why;
      GTEST_SKIP() << why;
    }
    const char* given = std::getenv("HEADWATER_SEED");
    seed_ = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::printf("HEADWATER_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    random_.seed(seed_);
    dataset_.id = {"t", "s"};
    dataset_.relation = "t";
    dataset_.cursor = "id";
    dataset_.server = db_->server();
    options_.cursor_type = CursorType::kInteger;
    options_.domain_end = 400;
    options_.query_tag = "run=r-1";
  }

  // Keys of each kind that divides, many of them more than once, and NULL.
  void Fill() {
    db_->Execute(absl::StrCat(
        "CREATE TABLE t (id int, big bigint, amount decimal(20,3), day date, at timestamp(3) null",
        Place<UnderTest>::kUuid ? ", token uuid" : "", ", name varchar(20))"));
    std::string insert = "INSERT INTO t VALUES ";
    for (int i = 0; i < kRows; ++i) {
      const auto any = [&](const std::string& text) {
        return random_() % 10 == 0 ? std::string("NULL") : absl::StrCat("'", text, "'");
      };
      const auto day =
          absl::StrCat(1971 + random_() % 60, "-0", 1 + random_() % 9, "-1", random_() % 10);
      absl::StrAppend(
          &insert, i == 0 ? "(" : ", (", i % 25 == 24 ? "NULL" : absl::StrCat(i), ", ",
          any(absl::StrCat(static_cast<int64_t>(random_()) % 100)), ", ",
          any(absl::StrCat(static_cast<int64_t>(random_()) % 10'000, ".", random_() % 10)), ", ",
          any(day), ", ",
          any(absl::StrCat(day, " 0", random_() % 10, ":00:00.", 100 + random_() % 900)));
      if (Place<UnderTest>::kUuid) {
        absl::StrAppend(
            &insert, ", ",
            any(absl::StrCat("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD38", 1000 + random_() % 9000)));
      }
      absl::StrAppend(&insert, ", 'n", random_() % 50, "')");
    }
    db_->Execute(insert);
  }

  void Prepare() {
    auto opened = Place<UnderTest>::Open(db_->server());
    ASSERT_TRUE(opened.ok()) << opened.status();
    session_ = *std::move(opened);
    const auto available = session_->Describe("t");
    ASSERT_TRUE(available.ok()) << available.status();
    auto prepared = PrepareRead(*session_, *available, dataset_, extent_, options_);
    ASSERT_TRUE(prepared.ok()) << prepared.status();
    selection_ = prepared->selection;
    query_ = prepared->query;
    columns_ = *ChecksumColumnsFor(selection_, Schema(), SchemaPolicy::kEvolve, dataset_);
    ASSERT_TRUE(ChecksumsAgree(session_->dialect(), columns_));
  }

  AnswerRows Ask(const absl::StatusOr<std::string>& sql) {
    EXPECT_TRUE(sql.ok()) << sql.status();
    const auto rows = session_->Query(sql.value_or(""));
    EXPECT_TRUE(rows.ok()) << *sql << ": " << rows.status();
    return rows.value_or(AnswerRows());
  }

  std::vector<std::string> Borders(const KeyColumn& key, int parts) {
    return *BordersFrom(session_->dialect(), key,
                        Ask(BuildBordersQuery(session_->dialect(), query_, key, parts)));
  }

  std::vector<RowChecksum> ServerSums(const KeyColumn& key,
                                      const std::vector<std::string>& borders) {
    const auto sums = ParsePartChecksums(
        Ask(BuildPartChecksumQuery(session_->dialect(), query_, columns_, key, borders)),
        static_cast<int>(borders.size()) + 1);
    EXPECT_TRUE(sums.ok()) << sums.status();
    return sums.value_or(std::vector<RowChecksum>());
  }

  // Of the rows that a read gives, with a further condition, put into parts by us.
  std::vector<RowChecksum> RowSums(const KeyColumn& key, const std::vector<std::string>& borders,
                                   const std::string& within) {
    ReadOptions options = options_;
    options.within = within;
    const auto source = *db_->Open();
    auto reader = source->Read(dataset_, extent_, options);
    EXPECT_TRUE(reader.ok()) << reader.status();
    const Schema& schema = (*reader)->schema();
    const auto parts =
        *KeyParts::Create(schema, key.column.name, *KeyValuesOf(key.column.type, borders));
    const auto checksummer = *RowChecksummer::Create(schema);
    std::vector<RowChecksum> sums(borders.size() + 1);
    std::vector<int> found;
    while (true) {
      const auto batch = (*reader)->Next();
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok() || *batch == nullptr) return sums;
      EXPECT_TRUE(parts->Take(**batch, found).ok());
      EXPECT_TRUE(checksummer->AddByPart(**batch, found, sums).ok());
    }
  }

  uint64_t seed_ = 0;
  std::mt19937_64 random_;
  std::unique_ptr<UnderTest> db_;
  std::unique_ptr<SourceSession> session_;
  DatasetSpec dataset_;
  ReadOptions options_;
  const Extent extent_{Range{50, 380}, true};
  Selection selection_;
  RangeQuery query_;
  std::vector<ChecksumColumn> columns_;
};

using Adapters = ::testing::Types<CopyUnderTest, StreamedMariaDbUnderTest, SqliteUnderTest>;
TYPED_TEST_SUITE(KeyRangesOn, Adapters);

TYPED_TEST(KeyRangesOn, EveryKindOfKeyHasTheSamePartsOnTheServerAsHere) {
  this->Fill();
  this->Prepare();
  int kinds = 0;
  for (const Column& column : this->selection_.schema.columns) {
    SCOPED_TRACE(column.name);
    const auto key = RangeKeyOf(this->session_->dialect(), this->selection_, {column.name});
    if (!key.has_value()) continue;
    ++kinds;
    for (const int wanted : {2, 7, 64}) {
      const std::vector<std::string> borders = this->Borders(*key, wanted);
      ASSERT_THAT(borders, ::testing::Not(IsEmpty()));
      const std::vector<RowChecksum> server = this->ServerSums(*key, borders);
      EXPECT_EQ(server, this->RowSums(*key, borders, ""));
      const auto conditions = *SplitByKey(this->session_->dialect(), *key, borders);
      ASSERT_EQ(conditions.size(), server.size());
      RowChecksum all;
      for (size_t i = 0; i < server.size(); ++i) {
        all.Add(server[i]);
        if (wanted > 7) continue;
        EXPECT_THAT(this->RowSums(*key, {}, conditions[i]), ElementsAre(server[i])) << i;
      }
      EXPECT_THAT(this->ServerSums(*key, {}), ElementsAre(all));
      EXPECT_GT(all.rows, 300);
    }
  }
  EXPECT_EQ(kinds, Place<TypeParam>::kUuid ? 7 : 6);
}

// Case, accents, blanks that collations skip or pad, what ends literals, other planes.
std::string NastyText(std::mt19937_64& random) {
  static const std::vector<std::string> pieces = {
      "a",      "A",          "b",          "B",      "\u00e4", "e\u0301", "\u00e9",
      "\u00df", "ss",         "Z",          "z",      " ",      "  ",      "'",
      "''",     "\"",         "\\",         "\\'",    "%",      "_",       "\n",
      "\t",     "-",          "0",          "9",      "10",     "\u8868",  "\uff41",
      "\uffff", "\U00010000", "\U0001F600", "\u200d", "\x01"};
  std::string text;
  for (uint64_t i = random() % 5; i > 0; --i) text += pieces[random() % pieces.size()];
  return text;
}

TYPED_TEST(KeyRangesOn, TextsHaveTheSamePartsOnTheServerAsHereWhateverTheirCollation) {
  using Db = Place<TypeParam>;
  this->db_->Execute(Db::kPrepare);
  this->db_->Execute(absl::StrCat("CREATE TABLE t (id int, ", Db::kTexts, ")"));
  const std::string same = std::string(200, 'x') + "\u00e4";
  std::vector<std::string> texts = {"", " ", "  ", same, same + " ", same + "a"};
  while (texts.size() < 120) texts.push_back(NastyText(this->random_));
  for (size_t i = 0; i < 20; ++i) texts.push_back(std::string(i, ' ') + texts[i]);
  std::string insert = "INSERT INTO t VALUES ";
  for (int i = 0; i < 360; ++i) {
    absl::StrAppend(&insert, i == 0 ? "(" : ", (", 50 + i % 330);
    for (int column = 0; column < 4; ++column) {
      const std::string& text = texts[this->random_() % texts.size()];
      absl::StrAppend(&insert, ", ", this->random_() % 10 == 0 ? "NULL" : Db::Literal(text));
    }
    insert += ")";
  }
  this->db_->Execute(insert);
  this->Prepare();
  for (const Column& column : this->selection_.schema.columns) {
    if (column.type.kind != TypeKind::kString) continue;
    SCOPED_TRACE(column.name);
    const auto key = RangeKeyOf(this->session_->dialect(), this->selection_, {column.name});
    ASSERT_TRUE(key.has_value());
    EXPECT_TRUE(key->by_bytes);
    // The server's own quantiles, then texts that it may not have at all.
    std::vector<std::vector<std::string>> all = {this->Borders(*key, 2), this->Borders(*key, 40)};
    std::vector<std::string> own = {"a\xff", std::string("a\0", 2), std::string(3000, 'x')};
    for (int i = 0; i < 60; ++i) own.push_back(NastyText(this->random_));
    std::sort(own.begin(), own.end());
    AnswerRows rows;
    for (const std::string& text : own) rows.push_back({text});
    all.push_back(*BordersFrom(this->session_->dialect(), *key, rows));
    EXPECT_GT(all.back().size(), 20U);
    for (const std::vector<std::string>& borders : all) {
      ASSERT_THAT(borders, ::testing::Not(IsEmpty()));
      const std::vector<RowChecksum> server = this->ServerSums(*key, borders);
      EXPECT_EQ(server, this->RowSums(*key, borders, ""));
      const auto conditions = *SplitByKey(this->session_->dialect(), *key, borders);
      ASSERT_EQ(conditions.size(), server.size());
      for (size_t i = 0; i < server.size(); i += 1 + server.size() / 8)
        EXPECT_THAT(this->RowSums(*key, {}, conditions[i]), ElementsAre(server[i])) << i;
    }
  }
}

TYPED_TEST(KeyRangesOn, PartsOfAKeyWithoutRepetitionAreOfAboutEqualSize) {
  this->Fill();
  this->Prepare();
  const auto key = RangeKeyOf(this->session_->dialect(), this->selection_, {"id"});
  const auto sums = this->ServerSums(*key, this->Borders(*key, 8));
  ASSERT_EQ(sums.size(), 8U);
  for (size_t i = 1; i < sums.size(); ++i) {  // The first has those without a key, too.
    EXPECT_GT(sums[i].rows, 35) << i;
    EXPECT_LT(sums[i].rows, 65) << i;
  }
}

TYPED_TEST(KeyRangesOn, StepByStepTheOneRowIsFoundThatChanged) {
  this->Fill();
  this->Prepare();
  const auto key = RangeKeyOf(this->session_->dialect(), this->selection_, {"id"});
  const int changed = 51 + static_cast<int>(this->random_() % 20);
  int steps = 0;
  while (true) {
    ASSERT_LT(++steps, 6);
    const auto borders = this->Borders(*key, 5);
    const auto before = this->RowSums(*key, borders, this->query_.within);
    this->db_->Execute(absl::StrCat("UPDATE t SET name = 'other' WHERE id = ", changed));
    const auto after = this->ServerSums(*key, borders);
    std::vector<size_t> differing;
    for (size_t i = 0; i < after.size(); ++i) {
      if (!(after[i] == before[i])) differing.push_back(i);
    }
    ASSERT_EQ(differing.size(), 1U);
    if (after[differing[0]].rows <= 2) break;
    const auto conditions = *SplitByKey(this->session_->dialect(), *key, borders);
    const std::string& part = conditions[differing[0]];
    this->query_.within = this->query_.within.empty()
                              ? part
                              : absl::StrCat("(", this->query_.within, ") AND (", part, ")");
    this->db_->Execute(absl::StrCat("UPDATE t SET name = 'n", steps, "' WHERE id = ", changed));
  }
  EXPECT_GT(steps, 2);
}

TYPED_TEST(KeyRangesOn, AnExtentWithoutRowsHasNoBordersAndOneEmptyPart) {
  this->db_->Execute("CREATE TABLE t (id int, name varchar(9))");
  this->Prepare();
  const auto key = RangeKeyOf(this->session_->dialect(), this->selection_, {"id"});
  EXPECT_THAT(this->Borders(*key, 4), IsEmpty());
  EXPECT_THAT(this->ServerSums(*key, {}), ElementsAre(RowChecksum{}));
}

TYPED_TEST(KeyRangesOn, AUniqueKeyIsFoundThatHasNoNullsAndThePrimaryFirst) {
  const auto best = [&](const std::string& create) {
    this->db_->Execute(
        absl::StrCat("CREATE TABLE t (id int NOT NULL, a int NOT NULL, b int NOT "
                     "NULL, c int, name varchar(9)",
                     create, ")"));
    if (this->session_ == nullptr) this->Prepare();
    auto found = BestUniqueKey(this->Ask(UniqueKeysSql(this->session_->dialect(), "t")));
    this->db_->Execute("DROP TABLE t");
    return found;
  };
  EXPECT_THAT(best(""), IsEmpty());
  EXPECT_THAT(best(", UNIQUE (c)"), IsEmpty()) << "it may be NULL";
  EXPECT_THAT(best(", UNIQUE (b, a), UNIQUE (c, a)"), ElementsAre("b", "a"));
  EXPECT_THAT(best(", UNIQUE (b), PRIMARY KEY (id, a)"), ElementsAre("id", "a"));
  EXPECT_THAT(best(", UNIQUE (b, id), UNIQUE (a)"), ElementsAre("a")) << "the shorter one";
}

}  // namespace
}  // namespace headwater
