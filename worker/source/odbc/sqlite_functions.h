// What SQLite lacks: a hash. Its driver shares SQLite's library with us, so the file that a driver
// has opened can be given functions of ours, which run where SQLite does, on values that never
// leave it. With them it makes the checksums of docs/source-checksum.md as other servers do.
//
//   headwater_hash(field, …)  the hash of a row's text: an integer
//   headwater_text(field, …)  the text alone, a blob: of rows of more columns than fit in a call
//   headwater_sum(hash)       the sum of all modulo 2^64, as a signed integer; 0 of none
//
//   field = 'b', value        boolean
//         | 'l', value        integer
//         | 'd', value        double
//         | 'm<p>,<s>', value decimal(p,s)
//         | 's', value        string
//         | 'x', value        binary
//         | 'D', value        date
//         | 'T', value        timestamp_ntz
//         | '~'               NULL
//         | 't', blob         what headwater_text() made
//
// A value is read as AppendSqliteValue() reads it. One that is not of its type has the field
// `!<class><hex>`: the first letter of its storage class, and its bytes. It is in no batch, so the
// sum is none of rows that were read.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_SQLITE_FUNCTIONS_H_
#define HEADWATER_WORKER_SOURCE_ODBC_SQLITE_FUNCTIONS_H_

struct sqlite3;

namespace headwater {

// Gives `file` the functions for as long as it is open, for its own statements only: views and
// triggers of the file cannot call them. Where there is no MD5 it gets none, and the statement is
// UNIMPLEMENTED, as where a driver has a library of its own. Requires: nothing else uses `file`
// meanwhile.
void AddSqliteFunctions(sqlite3* file);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_SQLITE_FUNCTIONS_H_
