// One message of each kind that FromProto() takes, with every field set.
#ifndef HEADWATER_TESTS_UNIT_COMMON_MODEL_MODEL_PROTO_SAMPLES_H_
#define HEADWATER_TESTS_UNIT_COMMON_MODEL_MODEL_PROTO_SAMPLES_H_

#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"
#include "headwater/v1/session.pb.h"
#include "headwater/v1/types.pb.h"

namespace headwater {

template <typename Proto>
Proto Parse(const std::string& text) {
  Proto proto;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &proto)) << text;
  return proto;
}

inline v1::DatasetSpec GoodSpec() {
  return Parse<v1::DatasetSpec>(R"(
    table: "flights" relation: "public.flights" strategy: STRATEGY_PARTITION cursor: "time_hour"
    server { name: "jfk" url: "postgresql://x" timezone: "America/New_York" clock_sql: "SELECT 1"
             max_connections: 2 silent_after { seconds: 604800 } fleet: "airports"
             statement_timeout { seconds: 90 } max_tasks_per_minute: 60
             transactions_from: "main" transactions_url: "postgresql://y"
             quiet_windows { days: 31 from_minute: 480 to_minute: 990 } }
    cursor_timezone: "UTC" unit { kind: KIND_DAY count: 1 }
    partition_by { kind: KIND_MONTH count: 1 } lookback_units: 2 begin: "2013-01-01"
    include_columns: "a" exclude_columns: "b" key_columns: "c"
    text_columns: "d" truncate_fine_time: true
    on_null_cursor: OUTSIDE_POLICY_ERROR on_future_cursor: OUTSIDE_POLICY_EXCLUDE
    settle { seconds: 300 nanos: 500 } settle_values: 10 max_ahead { seconds: 86400 }
    target_uri: "/lake/flights" retries: 3 clock_bound: true reload_on_regress: true
    read_connections: 6 on_schema_change: SCHEMA_POLICY_FREEZE
    on_bad_row: BAD_ROW_POLICY_QUARANTINE max_bad_rows: 7 max_bad_percent: 0.5
    write: WRITE_MODE_REPLACE on_missing: MISSING_POLICY_KEEP checksum: CHECKSUM_KIND_MD5
    hash_algorithm: HASH_ALGORITHM_XXH3
    system_columns { server_source: "s" loaded_at: "l" row_hash: "h" deleted_at: "d"
                     valid_from: "f" valid_to: "t" is_current: "c" confirmed_at: "x" })");
}

inline v1::DatasetSpec GoodKeyedSpec() {
  v1::DatasetSpec spec = GoodSpec();
  spec.clear_partition_by();
  spec.mutable_partition_by()->set_kind(v1::Unit::KIND_NONE);
  spec.mutable_partition_by()->set_count(1);
  spec.set_strategy(v1::STRATEGY_STATIC);
  spec.set_write(v1::WRITE_MODE_MERGE);
  spec.set_on_missing(v1::MISSING_POLICY_MARK);
  spec.set_cursor_modified(true);
  spec.set_dedup_by("e");
  spec.add_compared_columns("a");
  spec.add_uncompared_columns("b");
  spec.set_checksum(v1::CHECKSUM_KIND_FAST);
  spec.set_hash_algorithm(v1::HASH_ALGORITHM_SHA256);
  spec.mutable_force_after()->set_seconds(60);
  return spec;
}

inline v1::Outcome GoodKeyedManifest() {
  return Parse<v1::Outcome>(R"(
    lease { task_id: "t" fence: 7 }
    manifest {
      pieces { extent { range { from: 0 to: 1 } } fingerprint { rows: 6 sum_high: 1 sum_low: 9 }
               checksum { kind: CHECKSUM_KIND_MD5 rows: 6 sum: 18446744073709551615
                          spec_version: "w" } }
      schema { columns { name: "id" type: "long" nullable: true }
               columns { name: "h" type: "binary" nullable: true system: SYSTEM_COLUMN_ROW_HASH } }
      rows_read: 6 spec_version: "v" rows_skipped: 4
      keyed { replaced: "server_source=jfk/a.parquet"
              files { path: "server_source=jfk/b.parquet" size_bytes: 10 rows: 8
                      spec_version: "w" }
              new_rows: 1 changed_rows: 2 same_rows: 3 deleted_rows: 4 table_rows: 8
              duplicate_rows: 5 } })");
}

inline v1::Outcome GoodManifest() {
  return Parse<v1::Outcome>(R"pb(
    lease { task_id: "t" fence: 7 }
    manifest {
      pieces {
        extent { range { from: 10 to: 20 } }
        fingerprint { rows: 6 sum_high: 18446744073709551615 sum_low: 9 }
        bad_rows: 1
        bad_files { path: "server_source=jfk/b.parquet" size_bytes: 10 rows: 1 }
        max_cursor: 19
        files {
          path: "server_source=jfk/a.parquet"
          size_bytes: 100
          rows: 5
          partition_values { column: "server_source" value: "jfk" }
          partition_values { column: "cursor_day" }
          stats_json: "{}"
        }
      }
      pieces {
        extent {
          range { from: 20 to: 30 }
          outside: true
        }
        unchanged: true
        fingerprint { rows: 2 sum_high: 1 sum_low: 2 }
      }
      schema {
        columns { name: "id" type: "long" nullable: true }
        columns { name: "price" type: "decimal(18,6)" }
      }
      rows_read: 7
      bytes_read: 8
      bytes_staged: 100
      spec_version: "v"
      truncated_values: 3
    })pb");
}

inline v1::Outcome GoodProbe() {
  return Parse<v1::Outcome>(R"(
    lease { task_id: "p" }
    probe { cursor_type: CURSOR_TYPE_INSTANT schema { columns { name: "id" type: "long" } }
            source_clock { seconds: 1357000000 nanos: 1000 } transactions_known: true
            oldest_transaction { seconds: -5 nanos: 999999000 } replay_time { seconds: 3 }
            minimum: -4 bound: 9 null_rows: 1 future_rows: 2
            tail { range { from: 1 to: 5 } rows: 3 max_cursor: 4 }
            tail { range { from: 5 to: 9 } } estimated_rows: -1
            notices: "column 'shape' is a geometry" divisible: true
            checksum { kind: CHECKSUM_KIND_COUNTS rows: 3 sum: 4 spec_version: "v" }
            spread { value: -4 at: 0.5 } spread { value: 9 before: 12.5 } })");
}

inline v1::TaskSpec GoodTask() {
  return Parse<v1::TaskSpec>(R"(
    task_id: "t" fence: 7 dataset_digest: "d"
    microbatch { extent { range { from: 0 to: 10 } outside: true } cuts: 3 cuts: 6
                 known { extent { range { from: 0 to: 3 } } spec_version: "v"
                         fingerprint { rows: 1 sum_high: 2 sum_low: 3 }
                         checksum { kind: CHECKSUM_KIND_MD5 rows: 1 sum: 2 spec_version: "w" } }
                 checksums: true base { files { path: "a.parquet" size_bytes: 9 rows: 2
                                                spec_version: "w" } }
                 cursor_type: CURSOR_TYPE_DATE domain_end: 100 connections: 3
                 table_schema { columns { name: "a" type: "long" nullable: true } }
                 hash_algorithm: HASH_ALGORITHM_MD5
                 inputs { path: "server_source=jfk/a.parquet" size_bytes: 9 rows: 2
                          partition_values { column: "server_source" value: "jfk" } } })");
}

}  // namespace headwater

#endif  // HEADWATER_TESTS_UNIT_COMMON_MODEL_MODEL_PROTO_SAMPLES_H_
