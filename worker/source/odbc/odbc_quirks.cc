#include "worker/source/odbc/odbc_quirks.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace headwater {
namespace {

// MariaDB's driver leaves SQL_ATTR_LOGIN_TIMEOUT alone, and waits for ever. In seconds, each for
// one step: to connect, to be answered, to be heard.
constexpr absl::string_view kMariaDbCancelSettings =
    "CONN_TIMEOUT=10;READ_TIMEOUT=10;WRITE_TIMEOUT=10";

constexpr std::array<OdbcQuirks, 6> kQuirks = {{
    {.dbms = "sqlite",
     .dialect = DialectKind::kSqlite,
     .rows_as_json = true,
     .driver_word = "sqlite",
     .setting_key = "NoCreat",
     .settings = "NoCreat=1"},
    {.dbms = "postgresql",
     .dialect = DialectKind::kPostgres,
     .temporal_as_text = true,
     .chars_are_utf8 = true,
     .refetches_in_block = true,
     .selects_come_first = true,
     .driver_word = "postgresql",
     .setting_key = "UseDeclareFetch",
     .settings = "UseDeclareFetch=1;Fetch=1000"},
    {.dbms = "mariadb",
     .dialect = DialectKind::kMariaDb,
     .temporal_as_text = true,
     .chars_are_utf8 = true,
     .buffers_results = true,
     .cancel_frees_result = true,
     .cancel_settings = kMariaDbCancelSettings,
     .driver_word = "maria",
     .setting_key = "Charset",
     .settings = "Charset=utf8mb4"},
    {.dbms = "mysql",
     .dialect = DialectKind::kMariaDb,
     .temporal_as_text = true,
     .buffers_results = true,
     .cancel_frees_result = true,
     .cancel_settings = kMariaDbCancelSettings},
    // FreeTDS has no SQLSetPos; Microsoft's driver has it for server cursors only. Both have exact
    // structs, with digits of 100 ns.
    {.dbms = "microsoft sql server", .driver = "tds", .dialect = DialectKind::kSqlServer},
    {.dbms = "microsoft sql server", .dialect = DialectKind::kSqlServer},
}};

constexpr OdbcQuirks kNone = {};
// Of the drivers above too, but choices of their own.
constexpr OdbcQuirks kSqliteSteps = {
    .driver_word = "sqlite", .setting_key = "StepAPI", .settings = "StepAPI=1"};
constexpr OdbcQuirks kMariaDbTimeout = {
    .driver_word = "maria", .setting_key = "CONN_TIMEOUT", .settings = "CONN_TIMEOUT=10"};

std::string Appended(absl::string_view connection_string, absl::string_view settings) {
  return absl::StrCat(connection_string, absl::EndsWith(connection_string, ";") ? "" : ";",
                      settings);
}

}  // namespace

const OdbcQuirks& QuirksOf(absl::string_view dbms, absl::string_view driver) {
  const std::string lower = absl::AsciiStrToLower(driver);
  for (const OdbcQuirks& quirks : kQuirks) {
    if (absl::StartsWithIgnoreCase(dbms, quirks.dbms) && absl::StrContains(lower, quirks.driver)) {
      return quirks;
    }
  }
  return kNone;
}

std::string ConnectionSetting(absl::string_view connection_string, absl::string_view key) {
  while (!connection_string.empty()) {
    const size_t equals = connection_string.find('=');
    if (equals == absl::string_view::npos) return "";
    const absl::string_view name = absl::StripAsciiWhitespace(connection_string.substr(0, equals));
    connection_string.remove_prefix(equals + 1);
    // A value in braces may hold semicolons.
    const bool braced = absl::ConsumePrefix(&connection_string, "{");
    const size_t end = connection_string.find(braced ? '}' : ';');
    const absl::string_view value = connection_string.substr(0, end);
    if (absl::EqualsIgnoreCase(name, key)) return std::string(value);
    if (end == absl::string_view::npos) return "";
    connection_string.remove_prefix(end + 1);
    if (braced) absl::ConsumePrefix(&connection_string, ";");
  }
  return "";
}

std::string WithDriverSettings(absl::string_view connection_string) {
  std::string result(connection_string);
  const std::string driver = absl::AsciiStrToLower(ConnectionSetting(connection_string, "Driver"));
  const auto add = [&](const OdbcQuirks& quirks) {
    if (quirks.settings.empty() || !absl::StrContains(driver, quirks.driver_word)) return;
    if (!ConnectionSetting(result, quirks.setting_key).empty()) return;
    result = Appended(result, quirks.settings);
  };
  for (const OdbcQuirks& quirks : kQuirks) add(quirks);
  add(kSqliteSteps);
  add(kMariaDbTimeout);
  return result;
}

std::string WithCancelSettings(absl::string_view connection_string, const OdbcQuirks& quirks) {
  return quirks.cancel_settings.empty() ? std::string(connection_string)
                                        : Appended(connection_string, quirks.cancel_settings);
}

}  // namespace headwater
