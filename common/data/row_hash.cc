#include "common/data/row_hash.h"

#include <arrow/record_batch.h>

// Compiled in: rows are short, and a call for each costs as much as its hash.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/column_view_arrow.h"
#include "common/data/openssl_digest.h"

namespace headwater {
namespace {

static_assert(std::endian::native == std::endian::little, "canonical bytes are little-endian");

// Tags of docs/row-hash.md. Never renumbered: they are in every fingerprint ever stored.
enum Tag : uint8_t {
  kBooleanTag = 1,
  kIntegerTag = 2,
  kDoubleTag = 3,
  kDecimalTag = 4,
  kStringTag = 5,
  kBinaryTag = 6,
  kDateTag = 7,
  kInstantTag = 8,
  kWallClockTag = 9,
};

constexpr int64_t kRowsPerBlock = 256;  // Their bytes stay in the second-level cache.
constexpr int64_t kHeaderBytes = 2;     // Tag and NULL flag.

uint8_t TagOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
      return kBooleanTag;
    case TypeKind::kByte:
    case TypeKind::kShort:
    case TypeKind::kInteger:
    case TypeKind::kLong:
      return kIntegerTag;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return kDoubleTag;
    case TypeKind::kDecimal:
      return kDecimalTag;
    case TypeKind::kString:
      return kStringTag;
    case TypeKind::kBinary:
      return kBinaryTag;
    case TypeKind::kDate:
      return kDateTag;
    case TypeKind::kTimestamp:
      return kInstantTag;
    case TypeKind::kTimestampNtz:
      return kWallClockTag;
  }
  return 0;
}

// Bytes of one value after the header; for variable types those of the length alone.
int64_t FixedBytes(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
      return 1;
    case TypeKind::kDecimal:
      return kDecimalBytes + 1;
    case TypeKind::kString:
    case TypeKind::kBinary:
      return sizeof(uint32_t);
    default:
      return sizeof(int64_t);
  }
}

template <typename T>
uint8_t* Append(uint8_t* out, T value) {
  std::memcpy(out, &value, sizeof(value));
  return out + sizeof(value);
}

uint64_t CanonicalBits(double value) {
  if (std::isnan(value)) return 0x7ff8000000000000ULL;
  return std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
}

// Bytes of each row of a column that has no NULLs and is not variable; 0: they differ.
int64_t SameBytes(const ColumnView& column) {
  const bool same = column.validity == nullptr && column.offsets == nullptr;
  return same ? kHeaderBytes + FixedBytes(column.type.kind) : 0;
}

// Bytes that rows [begin, begin + count) of `column` take, added to `sizes`.
void AddSizes(const ColumnView& column, int64_t begin, int64_t count, uint64_t* sizes) {
  const int64_t fixed = kHeaderBytes + FixedBytes(column.type.kind);
  for (int64_t i = 0; i < count; ++i) {
    if (column.IsNull(begin + i)) {
      sizes[i] += kHeaderBytes;
    } else if (column.offsets != nullptr) {
      sizes[i] += fixed + (column.offsets[begin + i + 1] - column.offsets[begin + i]);
    } else {
      sizes[i] += fixed;
    }
  }
}

// Appends the value of each row behind that row's pointer. `write(out, row)` returns the new end.
template <typename Write>
void AppendValues(const ColumnView& column, int64_t begin, int64_t count, uint8_t** ends,
                  Write write) {
  const auto header = static_cast<uint16_t>(TagOf(column.type.kind));  // Then the NULL flag, 0.
  if (column.validity == nullptr) {
    for (int64_t i = 0; i < count; ++i) ends[i] = write(Append(ends[i], header), begin + i);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    const bool null = column.IsNull(begin + i);
    uint8_t* out = Append(ends[i], static_cast<uint16_t>(header | (null ? 0x100 : 0)));
    ends[i] = null ? out : write(out, begin + i);
  }
}

template <typename T>
void AppendIntegers(const ColumnView& column, int64_t begin, int64_t count, uint8_t** ends) {
  AppendValues(column, begin, count, ends, [&](uint8_t* out, int64_t row) {
    return Append<int64_t>(out, column.Load<T>(row));
  });
}

template <typename T>
void AppendFloats(const ColumnView& column, int64_t begin, int64_t count, uint8_t** ends) {
  AppendValues(column, begin, count, ends, [&](uint8_t* out, int64_t row) {
    return Append<uint64_t>(out, CanonicalBits(column.Load<T>(row)));
  });
}

void AppendColumn(const ColumnView& column, int64_t begin, int64_t count, uint8_t** ends) {
  switch (column.type.kind) {
    case TypeKind::kByte:
      return AppendIntegers<int8_t>(column, begin, count, ends);
    case TypeKind::kShort:
      return AppendIntegers<int16_t>(column, begin, count, ends);
    case TypeKind::kInteger:
    case TypeKind::kDate:
      return AppendIntegers<int32_t>(column, begin, count, ends);
    case TypeKind::kLong:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      return AppendIntegers<int64_t>(column, begin, count, ends);
    case TypeKind::kFloat:
      return AppendFloats<float>(column, begin, count, ends);
    case TypeKind::kDouble:
      return AppendFloats<double>(column, begin, count, ends);
    case TypeKind::kBoolean:
      return AppendValues(column, begin, count, ends, [&](uint8_t* out, int64_t row) {
        *out = column.Bit(row) ? 1 : 0;
        return out + 1;
      });
    case TypeKind::kDecimal: {
      const auto scale = static_cast<uint8_t>(column.type.scale);
      return AppendValues(column, begin, count, ends, [&](uint8_t* out, int64_t row) {
        std::memcpy(out, column.values + row * kDecimalBytes, kDecimalBytes);
        out[kDecimalBytes] = scale;
        return out + kDecimalBytes + 1;
      });
    }
    case TypeKind::kString:
    case TypeKind::kBinary:
      return AppendValues(column, begin, count, ends, [&](uint8_t* out, int64_t row) {
        const uint32_t size = column.offsets[row + 1] - column.offsets[row];
        out = Append<uint32_t>(out, size);
        if (size != 0) std::memcpy(out, column.values + column.offsets[row], size);
        return out + size;
      });
  }
}

// The algorithms: each makes a hash of some bytes.
struct Xxh3 {
  absl::Status Hash(const uint8_t* bytes, size_t size, Hash128& hash) {
    const XXH128_hash_t made = XXH3_128bits(bytes, size);
    hash = {made.high64, made.low64};
    return absl::OkStatus();
  }
};

struct Openssl {
  absl::Status Hash(const uint8_t* bytes, size_t size, Hash128& hash) {
    std::array<unsigned char, kMostDigestBytes> digest;
    RETURN_IF_ERROR(made.Make(bytes, size, digest.data()));
    std::memcpy(&hash.high, digest.data(), sizeof(hash.high));
    std::memcpy(&hash.low, digest.data() + sizeof(hash.high), sizeof(hash.low));
    hash.high = __builtin_bswap64(hash.high);  // The first byte is the highest.
    hash.low = __builtin_bswap64(hash.low);
    return absl::OkStatus();
  }

  static constexpr size_t kMostDigestBytes = 32;  // SHA-256's.
  OpensslDigest made;
};

template <typename Algorithm>
class RowHasherBy final : public RowHasher {
 public:
  RowHasherBy(const Schema& schema, Algorithm algorithm)
      : views_(schema), algorithm_(std::move(algorithm)) {}

  absl::Status Hash(const RowBatch& batch, std::vector<Hash128>& hashes) override {
    const arrow::RecordBatch& rows = *batch.arrow();
    RETURN_IF_ERROR(views_.Take(rows, "row hash"));
    hashes.reserve(hashes.size() + rows.num_rows());
    for (int64_t begin = 0; begin < rows.num_rows(); begin += kRowsPerBlock) {
      RETURN_IF_ERROR(HashBlock(begin, std::min(kRowsPerBlock, rows.num_rows() - begin), hashes));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Hash128> HashText(absl::string_view text) override {
    Hash128 hash;
    RETURN_IF_ERROR(
        algorithm_.Hash(reinterpret_cast<const uint8_t*>(text.data()), text.size(), hash));
    return hash;
  }

 private:
  // Lays the canonical bytes of each row out one behind the other, filled column by column.
  absl::Status HashBlock(int64_t begin, int64_t count, std::vector<Hash128>& hashes) {
    uint64_t sizes[kRowsPerBlock];
    uint64_t same = 0;
    for (const ColumnView& view : views_.all()) same += static_cast<uint64_t>(SameBytes(view));
    std::fill_n(sizes, count, same);
    for (const ColumnView& view : views_.all()) {
      if (SameBytes(view) == 0) AddSizes(view, begin, count, sizes);
    }
    uint64_t total = 0;
    for (int64_t i = 0; i < count; ++i) total += sizes[i];
    if (bytes_.size() < total) bytes_.resize(total);
    uint8_t* ends[kRowsPerBlock];
    uint8_t* start = bytes_.data();
    for (int64_t i = 0; i < count; ++i) {
      ends[i] = start;
      start += sizes[i];
    }
    for (const ColumnView& view : views_.all()) AppendColumn(view, begin, count, ends);
    for (int64_t i = 0; i < count; ++i) {
      Hash128 hash;
      RETURN_IF_ERROR(algorithm_.Hash(ends[i] - sizes[i], sizes[i], hash));
      hashes.push_back(hash);
    }
    return absl::OkStatus();
  }

  ColumnViews views_;
  Algorithm algorithm_;
  std::vector<uint8_t> bytes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowHasher>> RowHasher::Create(const Schema& schema,
                                                             HashAlgorithm algorithm) {
  for (const Column& column : schema.columns) {
    if (TagOf(column.type.kind) == 0) {
      return absl::UnimplementedError(
          absl::StrCat("row hash: column '", column.name, "' has a type without a canonical form"));
    }
  }
  if (algorithm == HashAlgorithm::kXxh3) return std::make_unique<RowHasherBy<Xxh3>>(schema, Xxh3());
  const char* name = algorithm == HashAlgorithm::kMd5 ? "MD5" : "SHA256";
  ASSIGN_OR_RETURN(OpensslDigest digest, OpensslDigest::Create(name, "row hash"));
  return std::make_unique<RowHasherBy<Openssl>>(schema, Openssl{std::move(digest)});
}

}  // namespace headwater
