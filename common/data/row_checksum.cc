#include "common/data/row_checksum.h"

#include <arrow/record_batch.h>

#include <array>
#include <string>
#include <utility>

#include "common/base/check.h"
#include "common/base/status.h"
#include "common/data/column_view_arrow.h"
#include "common/data/field_text_arrow.h"

namespace headwater {
namespace {

constexpr size_t kMd5Bytes = 16;

class Md5RowChecksummer final : public RowChecksummer {
 public:
  Md5RowChecksummer(const Schema& schema, RowTextHasher hasher)
      : views_(schema), hasher_(std::move(hasher)) {}

  absl::Status Add(const RowBatch& batch, RowChecksum& checksum) override {
    RowChecksum added{.rows = batch.rows()};
    RETURN_IF_ERROR(HashRows(batch, [&](int64_t, uint64_t hash) { added.sum += hash; }));
    checksum.Add(added);
    return absl::OkStatus();
  }

  absl::Status AddByPart(const RowBatch& batch, const std::vector<int>& parts,
                         std::vector<RowChecksum>& checksums) override {
    HW_CHECK(parts.size() == static_cast<size_t>(batch.rows()));
    std::vector<RowChecksum> added(checksums.size());
    RETURN_IF_ERROR(HashRows(batch, [&](int64_t row, uint64_t hash) {
      added[static_cast<size_t>(parts[static_cast<size_t>(row)])].Add({.rows = 1, .sum = hash});
    }));
    for (size_t i = 0; i < checksums.size(); ++i) checksums[i].Add(added[i]);
    return absl::OkStatus();
  }

 private:
  template <typename Take>
  absl::Status HashRows(const RowBatch& batch, Take take) {
    const arrow::RecordBatch& rows = *batch.arrow();
    RETURN_IF_ERROR(views_.Take(rows, "row checksum"));
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      const size_t size = PutRow(row);
      ASSIGN_OR_RETURN(const uint64_t hash, hasher_.Hash({text_.data(), size}));
      take(row, hash);
    }
    return absl::OkStatus();
  }

  // The row's text is at the beginning of `text_`; returns its bytes.
  size_t PutRow(int64_t row) {
    int64_t most = 0;
    for (const ColumnView& column : views_.all()) most += MaxTextOf(column, row) + 1;
    if (text_.size() < static_cast<size_t>(most)) text_.resize(static_cast<size_t>(most));
    char* out = text_.data();
    for (const ColumnView& column : views_.all()) {
      if (column.IsNull(row)) {
        *out++ = '~';
      } else {
        out = PutField(column, row, out);
      }
      *out++ = ',';
    }
    return static_cast<size_t>(out - text_.data());
  }

  ColumnViews views_;
  RowTextHasher hasher_;
  std::string text_;  // As long as the longest row's may be.
};

}  // namespace

absl::StatusOr<RowTextHasher> RowTextHasher::Create() {
  ASSIGN_OR_RETURN(OpensslDigest md5, OpensslDigest::Create("MD5", "row checksum"));
  return RowTextHasher(std::move(md5));
}

absl::StatusOr<uint64_t> RowTextHasher::Hash(absl::string_view text) {
  std::array<unsigned char, kMd5Bytes> hash;
  RETURN_IF_ERROR(md5_.Make(text.data(), text.size(), hash.data()));
  uint64_t first = 0;
  for (size_t i = 0; i < sizeof(first); ++i) first = first << 8 | hash[i];
  return first;
}

absl::StatusOr<std::unique_ptr<RowChecksummer>> RowChecksummer::Create(const Schema& schema) {
  ASSIGN_OR_RETURN(RowTextHasher hasher, RowTextHasher::Create());
  return std::make_unique<Md5RowChecksummer>(schema, std::move(hasher));
}

}  // namespace headwater
