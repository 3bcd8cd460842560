#include "coordinator/commit/delta/delta_support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

DeltaMetadata MetadataWith(const std::string& column_rest) {
  DeltaMetadata metadata;
  metadata.schema_string =
      absl::StrCat(R"({"type":"struct","fields":[{"name":"id","type":"long")", column_rest, "}]}");
  return metadata;
}

const char kPlainColumn[] = R"(,"nullable":true,"metadata":{"comment":"delta."})";

void ExpectRefused(const DeltaProtocol& protocol, const DeltaMetadata& metadata,
                   const std::string& words) {
  const absl::Status status = CheckWritable(protocol, metadata);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << words;
  EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  EXPECT_THAT(std::string(status.message()), HasSubstr("load into another table"));
}

TEST(DeltaSupport, WritesWhatItMakesItself) {
  DeltaMetadata metadata = MetadataWith(kPlainColumn);
  metadata.configuration = {{"headwater.ledger", "x"},
                            {"delta.appendOnly", "false"},
                            {"delta.enableChangeDataFeed", "false"},
                            {"delta.columnMapping.mode", "none"},
                            {"delta.logRetentionDuration", "interval 30 days"}};
  EXPECT_TRUE(CheckWritable({1, 1, {}, {}}, metadata).ok());
  EXPECT_TRUE(CheckWritable({1, 2, {}, {}}, metadata).ok());
  EXPECT_TRUE(CheckWritable({3, 7, {"timestampNtz"}, {"timestampNtz"}}, metadata).ok());
  EXPECT_TRUE(CheckWritable({1, 7, {}, {"appendOnly", "invariants"}}, metadata).ok());
}

TEST(DeltaSupport, RefusesOtherProtocols) {
  const DeltaMetadata metadata = MetadataWith(kPlainColumn);
  for (const int writer : {3, 4, 5, 6, 8})
    ExpectRefused({1, writer, {}, {}}, metadata, absl::StrCat("writer version ", writer));
  for (const int reader : {2, 4})
    ExpectRefused({reader, 2, {}, {}}, metadata, absl::StrCat("reader version ", reader));
}

TEST(DeltaSupport, RefusesFeaturesThatItDoesNotHave) {
  const DeltaMetadata metadata = MetadataWith(kPlainColumn);
  for (const char* feature :
       {"changeDataFeed", "checkConstraints", "generatedColumns", "columnMapping",
        "identityColumns", "deletionVectors", "rowTracking", "domainMetadata", "v2Checkpoint",
        "inCommitTimestamp", "allowColumnDefaults", "clustering", "typeWidening", "variantType",
        "vacuumProtocolCheck", "icebergCompatV2", "catalogManaged", "of tomorrow"}) {
    ExpectRefused({1, 7, {}, {"invariants", feature}}, metadata,
                  absl::StrCat("writer feature '", feature, "'"));
    ExpectRefused({3, 7, {feature}, {}}, metadata, absl::StrCat("reader feature '", feature, "'"));
  }
}

TEST(DeltaSupport, RefusesPropertiesThatAskForMore) {
  const std::vector<std::pair<std::string, std::string>> properties = {
      {"delta.appendOnly", "true"},
      {"delta.enableChangeDataFeed", "TRUE"},
      {"delta.columnMapping.mode", "name"},
      {"delta.columnMapping.mode", "id"},
      {"delta.constraints.positive", "id > 0"},
      {"delta.setTransactionRetentionDuration", "interval 7 days"}};
  for (const auto& [name, value] : properties) {
    DeltaMetadata metadata = MetadataWith(kPlainColumn);
    metadata.configuration[name] = value;
    ExpectRefused({1, 2, {}, {}}, metadata, absl::StrCat("property ", name, "=", value));
    ExpectRefused({1, 2, {}, {}}, metadata, absl::StrCat("UNSET TBLPROPERTIES ('", name, "')"));
  }
}

TEST(DeltaSupport, RefusesColumnsWithRules) {
  for (const char* rule :
       {"delta.invariants", "delta.generationExpression", "delta.identity.start",
        "delta.columnMapping.id", "CURRENT_DEFAULT", "__CHAR_VARCHAR_TYPE_STRING"}) {
    ExpectRefused({1, 2, {}, {}},
                  MetadataWith(absl::StrCat(R"(,"metadata":{")", rule, R"(":"1 > 0"})")),
                  absl::StrCat("column id with ", rule));
  }
  ExpectRefused({1, 2, {}, {}}, MetadataWith(R"(,"nullable":false,"metadata":{})"),
                "column id NOT NULL");
}

TEST(DeltaSupport, ASchemaThatIsNoneIsDamage) {
  for (const char* schema : {"", "[]", "{}", R"({"fields":{}})", R"({"fields":[1]})", "{"}) {
    DeltaMetadata metadata;
    metadata.schema_string = schema;
    EXPECT_EQ(CheckWritable({}, metadata).code(), absl::StatusCode::kDataLoss) << schema;
  }
}

}  // namespace
}  // namespace headwater
