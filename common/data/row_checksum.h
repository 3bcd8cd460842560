// The checksum that a source makes of its rows, made of rows that were read: MD5 of each row's
// text, its first 8 bytes, summed. docs/source-checksum.md says exactly what is summed, and
// worker/source/checksum_query.h where a server's sum is the same as this one.
#ifndef HEADWATER_COMMON_DATA_ROW_CHECKSUM_H_
#define HEADWATER_COMMON_DATA_ROW_CHECKSUM_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/openssl_digest.h"
#include "common/data/row_batch.h"
#include "common/data/schema.h"

namespace headwater {

// Of no rows: 0 and 0. Independent of the rows' order; how often a row occurs counts.
struct RowChecksum {
  int64_t rows = 0;
  uint64_t sum = 0;  // Of the first 64 bits of each row's MD5, modulo 2^64.

  // That of the rows of both.
  void Add(const RowChecksum& other) {
    rows += other.rows;
    sum += other.sum;
  }
  friend bool operator==(const RowChecksum&, const RowChecksum&) = default;
};

// The hash of a row's text: the first 8 bytes of its MD5. Confined to one thread.
class RowTextHasher {
 public:
  // UNIMPLEMENTED: this machine's OpenSSL has no MD5, as where only FIPS's algorithms are allowed.
  static absl::StatusOr<RowTextHasher> Create();

  // INTERNAL: OpenSSL made none.
  absl::StatusOr<uint64_t> Hash(absl::string_view text);

 private:
  explicit RowTextHasher(OpensslDigest md5) : md5_(std::move(md5)) {}

  OpensslDigest md5_;
};

// Confined to one thread (it keeps scratch memory between calls).
class RowChecksummer {
 public:
  // Sums every column of `schema`, in its order. Errors: of RowTextHasher::Create().
  static absl::StatusOr<std::unique_ptr<RowChecksummer>> Create(const Schema& schema);
  virtual ~RowChecksummer() = default;

  // Adds the rows of `batch.arrow()` to `checksum`; bad rows are not among them. INVALID_ARGUMENT:
  // the batch has other columns than the schema. After an error `checksum` is as before.
  virtual absl::Status Add(const RowBatch& batch, RowChecksum& checksum) = 0;

  // The same of several checksums: row i counts for `checksums[parts[i]]` (key_parts.h). Requires:
  // a part per row, and a checksum per part.
  virtual absl::Status AddByPart(const RowBatch& batch, const std::vector<int>& parts,
                                 std::vector<RowChecksum>& checksums) = 0;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_ROW_CHECKSUM_H_
