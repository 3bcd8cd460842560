#include "worker/source/postgres/copy_decoder.h"

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/data/row_hash.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/source/decoded_field.h"
#include "worker/source/postgres/copy_field.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

const std::string& Header() {
  static const std::string header = Bytes("5047434f50590aff0d0a00 00000000 00000000");
  return header;
}

// COPY (SELECT 7::int4, 'a'::text, NULL::bool UNION ALL SELECT -1, '', true) TO … (FORMAT binary)
const std::string& Rows() {
  static const std::string rows = Bytes(
      "0003 00000004 00000007 00000001 61 ffffffff"
      "0003 00000004 ffffffff 00000000    00000001 01"
      "ffff");
  return rows;
}

CopyDecoder NewDecoder(const BadRowRules& rules = {.key = {0}}) {
  return CopyDecoder(Schema{{{"id", {TypeKind::kInteger}, true},
                             {"name", {TypeKind::kString}, true},
                             {"flag", {TypeKind::kBoolean}, true}}},
                     {WireShape::kInt4, WireShape::kText, WireShape::kBool}, rules);
}

std::vector<Hash128> HashesOf(CopyDecoder& decoder) {
  auto hasher = *RowHasher::Create(Schema{{{"id", {TypeKind::kInteger}, true},
                                           {"name", {TypeKind::kString}, true},
                                           {"flag", {TypeKind::kBoolean}, true}}},
                                   HashAlgorithm::kXxh3);
  std::vector<Hash128> hashes;
  EXPECT_TRUE(hasher->Hash(**decoder.batch().Finish(), hashes).ok());
  return hashes;
}

TEST(CopyDecoder, AStreamCutAnywhereGivesTheSameRows) {
  const std::string stream = Header() + Rows();
  CopyDecoder whole = NewDecoder();
  ASSERT_TRUE(whole.Feed(stream).ok());
  EXPECT_TRUE(whole.finished());
  ASSERT_EQ(whole.batch().rows(), 2);
  const std::vector<Hash128> expected = HashesOf(whole);
  for (size_t first = 0; first < stream.size(); ++first) {
    for (size_t second = first; second < stream.size(); second += 7) {
      CopyDecoder decoder = NewDecoder();
      const absl::string_view bytes(stream);
      ASSERT_TRUE(decoder.Feed(bytes.substr(0, first)).ok());
      ASSERT_TRUE(decoder.Feed(bytes.substr(first, second - first)).ok());
      EXPECT_FALSE(decoder.finished());
      ASSERT_TRUE(decoder.Feed(bytes.substr(second)).ok());
      EXPECT_TRUE(decoder.finished());
      EXPECT_EQ(HashesOf(decoder), expected) << first << " " << second;
    }
  }
}

TEST(CopyDecoder, CorruptedStreamsAreDataLoss) {
  const std::string bad[] = {
      Bytes("5047434f50590aff0d0a01 00000000 00000000"),           // Signature.
      Bytes("5047434f50590aff0d0a00 00010000 00000000"),           // A critical flag.
      Bytes("5047434f50590aff0d0a00 00000000 ffffffff"),           // Extension length.
      Header() + Bytes("0002 00000004 00000007"),                  // Field count.
      Header() + Bytes("0003 fffffffe"),                           // Field length.
      Header() + Bytes("0003 00000003 000007 ffffffff ffffffff"),  // Width of an int4.
      Header() + Bytes("0003 ffffffff ffffffff 00000001 02"),      // A bool of 2.
      Header() + Rows() + "x",                                     // Beyond the trailer.
  };
  for (const std::string& stream : bad) {
    CopyDecoder decoder = NewDecoder();
    EXPECT_EQ(decoder.Feed(stream).code(), absl::StatusCode::kDataLoss)
        << absl::BytesToHexString(stream);
  }
}

TEST(CopyDecoder, AValueThatDoesNotFitNamesColumnAndKey) {
  CopyDecoder decoder = NewDecoder();
  const absl::Status status =
      decoder.Feed(Header() + Bytes("0003 00000004 00000011 00000001 ff ffffffff"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("column 'name'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("id=17"));
}

BadRowRules SettingAside() {
  return {.set_aside = true, .key = {0}, .cursor = 0, .cursor_type = CursorType::kInteger};
}

TEST(CopyDecoder, ARowThatDoesNotFitIsSetAsideWholeAndItsNeighboursStay) {
  CopyDecoder decoder = NewDecoder(SettingAside());
  const std::string stream = Header() + Bytes(
                                            "0003 00000004 00000007 00000001 61 00000001 01"
                                            "0003 00000004 00000008 00000002 61ff 00000001 00"
                                            "0003 ffffffff          00000001 ff ffffffff"
                                            "0003 00000004 00000009 ffffffff ffffffff"
                                            "ffff");
  for (const char byte : stream) ASSERT_TRUE(decoder.Feed(absl::string_view(&byte, 1)).ok());
  EXPECT_EQ(decoder.batch().rows(), 2);
  const auto batch = decoder.batch().Finish();
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ((*batch)->bad_rows().size(), 2u);
  const BadRow& bad = (*batch)->bad_rows()[0];
  EXPECT_EQ(bad.column, "name");
  EXPECT_EQ(bad.value, "x'61ff'");
  EXPECT_EQ(bad.reason, "expected a string in UTF-8");
  EXPECT_EQ(bad.key, R"({"id":"8"})");
  EXPECT_EQ(bad.row, R"({"id":"8","name":{"hex":"61ff"},"flag":"false"})");
  EXPECT_EQ(bad.cursor, 8);
  EXPECT_EQ((*batch)->bad_rows()[1].cursor, std::nullopt);
  EXPECT_TRUE(decoder.batch().empty());
}

TEST(CopyDecoder, BytesThatAreNoRowAreAnErrorAlsoInARowThatDoesNotFit) {
  CopyDecoder decoder = NewDecoder(SettingAside());
  const absl::Status status =
      decoder.Feed(Header() + Bytes("0003 00000004 00000008 00000001 ff 00000001 07"));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

TEST(CopyDecoder, ACursorThatDoesNotFitHasNoPlaceAndIsAnError) {
  BadRowRules rules = SettingAside();
  rules.cursor = 1;
  CopyDecoder decoder = NewDecoder(rules);
  const absl::Status status =
      decoder.Feed(Header() + Bytes("0003 00000004 00000008 00000001 ff 00000001 01"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
}

// NUMERIC's wire form of plain decimal notation, as the server writes it: no groups of zeros at
// either end.
std::string NumericField(const std::string& text) {
  const bool negative = text[0] == '-';
  const size_t first = negative ? 1 : 0;
  const size_t point = std::min(text.find('.'), text.size());
  std::string whole = text.substr(first, point - first);
  std::string fraction = point < text.size() ? text.substr(point + 1) : "";
  whole.insert(0, (4 - whole.size() % 4) % 4, '0');
  fraction.append((4 - fraction.size() % 4) % 4, '0');
  std::vector<int> groups;
  const std::string digits = whole + fraction;
  for (size_t i = 0; i < digits.size(); i += 4) groups.push_back(std::stoi(digits.substr(i, 4)));
  int weight = static_cast<int>(whole.size() / 4) - 1;
  while (!groups.empty() && groups.back() == 0) groups.pop_back();
  while (!groups.empty() && groups.front() == 0) {
    groups.erase(groups.begin());
    --weight;
  }
  std::string field;
  for (const int value : {static_cast<int>(groups.size()), groups.empty() ? 0 : weight,
                          negative && !groups.empty() ? 0x4000 : 0, 0}) {
    field += {static_cast<char>(value >> 8), static_cast<char>(value)};
  }
  for (const int value : groups) field += {static_cast<char>(value >> 8), static_cast<char>(value)};
  return field;
}

TEST(CopyField, NumericIsWhatItsTextIs) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  const auto digits = [&](size_t most) {
    std::string text;
    for (size_t i = random() % (most + 1); i > 0; --i) {
      text += static_cast<char>('0' + (random() % 3 == 0 ? 0 : random() % 10));
    }
    return text;
  };
  for (int i = 0; i < 100'000; ++i) {
    const size_t most = i % 2 == 0 ? 9 : 22;  // Around the longest that 64 bits hold, and above.
    const std::string text =
        absl::StrCat(random() % 2 == 0 ? "-" : "", "0", digits(most), ".", digits(most));
    const int precision = 1 + static_cast<int>(random() % 38);
    const int scale = static_cast<int>(random() % (precision + 1));
    const std::optional<__int128> expected = ParseDecimal(text, precision, scale);
    __int128 found = 0;
    const FieldResult result = NumericFrom(NumericField(text), precision, scale, found);
    ASSERT_EQ(result, expected.has_value() ? FieldResult::kAppended : FieldResult::kUnfit)
        << text << " as (" << precision << ", " << scale << ")";
    if (expected.has_value()) {
      ASSERT_TRUE(found == *expected) << text << " as (" << precision << ", " << scale << ")";
    }
  }
}

}  // namespace
}  // namespace headwater
