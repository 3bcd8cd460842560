#include "worker/source/checksum_query.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

// An integer of any length modulo 2^64, which is what the unsigned type computes in.
std::optional<uint64_t> Modulo(absl::string_view text) {
  const bool negative = absl::ConsumePrefix(&text, "-");
  if (text.empty()) return std::nullopt;
  uint64_t sum = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    sum = sum * 10 + static_cast<uint64_t>(c - '0');
  }
  return negative ? 0 - sum : sum;
}

absl::Status NoColumn(const RangeQuery& query) {
  return absl::InvalidArgumentError(absl::StrCat("no column of '", query.relation, "' is summed"));
}

// Without the fields.
absl::StatusOr<ChecksumNames> NamesOf(const Dialect& dialect, const RangeQuery& query) {
  ChecksumNames names;
  ASSIGN_OR_RETURN(names.relation, QuoteRelation(dialect, query.relation));
  ASSIGN_OR_RETURN(names.where, WhereSql(dialect, query));
  return names;
}

}  // namespace

absl::StatusOr<std::string> BuildChecksumQuery(const Dialect& dialect, const RangeQuery& query,
                                               const std::vector<ChecksumColumn>& columns) {
  return BuildPartedChecksumQuery(dialect, query, columns, /*part=*/"");
}

absl::StatusOr<std::string> BuildPartedChecksumQuery(const Dialect& dialect,
                                                     const RangeQuery& query,
                                                     const std::vector<ChecksumColumn>& columns,
                                                     const std::string& part) {
  if (dialect.checksum == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat(dialect.name, " has no MD5, so it makes no checksums"));
  }
  if (columns.empty()) return NoColumn(query);
  ASSIGN_OR_RETURN(ChecksumNames names, NamesOf(dialect, query));
  for (const ChecksumColumn& column : columns) {
    if (column.absent) {
      names.fields.emplace_back("'~'");
      continue;
    }
    ASSIGN_OR_RETURN(const std::string quoted, QuoteIdentifier(dialect, column.column.name));
    names.fields.push_back(dialect.checksum_field(quoted, column.column.type, column.source_type));
  }
  names.part = part;
  return absl::StrCat(QueryComment(query.tag), dialect.checksum(names));
}

absl::StatusOr<std::string> BuildFastChecksumQuery(const Dialect& dialect, const RangeQuery& query,
                                                   const std::vector<ChecksumColumn>& columns) {
  if (dialect.fast_checksum == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat(dialect.name, " has no checksum function of its own"));
  }
  ASSIGN_OR_RETURN(ChecksumNames names, NamesOf(dialect, query));
  for (const ChecksumColumn& column : columns) {
    if (column.absent) continue;
    ASSIGN_OR_RETURN(std::string quoted, QuoteIdentifier(dialect, column.column.name));
    names.fields.push_back(std::move(quoted));
  }
  if (names.fields.empty()) return NoColumn(query);
  return absl::StrCat(QueryComment(query.tag), dialect.fast_checksum(names));
}

absl::StatusOr<RowChecksum> ParseChecksum(const std::vector<std::optional<std::string>>& answer) {
  if (answer.size() != 3 || !answer[0] || !answer[1] || !answer[2]) {
    return absl::DataLossError("the source's checksum is not three values");
  }
  const std::optional<int64_t> rows = ParseInteger(*answer[0]);
  const std::optional<int64_t> hashed = ParseInteger(*answer[1]);
  const std::optional<uint64_t> sum = Modulo(*answer[2]);
  if (!rows || !hashed || !sum) {
    return absl::DataLossError(absl::StrCat("the source's checksum is '", Excerpt(*answer[0]),
                                            "', '", Excerpt(*answer[1]), "', '",
                                            Excerpt(*answer[2]), "'; expected three integers"));
  }
  if (*rows != *hashed) {
    return absl::DataLossError(absl::StrCat("the source made no checksum of ", *rows - *hashed,
                                            " of ", *rows, " rows: their text is too long for it"));
  }
  return RowChecksum{.rows = *rows, .sum = *sum};
}

bool MakesNoChecksum(const absl::Status& answer) {
  return absl::IsUnimplemented(answer) || absl::IsDataLoss(answer);
}

}  // namespace headwater
