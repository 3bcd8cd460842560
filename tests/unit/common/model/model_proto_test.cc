// Every message survives the wire, and every field that a sender could get wrong is refused by
// name.
#include "common/model/model_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "google/protobuf/util/message_differencer.h"
#include "tests/unit/common/model/model_proto_samples.h"

namespace headwater {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;
using ::testing::StartsWith;

template <typename Proto>
void ExpectSurvives(const Proto& proto) {
  auto model = FromProto(proto);
  ASSERT_TRUE(model.ok()) << model.status();
  const Proto again = ToProto(*model);
  EXPECT_TRUE(MessageDifferencer::Equals(proto, again)) << proto.DebugString() << "became\n"
                                                        << again.DebugString();
}

TEST(ModelProto, EveryMessageSurvivesTheWire) {
  ExpectSurvives(GoodSpec());
  ExpectSurvives(GoodKeyedSpec());
  ExpectSurvives(GoodManifest());
  ExpectSurvives(GoodKeyedManifest());
  ExpectSurvives(GoodProbe());
  ExpectSurvives(GoodTask());
  ExpectSurvives(Parse<v1::TaskSpec>(R"(task_id: "p" dataset_digest: "d" probe {
      tail { from: 1 to: 2 } checksum: true table_schema { columns { name: "a" type: "long" } } })"));
  ExpectSurvives(Parse<v1::TaskSpec>(R"(task_id: "v" dataset_digest: "d" verification {
      extent { outside: true } cursor_type: CURSOR_TYPE_WALL_CLOCK domain_end: 5
      hash_algorithm: HASH_ALGORITHM_XXH3 })"));
  ExpectSurvives(Parse<v1::Outcome>(R"(lease { task_id: "t" fence: 3 }
      failure { kind: FAILURE_KIND_SOURCE code: 14 message: "no route" })"));
  ExpectSurvives(
      Parse<v1::Outcome>(R"(lease { task_id: "t" fence: 3 } handed_back { reason: "drain" })"));
  ExpectSurvives(Parse<v1::Outcome>(R"(lease { task_id: "v" } verification { spec_version: "v"
      schema {} pieces { extent { range { to: 1 } } fingerprint { rows: 4 sum_low: 8 } } })"));
}

TEST(ModelProto, EveryEnumValueSurvivesTheWire) {
  for (int i = 1; i < v1::CursorType_ARRAYSIZE; ++i) {
    absl::StatusOr<CursorType> type = FromProto(static_cast<v1::CursorType>(i));
    ASSERT_TRUE(type.ok());
    EXPECT_EQ(ToProto(*type), i);
  }
  for (int i = 1; i < v1::Unit::Kind_ARRAYSIZE; ++i) {
    v1::Unit unit;
    unit.set_kind(static_cast<v1::Unit::Kind>(i));
    unit.set_count(1);
    ExpectSurvives(unit);
  }
  for (int i = 1; i < v1::Strategy_ARRAYSIZE; ++i) {
    v1::DatasetSpec spec = GoodSpec();
    spec.set_strategy(static_cast<v1::Strategy>(i));
    ExpectSurvives(spec);
  }
  for (int i = 1; i < v1::OutsidePolicy_ARRAYSIZE; ++i) {
    v1::DatasetSpec spec = GoodSpec();
    spec.set_on_null_cursor(static_cast<v1::OutsidePolicy>(i));
    ExpectSurvives(spec);
  }
  for (int i = 1; i < v1::SchemaPolicy_ARRAYSIZE; ++i) {
    v1::DatasetSpec spec = GoodSpec();
    spec.set_on_schema_change(static_cast<v1::SchemaPolicy>(i));
    ExpectSurvives(spec);
  }
  v1::DatasetSpec old = GoodSpec();  // As a ledger has it that is older than the choice.
  old.clear_on_schema_change();
  old.clear_truncate_fine_time();
  old.clear_hash_algorithm();
  EXPECT_EQ(FromProto(old)->on_schema_change, SchemaPolicy::kEvolve);
  EXPECT_FALSE(FromProto(old)->truncate_fine_time);
  EXPECT_EQ(FromProto(old)->hash_algorithm, HashAlgorithm::kXxh3);
  for (int i = 1; i < v1::HashAlgorithm_ARRAYSIZE; ++i) {
    v1::DatasetSpec spec = GoodSpec();
    spec.set_hash_algorithm(static_cast<v1::HashAlgorithm>(i));
    ExpectSurvives(spec);
  }
  for (int i = 1; i < v1::FailureKind_ARRAYSIZE; ++i) {
    v1::Failure failure;
    failure.set_kind(static_cast<v1::FailureKind>(i));
    failure.set_code(3);
    ExpectSurvives(failure);
  }
}

// Spoils one field of a good message; the refusal must name it.
template <typename Proto>
struct Spoilt {
  std::string field;
  std::function<void(Proto&)> spoil;
};

template <typename Proto>
void ExpectRefused(const Proto& good, const std::vector<Spoilt<Proto>>& cases) {
  ASSERT_TRUE(FromProto(good).ok()) << FromProto(good).status();
  for (const Spoilt<Proto>& spoilt : cases) {
    Proto bad = good;
    spoilt.spoil(bad);
    const absl::Status status = FromProto(bad).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << spoilt.field;
    EXPECT_THAT(std::string(status.message()), HasSubstr(spoilt.field)) << bad.DebugString();
  }
}

TEST(ModelProto, ASpecWithABadFieldIsRefused) {
  using Spec = v1::DatasetSpec;
  ExpectRefused<Spec>(
      GoodSpec(),
      {{"table", [](Spec& s) { s.clear_table(); }},
       {"relation", [](Spec& s) { s.clear_relation(); }},
       {"target_uri", [](Spec& s) { s.clear_target_uri(); }},
       {"cursor", [](Spec& s) { s.clear_cursor(); }},
       {"strategy", [](Spec& s) { s.clear_strategy(); }},
       {"hash_algorithm", [](Spec& s) { s.set_hash_algorithm(static_cast<v1::HashAlgorithm>(9)); }},
       {"strategy", [](Spec& s) { s.set_strategy(static_cast<v1::Strategy>(99)); }},
       {"server.name", [](Spec& s) { s.mutable_server()->clear_name(); }},
       {"server.url", [](Spec& s) { s.mutable_server()->clear_url(); }},
       {"server.timezone", [](Spec& s) { s.mutable_server()->clear_timezone(); }},
       {"server.max_connections", [](Spec& s) { s.mutable_server()->set_max_connections(0); }},
       {"server.transactions_url", [](Spec& s) { s.mutable_server()->clear_transactions_url(); }},
       {"server.silent_after",
        [](Spec& s) { s.mutable_server()->mutable_silent_after()->set_seconds(-1); }},
       {"server.statement_timeout",
        [](Spec& s) { s.mutable_server()->mutable_statement_timeout()->set_seconds(-1); }},
       {"server.max_tasks_per_minute",
        [](Spec& s) { s.mutable_server()->set_max_tasks_per_minute(-1); }},
       {"server.quiet_windows",
        [](Spec& s) { s.mutable_server()->mutable_quiet_windows(0)->set_days(128); }},
       {"server.quiet_windows",
        [](Spec& s) { s.mutable_server()->mutable_quiet_windows(0)->set_from_minute(1440); }},
       {"server.quiet_windows",
        [](Spec& s) { s.mutable_server()->mutable_quiet_windows(0)->set_to_minute(0); }},
       {"unit.kind", [](Spec& s) { s.clear_unit(); }},
       {"unit.count", [](Spec& s) { s.mutable_unit()->set_count(0); }},
       {"partition_by", [](Spec& s) { s.clear_partition_by(); }},
       {"lookback_units", [](Spec& s) { s.set_lookback_units(-1); }},
       {"read_connections", [](Spec& s) { s.set_read_connections(-1); }},
       {"include_columns", [](Spec& s) { s.add_include_columns(""); }},
       {"exclude_columns", [](Spec& s) { s.add_exclude_columns(""); }},
       {"key_columns", [](Spec& s) { s.add_key_columns(""); }},
       {"text_columns", [](Spec& s) { s.add_text_columns(""); }},
       {"on_null_cursor", [](Spec& s) { s.clear_on_null_cursor(); }},
       {"on_future_cursor", [](Spec& s) { s.clear_on_future_cursor(); }},
       {"settle", [](Spec& s) { s.mutable_settle()->set_nanos(-1); }},
       {"settle_values", [](Spec& s) { s.set_settle_values(-1); }},
       {"max_ahead", [](Spec& s) { s.mutable_max_ahead()->set_seconds(INT64_MAX); }},
       {"retries", [](Spec& s) { s.set_retries(-1); }}});
}

TEST(ModelProto, ATaskWithABadFieldIsRefused) {
  using Task = v1::TaskSpec;
  ExpectRefused<Task>(
      GoodTask(),
      {{"task_id", [](Task& t) { t.clear_task_id(); }},
       {"fence", [](Task& t) { t.set_fence(-1); }},
       {"fence", [](Task& t) { t.set_fence(0); }},
       {"fence", [](Task& t) { t.mutable_probe(); }},  // A probe has no fence.
       {"dataset_digest", [](Task& t) { t.clear_dataset_digest(); }},
       {"fence", [](Task& t) { t.clear_kind(); }},
       {"kind",
        [](Task& t) {
          t.clear_kind();
          t.set_fence(0);
        }},
       {"extent", [](Task& t) { t.mutable_microbatch()->clear_extent(); }},
       {"range",
        [](Task& t) { t.mutable_microbatch()->mutable_extent()->mutable_range()->set_to(0); }},
       {"cuts", [](Task& t) { t.mutable_microbatch()->set_cuts(0, 0); }},
       {"cuts", [](Task& t) { t.mutable_microbatch()->set_cuts(1, 10); }},
       {"cuts", [](Task& t) { t.mutable_microbatch()->set_cuts(1, 3); }},
       {"cuts", [](Task& t) { t.mutable_microbatch()->mutable_extent()->clear_range(); }},
       {"cursor_type", [](Task& t) { t.mutable_microbatch()->clear_cursor_type(); }},
       {"known.spec_version",
        [](Task& t) { t.mutable_microbatch()->mutable_known(0)->clear_spec_version(); }},
       {"extent", [](Task& t) { t.mutable_microbatch()->mutable_known(0)->clear_extent(); }},
       {"fingerprint.rows", [](Task& t) {
          t.mutable_microbatch()->mutable_known(0)->mutable_fingerprint()->set_rows(-1);
        }}});
  v1::TaskSpec probe = Parse<v1::TaskSpec>(R"(task_id: "p" dataset_digest: "d" probe {})");
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(FromProto(probe).ok());
    v1::Range& range = *probe.mutable_probe()->add_tail();
    range.set_from(i);
    range.set_to(i + 1);
  }
  EXPECT_THAT(std::string(FromProto(probe).status().message()), StartsWith("probe.tail"));
}

TEST(ModelProto, AManifestWithABadFieldIsRefused) {
  using Outcome = v1::Outcome;
  const auto piece = [](Outcome& o) { return o.mutable_manifest()->mutable_pieces(0); };
  const auto file = [](Outcome& o) {
    return o.mutable_manifest()->mutable_pieces(0)->mutable_files(0);
  };
  ExpectRefused<Outcome>(
      GoodManifest(),
      {{"task_id", [](Outcome& o) { o.mutable_lease()->clear_task_id(); }},
       {"fence", [](Outcome& o) { o.mutable_lease()->set_fence(-1); }},
       {"fence", [](Outcome& o) { o.mutable_lease()->set_fence(0); }},
       {"outcome.result", [](Outcome& o) { o.clear_result(); }},
       {"rows_read", [](Outcome& o) { o.mutable_manifest()->set_rows_read(-1); }},
       {"bytes_read", [](Outcome& o) { o.mutable_manifest()->set_bytes_read(-1); }},
       {"bytes_staged", [](Outcome& o) { o.mutable_manifest()->set_bytes_staged(-1); }},
       {"spec_version", [](Outcome& o) { o.mutable_manifest()->clear_spec_version(); }},
       {"schema.columns.name",
        [](Outcome& o) { o.mutable_manifest()->mutable_schema()->add_columns(); }},
       {"schema.columns.name",
        [](Outcome& o) {
          auto& schema = *o.mutable_manifest()->mutable_schema();
          *schema.add_columns() = v1::Column(schema.columns(0));
        }},
       {"schema.columns.type",
        [](Outcome& o) {
          o.mutable_manifest()->mutable_schema()->mutable_columns(0)->set_type("int128");
        }},
       {"extent", [&](Outcome& o) { piece(o)->clear_extent(); }},
       {"max_cursor", [&](Outcome& o) { piece(o)->set_max_cursor(20); }},
       {"fingerprint.rows", [&](Outcome& o) { piece(o)->mutable_fingerprint()->set_rows(-1); }},
       {"expected 6 rows", [&](Outcome& o) { piece(o)->mutable_fingerprint()->set_rows(7); }},
       {"expected 1 rows", [&](Outcome& o) { piece(o)->clear_bad_files(); }},
       {"piece.bad_rows", [&](Outcome& o) { piece(o)->set_bad_rows(7); }},
       {"piece.bad_rows", [&](Outcome& o) { piece(o)->set_bad_rows(-1); }},
       {"truncated_values", [](Outcome& o) { o.mutable_manifest()->set_truncated_values(-1); }},
       {"unchanged piece", [&](Outcome& o) { piece(o)->set_unchanged(true); }},
       {"overlap", [&](Outcome& o) { piece(o)->mutable_extent()->mutable_range()->set_to(21); }},
       {"two pieces", [&](Outcome& o) { piece(o)->mutable_extent()->set_outside(true); }},
       {"file.path", [&](Outcome& o) { file(o)->clear_path(); }},
       {"file.path", [&](Outcome& o) { file(o)->set_path("/etc/passwd"); }},
       {"file.path", [&](Outcome& o) { file(o)->set_path("a/../../b"); }},
       {"file.size_bytes", [&](Outcome& o) { file(o)->set_size_bytes(0); }},
       {"file.rows", [&](Outcome& o) { file(o)->set_rows(0); }},
       {"file.partition_values.column",
        [&](Outcome& o) { file(o)->mutable_partition_values(0)->clear_column(); }}});
}

TEST(ModelProto, AProbeResultWithABadFieldIsRefused) {
  using Outcome = v1::Outcome;
  const auto probe = [](Outcome& o) { return o.mutable_probe(); };
  ExpectRefused<Outcome>(
      GoodProbe(),
      {{"fence", [](Outcome& o) { o.mutable_lease()->set_fence(1); }},
       {"cursor_type", [&](Outcome& o) { probe(o)->clear_cursor_type(); }},
       {"schema", [&](Outcome& o) { probe(o)->mutable_schema()->add_columns(); }},
       {"source_clock", [&](Outcome& o) { probe(o)->clear_source_clock(); }},
       {"source_clock", [&](Outcome& o) { probe(o)->mutable_source_clock()->set_nanos(-1); }},
       {"oldest_transaction",
        [&](Outcome& o) { probe(o)->mutable_oldest_transaction()->set_seconds(INT64_MIN); }},
       {"replay_time",
        [&](Outcome& o) { probe(o)->mutable_replay_time()->set_nanos(1'000'000'000); }},
       {"null_rows", [&](Outcome& o) { probe(o)->set_null_rows(-1); }},
       {"future_rows", [&](Outcome& o) { probe(o)->set_future_rows(-1); }},
       {"estimated_rows", [&](Outcome& o) { probe(o)->set_estimated_rows(-2); }},
       {"spread", [&](Outcome& o) { probe(o)->mutable_spread(0)->set_before(-1); }},
       {"spread", [&](Outcome& o) { probe(o)->mutable_spread(1)->set_at(std::nan("")); }},
       {"spread",
        [&](Outcome& o) {
          for (int i = 0; i < 5000; ++i) probe(o)->add_spread();
        }},
       {"notices", [&](Outcome& o) { probe(o)->add_notices("one more than columns"); }},
       {"range", [&](Outcome& o) { probe(o)->mutable_tail(0)->clear_range(); }},
       {"tail.rows", [&](Outcome& o) { probe(o)->mutable_tail(0)->set_rows(-1); }},
       {"at most 8", [&](Outcome& o) {
          while (probe(o)->tail_size() < 9) *probe(o)->add_tail() = probe(o)->tail(0);
        }}});
}

TEST(ModelProto, AFailureWithABadFieldIsRefused) {
  using Failure = v1::Failure;
  ExpectRefused<Failure>(Parse<Failure>(R"(kind: FAILURE_KIND_TASK code: 3 message: "m")"),
                         {{"failure.kind", [](Failure& f) { f.clear_kind(); }},
                          {"failure.code", [](Failure& f) { f.clear_code(); }},
                          {"failure.code", [](Failure& f) { f.set_code(17); }}});
}

TEST(ModelProto, AMessageInAnotherEncodingStillParsesAtTheOtherEnd) {
  Outcome outcome;
  outcome.lease = {.task_id = "t", .fence = 1};
  outcome.result = Failure{.kind = FailureKind::kSource,
                           .status = absl::UnavailableError("Verbindung \xFC"
                                                            "berlastet \xE2\x82\xAC "
                                                            "\xED\xA0\x80")};
  v1::Outcome parsed;
  ASSERT_TRUE(parsed.ParseFromString(ToProto(outcome).SerializeAsString()));
  EXPECT_EQ(parsed.failure().message(), "Verbindung \uFFFDberlastet \u20AC \uFFFD\uFFFD\uFFFD");
}

TEST(ModelProto, TimesBeyondTheWireAreBroughtToItsLimits) {
  ProbeResult probe;
  probe.cursor_type = CursorType::kInteger;
  probe.source_clock = absl::InfiniteFuture();
  absl::StatusOr<ProbeResult> again = FromProto(ToProto(probe));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(absl::FormatTime("%Y", again->source_clock, absl::UTCTimeZone()), "9999");
}

}  // namespace
}  // namespace headwater
