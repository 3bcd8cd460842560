#include "worker/source/odbc/catalog_type.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/mariadb_catalog.h"

namespace headwater {

absl::StatusOr<std::string> CatalogTypesSql(const Dialect& dialect, absl::string_view relation) {
  if (dialect.kind == DialectKind::kPostgres) {
    ASSIGN_OR_RETURN(const std::string quoted, QuoteRelation(dialect, relation));
    ASSIGN_OR_RETURN(const std::string name, QuoteText(quoted));
    return absl::StrCat("SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute ",
                        "WHERE attrelid = to_regclass(", name,
                        ") AND attnum > 0 AND NOT attisdropped");
  }
  if (dialect.kind != DialectKind::kMariaDb) return std::string();
  return MariaDbColumnsSql(relation);
}

ColumnType TypeOfCatalog(DialectKind dialect, absl::string_view type, const ColumnType& described) {
  if (dialect == DialectKind::kMariaDb) return TypeOfMariaDb(type);
  if (type == "money") return ColumnType{TypeKind::kDecimal, 19, 2};
  return type == "numeric" ? ColumnType{TypeKind::kString} : described;
}

}  // namespace headwater
