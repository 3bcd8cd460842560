#include "worker/source/odbc/json_row.h"

#include <cstdint>
#include <cstring>

#include "absl/strings/match.h"

namespace headwater {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Whether only a real's text has this: a point, an exponent, `Inf` or `NaN`.
bool IsOfReal(char c) { return c == '.' || c == 'e' || c == 'E' || c == 'I' || c == 'N'; }

// The quote that ends the text at `at`, or null.
const char* EndOfText(const char* at, const char* end) {
  const void* found = std::memchr(at, '"', static_cast<size_t>(end - at));
  if (found == nullptr) return nullptr;
  const char* quote = static_cast<const char*>(found);
  if (std::memchr(at, '\\', static_cast<size_t>(quote - at)) == nullptr) return quote;
  for (; at < end && *at != '"'; ++at) {
    if (*at == '\\') ++at;
  }
  return at < end ? at : nullptr;
}

// SQLite escapes only control characters, so code points stay below U+0080; anything else would
// have to be decoded and is refused.
bool Unescape(absl::string_view text, std::string& result) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result.push_back(text[i]);
      continue;
    }
    if (++i == text.size()) return false;
    constexpr absl::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (const size_t at = kFrom.find(text[i]); at != absl::string_view::npos) {
      result.push_back(kTo[at]);
      continue;
    }
    if (text[i] != 'u' || i + 4 >= text.size()) return false;
    int code = 0;
    for (int digit = 0; digit < 4; ++digit) {
      const int value = HexDigit(text[++i]);
      if (value < 0) return false;
      code = code * 16 + value;
    }
    if (code >= 0x80) return false;
    result.push_back(static_cast<char>(code));
  }
  return true;
}

}  // namespace

bool JsonRow::Append(absl::string_view json, std::vector<JsonValue>& values) {
  if (json.size() < 2 || json.front() != '[' || json.back() != ']') return false;
  const char* at = json.data() + 1;
  const char* end = json.data() + json.size() - 1;
  if (at == end) return true;
  while (true) {
    JsonValue value;
    if (at < end && *at == '"') {
      const char* begin = ++at;
      at = EndOfText(begin, end);
      if (at == nullptr) return false;
      value.kind = JsonValue::Kind::kText;
      value.text = absl::string_view(begin, static_cast<size_t>(at - begin));
      ++at;
      if (std::memchr(begin, '\\', value.text.size()) != nullptr) {
        if (!Unescape(value.text, unescaped_.emplace_back())) return false;
        value.text = unescaped_.back();
      }
    } else {
      bool real = false;
      const char* stop = at;
      for (; stop < end && *stop != ','; ++stop) real = real || IsOfReal(*stop);
      value.text = absl::string_view(at, static_cast<size_t>(stop - at));
      if (value.text.empty()) return false;
      if (value.text != "null") {
        value.kind = real ? JsonValue::Kind::kReal : JsonValue::Kind::kInteger;
      }
      at = stop;
    }
    values.push_back(value);
    if (at == end) return true;
    if (*at++ != ',') return false;
  }
}

}  // namespace headwater
