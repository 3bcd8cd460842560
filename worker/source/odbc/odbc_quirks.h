// How ODBC drivers differ from the book, as data: one entry per database behind a driver.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_ODBC_QUIRKS_H_
#define HEADWATER_WORKER_SOURCE_ODBC_ODBC_QUIRKS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "worker/source/dialect.h"

namespace headwater {

struct OdbcQuirks {
  absl::string_view dbms = "";  // What SQL_DBMS_NAME begins with, letter case apart.
  DialectKind dialect = DialectKind::kGeneric;
  // Typed fetches corrupt in silence, so rows are fetched as JSON (sqlite_reader.h).
  bool rows_as_json = false;
  // Dates and timestamps are selected as text: as structs, infinity becomes the year 9999.
  bool temporal_as_text = false;
  // Run once after connecting; empty: nothing.
  absl::string_view session_sql = "";
  // Appended to a connection string that does not name `setting_key` itself.
  absl::string_view driver_word = "";  // A part of the Driver= value that this entry is for.
  absl::string_view setting_key = "";
  absl::string_view settings = "";
};

// The entry for SQL_DBMS_NAME, or one without quirks.
const OdbcQuirks& QuirksOfDbms(absl::string_view dbms);

// `connection_string` with the settings that its driver needs to be safe: SQLite neither creates a
// missing file (NoCreat) nor buffers whole results (StepAPI); psqlODBC fetches in portions.
std::string WithDriverSettings(absl::string_view connection_string);

// Value of `key` in `connection_string` (letter case apart, braces removed), or empty.
std::string ConnectionSetting(absl::string_view connection_string, absl::string_view key);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_ODBC_QUIRKS_H_
