// The nouns: cursor types, ranges, schemas and dataset specs. Tasks and outcomes: task_proto.cc.
#include "common/model/model_proto.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model/proto_check.h"
#include "common/model/server_proto.h"
#include "common/model/write_proto.h"

namespace headwater {
namespace {

absl::StatusOr<Strategy> StrategyFromProto(v1::Strategy strategy) {
  switch (strategy) {
    case v1::STRATEGY_FULL:
      return Strategy::kFull;
    case v1::STRATEGY_INCREMENTAL:
      return Strategy::kIncremental;
    case v1::STRATEGY_PARTITION:
      return Strategy::kPartition;
    case v1::STRATEGY_STATIC:
      return Strategy::kStatic;
    case v1::STRATEGY_SCD2:
      return Strategy::kScd2;
    default:
      return BadField("strategy", absl::StrCat("unknown value ", static_cast<int>(strategy)));
  }
}

v1::Strategy StrategyToProto(Strategy strategy) {
  switch (strategy) {
    case Strategy::kFull:
      return v1::STRATEGY_FULL;
    case Strategy::kIncremental:
      return v1::STRATEGY_INCREMENTAL;
    case Strategy::kPartition:
      return v1::STRATEGY_PARTITION;
    case Strategy::kStatic:
      return v1::STRATEGY_STATIC;
    case Strategy::kScd2:
      return v1::STRATEGY_SCD2;
  }
  return v1::STRATEGY_UNSPECIFIED;
}

absl::StatusOr<OutsidePolicy> PolicyFromProto(absl::string_view field, v1::OutsidePolicy policy) {
  switch (policy) {
    case v1::OUTSIDE_POLICY_LOAD:
      return OutsidePolicy::kLoad;
    case v1::OUTSIDE_POLICY_ERROR:
      return OutsidePolicy::kError;
    case v1::OUTSIDE_POLICY_EXCLUDE:
      return OutsidePolicy::kExclude;
    default:
      return BadField(field, absl::StrCat("unknown value ", static_cast<int>(policy)));
  }
}

absl::StatusOr<SchemaPolicy> PolicyFromProto(v1::SchemaPolicy policy) {
  switch (policy) {
    case v1::SCHEMA_POLICY_UNSPECIFIED:  // In a ledger of before there was a choice.
    case v1::SCHEMA_POLICY_EVOLVE:
      return SchemaPolicy::kEvolve;
    case v1::SCHEMA_POLICY_FREEZE:
      return SchemaPolicy::kFreeze;
    case v1::SCHEMA_POLICY_IGNORE:
      return SchemaPolicy::kIgnore;
    default:
      return BadField("on_schema_change", absl::StrCat("unknown value ", static_cast<int>(policy)));
  }
}

v1::SchemaPolicy PolicyToProto(SchemaPolicy policy) {
  return policy == SchemaPolicy::kEvolve   ? v1::SCHEMA_POLICY_EVOLVE
         : policy == SchemaPolicy::kFreeze ? v1::SCHEMA_POLICY_FREEZE
                                           : v1::SCHEMA_POLICY_IGNORE;
}

v1::OutsidePolicy PolicyToProto(OutsidePolicy policy) {
  switch (policy) {
    case OutsidePolicy::kLoad:
      return v1::OUTSIDE_POLICY_LOAD;
    case OutsidePolicy::kError:
      return v1::OUTSIDE_POLICY_ERROR;
    case OutsidePolicy::kExclude:
      return v1::OUTSIDE_POLICY_EXCLUDE;
  }
  return v1::OUTSIDE_POLICY_UNSPECIFIED;
}

absl::StatusOr<BadRowPolicy> BadRowPolicyFromProto(v1::BadRowPolicy policy) {
  switch (policy) {
    case v1::BAD_ROW_POLICY_UNSPECIFIED:
    case v1::BAD_ROW_POLICY_FAIL:
      return BadRowPolicy::kFail;
    case v1::BAD_ROW_POLICY_QUARANTINE:
      return BadRowPolicy::kQuarantine;
    default:
      return BadField("on_bad_row", absl::StrCat("unknown value ", static_cast<int>(policy)));
  }
}

using Names = google::protobuf::RepeatedPtrField<std::string>;

absl::StatusOr<std::vector<std::string>> NamesFromProto(absl::string_view field,
                                                        const Names& names) {
  for (const std::string& name : names) RETURN_IF_ERROR(CheckNotEmpty(field, name));
  return std::vector<std::string>(names.begin(), names.end());
}

absl::Status CheckNumbers(const v1::DatasetSpec& spec) {
  RETURN_IF_ERROR(CheckAtLeast("lookback_units", spec.lookback_units(), 0));
  RETURN_IF_ERROR(CheckAtLeast("settle_values", spec.settle_values(), 0));
  RETURN_IF_ERROR(CheckAtLeast("read_connections", spec.read_connections(), 0));
  RETURN_IF_ERROR(CheckAtLeast("max_bad_rows", spec.max_bad_rows(), 0));
  if (!(spec.max_bad_percent() >= 0 && spec.max_bad_percent() <= 100)) {
    return BadField("max_bad_percent", "expected 0 to 100");
  }
  return CheckAtLeast("retries", spec.retries(), 0);
}

absl::Status CheckNames(const v1::DatasetSpec& spec) {
  RETURN_IF_ERROR(CheckNotEmpty("table", spec.table()));
  RETURN_IF_ERROR(CheckNotEmpty("relation", spec.relation()));
  RETURN_IF_ERROR(CheckNotEmpty("target_uri", spec.target_uri()));
  if (spec.strategy() != v1::STRATEGY_INCREMENTAL && spec.strategy() != v1::STRATEGY_PARTITION)
    return absl::OkStatus();
  return CheckNotEmpty("cursor", spec.cursor());
}

}  // namespace

absl::StatusOr<CursorType> FromProto(v1::CursorType type) {
  switch (type) {
    case v1::CURSOR_TYPE_NONE:
      return CursorType::kNone;
    case v1::CURSOR_TYPE_INSTANT:
      return CursorType::kInstant;
    case v1::CURSOR_TYPE_WALL_CLOCK:
      return CursorType::kWallClock;
    case v1::CURSOR_TYPE_DATE:
      return CursorType::kDate;
    case v1::CURSOR_TYPE_INTEGER:
      return CursorType::kInteger;
    default:
      return BadField("cursor_type", absl::StrCat("unknown value ", static_cast<int>(type)));
  }
}

v1::CursorType ToProto(CursorType type) {
  switch (type) {
    case CursorType::kNone:
      return v1::CURSOR_TYPE_NONE;
    case CursorType::kInstant:
      return v1::CURSOR_TYPE_INSTANT;
    case CursorType::kWallClock:
      return v1::CURSOR_TYPE_WALL_CLOCK;
    case CursorType::kDate:
      return v1::CURSOR_TYPE_DATE;
    case CursorType::kInteger:
      return v1::CURSOR_TYPE_INTEGER;
  }
  return v1::CURSOR_TYPE_UNSPECIFIED;
}

absl::StatusOr<Range> FromProto(const v1::Range& range) {
  if (range.from() >= range.to()) {
    return BadField(
        "range", absl::StrCat("expected from < to, found [", range.from(), ", ", range.to(), ")"));
  }
  return Range{.from = range.from(), .to = range.to()};
}

v1::Range ToProto(const Range& range) {
  v1::Range result;
  result.set_from(range.from);
  result.set_to(range.to);
  return result;
}

absl::StatusOr<Extent> FromProto(const v1::Extent& extent) {
  Extent result;
  result.outside = extent.outside();
  if (extent.has_range()) {
    ASSIGN_OR_RETURN(result.range, FromProto(extent.range()));
  } else if (!extent.outside()) {
    return BadField("extent", "has neither a range nor the outside rows");
  }
  return result;
}

v1::Extent ToProto(const Extent& extent) {
  v1::Extent result;
  if (extent.range.has_value()) *result.mutable_range() = ToProto(*extent.range);
  result.set_outside(extent.outside);
  return result;
}

absl::StatusOr<Unit> FromProto(const v1::Unit& unit) {
  Unit result{.count = unit.count()};
  switch (unit.kind()) {
    case v1::Unit::KIND_NONE:
      return Unit{};
    case v1::Unit::KIND_HOUR:
      result.kind = Unit::Kind::kHour;
      break;
    case v1::Unit::KIND_DAY:
      result.kind = Unit::Kind::kDay;
      break;
    case v1::Unit::KIND_MONTH:
      result.kind = Unit::Kind::kMonth;
      break;
    case v1::Unit::KIND_YEAR:
      result.kind = Unit::Kind::kYear;
      break;
    case v1::Unit::KIND_VALUES:
      result.kind = Unit::Kind::kValues;
      break;
    default:
      return BadField("unit.kind", absl::StrCat("unknown value ", static_cast<int>(unit.kind())));
  }
  RETURN_IF_ERROR(CheckAtLeast("unit.count", unit.count(), 1));
  return result;
}

v1::Unit ToProto(const Unit& unit) {
  const auto kind = [&] {
    switch (unit.kind) {
      case Unit::Kind::kNone:
        return v1::Unit::KIND_NONE;
      case Unit::Kind::kHour:
        return v1::Unit::KIND_HOUR;
      case Unit::Kind::kDay:
        return v1::Unit::KIND_DAY;
      case Unit::Kind::kMonth:
        return v1::Unit::KIND_MONTH;
      case Unit::Kind::kYear:
        return v1::Unit::KIND_YEAR;
      case Unit::Kind::kValues:
        return v1::Unit::KIND_VALUES;
    }
    return v1::Unit::KIND_UNSPECIFIED;
  };
  v1::Unit result;
  result.set_kind(kind());
  result.set_count(unit.kind == Unit::Kind::kNone ? 1 : unit.count);
  return result;
}

absl::StatusOr<Schema> FromProto(const v1::Schema& schema) {
  Schema result;
  std::set<absl::string_view> names;
  for (const v1::Column& column : schema.columns()) {
    RETURN_IF_ERROR(CheckNotEmpty("schema.columns.name", column.name()));
    if (!names.insert(column.name()).second) {
      return BadField("schema.columns.name", absl::StrCat("'", column.name(), "' occurs twice"));
    }
    absl::StatusOr<ColumnType> type = ParseType(column.type());
    if (!type.ok()) return BadField("schema.columns.type", type.status().message());
    ASSIGN_OR_RETURN(const SystemColumn system, SystemColumnFromProto(column.system()));
    result.columns.push_back({column.name(), *type, column.nullable(), system});
  }
  return result;
}

v1::Schema ToProto(const Schema& schema) {
  v1::Schema result;
  for (const Column& column : schema.columns) {
    v1::Column& added = *result.add_columns();
    added.set_name(column.name);
    added.set_type(TypeToString(column.type));
    added.set_nullable(column.nullable);
    added.set_system(SystemColumnToProto(column.system));
  }
  return result;
}

absl::StatusOr<DatasetSpec> FromProto(const v1::DatasetSpec& spec) {
  RETURN_IF_ERROR(CheckNames(spec));
  RETURN_IF_ERROR(CheckNumbers(spec));
  DatasetSpec result;
  ASSIGN_OR_RETURN(result.server, ServerFromProto(spec.server()));
  result.id = {.table = spec.table(), .server = result.server.name};
  result.relation = spec.relation();
  ASSIGN_OR_RETURN(result.strategy, StrategyFromProto(spec.strategy()));
  result.cursor = spec.cursor();
  result.cursor_timezone = spec.cursor_timezone();
  ASSIGN_OR_RETURN(result.unit, FromProto(spec.unit()));
  absl::StatusOr<Unit> partition_by = FromProto(spec.partition_by());
  RETURN_IF_ERROR(Annotate(partition_by.status(), "partition_by"));
  result.partition_by = *partition_by;
  result.lookback_units = spec.lookback_units();
  result.begin = spec.begin();
  ASSIGN_OR_RETURN(result.include_columns,
                   NamesFromProto("include_columns", spec.include_columns()));
  ASSIGN_OR_RETURN(result.exclude_columns,
                   NamesFromProto("exclude_columns", spec.exclude_columns()));
  ASSIGN_OR_RETURN(result.key_columns, NamesFromProto("key_columns", spec.key_columns()));
  ASSIGN_OR_RETURN(result.text_columns, NamesFromProto("text_columns", spec.text_columns()));
  result.truncate_fine_time = spec.truncate_fine_time();
  ASSIGN_OR_RETURN(result.on_null_cursor, PolicyFromProto("on_null_cursor", spec.on_null_cursor()));
  ASSIGN_OR_RETURN(result.on_future_cursor,
                   PolicyFromProto("on_future_cursor", spec.on_future_cursor()));
  ASSIGN_OR_RETURN(result.on_bad_row, BadRowPolicyFromProto(spec.on_bad_row()));
  result.max_bad_rows = {.rows = spec.max_bad_rows(), .percent = spec.max_bad_percent()};
  ASSIGN_OR_RETURN(result.settle, FromProto("settle", spec.settle()));
  result.settle_values = spec.settle_values();
  ASSIGN_OR_RETURN(result.max_ahead, FromProto("max_ahead", spec.max_ahead()));
  result.target_uri = spec.target_uri();
  result.retries = spec.retries();
  result.clock_bound = spec.clock_bound();
  result.reload_on_regress = spec.reload_on_regress();
  result.read_connections = spec.read_connections();
  ASSIGN_OR_RETURN(result.on_schema_change, PolicyFromProto(spec.on_schema_change()));
  RETURN_IF_ERROR(WriteFromProto(spec, result));
  return result;
}

v1::DatasetSpec ToProto(const DatasetSpec& spec) {
  v1::DatasetSpec result;
  result.set_table(spec.id.table);
  *result.mutable_server() = ServerToProto(spec.server);
  result.mutable_server()->set_name(spec.id.server);
  result.set_relation(spec.relation);
  result.set_strategy(StrategyToProto(spec.strategy));
  result.set_cursor(spec.cursor);
  result.set_cursor_timezone(spec.cursor_timezone);
  *result.mutable_unit() = ToProto(spec.unit);
  *result.mutable_partition_by() = ToProto(spec.partition_by);
  result.set_lookback_units(spec.lookback_units);
  result.set_begin(spec.begin);
  *result.mutable_include_columns() = {spec.include_columns.begin(), spec.include_columns.end()};
  *result.mutable_exclude_columns() = {spec.exclude_columns.begin(), spec.exclude_columns.end()};
  *result.mutable_key_columns() = {spec.key_columns.begin(), spec.key_columns.end()};
  *result.mutable_text_columns() = {spec.text_columns.begin(), spec.text_columns.end()};
  result.set_truncate_fine_time(spec.truncate_fine_time);
  result.set_on_null_cursor(PolicyToProto(spec.on_null_cursor));
  result.set_on_future_cursor(PolicyToProto(spec.on_future_cursor));
  result.set_on_bad_row(spec.on_bad_row == BadRowPolicy::kQuarantine ? v1::BAD_ROW_POLICY_QUARANTINE
                                                                     : v1::BAD_ROW_POLICY_FAIL);
  result.set_max_bad_rows(spec.max_bad_rows.rows);
  result.set_max_bad_percent(spec.max_bad_rows.percent);
  *result.mutable_settle() = ToProto(spec.settle);
  result.set_settle_values(spec.settle_values);
  *result.mutable_max_ahead() = ToProto(spec.max_ahead);
  result.set_target_uri(spec.target_uri);
  result.set_retries(spec.retries);
  result.set_clock_bound(spec.clock_bound);
  result.set_reload_on_regress(spec.reload_on_regress);
  result.set_read_connections(spec.read_connections);
  result.set_on_schema_change(PolicyToProto(spec.on_schema_change));
  WriteToProto(spec, result);
  return result;
}

Fingerprint FromProto(const v1::Fingerprint& fingerprint) {
  Fingerprint result;
  result.rows = fingerprint.rows();
  result.sum = {.high = fingerprint.sum_high(), .low = fingerprint.sum_low()};
  return result;
}

v1::Fingerprint ToProto(const Fingerprint& fingerprint) {
  v1::Fingerprint result;
  result.set_rows(fingerprint.rows);
  result.set_sum_high(fingerprint.sum.high);
  result.set_sum_low(fingerprint.sum.low);
  return result;
}

}  // namespace headwater
