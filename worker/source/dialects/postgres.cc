#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "worker/source/dialects/dialects.h"

namespace headwater::dialects {
namespace {

// Without the right to see other sessions their `xact_start` is NULL, which would look like "none
// open": hence the question whether we are a member of pg_read_all_stats (superusers always are).
// On a standby, sessions of the primary are not visible at all; until it has replayed a commit, it
// is as old as the checkpoint that it began with. A prepared transaction has no session, so
// pg_prepared_xacts is asked too.
constexpr absl::string_view kTransactions =
    "SELECT CASE WHEN NOT pg_is_in_recovery() AND pg_has_role('pg_read_all_stats', 'USAGE') "
    "THEN 1 ELSE 0 END, "
    "((SELECT min(t) FROM (SELECT xact_start AS t FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name NOT LIKE 'headwater%' AND backend_type <> 'walsender' "
    "UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()) x) "
    "AT TIME ZONE 'UTC')::text, "
    "((CASE WHEN pg_is_in_recovery() THEN COALESCE(pg_last_xact_replay_timestamp(), "
    "(SELECT checkpoint_time FROM pg_control_checkpoint())) END) AT TIME ZONE 'UTC')::text";

// A transaction leaves pg_stat_activity after its commit is in the log.
constexpr absl::string_view kPosition =
    "SELECT (SELECT system_identifier FROM pg_control_system())::text, "
    "pg_current_wal_insert_lsn()::text";
constexpr absl::string_view kReached =
    "SELECT (SELECT system_identifier FROM pg_control_system())::text, "
    "CASE WHEN pg_last_wal_replay_lsn() >= CAST($0 AS pg_lsn) THEN '1' "
    "WHEN pg_sleep(0.05) IS NULL THEN NULL ELSE '0' END";

// `SET` without LOCAL lasts as long as the session. A standby refuses SERIALIZABLE, which a role
// may have as its default. Compiling what sums the rows takes longer than it saves; `jit` came with
// PostgreSQL 11.
constexpr absl::string_view kSession =
    "SET TimeZone TO 'UTC'\n"
    "SET DateStyle TO 'ISO, YMD'\n"
    "SET IntervalStyle TO 'iso_8601'\n"
    "SET extra_float_digits TO 3\n"
    "SET bytea_output TO 'hex'\n"
    "SET standard_conforming_strings TO on\n"
    "SET default_transaction_isolation TO 'repeatable read'\n"
    "SET default_transaction_read_only TO on\n"
    "SELECT set_config('jit', 'off', false) FROM pg_settings WHERE name = 'jit'\n"
    "SET application_name TO 'headwater'";

absl::StatusOr<std::string> Literal(const CursorColumn& cursor, int64_t value) {
  if (cursor.type != CursorType::kInstant) return StandardCursorLiteral(cursor, value);
  return absl::StrCat("TIMESTAMPTZ '", CivilText(value, ' '), "+00'");
}

std::string AsText(absl::string_view expression) {
  return absl::StrCat("CAST(", expression, " AS text)");
}

// The text of money depends on the locale.
std::string ValueText(const std::string& column, const ColumnType&, absl::string_view source_type) {
  return AsText(source_type == "money" ? absl::StrCat("CAST(", column, " AS numeric)") : column);
}

// What the catalog calls the type (format_type) is SQL already, so any type that has an order has
// literals: uuid, numeric, varchar(3).
absl::StatusOr<std::string> KeyLiteral(const Column& key, absl::string_view source_type,
                                       absl::string_view text) {
  if (key.type.kind != TypeKind::kString || source_type.empty()) {
    return CommonKeyLiteral(kPostgres, key, source_type, text);
  }
  return absl::StrCat("CAST(", StandardText(text), " AS ", source_type, ")");
}

// Bytes are those of the server's encoding, whose order is that of UTF-8 where it is UTF-8. A
// literal without a type is no shorter than it is written, whatever the column's type would hold.
std::string TextBytes(const std::string& column, absl::string_view source_type) {
  const bool text = source_type == "text" || absl::StartsWith(source_type, "character varying");
  return absl::StrCat(text ? column : AsText(column), " COLLATE \"C\"");
}

std::string Timeout(int64_t milliseconds) {
  return absl::StrCat("SET statement_timeout TO ", milliseconds);
}

std::string Name(absl::string_view name) {
  constexpr size_t kKept = 63;
  return absl::StrCat("SET application_name TO ", StandardText(name.substr(0, kKept)));
}

// A partitioned table has no rows of its own; its partitions have.
std::string Leaves(const EstimateNames& names) {
  const std::string oid = absl::StrCat("CAST(", names.relation_literal, " AS regclass)");
  return absl::StrCat("c.relkind <> 'p' AND c.oid IN (SELECT relid FROM pg_partition_tree(", oid,
                      ") UNION SELECT ", oid, ")");
}

std::string Estimate(const EstimateNames& names) {
  return absl::StrCat(
      "SELECT CAST(CASE WHEN MIN(c.reltuples) < 0 THEN -1 ELSE CAST(SUM(c.reltuples) AS bigint) "
      "END AS text) FROM pg_class AS c WHERE ",
      Leaves(names));
}

// Common values count by their frequency; the others lie between the histogram's borders, as many
// between any two of them. Each partition has statistics of its own.
std::string Spread(const SpreadNames& names) {
  const auto values = [&](absl::string_view column) {
    return absl::StrCat("CAST(CAST(", column, " AS text) AS ", names.type, "[])");
  };
  return absl::StrCat(
      "WITH leaves AS (SELECT c.reltuples AS rows, s.null_frac, s.most_common_vals, "
      "s.most_common_freqs, s.histogram_bounds FROM pg_class AS c JOIN pg_namespace AS n ON n.oid "
      "= c.relnamespace JOIN pg_stats AS s ON s.schemaname = n.nspname AND s.tablename = c.relname "
      "AND s.attname = ",
      names.column_literal, " AND NOT s.inherited WHERE c.reltuples >= 0 AND ", Leaves(names.names),
      "), steps AS (SELECT v.value, 0 AS before, l.rows * v.share AS at FROM leaves AS l CROSS "
      "JOIN "
      "LATERAL (SELECT UNNEST(",
      values("l.most_common_vals"),
      ") AS value, UNNEST(l.most_common_freqs) AS share) AS v UNION ALL SELECT h.value, CASE WHEN "
      "h.number = 1 THEN 0 ELSE l.rows * (1 - l.null_frac - COALESCE((SELECT SUM(f) FROM "
      "UNNEST(l.most_common_freqs) AS f), 0)) / (ARRAY_LENGTH(",
      values("l.histogram_bounds"), ", 1) - 1) END, 0 FROM leaves AS l CROSS JOIN LATERAL UNNEST(",
      values("l.histogram_bounds"), ") WITH ORDINALITY AS h(value, number)) SELECT ",
      names.largest_as_text,
      ", CAST(SUM(before) AS text), CAST(SUM(at) AS text) FROM "
      "(SELECT value, before, at, NTILE(1000) OVER (ORDER BY value) AS tile FROM steps) AS tiles "
      "GROUP BY tile ORDER BY tile");
}

// percentile_disc takes every type that has an order; MIN, as NTILE would need, has no uuid.
std::string Quantiles(const QuantileNames& names) {
  std::vector<std::string> fractions;
  for (int i = 1; i < names.parts; ++i) {
    fractions.push_back(absl::StrCat(static_cast<double>(i) / names.parts));
  }
  const std::string sample = names.sample_percent >= 100
                                 ? ""
                                 : absl::StrCat(" TABLESAMPLE SYSTEM (", names.sample_percent, ")");
  return absl::StrCat("SELECT CAST(UNNEST(PERCENTILE_DISC(ARRAY[", absl::StrJoin(fractions, ", "),
                      "]) WITHIN GROUP (ORDER BY ", names.column, ")) AS text) FROM ",
                      names.relation, sample);
}

std::string ImportSnapshot(absl::string_view name) {
  return absl::StrCat("SET TRANSACTION SNAPSHOT ", StandardText(name));
}

// Nobody rewrites or empties a table that somebody reads. As pg_dump does it: a session that waits
// here, behind one that wants to rewrite it, would wait for those that have the lock, so for us.
std::string HoldRelation(absl::string_view relation, bool wait) {
  return absl::StrCat("LOCK TABLE ", relation, " IN ACCESS SHARE MODE", wait ? "" : " NOWAIT");
}

// Only tables, whatever hangs below them: a foreign table knows nothing of our snapshot, and nobody
// can see what a view does (a LIMIT, a random number, a foreign table). LOCK takes no materialized
// view. Pages are asked for one by one since version 14, and by their number in heaps only; each
// table below has its own, so their most is what divides them all.
std::string Division(const DivisionNames& names) {
  const std::string relation = absl::StrCat("CAST(", names.relation_literal, " AS regclass)");
  const std::string pages =
      "CASE WHEN c.relkind = 'r' THEN PG_RELATION_SIZE(c.oid) ELSE 0 END / "
      "CAST(CURRENT_SETTING('block_size') AS bigint)";
  return absl::StrCat(
      "WITH RECURSIVE tree AS (SELECT CAST(", relation,
      " AS oid) AS id UNION SELECT i.inhrelid FROM pg_inherits AS i JOIN tree ON i.inhparent = "
      "tree.id) SELECT CASE WHEN BOOL_AND(c.relkind IN ('r', 'p')) AND HAS_TABLE_PRIVILEGE(",
      relation,
      ", 'SELECT') THEN 1 ELSE 0 END, CASE WHEN BOOL_AND(c.relkind = 'p' OR a.amname = 'heap') AND "
      "CAST(CURRENT_SETTING('server_version_num') AS integer) >= 140000 THEN 1 ELSE 0 END, "
      "CAST(MAX(",
      pages, ") AS text), CAST(CAST(SUM(", pages,
      ") AS bigint) AS text), (SELECT k.attname FROM pg_index AS x JOIN pg_class AS xc ON xc.oid = "
      "x.indexrelid JOIN pg_am AS xa ON xa.oid = xc.relam JOIN pg_attribute AS k ON k.attrelid = "
      "x.indrelid AND k.attnum = x.indkey[0] WHERE x.indrelid = ",
      relation, " AND x.indisvalid AND x.indpred IS NULL AND xa.amname = 'btree' AND (k.attname = ",
      names.key_literal, " OR x.indisprimary) ORDER BY k.attname = ", names.key_literal,
      " DESC LIMIT 1) FROM tree JOIN pg_class AS c ON c.oid = tree.id LEFT JOIN pg_am AS a ON "
      "a.oid "
      "= c.relam");
}

std::string UniqueKeys(const EstimateNames& names) {
  return absl::StrCat(
      "SELECT xc.relname, a.attname FROM pg_index AS x JOIN pg_class AS xc ON xc.oid = "
      "x.indexrelid "
      "CROSS JOIN LATERAL UNNEST(x.indkey) WITH ORDINALITY AS k(number, place) JOIN pg_attribute "
      "AS a "
      "ON a.attrelid = x.indrelid AND a.attnum = k.number WHERE x.indrelid = CAST(",
      names.relation_literal,
      " AS regclass) AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS "
      "NULL "
      "AND k.place <= x.indnkeyatts AND NOT EXISTS (SELECT 1 FROM pg_attribute AS n WHERE "
      "n.attrelid "
      "= x.indrelid AND n.attnum = ANY(x.indkey) AND NOT n.attnotnull) ORDER BY x.indisprimary "
      "DESC, "
      "x.indnkeyatts, xc.relname, k.place");
}

std::string TimestampField(const std::string& column, absl::string_view beyond) {
  return absl::StrCat("CASE WHEN ISFINITE(", column, ") AND ", column,
                      " >= TIMESTAMP '0001-01-01 00:00:00' THEN TO_CHAR(", column,
                      ", 'YYYY-MM-DD HH24:MI:SS.US') ELSE CAST(", column, " AS text) END", beyond);
}

std::string ChecksumField(const std::string& column, const ColumnType& type, absl::string_view) {
  std::string text = absl::StrCat("CAST(", column, " AS text)");
  switch (type.kind) {
    case TypeKind::kBoolean:
      return absl::StrCat("CAST(CAST(", column, " AS int) AS text)");
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return absl::StrCat("CASE WHEN ", column,
                          " = 'NaN' THEN '7ff8000000000000' ELSE ENCODE(FLOAT8SEND(CAST(", column,
                          " AS double precision) + 0), 'hex') END");
    case TypeKind::kString:
      return absl::StrCat("CAST(OCTET_LENGTH(CONVERT_TO(", text, ", 'UTF8')) AS text) || ':' || ",
                          text);
    case TypeKind::kBinary:
      return absl::StrCat("ENCODE(", column, ", 'hex')");
    case TypeKind::kTimestampNtz:
      return TimestampField(column, "");
    case TypeKind::kTimestamp:
      return TimestampField(absl::StrCat("(", column, " AT TIME ZONE 'UTC')"), " || 'Z'");
    default:
      return text;
  }
}

// `||` and not CONCAT, which takes a hundred arguments only. No hash is NULL here, and hashes that
// were counted would be made once more for that: the planner puts the expression into both places.
// OFFSET 0 keeps the planner from merging the inner statement into the outer one: it takes the
// parts of a key for as many as its values, and would sort whole rows for them. So they are 200 to
// it, which it hashes (1.6 times as fast).
std::string Checksum(const ChecksumNames& names) {
  const std::string row =
      absl::StrJoin(names.fields, " || ", [](std::string* out, const std::string& field) {
        absl::StrAppend(out, "COALESCE(", field, ", '~') || ','");
      });
  const bool parts = !names.part.empty();
  return absl::StrCat(
      "SELECT ", parts ? "CAST(part AS text), " : "",
      "CAST(COUNT(*) AS text), CAST(COUNT(*) AS text), CAST(COALESCE(SUM(hash), 0) AS "
      "text) FROM (SELECT ",
      parts ? absl::StrCat(names.part, " AS part, ") : "",
      "CAST(CAST('x' || SUBSTR(MD5(CONVERT_TO(", row,
      ", 'UTF8')), 1, 16) AS bit(64)) AS bigint) AS hash FROM ", names.relation, names.where,
      parts ? " OFFSET 0) AS hashed GROUP BY part ORDER BY part" : ") AS hashed");
}

}  // namespace

constinit const Dialect kPostgres = {
    .kind = DialectKind::kPostgres,
    .name = "PostgreSQL",
    .max_name = 63,
    .session_sql = kSession,
    .clock_sql = "SELECT (clock_timestamp() AT TIME ZONE 'UTC')::text",
    .transactions_sql = kTransactions,
    .position_sql = kPosition,
    .reached_sql = kReached,
    .begin_snapshot_sql = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    .end_snapshot_sql = "ROLLBACK",
    .export_snapshot_sql = "SELECT pg_export_snapshot()",
    .text_literal = StandardText,
    .cursor_literal = Literal,
    .cursor_as_text = AsText,
    .key_as_text = AsText,
    .value_as_text = ValueText,
    .key_literal = KeyLiteral,
    .text_bytes = TextBytes,
    .text_bytes_literal = StandardText,
    .statement_timeout = Timeout,
    .name_session = Name,
    .estimate = Estimate,
    .spread = Spread,
    .quantiles = Quantiles,
    .unique_keys = UniqueKeys,
    .import_snapshot = ImportSnapshot,
    .hold_relation = HoldRelation,
    .division = Division,
    .checksum_field = ChecksumField,
    .checksum = Checksum,
};

}  // namespace headwater::dialects
