// docs/types.md is what the code does: each of its tables is made here from the code's own.
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/schema.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"
#include "common/data/arrow_schema.h"
#include "common/data/schema_drift.h"
#include "worker/source/mariadb_catalog.h"
#include "worker/source/postgres/postgres_type.h"

namespace headwater {
namespace {

// As the Parquet writer of the staging area stores it: `INT64 Timestamp(isAdjustedToUTC=true, …)`.
std::string ParquetText(const ColumnType& type) {
  std::shared_ptr<parquet::SchemaDescriptor> schema;
  const auto properties = parquet::WriterProperties::Builder()
                              .version(parquet::ParquetVersion::PARQUET_2_6)
                              ->enable_store_decimal_as_integer()
                              ->build();
  const auto status = parquet::arrow::ToParquetSchema(
      arrow::schema({arrow::field("v", ToArrow(type))}).get(), *properties, &schema);
  EXPECT_TRUE(status.ok()) << status;
  const parquet::ColumnDescriptor& column = *schema->Column(0);
  std::string text = parquet::TypeToString(column.physical_type());
  if (column.logical_type()->is_none()) return text;
  const std::string logical = column.logical_type()->ToString();
  const size_t end = logical.find(", is_from_converted_type");
  absl::StrAppend(&text, " ", logical.substr(0, end), end == std::string::npos ? "" : ")");
  return text;
}

// `int16 | INT32 Int(bitWidth=16, isSigned=true) | short`
std::string TypesText(const ColumnType& type) {
  return absl::StrCat(ToArrow(type)->ToString(), " | ", ParquetText(type), " | ",
                      TypeToString(type));
}

std::string Row(const PostgresRule& rule) {
  std::string types;
  if (rule.name == "numeric(p,s)") {
    types =
        "decimal128(p, s) | INT32 to p = 9, INT64 to p = 18, else FIXED_LEN_BYTE_ARRAY; "
        "Decimal(p, s) | decimal(p,s)";
  } else {
    const ColumnType type = TypeOfPostgres({.name = std::string(rule.name)}).type;
    types = TypesText(type);
  }
  const std::string name = rule.name == "*" ? "any other" : absl::StrCat("`", rule.name, "`");
  const std::string selected =
      rule.select == "$0" ? ""
                          : absl::StrCat("selected as `",
                                         absl::StrReplaceAll(absl::Substitute(rule.select, "x"),
                                                             {{"pg_catalog.", ""}}),
                                         "`", rule.note.empty() ? "" : "; ");
  return absl::StrCat("| ", name, " | ", types, " | ", selected, rule.note, " |\n");
}

std::string PostgresTable() {
  std::string table =
      "| PostgreSQL | Arrow | Parquet | Delta | values |\n| --- | --- | --- | --- | --- |\n";
  for (const PostgresRule& rule : PostgresRules()) absl::StrAppend(&table, Row(rule));
  return table;
}

// One word for each rule: what information_schema calls the type.
constexpr std::pair<absl::string_view, absl::string_view> kMariaDbTypes[] = {
    {"tinyint(1)", "MariaDB's boolean; a value other than 0 and 1 is an error"},
    {"bit(1)", ""},
    {"bit(12)", "of two bits or more: its bytes, the highest first"},
    {"tinyint(4)", "unsigned too"},
    {"smallint(6)", ""},
    {"smallint(5) unsigned", ""},
    {"mediumint(9)", "unsigned too"},
    {"int(11)", ""},
    {"int(10) unsigned", ""},
    {"bigint(20)", ""},
    {"bigint(20) unsigned", ""},
    {"year(4)", "0, and 1901 to 2155"},
    {"float", "bit for bit"},
    {"double", "bit for bit"},
    {"decimal(18,6)", "to 38 digits"},
    {"decimal(65,30)", "of more than 38 digits: every digit, as MariaDB prints it"},
    {"date", "a zero in year, month or day is an error"},
    {"datetime(6)", "likewise"},
    {"timestamp(6)", "likewise; the instant, in UTC"},
    {"time(6)", "`-838:59:59.000001`"},
    {"varchar(40)", "char and the texts too, from any character set"},
    {"enum('a','b')", "the label"},
    {"set('a','b')", "labels with commas between"},
    {"longtext", "json too, as written"},
    {"uuid", "lower case, with hyphens"},
    {"inet6", "as MariaDB prints it"},
    {"longblob", "binary, varbinary and the other blobs too"},
    {"point", "and every other geometry: MariaDB's own bytes, the SRID first"},
};

std::string MariaDbTable() {
  std::string table =
      "| MariaDB | Arrow | Parquet | Delta | values |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& [word, note] : kMariaDbTypes) {
    const ColumnType type = TypeOfMariaDb(word);
    absl::StrAppend(&table, "| `", word, "` | ", TypesText(type), " | ", note, " |\n");
  }
  return table;
}

// Compares the document's part between the marks `name` with `table`, or writes it there.
void CheckPart(const std::string& name, const std::string& table) {
  const std::string begin = absl::StrCat("<!-- ", name, " -->\n");
  const std::string end = absl::StrCat("<!-- /", name, " -->");
  std::ifstream file(HEADWATER_TYPES_DOCUMENT);
  std::string document{std::istreambuf_iterator<char>(file), {}};
  const size_t from = document.find(begin), to = document.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to);
  const size_t first = from + begin.size();
  if (std::getenv("HEADWATER_WRITE_DOCUMENTS") != nullptr) {
    std::ofstream(HEADWATER_TYPES_DOCUMENT) << document.replace(first, to - first, table);
    return;
  }
  EXPECT_EQ(document.substr(first, to - first), table)
      << "run this test once with HEADWATER_WRITE_DOCUMENTS=1";
}

// What a table and its rows become where a column's types differ; alike where they are equal.
std::string DriftTable() {
  constexpr absl::string_view kTypes[] = {
      "byte",         "short",         "integer",       "long",          "float", "double",
      "decimal(9,2)", "decimal(12,2)", "decimal(12,4)", "decimal(38,0)", "date",  "timestamp_ntz"};
  std::string table = "| the table has | the source has | the table gets |\n| --- | --- | --- |\n";
  for (const absl::string_view has : kTypes) {
    std::vector<std::string> kept;
    std::vector<std::pair<std::string, std::string>> widened;
    for (const absl::string_view found : kTypes) {
      if (has == found) continue;
      const auto plan = PlanSchema({{{"c", *ParseType(has), true}}},
                                   {{{"c", *ParseType(found), true}}}, SchemaPolicy::kEvolve, {});
      if (!plan.ok()) continue;
      const std::string type = TypeToString(plan->table.columns[0].type);
      if (type == has) {
        kept.push_back(std::string(found));
      } else if (!widened.empty() && widened.back().second == type) {
        absl::StrAppend(&widened.back().first, ", ", found);
      } else {
        widened.emplace_back(std::string(found), type);
      }
    }
    if (!kept.empty()) {
      absl::StrAppend(&table, "| ", has, " | ", absl::StrJoin(kept, ", "), " | ", has, " |\n");
    }
    for (const auto& [found, type] : widened)
      absl::StrAppend(&table, "| ", has, " | ", found, " | ", type, " |\n");
  }
  return table;
}

TEST(TypesDocument, ShowsTheRulesOfPostgres) { CheckPart("postgresql", PostgresTable()); }

TEST(TypesDocument, ShowsTheRulesOfMariaDb) { CheckPart("mariadb", MariaDbTable()); }

TEST(TypesDocument, ShowsWhatBecomesOfTypesThatDiffer) { CheckPart("drift", DriftTable()); }

}  // namespace
}  // namespace headwater
