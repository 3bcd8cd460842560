// What makes a row's hash of its canonical bytes (docs/row-hash.md).
#ifndef HEADWATER_COMMON_DATA_HASH_ALGORITHM_H_
#define HEADWATER_COMMON_DATA_HASH_ALGORITHM_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/data/schema.h"

namespace headwater {

// Each gives 128 bits: of SHA-256 these are the first.
enum class HashAlgorithm { kXxh3, kMd5, kSha256 };
inline constexpr HashAlgorithm kHashAlgorithms[] = {HashAlgorithm::kXxh3, HashAlgorithm::kMd5,
                                                    HashAlgorithm::kSha256};

std::string NameOf(HashAlgorithm algorithm);  // xxh3, md5, sha256
std::optional<HashAlgorithm> HashAlgorithmNamed(absl::string_view name);

// Digest (hex) of column names, types, order, the algorithm and the hash specification's own
// version: two fingerprints, or two row hashes, may be compared only when it is equal.
std::string SpecVersionOf(const Schema& schema, HashAlgorithm algorithm);

// The algorithm with which `spec_version` is that of `schema`. None: it is of other columns.
std::optional<HashAlgorithm> AlgorithmOf(const Schema& schema, absl::string_view spec_version);

// The same of the columns alone: of what is made of rows without being a row hash. It is the spec
// version with the algorithm that needs no mention, so those in old ledgers stand.
std::string ColumnsVersionOf(const Schema& schema);

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_HASH_ALGORITHM_H_
