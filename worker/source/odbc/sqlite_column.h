// SQLite's columns: a declared type says what a column is meant to hold, and each value may still
// be of any storage class. The declared type decides ours; a value that is not exactly of it is an
// error, never a NULL or a neighbour.
//
//   declared                    ours           storage accepted
//   BOOL, BOOLEAN               boolean        integer 0 or 1
//   DECIMAL(p,s), NUMERIC(p,s)  decimal(p,s)   integer, or real that is exactly such a number
//   DECIMAL, NUMERIC            double         real, or integer up to 2^53
//   REAL, …FLOA…, …DOUB…        double         the same
//   DATETIME…, TIMESTAMP…       timestamp_ntz  text 2013-01-31 05:00:00[.ffffff], ' ' or 'T'
//   DATE                        date           text 2013-01-31
//   …INT…                       long           integer
//   …BLOB…, …BINARY…, BYTEA     binary         blob
//   anything else               string         text; integer unless the affinity is TEXT
//
// Timestamps without seconds, without a time or with a zone are refused: as text they do not sort
// as they are meant, so half-open ranges would miss rows.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_SQLITE_COLUMN_H_
#define HEADWATER_WORKER_SOURCE_ODBC_SQLITE_COLUMN_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/schema.h"
#include "worker/source/batch_builder.h"
#include "worker/source/odbc/json_row.h"

namespace headwater {

// INVALID_ARGUMENT: a decimal beyond 38 digits, or no declared type (an expression of a view).
absl::StatusOr<ColumnType> TypeOfDeclared(absl::string_view declared);

// What json_array() is given for the column, so that its JSON is exact: reals with all their digits
// and blobs in hex (`x00ff`; a value of another class by its class's name).
std::string SqliteExpression(const ColumnType& type, absl::string_view quoted_column);

// Of a real in a decimal column: the double nearest to a decimal of up to 15 digits is that decimal
// (SQLite stored it so); any other double was never such a number.
std::optional<__int128> DecimalOfReal(double value, const ColumnType& type);

// An integer up to 2^53 in a column of reals; none: the double next to it is another number.
std::optional<double> RealOfInteger(int64_t value);

// Appends `value` to `column` of `batch`. False, appending nothing: not a value of `type`.
bool AppendSqliteValue(BatchBuilder& batch, int column, const ColumnType& type,
                       const JsonValue& value);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_SQLITE_COLUMN_H_
