#include "common/data/schema_drift.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace headwater {
namespace {

constexpr int kMaxPrecision = 38;  // Of Delta and of Arrow's decimal128.

// Decimal digits that hold every value of an integer type; 0 for other types.
int IntegerDigits(TypeKind kind) {
  switch (kind) {
    case TypeKind::kByte:
      return 3;
    case TypeKind::kShort:
      return 5;
    case TypeKind::kInteger:
      return 10;
    case TypeKind::kLong:
      return 19;
    default:
      return 0;
  }
}

bool IsInteger(const ColumnType& type) { return IntegerDigits(type.kind) > 0; }

bool IsFloating(const ColumnType& type) {
  return type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble;
}

bool IsDecimal(const ColumnType& type) { return type.kind == TypeKind::kDecimal; }

// Index of the column whose name differs from `name` only in case, or -1.
int FindOtherCase(const Schema& schema, const std::string& name) {
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    if (schema.columns[i].name != name && absl::EqualsIgnoreCase(schema.columns[i].name, name))
      return static_cast<int>(i);
  }
  return -1;
}

std::string WrittenOtherwise(const std::string& table, const std::string& source) {
  return absl::StrCat("column ", table, " of the table is written ", source, " in the source");
}

std::string OtherType(const std::string& name, const ColumnType& table, const ColumnType& source) {
  return absl::StrCat("column ", name, " is ", TypeToString(table), " in the table and ",
                      TypeToString(source), " in the source");
}

absl::Status DoNotFit(const std::vector<std::string>& differences, absl::string_view advice) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the columns do not fit the table: ", absl::StrJoin(differences, "; "), ". ", advice,
      "leave the column out (columns: exclude), or load into another table "
      "(target_table)"));
}

// The type that a column of the table must get for rows of `source`: its own where they convert.
std::optional<ColumnType> TypeFor(const ColumnType& table, const ColumnType& source) {
  if (Converts(source, table)) return table;
  if (const auto widened = WidenedType(table, source); widened.has_value()) return widened;
  // Wider, and of fewer decimals: the table's scale stays, and the rows are converted.
  const int digits =
      IsDecimal(source) ? source.precision - source.scale : IntegerDigits(source.kind);
  if (!IsDecimal(table) || digits == 0 || source.scale > table.scale ||
      digits + table.scale > kMaxPrecision) {
    return std::nullopt;
  }
  return ColumnType{TypeKind::kDecimal, std::max(table.precision, digits + table.scale),
                    table.scale};
}

// One source against one table.
class Planner {
 public:
  Planner(const Schema& table, const Schema& source, SchemaPolicy policy)
      : table_(table), source_(source), policy_(policy) {}

  absl::StatusOr<SchemaPlan> Plan(const std::vector<std::string>& needed) {
    for (const Column& column : table_.columns) TakeKnown(column, needed);
    for (const Column& column : source_.columns) {
      if (table_.Find(column.name) < 0) TakeNew(column);
    }
    if (differences_.empty()) return std::move(plan_);
    return DoNotFit(differences_, frozen_    ? "Set on_schema_change: evolve, mend the source, "
                                  : as_text_ ? "Mend the source, read the column as text or no "
                                               "longer (columns: cast), "
                                             : "Mend the source, ");
  }

 private:
  void Put(const std::string& name, const ColumnType& type, bool nullable) {
    plan_.table.columns.push_back({name, type, true});
    plan_.rows.columns.push_back({name, type, nullable});
  }

  void TakeKnown(const Column& column, const std::vector<std::string>& needed) {
    const int at = source_.Find(column.name);
    if (at < 0) return TakeDropped(column, needed);
    const Column& found = source_.columns[at];
    const std::optional<ColumnType> type = TypeFor(column.type, found.type);
    if (!type.has_value()) {
      differences_.push_back(OtherType(column.name, column.type, found.type));
      as_text_ |= column.type.kind == TypeKind::kString || found.type.kind == TypeKind::kString;
      return;
    }
    if (!(*type == column.type)) {
      if (policy_ == SchemaPolicy::kFreeze) {
        frozen_ = true;
        differences_.push_back(absl::StrCat(OtherType(column.name, column.type, found.type),
                                            ", which on_schema_change: freeze refuses"));
        return;
      }
      plan_.notices.push_back(absl::StrCat(
          "column ", column.name, " is ", TypeToString(found.type), " in the source: the table's ",
          TypeToString(column.type), " widens to ", TypeToString(*type)));
    }
    Put(column.name, *type, found.nullable);
  }

  void TakeDropped(const Column& column, const std::vector<std::string>& needed) {
    if (FindOtherCase(source_, column.name) >= 0) return;  // Said with the source's column.
    if (std::find(needed.begin(), needed.end(), column.name) != needed.end()) {
      differences_.push_back(
          absl::StrCat("column ", column.name, ", the cursor or a key, is gone from the source"));
      return;
    }
    plan_.notices.push_back(absl::StrCat("column ", column.name,
                                         " is not in the source (any more): its rows are loaded "
                                         "with NULL there"));
    Put(column.name, column.type, true);
  }

  void TakeNew(const Column& column) {
    if (const int other = FindOtherCase(table_, column.name); other >= 0) {
      differences_.push_back(WrittenOtherwise(table_.columns[other].name, column.name));
      return;
    }
    const std::string what =
        absl::StrCat("column ", column.name, " (", TypeToString(column.type), ") is new");
    switch (policy_) {
      case SchemaPolicy::kEvolve:
        plan_.notices.push_back(absl::StrCat(
            what, " in the source: the table gets it, with NULL in rows that were loaded before"));
        return Put(column.name, column.type, column.nullable);
      case SchemaPolicy::kFreeze:
        frozen_ = true;
        differences_.push_back(absl::StrCat(what, ", which on_schema_change: freeze refuses"));
        return;
      case SchemaPolicy::kIgnore:
        plan_.notices.push_back(
            absl::StrCat(what, " in the source and not loaded (on_schema_change: ignore)"));
        return;
    }
  }

  const Schema& table_;
  const Schema& source_;
  const SchemaPolicy policy_;
  SchemaPlan plan_;
  std::vector<std::string> differences_;
  bool frozen_ = false;   // Another policy would take one of the differences.
  bool as_text_ = false;  // One of them is text on one side only.
};

}  // namespace

std::string SchemaPolicyToString(SchemaPolicy policy) {
  switch (policy) {
    case SchemaPolicy::kEvolve:
      return "evolve";
    case SchemaPolicy::kFreeze:
      return "freeze";
    case SchemaPolicy::kIgnore:
      return "ignore";
  }
  return "unknown";
}

std::optional<ColumnType> WidenedType(const ColumnType& a, const ColumnType& b) {
  if (a == b) return a;
  if (IsInteger(a) && IsInteger(b)) return IntegerDigits(a.kind) > IntegerDigits(b.kind) ? a : b;
  if (IsFloating(a) && IsFloating(b)) return ColumnType{TypeKind::kDouble};
  if (IsDecimal(a) && IsDecimal(b) && a.scale == b.scale) return a.precision > b.precision ? a : b;
  return std::nullopt;
}

bool Converts(const ColumnType& from, const ColumnType& to) {
  if (WidenedType(from, to) == to) return true;
  if (IsDecimal(to)) {
    const int digits = IsDecimal(from) ? from.precision - from.scale : IntegerDigits(from.kind);
    const bool known = IsDecimal(from) || IsInteger(from);
    return known && from.scale <= to.scale && digits <= to.precision - to.scale;
  }
  // 53 bits hold every integer of 32, not every one of 64.
  return to.kind == TypeKind::kDouble && IsInteger(from) && from.kind != TypeKind::kLong;
}

absl::StatusOr<SchemaPlan> PlanSchema(const Schema& table, const Schema& source,
                                      SchemaPolicy policy, const std::vector<std::string>& needed) {
  if (!table.columns.empty()) return Planner(table, source, policy).Plan(needed);
  SchemaPlan plan{source, source, {}};
  for (Column& column : plan.table.columns) column.nullable = true;
  return plan;
}

absl::StatusOr<Schema> JoinSchemas(const Schema& table, const Schema& staged) {
  Schema joined = table;
  std::vector<std::string> differences;
  for (const Column& column : staged.columns) {
    const int at = table.Find(column.name);
    if (at < 0) {
      if (const int other = FindOtherCase(table, column.name); other >= 0) {
        differences.push_back(WrittenOtherwise(table.columns[other].name, column.name));
      } else {
        joined.columns.push_back({column.name, column.type, true, column.system});
      }
      continue;
    }
    if (table.columns[at].system != column.system) {
      differences.push_back(absl::StrCat(
          "column '", column.name, "' is ",
          column.system == SystemColumn::kNone ? "one of Headwater's own in the table"
                                               : "the source's in the table, and Headwater's own",
          column.system == SystemColumn::kNone ? " (system_columns gives those other names)" : ""));
      continue;
    }
    const std::optional<ColumnType> type = WidenedType(table.columns[at].type, column.type);
    if (type.has_value()) {
      joined.columns[at].type = *type;
    } else {
      differences.push_back(OtherType(column.name, table.columns[at].type, column.type));
    }
  }
  if (differences.empty()) return joined;
  return DoNotFit(differences, "Mend the source, ");
}

}  // namespace headwater
