#include "common/data/system_columns.h"

#include "common/base/check.h"

namespace headwater {
namespace {

using Name = std::string SystemColumns::*;

struct Entry {
  SystemColumn column;
  const char* key;
  Name name;
};

constexpr Entry kEntries[] = {
    {SystemColumn::kServerSource, "server_source", &SystemColumns::server_source},
    {SystemColumn::kLoadedAt, "loaded_at", &SystemColumns::loaded_at},
    {SystemColumn::kMicrobatch, "microbatch", &SystemColumns::microbatch},
    {SystemColumn::kRowHash, "row_hash", &SystemColumns::row_hash},
    {SystemColumn::kDeletedAt, "deleted_at", &SystemColumns::deleted_at},
    {SystemColumn::kValidFrom, "valid_from", &SystemColumns::valid_from},
    {SystemColumn::kValidTo, "valid_to", &SystemColumns::valid_to},
    {SystemColumn::kIsCurrent, "is_current", &SystemColumns::is_current},
    {SystemColumn::kConfirmedAt, "confirmed_at", &SystemColumns::confirmed_at},
};

Name MemberOf(SystemColumn column) {
  for (const Entry& entry : kEntries) {
    if (entry.column == column) return entry.name;
  }
  HW_CHECK(false);
}

}  // namespace

const std::string& SystemColumns::NameOf(SystemColumn column) const {
  return this->*MemberOf(column);
}
std::string& SystemColumns::NameOf(SystemColumn column) { return this->*MemberOf(column); }

const std::vector<std::pair<SystemColumn, std::string>>& SystemColumnKeys() {
  static const auto* const kKeys = [] {
    auto* keys = new std::vector<std::pair<SystemColumn, std::string>>;
    for (const Entry& entry : kEntries) keys->emplace_back(entry.column, entry.key);
    return keys;
  }();
  return *kKeys;
}

void MarkSystemColumns(const SystemColumns& names, Schema& schema) {
  for (Column& column : schema.columns) {
    for (const Entry& entry : kEntries) {
      if (!(names.*entry.name).empty() && column.name == names.*entry.name)
        column.system = entry.column;
    }
  }
}

void MarkUnmarked(Schema& schema) {
  for (const Column& column : schema.columns) {
    if (column.system != SystemColumn::kNone) return;
  }
  SystemColumns early;
  for (const auto& [column, key] : SystemColumnKeys()) {
    const bool had = column == SystemColumn::kServerSource || column == SystemColumn::kLoadedAt ||
                     column == SystemColumn::kMicrobatch;
    if (const int at = had ? schema.Find(early.NameOf(column)) : -1; at >= 0)
      schema.columns[static_cast<size_t>(at)].system = column;
  }
}

int FindSystemColumn(const Schema& schema, SystemColumn column) {
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    if (schema.columns[i].system == column) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace headwater
