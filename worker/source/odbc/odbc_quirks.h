// How ODBC drivers differ from the book, as data: one entry per database behind a driver, or per
// driver where two of one database differ. The defaults are for drivers that nobody has tried.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_ODBC_QUIRKS_H_
#define HEADWATER_WORKER_SOURCE_ODBC_ODBC_QUIRKS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "worker/source/dialect.h"

namespace headwater {

struct OdbcQuirks {
  absl::string_view dbms = "";    // What SQL_DBMS_NAME begins with, letter case apart.
  absl::string_view driver = "";  // A part of SQL_DRIVER_NAME; empty: any.
  DialectKind dialect = DialectKind::kGeneric;
  // Typed fetches corrupt in silence, so rows are fetched as JSON (sqlite_reader.h).
  bool rows_as_json = false;
  // Dates and timestamps are selected as text. As structs psqlODBC gives infinity as the year 9999
  // (as a date: today) and drops BC; MariaDB's driver gives zero dates as NULL.
  bool temporal_as_text = false;
  // Texts fetched as SQL_C_CHAR are UTF-8 whatever the locale: half the bytes of wide text.
  bool chars_are_utf8 = false;
  // SQLSetPos and SQLGetData give the right row of a block. (MariaDB's driver says so too, but
  // keeps its place in the last value.) Else a read with long columns fetches row by row.
  bool refetches_in_block = false;
  // A SELECT behind a comment is taken for something else, whose result is held in memory whole.
  bool selects_come_first = false;
  // Whole results are held in memory: large reads are cut into slices (slices.h).
  bool buffers_results = false;
  // SQLCancel frees the result, also while another thread fetches it, or when the query has just
  // ended: a second connection stops the query instead.
  bool cancel_frees_result = false;
  // Appended to the connection string of that second connection: how long it waits for the server.
  absl::string_view cancel_settings = "";
  // Appended to a connection string that does not name `setting_key` itself.
  absl::string_view driver_word = "";  // A part of the Driver= value that this entry is for.
  absl::string_view setting_key = "";
  absl::string_view settings = "";
};

// The entry for SQL_DBMS_NAME and SQL_DRIVER_NAME, or the defaults.
const OdbcQuirks& QuirksOf(absl::string_view dbms, absl::string_view driver);

// `connection_string` with the settings that its driver needs to be safe: SQLite neither creates a
// missing file (NoCreat) nor buffers whole results (StepAPI); psqlODBC fetches a thousand rows
// at a time; MariaDB's driver speaks UTF-8 of all planes, and waits ten seconds for a server.
std::string WithDriverSettings(absl::string_view connection_string);

// `connection_string`, which has the driver's settings, for a connection that only stops a query.
std::string WithCancelSettings(absl::string_view connection_string, const OdbcQuirks& quirks);

// Value of `key` in `connection_string` (letter case apart, braces removed), or empty.
std::string ConnectionSetting(absl::string_view connection_string, absl::string_view key);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_ODBC_QUIRKS_H_
