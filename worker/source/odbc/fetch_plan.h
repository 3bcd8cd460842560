// How each column of a read is asked for and fetched: expression, C type, width of its cell. Pure;
// what drivers get wrong comes from odbc_quirks.h.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_FETCH_PLAN_H_
#define HEADWATER_WORKER_SOURCE_ODBC_FETCH_PLAN_H_

#include <sql.h>
#include <sqlext.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/source/odbc/odbc_quirks.h"
#include "worker/source/source_session.h"

namespace headwater {

// A column as the driver describes it.
struct OdbcColumn {
  SourceColumn source;  // With its own type, also where it is read as text.
  SQLSMALLINT sql_type = SQL_UNKNOWN_TYPE;
  int64_t size = 0;  // Characters or bytes; 0 or less: as long as it likes.
};

struct FetchPlan {
  std::string expression = {};
  SQLSMALLINT c_type = SQL_C_CHAR;
  bool variable = true;  // Texts and bytes: a value may be longer than its cell.
  // False: fetched by SQLGetData in blocks of one row, behind all bound columns.
  bool bound = true;
  size_t width_bytes = 0;    // Of one cell, with the terminator of text.
  SQLUSMALLINT ordinal = 0;  // Position in the select list, from 1.
};

struct BlockPlan {
  std::vector<FetchPlan> columns;  // In the order of the columns given.
  size_t rows = 1;                 // Of one block.
  // Positions in `columns`, in the order in which they are selected.
  std::vector<size_t> select_order;
};

// `block_bytes`: of the buffers of all columns together, nearly. INVALID_ARGUMENT: a name that
// cannot be quoted.
absl::StatusOr<BlockPlan> PlanBlock(const OdbcQuirks& quirks,
                                    const std::vector<OdbcColumn>& columns, int64_t block_bytes);

// A column that is fetched as UTF-8 text for our own use (`expression` gives short text).
FetchPlan PlanText(std::string expression, SQLUSMALLINT ordinal);

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_FETCH_PLAN_H_
