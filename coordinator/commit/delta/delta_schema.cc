#include "coordinator/commit/delta/delta_schema.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/model/dataset_spec.h"

namespace headwater {

std::string SchemaToJson(const Schema& schema) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartObject();
  writer.Key("type");
  writer.String("struct");
  writer.Key("fields");
  writer.StartArray();
  for (const Column& column : schema.columns) {
    writer.StartObject();
    writer.Key("name");
    writer.String(column.name.c_str(), static_cast<rapidjson::SizeType>(column.name.size()));
    writer.Key("type");
    writer.String(TypeToString(column.type).c_str());
    writer.Key("nullable");
    writer.Bool(true);
    writer.Key("metadata");
    writer.StartObject();
    writer.EndObject();
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize());
}

absl::StatusOr<Schema> SchemaFromJson(absl::string_view json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("fields") ||
      !document["fields"].IsArray()) {
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
    schema.columns.push_back({name, type, true});
  }
  return schema;
}

std::vector<std::string> PartitionColumns(const Unit& partition_by) {
  std::vector<std::string> columns = {"server_source"};
  if (std::string column = PartitionColumn(partition_by); !column.empty())
    columns.push_back(std::move(column));
  return columns;
}

Schema TableSchema(const Schema& file_schema, const Unit& partition_by) {
  Schema schema = file_schema;
  for (const std::string& name : PartitionColumns(partition_by)) {
    const TypeKind kind = name == "cursor_day" ? TypeKind::kDate : TypeKind::kString;
    schema.columns.push_back({name, {kind}, true});
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

namespace {

// Index of the column whose name differs from `name` only in case, or -1.
int FindOtherCase(const Schema& schema, const std::string& name) {
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    if (schema.columns[i].name != name && absl::EqualsIgnoreCase(schema.columns[i].name, name))
      return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

std::string SchemaDifference(const Schema& table, const Schema& staged) {
  std::vector<std::string> differences;
  for (const Column& column : staged.columns) {
    const int at = table.Find(column.name);
    if (const int other = FindOtherCase(table, column.name); at < 0 && other >= 0) {
      differences.push_back(absl::StrCat("column ", table.columns[other].name,
                                         " of the table is written ", column.name,
                                         " in the source"));
    } else if (at < 0) {
      differences.push_back(
          absl::StrCat("column ", column.name, " (", TypeToString(column.type), ") is new"));
    } else if (!(table.columns[at].type == column.type)) {
      differences.push_back(absl::StrCat("column ", column.name, " is ",
                                         TypeToString(table.columns[at].type), " in the table and ",
                                         TypeToString(column.type), " in the source"));
    }
  }
  for (const Column& column : table.columns) {
    if (staged.Find(column.name) < 0 && FindOtherCase(staged, column.name) < 0)
      differences.push_back(absl::StrCat("column ", column.name, " is gone from the source"));
  }
  return absl::StrJoin(differences, "; ");
}

}  // namespace headwater
