// The columns of a keyed table that decide: what rows are looked up by, and what is compared.
#ifndef HEADWATER_WORKER_CHANGE_KEYED_COLUMNS_H_
#define HEADWATER_WORKER_CHANGE_KEYED_COLUMNS_H_

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/fingerprint.h"
#include "common/data/partition_path.h"
#include "common/data/row_conformer.h"
#include "common/data/row_hash.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"

namespace headwater {

// For maps by the hash of a key, which is spread evenly already.
struct KeyHashOfHash {
  size_t operator()(const Hash128& key) const { return key.low; }
};

// The key's columns among those of `source`, in the order of the key. INVALID_ARGUMENT: one is not
// there, or holds floating point, which equals nothing reliably.
absl::StatusOr<Schema> KeySchema(const DatasetSpec& dataset, const Schema& source);

// The columns that are compared: those that the dataset names, else all but those that it excepts;
// of versions also without the key and the cursor, unless they are named. INVALID_ARGUMENT: none,
// or one that is not there.
absl::StatusOr<Schema> ComparedSchema(const DatasetSpec& dataset, const Schema& source);

// Hashes some columns of rows. Confined to one thread.
class ColumnsHasher {
 public:
  // `columns` of rows that have `rows`; a column that they lack counts as NULL. UNIMPLEMENTED: as
  // RowHasher::Create().
  static absl::StatusOr<std::unique_ptr<ColumnsHasher>> Create(const Schema& rows,
                                                               const Schema& columns,
                                                               HashAlgorithm algorithm);

  // One hash per row.
  absl::Status Hash(const arrow::RecordBatch& rows, std::vector<Hash128>& hashes);

 private:
  ColumnsHasher(const Schema& rows, const Schema& columns, std::unique_ptr<RowHasher> hasher)
      : conformer_(rows, columns), hasher_(std::move(hasher)) {}

  const RowConformer conformer_;
  const std::unique_ptr<RowHasher> hasher_;
};

// The partition that all files of a keyed dataset are in.
PartitionValues KeyedPartition(const DatasetSpec& dataset);

// `carrier = '9E', day = 2013-01-31`: the key of one row, for messages.
std::string KeyText(const DatasetSpec& dataset, const arrow::RecordBatch& rows, int64_t row);

// A column of integers, dates or times as cursors have them; none: NULL. Requires: such a column.
std::vector<std::optional<int64_t>> InstantsOf(const arrow::Array& column);
// The inverse.
absl::StatusOr<std::shared_ptr<arrow::Array>> InstantColumn(
    const std::shared_ptr<arrow::DataType>& type,
    const std::vector<std::optional<int64_t>>& values);
bool IsInstant(TypeKind kind);  // Whether the two take it.

// The column `row_hash` of rows with these hashes.
absl::StatusOr<std::shared_ptr<arrow::Array>> HashColumn(const std::vector<Hash128>& hashes);

// A hash as the column `row_hash` has it: 16 bytes, high half first. And back; none: it is none.
std::string BytesOf(const Hash128& hash);
std::optional<Hash128> HashOfBytes(absl::string_view bytes);

}  // namespace headwater

#endif  // HEADWATER_WORKER_CHANGE_KEYED_COLUMNS_H_
