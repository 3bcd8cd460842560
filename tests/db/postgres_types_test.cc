// PostgreSQL's types on a real server: which column each becomes, and in which text.
#include <arrow/api.h>
#include <libpq-fe.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/throwaway_postgres.h"
#include "worker/source/postgres/postgres_source.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;

// A database of one table `t`, read as text.
class PostgresTypes : public ::testing::Test {
 protected:
  void SetUp() override {
    static std::string why;
    static const std::unique_ptr<ThrowawayPostgres> server = ThrowawayPostgres::Start(why);
    if (server == nullptr) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << "CI forbids skips: " << why;
      GTEST_SKIP() << why;
    }
    connection_ = PQconnectdb(server->Url().c_str());
    Execute("SET client_min_messages TO warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    dataset_.relation = "t";
    dataset_.server.name = "s";
    dataset_.server.url = server->Url();
  }
  void TearDown() override { PQfinish(connection_); }

  void Execute(const std::string& sql) {
    PGresult* result = PQexec(connection_, sql.c_str());
    EXPECT_EQ(PQresultStatus(result), PGRES_COMMAND_OK) << PQerrorMessage(connection_);
    PQclear(result);
  }

  absl::StatusOr<std::unique_ptr<RowBatch>> ReadAll() {
    source_ = *OpenPostgresSource(dataset_.server);
    auto reader = source_->Read(dataset_, Extent{Range{0, 1}, false}, ReadOptions{});
    if (!reader.ok()) return reader.status();
    schema_ = (*reader)->schema();
    return (*reader)->Next();
  }

  // `literal` of `type`, as its column holds it: `decimal(4,2) 1.50`.
  std::string Loaded(const std::string& type, const std::string& literal) {
    Execute("DROP TABLE IF EXISTS t");
    Execute(absl::StrCat("CREATE TABLE t (v ", type, ")"));
    Execute(absl::StrCat("INSERT INTO t VALUES (", literal, ")"));
    const auto batch = ReadAll();
    if (!batch.ok()) return batch.status().ToString();
    const auto value = (*(*batch)->arrow()->column(0)->GetScalar(0))->ToString();
    return absl::StrCat(TypeToString(schema_.columns[0].type), " ", value);
  }

  PGconn* connection_ = nullptr;
  std::unique_ptr<Source> source_;
  DatasetSpec dataset_;
  Schema schema_;
};

TEST_F(PostgresTypes, EveryTypeHasItsColumnAndItsForm) {
  const struct {
    const char *type, *literal, *loaded;
  } cases[] = {
      {"bool", "true", "boolean true"},
      {"int2", "-32768", "short -32768"},
      {"int4", "2147483647", "integer 2147483647"},
      {"int8", "-9223372036854775808", "long -9223372036854775808"},
      {"oid", "4294967295", "long 4294967295"},
      {"float4", "'-0'", "float -0"},
      {"float8", "'NaN'", "double nan"},
      {"numeric(38,10)", "1234567890123456789012345678.0123456789",
       "decimal(38,10) 1234567890123456789012345678.0123456789"},
      {"numeric(5,-2)", "-9999949", "decimal(7,0) -9999900"},
      {"numeric(2,4)", "0.0099", "decimal(4,4) 0.0099"},
      {"numeric(39,0)", "999999999999999999999999999999999999999",
       "string 999999999999999999999999999999999999999"},
      {"numeric", "'-0.50'", "string -0.50"},
      {"numeric", "'Infinity'", "string Infinity"},
      {"money", "'-92233720368547758.08'", "decimal(19,2) -92233720368547758.08"},
      {"text", "''", "string "},
      {"varchar(3)", "'a'", "string a"},
      {"char(3)", "'b'", "string b  "},
      {"\"char\"", "'x'", "string x"},
      {"\"char\"", "''", "string "},
      {"name", "'n'", "string n"},
      {"uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
       "string a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
      {"json", "'{\"b\": 1,  \"a\":\"\\u00f8\"}'", "string {\"b\": 1,  \"a\":\"\\u00f8\"}"},
      {"jsonb", "'{\"b\": 1,  \"a\":\"\\u00f8\"}'", "string {\"a\": \"ø\", \"b\": 1}"},
      {"xml", "'<a b=\"1\">ø</a>'", "string <a b=\"1\">ø</a>"},
      {"date", "'4713-01-01 BC'", "date -4712-01-01"},
      {"timestamp", "'9999-12-31 23:59:59.999999'", "timestamp_ntz 9999-12-31 23:59:59.999999"},
      {"timestamptz", "'2013-01-01 00:00+02'", "timestamp 2012-12-31 22:00:00.000000Z"},
      {"time", "'24:00:00'", "string 24:00:00"},
      {"time", "'04:05:06.7'", "string 04:05:06.7"},
      {"timetz", "'04:05:06.789-03:30'", "string 04:05:06.789-03:30"},
      {"interval", "'1 year -2 days 3:04:05.6'", "string P1Y-2DT3H4M5.6S"},
      {"inet", "'10.0.0.1'", "string 10.0.0.1"},
      {"inet", "'10.0.0.1/8'", "string 10.0.0.1/8"},
      {"cidr", "'2001:db8::/32'", "string 2001:db8::/32"},
      {"macaddr", "'08-00-2B-01-02-03'", "string 08:00:2b:01:02:03"},
      {"bit(4)", "B'0101'", "string 0101"},
      {"varbit", "B''", "string "},
      {"int4[]", "'{}'", "string []"},
      {"int4[]", "'{1,NULL,3}'", "string [1,null,3]"},
      {"int4[]", "'{{1,2},{3,4}}'", "string [[1,2],[3,4]]"},
      {"text[]", "ARRAY['a\"b', '', NULL, E'\\n\\\\', 'ø']",
       "string [\"a\\\"b\",\"\",null,\"\\n\\\\\",\"ø\"]"},
      {"numeric[]", "'{1.50,NaN}'", "string [1.50,\"NaN\"]"},
      {"timestamptz[]", "'{2013-01-01 00:00+02}'", "string [\"2012-12-31T22:00:00+00:00\"]"},
      {"interval[]", "'{1 day}'", "string [\"P1D\"]"},
      {"bytea[]", "ARRAY['\\x00ff'::bytea]", "string [\"\\\\x00ff\"]"},
      {"money[]", "ARRAY[1.5::money, NULL]", "string [1.50,null]"},
      {"tsvector", "'a b'", "string 'a' 'b'"},
      {"int4range", "'[1,5)'", "string [1,5)"},
      {"int2vector", "'1 2'", "string 1 2"},
      {"point", "'(1,2)'", "string (1,2)"},
  };
  for (const auto& c : cases) EXPECT_EQ(Loaded(c.type, c.literal), c.loaded) << c.type;
}

TEST_F(PostgresTypes, SettingsOfServerAndRoleDoNotShow) {
  Execute(
      "ALTER ROLE postgres SET IntervalStyle TO 'sql_standard'; ALTER ROLE postgres SET "
      "bytea_output "
      "TO 'escape'; ALTER ROLE postgres SET DateStyle TO 'German'; ALTER ROLE postgres SET "
      "extra_float_digits TO -5; ALTER ROLE postgres SET TimeZone TO 'Asia/Kolkata'; ALTER ROLE "
      "postgres SET standard_conforming_strings TO off");
  EXPECT_EQ(Loaded("interval", "'1 year -2 days'"), "string P1Y-2D");
  EXPECT_EQ(Loaded("bytea[]", "ARRAY['\\x00ff'::bytea]"), "string [\"\\\\x00ff\"]");
  EXPECT_EQ(Loaded("daterange", "'[2013-01-31,2013-02-01)'"), "string [2013-01-31,2013-02-01)");
  EXPECT_EQ(Loaded("timestamptz[]", "'{2013-01-01 00:00+02}'"),
            "string [\"2012-12-31T22:00:00+00:00\"]");
  EXPECT_EQ(Loaded("float8[]", "'{0.1234567890123456}'"), "string [0.1234567890123456]");
  Execute("ALTER ROLE postgres RESET ALL");
}

TEST_F(PostgresTypes, ADomainIsWhatItIsMadeOf) {
  Execute(
      "CREATE DOMAIN price AS numeric(10,2); CREATE DOMAIN positive AS price NOT NULL CHECK (VALUE "
      "> 0); CREATE DOMAIN prices AS positive[]; CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE "
      "DOMAIN my_mood AS mood; CREATE TYPE text AS (a int); CREATE TABLE t (a price, b positive, c "
      "prices, d my_mood, e mood, f public.text, g mood[], h price NOT NULL); INSERT INTO t VALUES "
      "(1, 2.5, '{3.5}', 'sad', 'glad', '(7)', '{sad}', 1)");
  const auto batch = ReadAll();
  ASSERT_TRUE(batch.ok()) << batch.status();
  std::string rows;
  for (size_t i = 0; i < schema_.columns.size(); ++i) {
    const Column& column = schema_.columns[i];
    absl::StrAppend(
        &rows, column.name, ":", TypeToString(column.type), column.nullable ? "" : "!", "=",
        (*(*batch)->arrow()->column(static_cast<int>(i))->GetScalar(0))->ToString(), " ");
  }
  EXPECT_EQ(rows,
            "a:decimal(10,2)=1.00 b:decimal(10,2)=2.50 c:string=[3.50] d:string=sad e:string=glad "
            "f:string=(7) g:string=[\"sad\"] h:decimal(10,2)!=1.00 ");
}

TEST_F(PostgresTypes, ADomainsNotNullIsNoPromise) {
  Execute(
      "CREATE DOMAIN sure AS int NOT NULL; CREATE TABLE t (v sure); INSERT INTO t SELECT (SELECT v "
      "FROM t WHERE false)");
  const auto batch = ReadAll();
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ((*batch)->arrow()->column(0)->null_count(), 1);
  EXPECT_TRUE(schema_.columns[0].nullable);
}

TEST_F(PostgresTypes, CitextKeepsItsCase) {
  PGresult* result = PQexec(connection_, "CREATE EXTENSION citext");
  const bool installed = PQresultStatus(result) == PGRES_COMMAND_OK;
  PQclear(result);
  if (!installed) GTEST_SKIP() << PQerrorMessage(connection_);
  EXPECT_EQ(Loaded("citext", "'aBc'"), "string aBc");
}

TEST_F(PostgresTypes, AValueThatNoColumnHoldsIsNamed) {
  const struct {
    const char *type, *literal, *shown;
  } cases[] = {
      {"numeric(10,2)", "'NaN'", "NaN"},
      {"date", "'infinity'", "infinity"},
      {"date", "'-infinity'", "-infinity"},
      {"timestamp", "'-infinity'", "-infinity"},
      {"timestamptz", "'infinity'", "infinity"},
      {"timestamp", "'294276-12-31 23:59:59.999999'", "a time after the year 294246"},
  };
  for (const auto& c : cases) {
    Execute("DROP TABLE IF EXISTS t");
    Execute(absl::StrCat("CREATE TABLE t (id int, v ", c.type, ")"));
    Execute(absl::StrCat("INSERT INTO t VALUES (17, ", c.literal, ")"));
    const absl::Status status = ReadAll().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.type << ": " << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat("column 'v' holds '", c.shown, "'")));
    EXPECT_THAT(std::string(status.message()), HasSubstr("id=17"));
  }
}

TEST_F(PostgresTypes, TextThatIsNotUtf8IsNamed) {
  Execute("DROP DATABASE IF EXISTS bytes");
  Execute(
      "CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
  std::string& url = dataset_.server.url;
  url = absl::StrReplaceAll(url, {{"/postgres?", "/bytes?"}});
  PQfinish(connection_);
  connection_ = PQconnectdb(url.c_str());
  ASSERT_STREQ(PQdb(connection_), "bytes") << url;
  Execute("CREATE TABLE t (id int, v text); INSERT INTO t VALUES (17, E'caf\\xe9')");
  const absl::Status status = ReadAll().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("column 'v' holds 'caf\\xe9' in the row with id=17, v=caf\\xe9; expected a "
                        "string in UTF-8"));
  Execute("DROP TABLE t; CREATE TABLE t (id int, \"caf\xe9\" text)");
  EXPECT_THAT(std::string(ReadAll().status().message()), HasSubstr("has a column 'caf\\xe9'"));
}

}  // namespace
}  // namespace headwater
