// The row hash: XXH3-128 over the canonical bytes of a row (docs/row-hash.md has the
// specification). Computed from Arrow batches, so equal rows hash equal whatever source or file
// they came from.
#ifndef HEADWATER_COMMON_DATA_ROW_HASH_H_
#define HEADWATER_COMMON_DATA_ROW_HASH_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/fingerprint.h"
#include "common/data/row_batch.h"
#include "common/data/schema.h"

namespace headwater {

// Digest (hex) of column names, types, order and the hash specification's own version: two
// fingerprints may be compared only when it is equal.
std::string SpecVersionOf(const Schema& schema);

// Confined to one thread (it keeps scratch memory between calls).
class RowHasher {
 public:
  // Hashes every column of `schema`. UNIMPLEMENTED: a type without a canonical form.
  static absl::StatusOr<std::unique_ptr<RowHasher>> Create(const Schema& schema);
  virtual ~RowHasher() = default;

  // Appends one hash per row of `batch`. Requires: the batch has the schema's columns.
  virtual absl::Status Hash(const RowBatch& batch, std::vector<Hash128>& hashes) = 0;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_ROW_HASH_H_
