// What each way to write comes to in a dataset. Its mistakes are in config_problem_test.cc.
#include "common/config/write_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/config.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

absl::StatusOr<std::vector<DatasetSpec>> Load(const std::string& table,
                                              const std::string& defaults = "") {
  const TempFolder folder;
  std::ofstream(folder.path() + "/headwater.yaml")
      << "servers: {crm: {url: \"postgresql://h/crm\"}}\ntargets: {lake: {delta: lake}}\n"
      << "defaults: {target: lake" << (defaults.empty() ? "" : ", ") << defaults << "}\n"
      << "tables:\n  - {from: crm/t, " << table << "}\n";
  absl::StatusOr<Config> config = LoadConfig(folder.path());
  if (!config.ok()) return config.status();
  std::vector<DatasetSpec> specs;
  for (const DatasetConfig& dataset : config->datasets) specs.push_back(dataset.spec);
  return specs;
}

// "merge keep modified dedup=at compared=a,b except=c null=error", without what is not set.
std::string TextOf(const DatasetSpec& spec) {
  const auto word = [&]() -> std::string {
    switch (spec.write) {
      case WriteMode::kReplace:
        return "replace";
      case WriteMode::kMerge:
        return "merge";
      case WriteMode::kVersions:
        return "versions";
    }
    return "?";
  };
  const char* const missing[] = {"keep", "mark", "remove", "close"};
  std::string text = absl::StrCat(word(), " ", missing[static_cast<int>(spec.on_missing)]);
  if (spec.cursor_modified) absl::StrAppend(&text, " modified");
  if (!spec.dedup_by.empty()) absl::StrAppend(&text, " dedup=", spec.dedup_by);
  if (!spec.compared_columns.empty())
    absl::StrAppend(&text, " compared=", absl::StrJoin(spec.compared_columns, ","));
  if (!spec.uncompared_columns.empty())
    absl::StrAppend(&text, " except=", absl::StrJoin(spec.uncompared_columns, ","));
  if (spec.hash_algorithm != HashAlgorithm::kXxh3)
    absl::StrAppend(&text, " hash=", NameOf(spec.hash_algorithm));
  if (spec.on_null_cursor == OutsidePolicy::kError) absl::StrAppend(&text, " null=error");
  if (spec.force_after != absl::InfiniteDuration())
    absl::StrAppend(&text, " force=", absl::FormatDuration(spec.force_after));
  return text;
}

struct Way {
  std::string table;
  std::string defaults;
  std::string text;

  friend void PrintTo(const Way& way, std::ostream* out) { *out << way.table; }
};

class WriteSettingsWay : public ::testing::TestWithParam<Way> {};

TEST_P(WriteSettingsWay, ComesToThisInADataset) {
  const auto datasets = Load(GetParam().table, GetParam().defaults);
  ASSERT_TRUE(datasets.ok()) << datasets.status();
  ASSERT_EQ(datasets->size(), 1u);
  EXPECT_EQ(TextOf(datasets->front()), GetParam().text);
  EXPECT_EQ(datasets->front().keyed(), GetParam().text.substr(0, 7) != "replace");
}

constexpr char kMerge[] = "strategy: full, key: [k], write: merge";
constexpr char kByRanges[] = "strategy: incremental, cursor: c, key: [k], write: merge";

INSTANTIATE_TEST_SUITE_P(
    Ways, WriteSettingsWay,
    ::testing::ValuesIn(std::vector<Way>{
        {"strategy: full", "", "replace keep"},
        {"strategy: full, key: [k]", "", "replace keep"},
        {"strategy: full, write: replace", "", "replace keep"},
        {"strategy: incremental, cursor: c, write: replace_range", "", "replace keep"},
        {"strategy: partition, cursor: c, unit: 1d", "", "replace keep"},
        {kMerge, "", "merge keep"},
        {absl::StrCat(kMerge, ", delete_missing: none"), "", "merge keep"},
        {absl::StrCat(kMerge, ", delete_missing: soft"), "", "merge mark"},
        {absl::StrCat(kMerge, ", delete_missing: hard"), "", "merge remove"},
        {absl::StrCat(kMerge, ", dedup: latest by at"), "", "merge keep dedup=at"},
        {absl::StrCat(kMerge, ", dedup: error"), "dedup: latest by at", "merge keep"},
        {absl::StrCat(kMerge, ", hash: {exclude: [a, b]}"), "", "merge keep except=a,b"},
        {absl::StrCat(kMerge, ", hash: {algorithm: sha256, exclude: [a]}"), "",
         "merge keep except=a hash=sha256"},
        {absl::StrCat(kMerge, ", hash: {exclude: [a]}"), "hash: {algorithm: md5}",
         "merge keep except=a hash=md5"},
        {"strategy: full, hash: {algorithm: md5}", "", "replace keep hash=md5"},
        {"strategy: full, hash: {algorithm: xxh3}", "hash: {algorithm: md5}", "replace keep"},
        {kByRanges, "", "merge keep"},
        {absl::StrCat(kByRanges, ", delete_missing: hard"), "", "merge remove"},
        {absl::StrCat(kByRanges, ", cursor_kind: modified"), "", "merge keep modified"},
        {"strategy: static", "", "replace keep"},
        {"strategy: static, key: [k]", "", "merge remove"},
        {"strategy: static, key: [k], on_change: upsert", "", "merge keep"},
        {"strategy: static, key: [k], on_change: upsert, delete_missing: soft", "", "merge mark"},
        {"strategy: static, key: [k], force_after: 30d", "", "merge remove force=720h"},
        {"strategy: scd2, key: [k]", "", "versions close"},
        {"strategy: scd2, key: [k], scd2: {deletes: keep}", "", "versions keep"},
        {"strategy: scd2, key: [k], scd2: {track: [a, b]}", "", "versions close compared=a,b"},
        {"strategy: scd2, key: [k], scd2: {ignore: [a]}", "", "versions close except=a"},
        {"strategy: scd2, key: [k], cursor: c", "", "versions keep modified null=error"},
        // What is set for all tables is for those that it fits.
        {"strategy: full", "delete_missing: hard, dedup: latest by at, hash: {exclude: [a]}",
         "replace keep"},
        {"strategy: static, key: [k]", "delete_missing: soft", "merge remove"},
        {"strategy: scd2, key: [k]", "delete_missing: soft, hash: {exclude: [a]}",
         "versions close"},
        {kMerge, "scd2: {track: [a], deletes: keep}, delete_missing: soft", "merge mark"},
        {"strategy: scd2, key: [k], cursor: c", "scd2: {deletes: close}",
         "versions keep modified null=error"},
    }));

TEST(WriteSettings, OurColumnsAreNamedNearerToTheTable) {
  const auto datasets = Load(
      "strategy: scd2, key: [k], system_columns: {loaded_at: at, microbatch: false}, "
      "scd2: {valid_from: since}",
      "system_columns: {loaded_at: loaded, server_source: origin}, scd2: {valid_to: until}");
  ASSERT_TRUE(datasets.ok()) << datasets.status();
  SystemColumns expected;
  expected.loaded_at = "at";
  expected.microbatch = "";
  expected.server_source = "origin";
  expected.valid_from = "since";
  expected.valid_to = "until";
  EXPECT_EQ(datasets->front().system_columns, expected);
}

TEST(WriteSettings, AFolderOfAServerMayNotBeginWithAnUnderscore) {
  const auto datasets = Load("strategy: full, system_columns: {server_source: _origin}");
  EXPECT_EQ(datasets.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(datasets.status().message()), ::testing::HasSubstr("another name"));
}

}  // namespace
}  // namespace headwater
