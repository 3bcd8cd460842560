// The table that every source of the contract has, and what is read of it.
#ifndef HEADWATER_TESTS_CONTRACT_SOURCE_CONTRACT_FIXTURE_H_
#define HEADWATER_TESTS_CONTRACT_SOURCE_CONTRACT_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/data/row_hash.h"
#include "gtest/gtest.h"
#include "tests/contract/source_under_test.h"
#include "worker/source/batch_builder.h"
#include "worker/source/source_reader.h"
#include "worker/source/value_text.h"

namespace headwater {

// Row i of 300: three rows share each minute, every 50th has no cursor, every 60th is of 2099.
constexpr int kContractRows = 300;

inline bool CursorIsNull(int i) { return i % 50 == 49; }
inline bool CursorIsFuture(int i) { return i % 60 == 59; }
inline std::string MinuteText(int minute) {
  char text[32];
  std::snprintf(text, sizeof(text), "2013-01-01 %02d:%02d:00", minute / 60, minute % 60);
  return text;
}
inline int64_t MinuteValue(int minute) { return *ParseWallClock(MinuteText(minute)); }
inline std::string CursorText(int i) {
  return CursorIsFuture(i) ? "2099-01-01 00:00:00" : MinuteText(i / 3);
}
inline int64_t CursorValue(int i) { return *ParseWallClock(CursorText(i)); }
inline std::string NameOf(int i) {
  return i % 10 == 3 ? absl::StrCat("blåbær \"", i, "\"\n") : absl::StrCat("n", i);
}

inline Schema ContractSchema() {
  return Schema{{{"id", {TypeKind::kLong}, false},
                 {"at", {TypeKind::kTimestampNtz}, true},
                 {"amount", {TypeKind::kDecimal, 12, 4}, true},
                 {"ratio", {TypeKind::kDouble}, true},
                 {"name", {TypeKind::kString}, true},
                 {"flag", {TypeKind::kBoolean}, true},
                 {"day", {TypeKind::kDate}, true},
                 {"payload", {TypeKind::kBinary}, true}}};
}

template <typename SourceKind>
class SourceContract : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    source_under_test_ = SourceKind::Create(why);
    if (source_under_test_ == nullptr) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << "CI forbids skips: " << why;
      GTEST_SKIP() << why;
    }
    FillTable();
    auto source = source_under_test_->Open();
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
    dataset_.id = {"events", "s"};
    dataset_.server = source_under_test_->server();
    dataset_.relation = "events";
    dataset_.cursor = "at";
    dataset_.cursor_timezone = "UTC";
    dataset_.server.clock_sql = "SELECT '2013-01-02 00:00:00'";
    options_.cursor_type = CursorType::kWallClock;
    options_.domain_end = MinuteValue(600);
    options_.query_tag = "events#1 */ DROP";
  }

  void FillTable() {
    SourceUnderTest& db = *source_under_test_;
    std::string create = "CREATE TABLE events (";
    for (const Column& column : ContractSchema().columns) {
      const bool decimal = column.type.kind == TypeKind::kDecimal;
      absl::StrAppend(&create, column.name == "id" ? "" : ", ", column.name, " ",
                      decimal ? "DECIMAL(12,4)" : db.TypeName(column.type.kind),
                      column.nullable ? "" : " NOT NULL");
    }
    db.Execute(absl::StrCat(create, ")"));
    db.Execute("CREATE INDEX events_at ON events (at)");
    std::string insert = "INSERT INTO events VALUES ";
    const bool has_booleans = db.TypeName(TypeKind::kBoolean) == "BOOLEAN";
    for (int i = 0; i < kContractRows; ++i) {
      absl::StrAppend(&insert, i == 0 ? "(" : ", (", i, ", ");
      absl::StrAppend(&insert, CursorIsNull(i) ? "NULL" : absl::StrCat("'", CursorText(i), "'"));
      absl::StrAppend(&insert, ", ", i % 7 == 0 ? "NULL" : absl::StrCat(i - 150, ".25"));
      absl::StrAppend(&insert, ", ", i % 11 == 0 ? "NULL" : absl::StrCat(i, ".1"));
      absl::StrAppend(&insert, ", '", NameOf(i), "', ");
      absl::StrAppend(&insert, i % 2 == 1     ? has_booleans ? "TRUE" : "1"
                               : has_booleans ? "FALSE"
                                              : "0");
      absl::StrAppend(&insert, ", '2013-02-", i % 28 < 9 ? "0" : "", i % 28 + 1, "', ");
      absl::StrAppend(&insert, i % 5 == 0 ? "NULL" : db.Blob(i % 2 == 1 ? "00ff41" : "00ff"), ")");
    }
    db.Execute(insert);
  }

  // Fingerprint of the rows that `wanted` chooses, made without any source.
  template <typename Wanted>
  Fingerprint Expected(Wanted wanted) {
    BatchBuilder batch(ContractSchema());
    for (int i = 0; i < kContractRows; ++i) {
      if (!wanted(i)) continue;
      batch.AppendInteger(0, i);
      CursorIsNull(i) ? batch.AppendNull(1) : batch.AppendInteger(1, CursorValue(i));
      // -149.25 is -149 and a quarter further from zero, as the literal says.
      const int whole = i - 150;
      i % 7 == 0 ? batch.AppendNull(2)
                 : batch.AppendDecimal(2, whole * 10'000 + (whole < 0 ? -2'500 : 2'500));
      i % 11 == 0 ? batch.AppendNull(3)
                  : batch.AppendDouble(3, std::strtod(absl::StrCat(i, ".1").c_str(), nullptr));
      batch.AppendBytes(4, NameOf(i));
      batch.AppendBool(5, i % 2 == 1);
      batch.AppendInteger(6, *ParseDate("2013-02-01") + i % 28);
      i % 5 == 0 ? batch.AppendNull(7)
                 : batch.AppendBytes(7, i % 2 ? absl::string_view("\x00\xff\x41", 3)
                                              : absl::string_view("\x00\xff", 2));
      batch.EndRow();
    }
    Fingerprint fingerprint;
    AddTo(fingerprint, **batch.Finish());
    return fingerprint;
  }

  void AddTo(Fingerprint& fingerprint, const RowBatch& batch) {
    if (hasher_ == nullptr) hasher_ = *RowHasher::Create(ContractSchema(), HashAlgorithm::kXxh3);
    std::vector<Hash128> hashes;
    ASSERT_TRUE(hasher_->Hash(batch, hashes).ok());
    for (const Hash128& hash : hashes) fingerprint.Add(hash);
  }

  absl::StatusOr<Fingerprint> Read(const Extent& extent) {
    auto reader = source_->Read(dataset_, extent, options_);
    if (!reader.ok()) return reader.status();
    schema_ = (*reader)->schema();
    Fingerprint fingerprint;
    for (batches_ = 0;; ++batches_) {
      auto batch = (*reader)->Next();
      if (!batch.ok()) return batch.status();
      if (*batch == nullptr) return fingerprint;
      EXPECT_GT((*batch)->rows(), 0);
      AddTo(fingerprint, **batch);
    }
  }

  std::unique_ptr<SourceUnderTest> source_under_test_;
  std::unique_ptr<Source> source_;
  DatasetSpec dataset_;
  ReadOptions options_;
  Schema schema_;
  int batches_ = 0;
  std::unique_ptr<RowHasher> hasher_;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_SOURCE_CONTRACT_FIXTURE_H_
