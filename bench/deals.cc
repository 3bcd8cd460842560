#include "bench/deals.h"

#include <array>
#include <bit>
#include <numeric>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/check.h"

namespace headwater {
namespace {

constexpr int64_t kFirstMicros = int64_t{9'497} * 86'400 * 1'000'000;  // 2026, since 2000.
constexpr int64_t kStepMicros = 500'000;
constexpr int kNumericBase = 10'000;

struct Declared {
  Column column;
  WireShape shape;
};

const std::array<Declared, kDealsColumns>& DeclaredColumns() {
  static const std::array<Declared, kDealsColumns> declared = {{
      {{"deal_id", {TypeKind::kLong}, false}, WireShape::kInt8},
      {{"login", {TypeKind::kLong}, true}, WireShape::kInt8},
      {{"symbol", {TypeKind::kString}, true}, WireShape::kText},
      {{"price", {TypeKind::kDecimal, 18, 6}, true}, WireShape::kNumeric},
      {{"volume", {TypeKind::kDouble}, true}, WireShape::kFloat8},
      {{"profit", {TypeKind::kDecimal, 18, 2}, true}, WireShape::kNumeric},
      {{"comment", {TypeKind::kString}, true}, WireShape::kText},
      {{"entry", {TypeKind::kInteger}, true}, WireShape::kInt4},
      {{"timemsc", {TypeKind::kTimestampNtz}, true}, WireShape::kTimestamp},
      {{"last_modified", {TypeKind::kTimestampNtz}, true}, WireShape::kTimestamp},
  }};
  return declared;
}

// Big-endian, as all of COPY is.
template <typename Int>
void Put(std::string& out, Int value) {
  for (int shift = 8 * (static_cast<int>(sizeof(Int)) - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> shift));
  }
}

template <typename Int>
void PutField(std::string& out, Int value) {
  Put(out, static_cast<int32_t>(sizeof(Int)));
  Put(out, value);
}

void PutText(std::string& out, absl::string_view text) {
  Put(out, static_cast<int32_t>(text.size()));
  out.append(text.data(), text.size());
}

// A numeric of one whole group of four digits, and `groups` behind the point.
void PutNumeric(std::string& out, int64_t unscaled, int scale, int groups) {
  int64_t rest = unscaled < 0 ? -unscaled : unscaled;
  for (int digit = scale; digit < 4 * groups; ++digit) rest *= 10;
  std::vector<int16_t> digits;
  for (int group = 0; group <= groups; ++group, rest /= kNumericBase) {
    digits.insert(digits.begin(), static_cast<int16_t>(rest % kNumericBase));
  }
  int16_t weight = 0;
  while (!digits.empty() && digits.back() == 0) digits.pop_back();
  while (!digits.empty() && digits.front() == 0) digits.erase(digits.begin()), --weight;
  Put(out, static_cast<int32_t>(8 + 2 * digits.size()));
  Put(out, static_cast<int16_t>(digits.size()));
  Put(out, static_cast<int16_t>(digits.empty() ? 0 : weight));
  Put(out, static_cast<uint16_t>(unscaled < 0 ? 0x4000 : 0));
  Put(out, static_cast<int16_t>(scale));
  for (const int16_t digit : digits) Put(out, digit);
}

void PutColumn(std::string& out, int column, int64_t row, std::mt19937_64& random) {
  constexpr std::array<absl::string_view, 4> kSymbols = {"EURUSD", "GBPUSD", "USDJPY", "XAUUSD"};
  switch (column) {
    case kDealId:
      return PutField(out, row + 1);
    case kLogin:
      return PutField(out, static_cast<int64_t>(random() % 100'000));
    case kSymbol:
      return PutText(out, kSymbols[static_cast<size_t>(row) % 4]);
    case kPrice:
      return PutNumeric(out, static_cast<int64_t>(random() % 2'000'000), 6, 2);
    case kVolume:
      return PutField(out, std::bit_cast<int64_t>(static_cast<double>(random() >> 11) / 9e13));
    case kProfit:
      return PutNumeric(out, static_cast<int64_t>(random() % 100'000) - 50'000, 2, 1);
    case kComment:
      return PutText(out, absl::StrFormat("order #%d %016x%016x", row + 1, random(), random()));
    case kEntry:
      return PutField(out, static_cast<int32_t>(row % 4));
    default:
      return PutField(out, kFirstMicros + row * kStepMicros);
  }
}

}  // namespace

std::vector<int> AllDealsColumns() {
  std::vector<int> all(kDealsColumns);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

Schema DealsSchema(const std::vector<int>& columns) {
  Schema schema;
  for (const int column : columns) {
    schema.columns.push_back(DeclaredColumns()[static_cast<size_t>(column)].column);
  }
  return schema;
}

CopyDecoder DealsDecoder(const std::vector<int>& columns) {
  std::vector<WireShape> shapes;
  for (const int column : columns) {
    shapes.push_back(DeclaredColumns()[static_cast<size_t>(column)].shape);
  }
  return CopyDecoder(DealsSchema(columns), shapes, BadRowRules{.key = {0}});
}

std::vector<std::string> DealsCopy(int64_t rows, const std::vector<int>& columns) {
  std::mt19937_64 random(1);
  std::vector<std::string> pieces;
  std::string piece("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19);
  for (int64_t row = 0; row < rows; ++row) {
    Put(piece, static_cast<int16_t>(columns.size()));
    for (const int column : columns) PutColumn(piece, column, row, random);
    pieces.push_back(std::exchange(piece, {}));
  }
  pieces.emplace_back("\xff\xff");
  return pieces;
}

std::unique_ptr<RowBatch> DealsBatch(int64_t rows, const std::vector<int>& columns) {
  CopyDecoder decoder = DealsDecoder(columns);
  for (const std::string& piece : DealsCopy(rows, columns)) HW_CHECK(decoder.Feed(piece).ok());
  HW_CHECK(decoder.finished());
  auto batch = decoder.batch().Finish();
  HW_CHECK(batch.ok());
  return *std::move(batch);
}

}  // namespace headwater
