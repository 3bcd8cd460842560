#include "coordinator/commit/delta/delta_support.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr int kMaxPlainWriter = 2;  // Without table features.
constexpr int kFeatureWriter = 7;
constexpr int kFeatureReader = 3;

// Features that a table may list. The last two are what writer version 2 implies: harmless until a
// property or a column makes use of them.
constexpr std::array<absl::string_view, 3> kFeatures = {"timestampNtz", "appendOnly", "invariants"};

absl::Status Refused(absl::string_view found, absl::string_view advice) {
  return absl::UnimplementedError(absl::StrCat("the table ", found,
                                               ", which this program does not do; it will not "
                                               "write here. ",
                                               advice, ", or load into another table"));
}

absl::Status CheckFeatures(const std::vector<std::string>& features, absl::string_view whose) {
  for (const std::string& feature : features) {
    if (std::find(kFeatures.begin(), kFeatures.end(), feature) == kFeatures.end()) {
      return Refused(absl::StrCat("asks for ", whose, " feature '", feature, "'"),
                     absl::StrCat("Drop the feature (ALTER TABLE … DROP FEATURE ", feature, ")"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckProtocol(const DeltaProtocol& protocol) {
  if (protocol.min_writer > kMaxPlainWriter && protocol.min_writer != kFeatureWriter) {
    return Refused(absl::StrCat("asks for writer version ", protocol.min_writer,
                                " (this program writes 1, 2 and 7)"),
                   "Give it back its protocol");
  }
  if (protocol.min_reader != 1 && protocol.min_reader != kFeatureReader) {
    return Refused(absl::StrCat("asks for reader version ", protocol.min_reader,
                                " (this program reads 1 and 3)"),
                   "Give it back its protocol");
  }
  if (protocol.min_writer == kFeatureWriter)
    RETURN_IF_ERROR(CheckFeatures(protocol.writer_features, "writer"));
  if (protocol.min_reader == kFeatureReader)
    RETURN_IF_ERROR(CheckFeatures(protocol.reader_features, "reader"));
  return absl::OkStatus();
}

// A property that takes effect, or would as soon as somebody raises the protocol.
absl::Status CheckProperty(const std::string& name, const std::string& value) {
  const bool on = absl::EqualsIgnoreCase(value, "true");
  const bool refused =
      (name == "delta.appendOnly" && on) || (name == "delta.enableChangeDataFeed" && on) ||
      (name == "delta.columnMapping.mode" && !absl::EqualsIgnoreCase(value, "none")) ||
      absl::StartsWith(name, "delta.constraints.") ||
      // Checkpoints of other writers would forget which of our commits are done.
      name == "delta.setTransactionRetentionDuration";
  if (!refused) return absl::OkStatus();
  return Refused(absl::StrCat("has the property ", name, "=", value),
                 absl::StrCat("Unset it (ALTER TABLE … UNSET TBLPROPERTIES ('", name, "'))"));
}

// What a column's metadata asks: invariants, generated, identity and mapped columns, defaults.
absl::Status CheckColumn(const rapidjson::Value& field) {
  const auto name = field.FindMember("name");
  const std::string column =
      name != field.MemberEnd() && name->value.IsString() ? name->value.GetString() : "?";
  const auto nullable = field.FindMember("nullable");
  if (nullable != field.MemberEnd() && nullable->value.IsFalse()) {
    return Refused(
        absl::StrCat("has column ", column, " NOT NULL"),
        absl::StrCat("Allow NULL (ALTER TABLE … ALTER COLUMN ", column, " DROP NOT NULL)"));
  }
  const auto metadata = field.FindMember("metadata");
  if (metadata == field.MemberEnd() || !metadata->value.IsObject()) return absl::OkStatus();
  for (const auto& entry : metadata->value.GetObject()) {
    const std::string rule = entry.name.GetString();
    if (absl::StartsWith(rule, "delta.") || rule == "CURRENT_DEFAULT" ||
        rule == "__CHAR_VARCHAR_TYPE_STRING") {
      return Refused(absl::StrCat("has column ", column, " with ", rule),
                     "Make the table anew without it");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckColumns(const std::string& schema_string) {
  rapidjson::Document schema;
  schema.Parse(schema_string.data(), schema_string.size());
  if (schema.HasParseError() || !schema.IsObject() || !schema.HasMember("fields") ||
      !schema["fields"].IsArray()) {
    return absl::DataLossError("the table's schemaString is not a struct");
  }
  for (const auto& field : schema["fields"].GetArray()) {
    if (!field.IsObject()) return absl::DataLossError("the table's schemaString has no fields");
    RETURN_IF_ERROR(CheckColumn(field));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckWritable(const DeltaProtocol& protocol, const DeltaMetadata& metadata) {
  RETURN_IF_ERROR(CheckProtocol(protocol));
  for (const auto& [name, value] : metadata.configuration)
    RETURN_IF_ERROR(CheckProperty(name, value));
  return CheckColumns(metadata.schema_string);
}

}  // namespace headwater
