#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <iostream>
#include <set>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "common/config/config.h"
#include "common/config/secret.h"
#include "common/config/selector.h"

namespace headwater {
namespace {

using Datasets = std::vector<const DatasetConfig*>;

std::string UnitOf(const DatasetSpec& spec) {
  return spec.cursor.empty() ? "-" : UnitToString(spec.unit);
}

std::string TableText(const Datasets& datasets) {
  TextTable table(
      {{"DATASET"}, {"FROM"}, {"STRATEGY"}, {"CURSOR"}, {"UNIT"}, {"FREQUENCY"}, {"TARGET"}});
  std::set<std::string> servers, tables;
  for (const DatasetConfig* dataset : datasets) {
    const DatasetSpec& spec = dataset->spec;
    servers.insert(spec.id.server);
    tables.insert(spec.id.table);
    table.AddRow({ToString(spec.id), spec.relation, StrategyToString(spec.strategy),
                  spec.cursor.empty() ? "-" : spec.cursor, UnitOf(spec),
                  dataset->frequency.empty() ? "-" : dataset->frequency, spec.target_uri});
  }
  return absl::StrCat(table.Render(),
                      "\nvalid: ", Counted(static_cast<int64_t>(datasets.size()), "dataset"), ", ",
                      Counted(static_cast<int64_t>(tables.size()), "table"), " from ",
                      Counted(static_cast<int64_t>(servers.size()), "server"), "\n");
}

std::string JsonText(const Config& config, const Datasets& datasets) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  const auto field = [&](const char* key, const std::string& value) {
    json.Key(key);
    json.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
  };
  json.StartObject();
  field("schema", "headwater.validate/v1");
  field("digest", config.digest);
  json.Key("datasets");
  json.StartArray();
  for (const DatasetConfig* dataset : datasets) {
    const DatasetSpec& spec = dataset->spec;
    json.StartObject();
    field("server", spec.id.server);
    field("table", spec.id.table);
    field("fleet", spec.server.fleet);
    field("url", DisplayUrl(spec.server.url));
    field("timezone", spec.server.timezone);
    field("from", spec.relation);
    field("strategy", StrategyToString(spec.strategy));
    field("cursor", spec.cursor);
    field("cursor_timezone", spec.cursor_timezone);
    field("unit", spec.cursor.empty() ? "" : UnitToString(spec.unit));
    field("partition_by", UnitToString(spec.partition_by));
    field("frequency", dataset->frequency);
    field("target", spec.target_uri);
    field("location", dataset->location);
    json.Key("tags");
    json.StartArray();
    for (const std::string& tag : dataset->tags) json.String(tag.c_str());
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return absl::StrCat(buffer.GetString(), "\n");
}

}  // namespace

int RunValidate(const ValidateOptions& options) {
  const absl::StatusOr<Config> config = LoadConfig(options.global.config_path);
  if (!config.ok()) {
    std::cerr << config.status().message() << "\n";
    return kExitUsage;
  }
  const absl::StatusOr<Datasets> datasets = Select(*config, options.selector);
  if (!datasets.ok()) {
    std::cerr << "headwater validate: " << datasets.status().message() << "\n";
    return kExitUsage;
  }
  const bool json = options.global.output == OutputFormat::kJson;
  std::cout << (json ? JsonText(*config, *datasets) : TableText(*datasets));
  return kExitDone;
}

}  // namespace headwater
