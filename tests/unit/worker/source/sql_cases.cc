#include "tests/unit/worker/source/sql_cases.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/time.h"
#include "worker/source/checksum_query.h"
#include "worker/source/estimate_query.h"
#include "worker/source/key_ranges.h"
#include "worker/source/key_split.h"
#include "worker/source/range_query.h"
#include "worker/source/value_text.h"

namespace headwater {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr char kTag[] = "run=r-20130702-1a2b3c4d fence=77 dataset=jfk/events range=[a, b)";

const ColumnType kMoney = {.kind = TypeKind::kDecimal, .precision = 18, .scale = 2};

ColumnType Of(TypeKind kind) { return {.kind = kind, .precision = 0, .scale = 0}; }

struct CursorCase {
  std::string name;
  CursorColumn cursor;
  Range range;
};

CursorCase Moments(const std::string& name, CursorType type, const std::string& source_type,
                   absl::string_view from = "2013-01-01 05:00:00",
                   absl::string_view to = "2013-01-02 05:00:00.250001") {
  const std::string column = type == CursorType::kInstant ? "at_instant" : "at";
  return {name, CursorColumn{column, type, ' ', source_type},
          Range{*ParseWallClock(from), *ParseWallClock(to)}};
}

std::vector<CursorCase> Cursors(DialectKind kind) {
  std::vector<CursorCase> cases = {
      {"date", {"day", CursorType::kDate, ' ', "date"}, {15'706, 15'737}},
      {"integer", {"n", CursorType::kInteger, ' ', "bigint"}, {-1, 5'000'000'000}}};
  if (kind == DialectKind::kPostgres) {
    cases.push_back(Moments("wall_clock", CursorType::kWallClock, "timestamp without time zone"));
    cases.push_back(Moments("instant", CursorType::kInstant, "timestamp with time zone"));
  } else if (kind == DialectKind::kMariaDb) {
    cases.push_back(Moments("wall_clock", CursorType::kWallClock, "datetime(6)"));
    cases.push_back(Moments("instant", CursorType::kInstant, "timestamp"));
    cases.push_back(Moments("datetime", CursorType::kWallClock, "datetime"));
    cases.push_back(Moments("datetime_3", CursorType::kWallClock, "datetime(3)"));
    cases.push_back(Moments("beyond_its_last", CursorType::kWallClock, "datetime",
                            "1969-12-31 23:59:59.999", "9999-12-31 23:59:59.000001"));
  } else if (kind == DialectKind::kSqlite) {
    cases.push_back(Moments("wall_clock", CursorType::kWallClock, "TIMESTAMP"));
    cases.push_back(Moments("wall_clock_with_t", CursorType::kWallClock, "TIMESTAMP"));
    cases.back().cursor.separator = 'T';
  } else {
    cases.push_back(Moments("wall_clock", CursorType::kWallClock, "datetime2"));
    cases.push_back(Moments("datetime2_3", CursorType::kWallClock, "datetime2(3)"));
    cases.push_back(Moments("datetime", CursorType::kWallClock, "datetime"));
    cases.push_back(Moments("datetime_before_its_first", CursorType::kWallClock, "datetime",
                            "0001-01-01 00:00:00", "1753-01-01 00:00:00.000001"));
    cases.push_back(Moments("datetime_beyond_its_last", CursorType::kWallClock, "datetime",
                            "1969-12-31 23:59:59.999", "9999-12-31 23:59:59.997001"));
    cases.push_back(Moments("smalldatetime", CursorType::kWallClock, "smalldatetime"));
    cases.push_back(Moments("instant", CursorType::kInstant, "datetimeoffset"));
    cases.push_back({"int", {"n", CursorType::kInteger, ' ', "int"}, {-1, 2'147'483'648}});
  }
  return cases;
}

std::string Quoted(DialectKind kind, const std::string& name) {
  return QuoteIdentifier(DialectOf(kind), name).value();
}

RangeQuery Query(DialectKind kind, const CursorColumn& cursor, Extent extent,
                 int64_t domain_end = kMax) {
  return RangeQuery{.relation = "events",
                    .expressions = {Quoted(kind, "id"), Quoted(kind, "name")},
                    .cursor = cursor,
                    .extent = extent,
                    .domain_end = domain_end,
                    .within = {},
                    .tag = kTag};
}

class Cases {
 public:
  explicit Cases(DialectKind kind) : kind_(kind), dialect_(DialectOf(kind)) {}

  void Put(const std::string& name, const absl::StatusOr<std::string>& sql) {
    const std::string text = sql.ok() ? *sql : absl::StrCat("refused: ", sql.status().message());
    if (!text.empty()) cases_[name] = text;
  }

  void Ranges() {
    for (const CursorCase& c : Cursors(kind_)) {
      const auto put = [&](absl::string_view what, const Extent& extent, int64_t end) {
        Put(absl::StrCat("range_", what, c.name),
            BuildRangeQuery(dialect_, Query(kind_, c.cursor, extent, end)));
      };
      put("", Extent{c.range, false}, kMax);
      put("and_outside_", Extent{c.range, true}, c.range.to);
      put("outside_only_", Extent{std::nullopt, true}, c.range.to);
      put("without_end_", Extent{Range{c.range.from, kMax}, false}, kMax);
      put("without_ends_", Extent{Range{std::numeric_limits<int64_t>::min(), kMax}, true}, kMax);
      Put(absl::StrCat("probe_", c.name),
          BuildProbeQuery(dialect_, "events", c.cursor, true, c.range.to,
                          {c.range, {c.range.from, c.range.from + 1}},
                          absl::StrCat(kTag, " probe")));
      Put(absl::StrCat("neighbours_", c.name),
          BuildNeighboursQuery(dialect_, "events", c.cursor, c.range, kTag));
      Put(absl::StrCat("spread_", c.name), SpreadSql(dialect_, "events", c.cursor));
      Put(absl::StrCat("count_", c.name),
          BuildCountQuery(dialect_, Query(kind_, c.cursor, Extent{c.range, true}, c.range.to)));
    }
    const CursorCase any = Cursors(kind_).front();
    Put("probe_by_clock",
        BuildProbeQuery(dialect_, "events", any.cursor, false, kMax, {}, "probe"));
    RangeQuery query = Query(kind_, any.cursor, Extent{any.range, false});
    query.tag = "x */ DROP TABLE events; /* -- \n '\"` é */";
    Put("comment_that_tries_to_end", BuildRangeQuery(dialect_, query));
    query.tag = std::string(2000, '*');
    Put("comment_that_is_long", BuildRangeQuery(dialect_, query));
    query.tag = "";
    Put("comment_that_is_empty", BuildRangeQuery(dialect_, query));
    query = Query(kind_, CursorColumn{}, Extent{Range{0, 1}, false});
    query.expressions.clear();
    const std::vector<std::pair<Column, const char*>> columns = {
        {{"id", Of(TypeKind::kLong), true}, "bigint"},
        {{"flag", Of(TypeKind::kBoolean), true}, "bit"},
        {{"amount", kMoney, true}, "money"},
        {{"ratio", Of(TypeKind::kDouble), true}, "float"},
        {{"ratio", Of(TypeKind::kFloat), true}, "real"},
        {{"day", Of(TypeKind::kDate), true}, "date"},
        {{"at", Of(TypeKind::kTimestampNtz), true}, "datetime2"},
        {{"at_instant", Of(TypeKind::kTimestamp), true}, "datetimeoffset"}};
    for (const auto& [column, source_type] : columns) {
      query.expressions.push_back(
          ValueAsText(dialect_, Quoted(kind_, column.name), column.type, source_type));
    }
    Put("columns_as_text", BuildRangeQuery(dialect_, query));
    Put("count_whole",
        BuildCountQuery(dialect_, Query(kind_, CursorColumn{}, Extent{Range{0, 1}, false})));
    Put("count_outside_only",
        BuildCountQuery(dialect_,
                        Query(kind_, any.cursor, Extent{std::nullopt, true}, any.range.to)));
    Put("whole",
        BuildRangeQuery(dialect_, Query(kind_, CursorColumn{}, Extent{Range{0, 1}, false})));
  }

  void Splits() {
    const bool transact = kind_ == DialectKind::kSqlServer;
    struct Key {
      KeyColumn key;
      std::vector<std::string> values;
    };
    std::vector<Key> keys;
    const auto add = [&](const char* name, ColumnType type, const char* source_type,
                         std::vector<std::string> values) {
      keys.push_back(Key{{Column{name, type, true}, source_type}, std::move(values)});
    };
    add("id", Of(TypeKind::kLong), "bigint", {"-5", "7", "7", "9000000000"});
    add("name", Of(TypeKind::kString), transact ? "varchar" : "text",
        {"back\\slash", "it's", "表; --"});
    add("amount", kMoney, "numeric(18,2)", {"-1.50", "100.00"});
    add("at", Of(TypeKind::kTimestampNtz), transact ? "datetime2" : "timestamp without time zone",
        {"2013-01-01 00:00:00.5"});
    add("token", Of(TypeKind::kString), transact ? "uniqueidentifier" : "uuid",
        {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"});
    for (const auto& [key, values] : keys) {
      const std::string& name = key.column.name;
      Put(absl::StrCat("quantiles_", name), BuildQuantileQuery(dialect_, "events", key, 4, 100));
      Put(absl::StrCat("quantiles_sampled_", name),
          BuildQuantileQuery(dialect_, "events", key, 3, 2.5));
      PutParts(absl::StrCat("split_", name), SplitByKey(dialect_, key, values));
      PutKeyRanges(key, values);
    }
    if (kind_ != DialectKind::kPostgres) return;
    Put("division", DivisionSql(dialect_, "events", "n"));
    PutParts("split_pages", SplitByPages(100, 3));
  }

  void Checksums() {
    const bool transact = kind_ == DialectKind::kSqlServer;
    std::vector<ChecksumColumn> columns;
    const auto add = [&](const char* name, ColumnType type, const char* source_type) {
      columns.push_back(ChecksumColumn{Column{name, type, true}, source_type});
    };
    add("id", Of(TypeKind::kLong), "bigint");
    add("flag", Of(TypeKind::kBoolean), "bit");
    add("amount", kMoney, transact ? "money" : "numeric(18,2)");
    add("ratio", Of(TypeKind::kDouble), "float");
    add("name", Of(TypeKind::kString), transact ? "nchar" : "text");
    add("token", Of(TypeKind::kString), transact ? "uniqueidentifier" : "uuid");
    add("payload", Of(TypeKind::kBinary), "varbinary");
    add("day", Of(TypeKind::kDate), "date");
    add("at", Of(TypeKind::kTimestampNtz), transact ? "datetime" : "timestamp");
    add("at_instant", Of(TypeKind::kTimestamp), "datetimeoffset");
    const RangeQuery whole = Query(kind_, CursorColumn{}, Extent{Range{0, 1}, false});
    PutChecksum("checksum_whole", whole, columns);
    for (const ChecksumColumn& column : columns) {
      PutChecksum(absl::StrCat("checksum_of_", column.column.name), whole, {column});
    }
    const CursorCase any = Cursors(kind_).front();
    const RangeQuery both = Query(kind_, any.cursor, Extent{any.range, true}, any.range.to);
    PutChecksum("checksum_range_and_outside", both, columns);
    if (dialect_.fast_checksum != nullptr) {
      Put("fast_checksum_whole", BuildFastChecksumQuery(dialect_, whole, columns));
      Put("fast_checksum_range_and_outside", BuildFastChecksumQuery(dialect_, both, columns));
    }
    columns[1].absent = true;
    PutChecksum("checksum_without_a_column_of_the_table", whole, columns);
  }

  void Names() {
    Put("estimate", EstimateSql(dialect_, "events"));
    for (const auto& [what, name] : HostileNames(kind_)) {
      RangeQuery query{.relation = name,
                       .expressions = {Quoted(kind_, name)},
                       .cursor = {name, CursorType::kInteger, ' ', "bigint"},
                       .extent = {Range{0, 9}, true},
                       .domain_end = 9,
                       .within = {},
                       .tag = name};
      const KeyColumn key{Column{name, Of(TypeKind::kLong), true}, "bigint"};
      const std::string prefix = absl::StrCat("hostile_", what, "_");
      Put(prefix + "range", BuildRangeQuery(dialect_, query));
      Put(prefix + "probe", BuildProbeQuery(dialect_, name, query.cursor, true, 9, {{0, 9}}, name));
      Put(prefix + "estimate", EstimateSql(dialect_, name));
      Put(prefix + "spread", SpreadSql(dialect_, name, query.cursor));
      Put(prefix + "quantiles", BuildQuantileQuery(dialect_, name, key, 2, 100));
      PutChecksum(prefix + "checksum", query, {{key.column, key.source_type}});
      Put(prefix + "count", BuildCountQuery(dialect_, query));
      if (dialect_.fast_checksum != nullptr) {
        Put(prefix + "fast_checksum",
            BuildFastChecksumQuery(dialect_, query, {{key.column, key.source_type}}));
      }
      if (kind_ == DialectKind::kPostgres) {
        Put(prefix + "division", DivisionSql(dialect_, name, name));
      }
    }
    if (kind_ == DialectKind::kSqlite) return;
    RangeQuery query = Query(kind_, CursorColumn{}, Extent{Range{0, 1}, false});
    query.relation = kind_ == DialectKind::kSqlServer ? "sales.dbo.events" : "public.events";
    Put("whole_qualified", BuildRangeQuery(dialect_, query));
    Put("estimate_qualified", EstimateSql(dialect_, query.relation));
  }

  void Sessions() {
    Put("clock", std::string(dialect_.clock_sql));
    Put("transactions", std::string(dialect_.transactions_sql));
    if (!dialect_.position_sql.empty()) {
      Put("position", std::string(dialect_.position_sql));
      const char* position = kind_ == DialectKind::kMariaDb ? "0-1-1" : "0/1";
      Put("reached", absl::Substitute(dialect_.reached_sql, dialect_.text_literal(position)));
    }
    int number = 0;
    for (const std::string& sql : SessionSql(dialect_)) {
      // sqlglot cannot parse this one; dialect_test.cc has it word for word.
      if (kind_ == DialectKind::kSqlServer && absl::StartsWith(sql, "IF ")) continue;
      Put(absl::StrCat("session_", ++number), sql);
    }
    Put("session_timeout", StatementTimeoutSql(dialect_, absl::Milliseconds(90'500)));
    Put("session_name", NameSessionSql(dialect_, kTag));
  }

  std::map<std::string, std::string> Take() { return std::move(cases_); }

 private:
  void PutParts(const std::string& name, const absl::StatusOr<std::vector<std::string>>& parts) {
    if (!parts.ok()) return Put(name, parts.status());
    for (size_t i = 0; i < parts->size(); ++i) {
      RangeQuery query = Query(kind_, CursorColumn{}, Extent{Range{0, 1}, false});
      query.within = (*parts)[i];
      Put(absl::StrCat(name, "_", i + 1), BuildRangeQuery(dialect_, query));
    }
  }

  // Borders of a key within an extent, and sums of the parts between them.
  void PutKeyRanges(KeyColumn key, const std::vector<std::string>& values) {
    if (!OrdersAlike(dialect_, key) && dialect_.text_bytes != nullptr) {
      key.by_bytes = true;
      PutParts(absl::StrCat("split_bytes_", key.column.name), SplitByKey(dialect_, key, values));
    }
    const CursorCase any = Cursors(kind_).front();
    const RangeQuery query = Query(kind_, any.cursor, Extent{any.range, true}, any.range.to);
    if (!OrdersAlike(dialect_, key) || dialect_.checksum == nullptr) return;
    const std::vector<ChecksumColumn> columns = {{key.column, key.source_type}};
    const std::string& name = key.column.name;
    AnswerRows answer;
    for (const std::string& value : values) answer.push_back({value});
    const std::vector<std::string> borders = BordersFrom(dialect_, key, answer).value();
    Put(absl::StrCat("borders_", name), BuildBordersQuery(dialect_, query, key, 4));
    Put(absl::StrCat("part_checksums_", name),
        BuildPartChecksumQuery(dialect_, query, columns, key, borders));
    if (name != "id") return;
    Put("part_checksums_of_one_part", BuildPartChecksumQuery(dialect_, query, columns, key, {}));
    const RangeQuery whole = Query(kind_, CursorColumn{}, Extent{Range{0, 1}, false});
    Put("part_checksums_whole", BuildPartChecksumQuery(dialect_, whole, columns, key, borders));
    Put("unique_keys", UniqueKeysSql(dialect_, "events"));
  }

  void PutChecksum(const std::string& name, const RangeQuery& query,
                   const std::vector<ChecksumColumn>& columns) {
    if (dialect_.checksum != nullptr) Put(name, BuildChecksumQuery(dialect_, query, columns));
  }

  const DialectKind kind_;
  const Dialect& dialect_;
  std::map<std::string, std::string> cases_;
};

}  // namespace

std::map<std::string, std::string> HostileNames(DialectKind kind) {
  const Dialect& dialect = DialectOf(kind);
  std::map<std::string, std::string> names = {
      {"quotes", "a\"b'c`d\"\"e"},
      {"brackets", "a]b[c]]d"},
      {"semicolons", "a; DROP TABLE events; --"},
      {"comments", "a /* b */ c -- d\n# e"},
      {"backslashes", "a\\b\\"},
      {"unicode", "Größe 表 é"},
      {"blanks", " a\tb"},
      {"percent", "%s {x} ?1 :n $1 @v"},
      {"longest", std::string(std::min<size_t>(dialect.max_name, 128), 'x')}};
  if (!dialect.basic_plane) names["emoji"] = "a😀b";
  if (kind == DialectKind::kSqlServer) names["longest_quoted"] = std::string(128, ']');
  return names;
}

std::map<std::string, std::string> SqlCases(DialectKind kind) {
  Cases cases(kind);
  cases.Ranges();
  cases.Splits();
  cases.Checksums();
  cases.Names();
  cases.Sessions();
  return cases.Take();
}

}  // namespace headwater
