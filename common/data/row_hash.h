// The row hash: 128 bits that an algorithm makes of the canonical bytes of a row (docs/row-hash.md
// has the specification). Computed from Arrow batches, so equal rows hash equal whatever source or
// file they came from.
#ifndef HEADWATER_COMMON_DATA_ROW_HASH_H_
#define HEADWATER_COMMON_DATA_ROW_HASH_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/fingerprint.h"
#include "common/data/hash_algorithm.h"
#include "common/data/row_batch.h"
#include "common/data/schema.h"

namespace headwater {

// Confined to one thread (it keeps scratch memory between calls).
class RowHasher {
 public:
  // Hashes every column of `schema`. UNIMPLEMENTED: a type without a canonical form, or this
  // machine's OpenSSL does not have the algorithm, as MD5 where only FIPS's are allowed.
  static absl::StatusOr<std::unique_ptr<RowHasher>> Create(const Schema& schema,
                                                           HashAlgorithm algorithm);
  virtual ~RowHasher() = default;

  // Appends one hash per row of `batch`. Requires: the batch has the schema's columns.
  virtual absl::Status Hash(const RowBatch& batch, std::vector<Hash128>& hashes) = 0;

  // The same algorithm's hash of bytes that are no row of the schema.
  virtual absl::StatusOr<Hash128> HashText(absl::string_view text) = 0;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_ROW_HASH_H_
