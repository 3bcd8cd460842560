#include "worker/source/mariadb/row_decoder.h"

#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

constexpr size_t kNullBitsBefore = 2;  // Of the row's bits, which no column uses.
constexpr unsigned kLongestShort = 0xFA;

FieldRules RulesOf(const Schema& schema, const std::vector<RowShape>& shapes) {
  FieldRules rules;
  rules.protocol = "MariaDB";
  for (size_t i = 0; i < shapes.size(); ++i) {
    rules.appenders.push_back(AppenderOf(shapes[i], schema.columns[i].type));
  }
  rules.value = [shapes](size_t i, absl::string_view field) {
    return RowFieldValue(shapes[i], field);
  };
  rules.text = [shapes](size_t i, absl::string_view field) {
    return RowFieldText(shapes[i], field);
  };
  return rules;
}

// How many bytes tell a length that begins with `first`; 0: none begins so.
size_t LengthBytes(unsigned first) {
  return first == 0xFC ? 2 : first == 0xFD ? 3 : first == 0xFE ? 8 : 0;
}

}  // namespace

RowDecoder::RowDecoder(const Schema& schema, std::vector<RowShape> shapes, BadRowRules rules)
    : rows_(schema, RulesOf(schema, shapes), std::move(rules)) {
  for (const RowShape shape : shapes) widths_.push_back(WidthOf(shape));
}

const char* RowDecoder::TakeField(size_t i, const char* at, const char* end) {
  uint64_t size = widths_[i];
  if (size == 0) {
    if (at == end) return nullptr;
    const unsigned first = static_cast<unsigned char>(*at++);
    size = first;
    if (ABSL_PREDICT_FALSE(first > kLongestShort)) {
      const size_t bytes = LengthBytes(first);
      if (bytes == 0 || static_cast<size_t>(end - at) < bytes) return nullptr;
      size = 0;
      std::memcpy(&size, at, bytes);
      at += bytes;
    }
  }
  if (static_cast<uint64_t>(end - at) < size) return nullptr;
  rows_.fields()[i] = absl::string_view(at, size);
  return at + size;
}

absl::StatusOr<size_t> RowDecoder::Take(absl::string_view bytes) {
  const size_t count = widths_.size();
  const size_t header = 1 + (count + kNullBitsBefore + 7) / 8;
  if (bytes.size() < header || bytes[0] != 0) {
    return absl::DataLossError(absl::StrCat("MariaDB: row ", rows_.rows() + 1,
                                            " does not begin as a row of ", count, " columns"));
  }
  const char* nulls = bytes.data() + 1;
  const char* at = bytes.data() + header;
  const char* const end = bytes.data() + bytes.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t bit = i + kNullBitsBefore;
    if ((static_cast<unsigned char>(nulls[bit / 8]) >> (bit % 8) & 1U) != 0) {
      rows_.fields()[i] = absl::string_view();
      continue;
    }
    at = TakeField(i, at, end);
    if (ABSL_PREDICT_FALSE(at == nullptr)) {
      return absl::DataLossError(absl::StrCat("MariaDB: row ", rows_.rows() + 1,
                                              " ends in column '", rows_.schema().columns[i].name,
                                              "'"));
    }
  }
  return static_cast<size_t>(at - bytes.data());
}

}  // namespace headwater
