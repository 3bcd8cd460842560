// Where an extent's rows differ from a table's: its key is divided by borders, and one statement
// sums the rows of each part, so that the parts that differ can be divided again and read alone.
// Pure: text in, text out. KeyParts (common/data/key_parts.h) puts rows that were read into the
// same parts, RowChecksummer::AddByPart() sums them, and SplitByKey() of the same borders gives the
// conditions (RangeQuery::within) that select a part's rows, to be divided again or to be read.
//
//   BuildBordersQuery ──► server ──► BordersFrom ─┬─► BuildPartChecksumQuery ──► server ──► sums
//                                                 ├─► KeyValuesOf ─► KeyParts ─► AddByPart ─► sums
//                                                 └─► SplitByKey ─► within of the next step
//
// Every row is in exactly one part, whatever borders: old or uneven ones only narrow worse.
#ifndef HEADWATER_WORKER_SOURCE_KEY_RANGES_H_
#define HEADWATER_WORKER_SOURCE_KEY_RANGES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/key_parts.h"
#include "common/data/row_checksum.h"
#include "common/data/schema.h"
#include "worker/source/checksum_query.h"
#include "worker/source/dialect.h"
#include "worker/source/key_split.h"
#include "worker/source/range_query.h"
#include "worker/source/selection.h"

namespace headwater {

// At most so many parts at once: they are told apart by nested CASEs, of which SQL Server takes
// ten.
inline constexpr int kMaxKeyParts = 256;

// An answer's rows of texts.
using AnswerRows = std::vector<std::vector<std::optional<std::string>>>;

// Longer texts are cut to borders of so many bytes: a statement has 255 of them, and SQLite takes
// statements of a million bytes.
inline constexpr size_t kMaxBorderBytes = 512;

// True if the server orders the key's values as KeyValue does: numbers but floating point, dates,
// timestamps, and PostgreSQL's uuid. Of texts those that are compared by their bytes, where the
// dialect can, and where the server's text is known to be the one that is read: every server has
// collations of its own.
bool OrdersAlike(const Dialect& dialect, const KeyColumn& key);

// The first of the columns `key` that is selected and orders alike; without one the first text that
// does by its bytes; none: this key divides nothing.
std::optional<KeyColumn> RangeKeyOf(const Dialect& dialect, const Selection& selection,
                                    const std::vector<std::string>& key);

// For datasets without a key: rows of a unique key's name and one of its columns, the best key
// first. Empty: the dialect does not tell. INVALID_ARGUMENT: a name that cannot be quoted.
absl::StatusOr<std::string> UniqueKeysSql(const Dialect& dialect, absl::string_view relation);
// The columns of the first key among them; empty: there is none.
std::vector<std::string> BestUniqueKey(const AnswerRows& answer);

// Up to `parts` - 1 rows of one text: the key's values, ascending, that divide the rows that
// `query` selects into parts of about equal size. Reads their keys, by an index where the key has
// one. INVALID_ARGUMENT: `parts` outside 2 to kMaxKeyParts, and as BuildRangeQuery().
absl::StatusOr<std::string> BuildBordersQuery(const Dialect& dialect, const RangeQuery& query,
                                              const KeyColumn& key, int parts);

// `text` as a border among texts: as much of its beginning as a border may have. None: it is no
// UTF-8 or has a NUL, which servers refuse.
std::optional<std::string> TextBorder(absl::string_view text);

// The borders in that answer, ascending, each once; texts as TextBorder() has them. Left out is
// what cannot be written as a literal or held by the column, such as years before 1.
// INVALID_ARGUMENT: the key does not order alike.
absl::StatusOr<std::vector<std::string>> BordersFrom(const Dialect& dialect, const KeyColumn& key,
                                                     const AnswerRows& answer);

// Borders as values of a column of `type`, which may be wider than the source's: a table's.
// INVALID_ARGUMENT: one is no value of that type.
absl::StatusOr<std::vector<KeyValue>> KeyValuesOf(const ColumnType& type,
                                                  const std::vector<std::string>& borders);

// Number and checksum of the rows of each part that has any, for ParsePartChecksums(); without
// borders, of the only one. Errors: as of BuildChecksumQuery(); INVALID_ARGUMENT: the key does not
// order alike, more than kMaxKeyParts parts.
absl::StatusOr<std::string> BuildPartChecksumQuery(const Dialect& dialect, const RangeQuery& query,
                                                   const std::vector<ChecksumColumn>& columns,
                                                   const KeyColumn& key,
                                                   const std::vector<std::string>& borders);

// One checksum per part, those without rows included. DATA_LOSS: not what the statement answers.
absl::StatusOr<std::vector<RowChecksum>> ParsePartChecksums(const AnswerRows& answer, int parts);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_KEY_RANGES_H_
