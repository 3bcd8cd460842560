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

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"
#include "common/data/arrow_schema.h"
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

std::string Row(const PostgresRule& rule) {
  std::string types;
  if (rule.name == "numeric(p,s)") {
    types =
        "decimal128(p, s) | INT32 to p = 9, INT64 to p = 18, else FIXED_LEN_BYTE_ARRAY; "
        "Decimal(p, s) | decimal(p,s)";
  } else {
    const ColumnType type = TypeOfPostgres({.name = std::string(rule.name)}).type;
    types = absl::StrCat(ToArrow(type)->ToString(), " | ", ParquetText(type), " | ",
                         TypeToString(type));
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

TEST(TypesDocument, ShowsTheRulesOfPostgres) {
  const std::string begin = "<!-- postgresql -->\n", end = "<!-- /postgresql -->";
  std::ifstream file(HEADWATER_TYPES_DOCUMENT);
  std::string document{std::istreambuf_iterator<char>(file), {}};
  const size_t from = document.find(begin), to = document.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to);
  const size_t first = from + begin.size();
  const std::string table = PostgresTable();
  if (std::getenv("HEADWATER_WRITE_DOCUMENTS") != nullptr) {
    std::ofstream(HEADWATER_TYPES_DOCUMENT) << document.replace(first, to - first, table);
    return;
  }
  EXPECT_EQ(document.substr(first, to - first), table)
      << "run this test once with HEADWATER_WRITE_DOCUMENTS=1";
}

}  // namespace
}  // namespace headwater
