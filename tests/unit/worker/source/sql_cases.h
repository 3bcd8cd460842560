// Every kind of statement that a dialect makes, by the name of its golden file.
#ifndef HEADWATER_TESTS_UNIT_WORKER_SOURCE_SQL_CASES_H_
#define HEADWATER_TESTS_UNIT_WORKER_SOURCE_SQL_CASES_H_

#include <map>
#include <string>
#include <vector>

#include "worker/source/dialect.h"

namespace headwater {

// Names that try to leave their quotes, by what they are made of; each one is as long as the
// dialect takes at most, or shorter.
std::map<std::string, std::string> HostileNames(DialectKind kind);

// File name (without `.sql`) to statement. All but those of hostile names are about the table
// `events` that tests/interop/sql_golden_test.py makes.
std::map<std::string, std::string> SqlCases(DialectKind kind);

}  // namespace headwater

#endif  // HEADWATER_TESTS_UNIT_WORKER_SOURCE_SQL_CASES_H_
