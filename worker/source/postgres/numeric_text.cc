#include "worker/source/postgres/numeric_text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "worker/source/postgres/copy_field.h"

namespace headwater {
namespace {

constexpr size_t kHeaderBytes = 8;
constexpr int kDigitBase = 10'000;
constexpr int kDigitPlaces = 4;
constexpr int kMaxDisplayScale = 0x3FFF;  // Two bits of the sixteen are not part of it.

struct Numeric {
  absl::string_view digits;
  int weight;

  // The digit that counts 10000^exponent; 0 where none is stored.
  int At(int exponent) const {
    const int i = weight - exponent;
    const bool stored = i >= 0 && static_cast<size_t>(i) < digits.size() / 2;
    return stored ? BigEndian16(digits.data() + 2 * i) : 0;
  }
};

void AppendPlaces(std::string& text, int digit) {
  for (int unit = kDigitBase / 10; unit > 0; unit /= 10) {
    text.push_back(static_cast<char>('0' + digit / unit % 10));
  }
}

}  // namespace

std::optional<std::string> NumericText(absl::string_view field) {
  if (field.size() < kHeaderBytes) return std::nullopt;
  const int count = BigEndian16(field.data());
  const auto sign = static_cast<uint16_t>(BigEndian16(field.data() + 4));
  const int scale = BigEndian16(field.data() + 6);
  if (count < 0 || scale < 0 || scale > kMaxDisplayScale ||
      field.size() != kHeaderBytes + 2 * static_cast<size_t>(count)) {
    return std::nullopt;
  }
  if (sign == 0xC000) return "NaN";
  if (sign == 0xD000) return "Infinity";
  if (sign == 0xF000) return "-Infinity";
  if (sign != 0 && sign != 0x4000) return std::nullopt;

  const Numeric number{field.substr(kHeaderBytes), BigEndian16(field.data() + 2)};
  for (int i = 0; i < count; ++i) {
    const int digit = number.At(number.weight - i);
    if (digit < 0 || digit >= kDigitBase) return std::nullopt;
  }
  std::string text;
  for (int exponent = number.weight; exponent >= 0; --exponent) {
    AppendPlaces(text, number.At(exponent));
  }
  text.erase(0, std::min(text.find_first_not_of('0'), text.size()));
  if (text.empty()) text.push_back('0');
  int exponent = -1;
  if (scale > 0) {
    text.push_back('.');
    const size_t end = text.size() + static_cast<size_t>(scale);
    for (int place = 0; place < scale; place += kDigitPlaces, --exponent) {
      AppendPlaces(text, number.At(exponent));
    }
    if (text.find_first_not_of('0', end) != std::string::npos) return std::nullopt;
    text.resize(end);
  }
  // The server stores no digit that it would not show.
  for (; exponent > number.weight - count; --exponent) {
    if (number.At(exponent) != 0) return std::nullopt;
  }
  return sign == 0x4000 ? absl::StrCat("-", text) : text;
}

}  // namespace headwater
