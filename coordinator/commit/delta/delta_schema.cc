#include "coordinator/commit/delta/delta_schema.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/system_columns.h"
#include "common/model/dataset_spec.h"

namespace headwater {

namespace {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

// Of a field's metadata: which of our columns it is, as SystemColumnKeys() has it.
constexpr char kSystemKey[] = "headwater.system";

SystemColumn SystemColumnOf(const rapidjson::Value& field) {
  if (!field.HasMember("metadata") || !field["metadata"].IsObject()) return SystemColumn::kNone;
  const rapidjson::Value& metadata = field["metadata"];
  if (!metadata.HasMember(kSystemKey) || !metadata[kSystemKey].IsString())
    return SystemColumn::kNone;
  for (const auto& [column, key] : SystemColumnKeys()) {
    if (key == metadata[kSystemKey].GetString()) return column;
  }
  return SystemColumn::kNone;
}

void PutField(JsonWriter& writer, const Column& column) {
  writer.StartObject();
  writer.Key("name");
  writer.String(column.name.c_str(), static_cast<rapidjson::SizeType>(column.name.size()));
  writer.Key("type");
  writer.String(TypeToString(column.type).c_str());
  writer.Key("nullable");
  writer.Bool(true);
  writer.Key("metadata");
  writer.StartObject();
  for (const auto& [system, key] : SystemColumnKeys()) {
    if (column.system != system) continue;
    writer.Key(kSystemKey);
    writer.String(key.c_str());
  }
  writer.EndObject();
  writer.EndObject();
}

void Mark(SystemColumn system, rapidjson::Value& field,
          rapidjson::Document::AllocatorType& allocator) {
  if (!field.HasMember("metadata"))
    field.AddMember("metadata", rapidjson::Value(rapidjson::kObjectType), allocator);
  if (!field["metadata"].IsObject()) field["metadata"].SetObject();
  for (const auto& [column, key] : SystemColumnKeys()) {
    if (column == system)
      field["metadata"].AddMember(kSystemKey, rapidjson::Value(key.c_str(), allocator), allocator);
  }
}

bool IsStruct(const rapidjson::Document& document) {
  return !document.HasParseError() && document.IsObject() && document.HasMember("fields") &&
         document["fields"].IsArray();
}

}  // namespace

std::string SchemaToJson(const Schema& schema) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("type");
  writer.String("struct");
  writer.Key("fields");
  writer.StartArray();
  for (const Column& column : schema.columns) PutField(writer, column);
  writer.EndArray();
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize());
}

absl::StatusOr<Schema> SchemaFromJson(absl::string_view json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (!IsStruct(document)) {
    return absl::DataLossError("the table's schemaString is not a struct");
  }
  Schema schema;
  for (const auto& field : document["fields"].GetArray()) {
    if (!field.IsObject() || !field.HasMember("name") || !field["name"].IsString() ||
        !field.HasMember("type")) {
      return absl::DataLossError("the table's schemaString has a field without name or type");
    }
    const std::string name = field["name"].GetString();
    if (!field["type"].IsString()) {
      return absl::UnimplementedError(absl::StrCat("column ", name, " has a nested type"));
    }
    ASSIGN_OR_RETURN(const ColumnType type, ParseType(field["type"].GetString()));
    schema.columns.push_back({name, type, true, SystemColumnOf(field)});
  }
  MarkUnmarked(schema);
  return schema;
}

absl::StatusOr<std::string> GrowSchemaJson(absl::string_view json, const Schema& schema) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  ASSIGN_OR_RETURN(const Schema before, SchemaFromJson(json));
  auto& allocator = document.GetAllocator();
  rapidjson::Value& fields = document["fields"];
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    if (i >= before.columns.size()) {
      rapidjson::StringBuffer buffer;
      JsonWriter writer(buffer);
      PutField(writer, column);
      rapidjson::Document field(&allocator);
      field.Parse(buffer.GetString(), buffer.GetSize());
      fields.PushBack(field, allocator);
      continue;
    }
    rapidjson::Value& field = fields[static_cast<rapidjson::SizeType>(i)];
    if (!(column.type == before.columns[i].type)) {
      const std::string type = TypeToString(column.type);
      field["type"].SetString(type.c_str(), static_cast<rapidjson::SizeType>(type.size()),
                              allocator);
    }
    // Where none is marked, names say which are ours (MarkUnmarked()): no longer, once one is.
    if (column.system != SystemColumn::kNone && SystemColumnOf(field) == SystemColumn::kNone)
      Mark(column.system, field, allocator);
  }
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  document.Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::vector<std::string> PartitionColumns(const std::string& server_column,
                                          const Unit& partition_by) {
  std::vector<std::string> columns;
  if (!server_column.empty()) columns.push_back(server_column);
  if (std::string column = PartitionColumn(partition_by); !column.empty())
    columns.push_back(std::move(column));
  return columns;
}

Schema TableSchema(const Schema& file_schema, const std::string& server_column,
                   const Unit& partition_by) {
  Schema schema = file_schema;
  for (const std::string& name : PartitionColumns(server_column, partition_by)) {
    const TypeKind kind = name == "cursor_day" ? TypeKind::kDate : TypeKind::kString;
    const SystemColumn system =
        name == server_column ? SystemColumn::kServerSource : SystemColumn::kNone;
    schema.columns.push_back({name, {kind}, true, system});
  }
  return schema;
}

DeltaProtocol ProtocolFor(const Schema& schema) {
  const bool ntz =
      std::any_of(schema.columns.begin(), schema.columns.end(),
                  [](const Column& column) { return column.type.kind == TypeKind::kTimestampNtz; });
  if (!ntz) return {};
  return {3, 7, {"timestampNtz"}, {"timestampNtz"}};
}

DeltaProtocol GrowProtocol(const DeltaProtocol& protocol, const Schema& schema) {
  const DeltaProtocol needed = ProtocolFor(schema);
  DeltaProtocol grown = protocol;
  if (needed.reader_features.empty()) return grown;
  if (grown.min_writer < needed.min_writer) {
    // What the old version implied has to be listed now.
    grown.writer_features.clear();
    if (grown.min_writer == 2) grown.writer_features = {"appendOnly", "invariants"};
    grown.min_writer = needed.min_writer;
  }
  if (grown.min_reader < needed.min_reader) {
    grown.reader_features.clear();
    grown.min_reader = needed.min_reader;
  }
  for (auto* features : {&grown.reader_features, &grown.writer_features}) {
    for (const std::string& feature : needed.reader_features) {
      if (std::find(features->begin(), features->end(), feature) == features->end())
        features->push_back(feature);
    }
  }
  return grown;
}

std::string ColumnClash(const Schema& schema) {
  std::map<std::string, const Column*> names;
  for (const Column& column : schema.columns) {
    const auto [other, is_new] = names.emplace(absl::AsciiStrToLower(column.name), &column);
    if (is_new) continue;
    return absl::StrCat("columns '", other->second->name, "' and '", column.name,
                        "' have the same name in a Delta table, where case does not count. Leave "
                        "one out (columns: exclude), or rename it in the source or in a view");
  }
  return "";
}

}  // namespace headwater
