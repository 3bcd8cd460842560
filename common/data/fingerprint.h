// Row count and order-free 128-bit sum of row hashes: equal rows in any order have equal
// fingerprints.
#ifndef HEADWATER_COMMON_DATA_FINGERPRINT_H_
#define HEADWATER_COMMON_DATA_FINGERPRINT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace headwater {

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
};

struct Fingerprint {
  int64_t rows = 0;
  Hash128 sum;  // Modulo 2^128.

  void Add(const Hash128& row) {
    ++rows;
    AddSum(row);
  }
  void Add(const Fingerprint& other) {
    rows += other.rows;
    AddSum(other.sum);
  }
  // That of the rows without those of `part`.
  void Subtract(const Fingerprint& part) {
    rows -= part.rows;
    sum.high -= part.sum.high + (sum.low < part.sum.low ? 1 : 0);
    sum.low -= part.sum.low;
  }
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;

 private:
  void AddSum(const Hash128& value) {
    sum.low += value.low;
    sum.high += value.high + (sum.low < value.low ? 1 : 0);
  }
};

// 32 lower-case hex digits, high half first.
std::string HexOf(const Hash128& hash);

// XXH3-128 of `bytes` in hex: names them, here and on every machine.
std::string DigestOf(absl::string_view bytes);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_FINGERPRINT_H_
