// The statements of every dialect, compared with tests/data/sql/<dialect>/*.sql: what changes is
// seen in a review, and tests/interop/sql_golden_test.py parses and runs what lies there.
//
// HEADWATER_WRITE_SQL=1 writes the files anew (tests/data/sql/README.md).
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/source/sql_cases.h"

namespace headwater {
namespace {

struct Golden {
  DialectKind kind;
  std::string folder;
};

class SqlGolden : public ::testing::TestWithParam<Golden> {
 protected:
  const std::filesystem::path folder_ =
      std::filesystem::path(HEADWATER_SQL_FOLDER) / GetParam().folder;
};

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST_P(SqlGolden, EveryStatementIsWhatItsFileSays) {
  const std::map<std::string, std::string> cases = SqlCases(GetParam().kind);
  const bool write = std::getenv("HEADWATER_WRITE_SQL") != nullptr;
  if (write) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  std::set<std::string> files;
  for (const auto& [name, sql] : cases) {
    ASSERT_FALSE(absl::StartsWith(sql, "refused: ")) << name << ": " << sql;
    files.insert(name + ".sql");
    const std::filesystem::path path = folder_ / (name + ".sql");
    if (write) std::ofstream(path, std::ios::binary) << sql << "\n";
    EXPECT_EQ(absl::StrCat(sql, "\n"), ReadFile(path)) << path;
  }
  std::set<std::string> there;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    there.insert(entry.path().filename());
  }
  EXPECT_EQ(there, files) << "files without a case, or the other way round";
}

INSTANTIATE_TEST_SUITE_P(Dialects, SqlGolden,
                         ::testing::Values(Golden{DialectKind::kPostgres, "postgres"},
                                           Golden{DialectKind::kSqlite, "sqlite"},
                                           Golden{DialectKind::kMariaDb, "mysql"},
                                           Golden{DialectKind::kSqlServer, "tsql"}),
                         [](const auto& test) { return test.param.folder; });

}  // namespace
}  // namespace headwater
