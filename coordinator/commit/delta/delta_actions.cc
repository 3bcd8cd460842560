#include "coordinator/commit/delta/delta_actions.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"

#ifndef HEADWATER_VERSION
#define HEADWATER_VERSION "0.1.0"
#endif

namespace headwater {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;
using Value = rapidjson::Value;

void Put(Writer& writer, const char* key, absl::string_view value) {
  writer.Key(key);
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}
void Put(Writer& writer, const char* key, int64_t value) {
  writer.Key(key);
  writer.Int64(value);
}
void PutFlag(Writer& writer, const char* key, bool value) {
  writer.Key(key);
  writer.Bool(value);
}
void Put(Writer& writer, const char* key, const std::vector<std::string>& values) {
  writer.Key(key);
  writer.StartArray();
  for (const std::string& value : values)
    writer.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
  writer.EndArray();
}
void Put(Writer& writer, const char* key, const std::map<std::string, std::string>& values) {
  writer.Key(key);
  writer.StartObject();
  for (const auto& [name, value] : values) Put(writer, name.c_str(), absl::string_view(value));
  writer.EndObject();
}
void Put(Writer& writer, const char* key, const PartitionValues& values) {
  writer.Key(key);
  writer.StartObject();
  for (const auto& [name, value] : values) {
    writer.Key(name.c_str());
    value.has_value()
        ? writer.String(value->c_str(), static_cast<rapidjson::SizeType>(value->size()))
        : writer.Null();
  }
  writer.EndObject();
}

// One line: {"<name>": {<fields>}}.
template <typename Fields>
void Line(std::string& out, const char* name, Fields fields) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  writer.Key(name);
  writer.StartObject();
  fields(writer);
  writer.EndObject();
  writer.EndObject();
  absl::StrAppend(&out, absl::string_view(buffer.GetString(), buffer.GetSize()), "\n");
}

void PutCommitInfo(std::string& out, const DeltaCommitInfo& info, bool blind_append) {
  Line(out, "commitInfo", [&](Writer& writer) {
    Put(writer, "timestamp", info.timestamp_ms);
    Put(writer, "operation", absl::string_view(info.operation));
    writer.Key("operationParameters");
    writer.StartObject();
    writer.EndObject();
    PutFlag(writer, "isBlindAppend", blind_append);
    Put(writer, "engineInfo", absl::string_view("headwater/" HEADWATER_VERSION));
    if (info.app_id.empty()) return;
    Put(writer, "headwater.appId", absl::string_view(info.app_id));
    Put(writer, "headwater.sequence", info.sequence);
    Put(writer, "headwater.intent", absl::string_view(info.intent_hash));
    if (info.abandoned) PutFlag(writer, "headwater.abandoned", true);
  });
}

void PutMetadata(std::string& out, const DeltaMetadata& metadata) {
  Line(out, "metaData", [&](Writer& writer) {
    Put(writer, "id", absl::string_view(metadata.id));
    if (!metadata.name.empty()) Put(writer, "name", absl::string_view(metadata.name));
    if (!metadata.description.empty())
      Put(writer, "description", absl::string_view(metadata.description));
    writer.Key("format");
    writer.StartObject();
    Put(writer, "provider", absl::string_view("parquet"));
    writer.Key("options");
    writer.StartObject();
    writer.EndObject();
    writer.EndObject();
    Put(writer, "schemaString", absl::string_view(metadata.schema_string));
    Put(writer, "partitionColumns", metadata.partition_columns);
    Put(writer, "configuration", metadata.configuration);
    Put(writer, "createdTime", metadata.created_ms);
  });
}

void PutProtocol(std::string& out, const DeltaProtocol& protocol) {
  Line(out, "protocol", [&](Writer& writer) {
    Put(writer, "minReaderVersion", static_cast<int64_t>(protocol.min_reader));
    Put(writer, "minWriterVersion", static_cast<int64_t>(protocol.min_writer));
    if (protocol.min_reader >= 3) Put(writer, "readerFeatures", protocol.reader_features);
    if (protocol.min_writer >= 7) Put(writer, "writerFeatures", protocol.writer_features);
  });
}

const Value* Member(const Value& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto it = object.FindMember(name);
  return it == object.MemberEnd() || it->value.IsNull() ? nullptr : &it->value;
}
std::string Text(const Value& object, const char* name) {
  const Value* value = Member(object, name);
  return value != nullptr && value->IsString()
             ? std::string(value->GetString(), value->GetStringLength())
             : "";
}
int64_t Number(const Value& object, const char* name) {
  const Value* value = Member(object, name);
  return value != nullptr && value->IsInt64() ? value->GetInt64() : 0;
}
bool Flag(const Value& object, const char* name, bool otherwise) {
  const Value* value = Member(object, name);
  return value != nullptr && value->IsBool() ? value->GetBool() : otherwise;
}
std::vector<std::string> Texts(const Value& object, const char* name) {
  std::vector<std::string> texts;
  const Value* value = Member(object, name);
  if (value == nullptr || !value->IsArray()) return texts;
  for (const Value& item : value->GetArray()) {
    if (item.IsString()) texts.emplace_back(item.GetString(), item.GetStringLength());
  }
  return texts;
}
PartitionValues Partitions(const Value& object, const char* name) {
  PartitionValues values;
  const Value* map = Member(object, name);
  if (map == nullptr || !map->IsObject()) return values;
  for (const auto& member : map->GetObject()) {
    auto& value = values[std::string(member.name.GetString(), member.name.GetStringLength())];
    if (member.value.IsString())
      value.emplace(member.value.GetString(), member.value.GetStringLength());
  }
  return values;
}
std::map<std::string, std::string> Map(const Value& object, const char* name) {
  std::map<std::string, std::string> map;
  for (auto& [key, value] : Partitions(object, name)) {
    if (value.has_value()) map.emplace(key, *std::move(value));
  }
  return map;
}

DeltaProtocol ParseProtocol(const Value& value) {
  return {static_cast<int>(Number(value, "minReaderVersion")),
          static_cast<int>(Number(value, "minWriterVersion")), Texts(value, "readerFeatures"),
          Texts(value, "writerFeatures")};
}

// Takes one line's action in; false when a known action lacks what it must have.
bool TakeAction(const Value& line, DeltaVersion& version) {
  if (const Value* add = Member(line, "add")) {
    version.adds.push_back({Text(*add, "path"), Partitions(*add, "partitionValues"),
                            Number(*add, "size"), Number(*add, "modificationTime"),
                            Flag(*add, "dataChange", true), Text(*add, "stats"),
                            Map(*add, "tags")});
    return !version.adds.back().path.empty();
  }
  if (const Value* remove = Member(line, "remove")) {
    version.removes.push_back({Text(*remove, "path"), Number(*remove, "deletionTimestamp"),
                               Flag(*remove, "dataChange", true),
                               Partitions(*remove, "partitionValues"), Number(*remove, "size")});
    return !version.removes.back().path.empty();
  }
  if (const Value* txn = Member(line, "txn")) {
    version.txns.push_back({Text(*txn, "appId"), Number(*txn, "version")});
  } else if (const Value* metadata = Member(line, "metaData")) {
    version.metadata = DeltaMetadata{Text(*metadata, "id"),
                                     Text(*metadata, "schemaString"),
                                     Texts(*metadata, "partitionColumns"),
                                     Map(*metadata, "configuration"),
                                     Number(*metadata, "createdTime"),
                                     Text(*metadata, "name"),
                                     Text(*metadata, "description")};
    return !version.metadata->schema_string.empty();
  } else if (const Value* protocol = Member(line, "protocol")) {
    version.protocol = ParseProtocol(*protocol);
    return version.protocol->min_reader > 0;
  } else if (const Value* info = Member(line, "commitInfo")) {
    version.commit_info =
        DeltaCommitInfo{Number(*info, "timestamp"),      Text(*info, "operation"),
                        Text(*info, "headwater.appId"),  Number(*info, "headwater.sequence"),
                        Text(*info, "headwater.intent"), Flag(*info, "headwater.abandoned", false)};
  }
  return true;
}

}  // namespace

std::string ToJsonLines(const DeltaVersion& version) {
  std::string out;
  const bool blind = version.removes.empty() && !version.adds.empty();
  if (version.commit_info.has_value()) PutCommitInfo(out, *version.commit_info, blind);
  if (version.protocol.has_value()) PutProtocol(out, *version.protocol);
  if (version.metadata.has_value()) PutMetadata(out, *version.metadata);
  for (const DeltaTxn& txn : version.txns) {
    Line(out, "txn", [&](Writer& writer) {
      Put(writer, "appId", absl::string_view(txn.app_id));
      Put(writer, "version", txn.version);
    });
  }
  for (const DeltaRemove& remove : version.removes) {
    Line(out, "remove", [&](Writer& writer) {
      Put(writer, "path", absl::string_view(remove.path));
      Put(writer, "deletionTimestamp", remove.deleted_ms);
      PutFlag(writer, "dataChange", remove.data_change);
      PutFlag(writer, "extendedFileMetadata", true);
      Put(writer, "partitionValues", remove.partition_values);
      Put(writer, "size", remove.size_bytes);
    });
  }
  for (const DeltaAdd& add : version.adds) {
    Line(out, "add", [&](Writer& writer) {
      Put(writer, "path", absl::string_view(add.path));
      Put(writer, "partitionValues", add.partition_values);
      Put(writer, "size", add.size_bytes);
      Put(writer, "modificationTime", add.modified_ms);
      PutFlag(writer, "dataChange", add.data_change);
      if (!add.stats.empty()) Put(writer, "stats", absl::string_view(add.stats));
      if (!add.tags.empty()) Put(writer, "tags", add.tags);
    });
  }
  return out;
}

absl::StatusOr<DeltaVersion> ParseJsonLines(absl::string_view lines) {
  DeltaVersion version;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(lines, '\n')) {
    ++number;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    rapidjson::Document document;
    document.Parse<rapidjson::kParseFullPrecisionFlag>(line.data(), line.size());
    if (document.HasParseError() || !document.IsObject() || !TakeAction(document, version)) {
      return absl::DataLossError(absl::StrCat("line ", number, " is not a valid Delta action"));
    }
  }
  return version;
}

std::string EncodePath(absl::string_view path) {
  constexpr absl::string_view kUnreserved = "-_.~/=!$&'()*+,;:@";
  std::string encoded;
  for (const char c : path) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
        kUnreserved.find(c) != absl::string_view::npos) {
      encoded.push_back(c);
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string DecodePath(absl::string_view encoded) {
  std::string path;
  for (size_t i = 0; i < encoded.size(); ++i) {
    const bool escape = encoded[i] == '%' && i + 2 < encoded.size() &&
                        absl::ascii_isxdigit(static_cast<unsigned char>(encoded[i + 1])) &&
                        absl::ascii_isxdigit(static_cast<unsigned char>(encoded[i + 2]));
    if (!escape) {
      path.push_back(encoded[i]);
      continue;
    }
    path += absl::HexStringToBytes(encoded.substr(i + 1, 2));
    i += 2;
  }
  return path;
}

}  // namespace headwater
