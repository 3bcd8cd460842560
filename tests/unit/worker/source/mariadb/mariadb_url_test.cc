#include "worker/source/mariadb/mariadb_url.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/config/connection_string.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

MariaDbTarget Parsed(absl::string_view url) {
  const auto target = ParseMariaDbUrl(url);
  EXPECT_TRUE(target.ok()) << url << ": " << target.status();
  return target.value_or(MariaDbTarget());
}

std::string Refusal(absl::string_view url) {
  const auto target = ParseMariaDbUrl(url);
  EXPECT_EQ(target.status().code(), absl::StatusCode::kInvalidArgument) << url;
  return std::string(target.status().message());
}

TEST(MariaDbUrl, BothSchemesAreTaken) {
  for (const absl::string_view url : {"mariadb://h/db", "mysql://h/db"}) {
    EXPECT_TRUE(IsMariaDbUrl(url)) << url;
    EXPECT_EQ(Parsed(url).host, "h");
  }
  for (const absl::string_view url :
       {"postgresql://h/db", "mariadb:h/db", "odbc:mariadb://h", ""}) {
    EXPECT_FALSE(IsMariaDbUrl(url)) << url;
    EXPECT_EQ(Refusal(url), "the url's beginning: expected mariadb:// or mysql://");
  }
}

TEST(MariaDbUrl, EveryPartIsFound) {
  const MariaDbTarget target = Parsed("mariadb://bob:secret@db.example:3307/shop");
  EXPECT_EQ(target.host, "db.example");
  EXPECT_EQ(target.port, 3307u);
  EXPECT_EQ(target.user, "bob");
  EXPECT_EQ(target.password, "secret");
  EXPECT_EQ(target.database, "shop");
}

TEST(MariaDbUrl, WhatIsLeftOutHasItsDefault) {
  const MariaDbTarget target = Parsed("mariadb:///shop");
  EXPECT_EQ(target.host, "localhost");
  EXPECT_EQ(target.port, 3306u);
  EXPECT_EQ(target.user, "");
  EXPECT_EQ(target.password, "");
  EXPECT_EQ(target.socket, "");
  EXPECT_EQ(target.connect_timeout_seconds, 10);
  EXPECT_FALSE(target.tls);
  EXPECT_FALSE(target.verify_certificate);
  EXPECT_EQ(Parsed("mariadb://:3307/shop").host, "localhost");
  EXPECT_EQ(Parsed("mariadb://:3307/shop").port, 3307u);
  EXPECT_EQ(Parsed("mariadb://h:/shop").port, 3306u);
}

TEST(MariaDbUrl, AnIpv6AddressStandsInBrackets) {
  EXPECT_EQ(Parsed("mariadb://[::1]/db").host, "::1");
  EXPECT_EQ(Parsed("mariadb://[::1]/db").port, 3306u);
  const MariaDbTarget target = Parsed("mariadb://u:p@[fe80::1%25eth0]:3307/db");
  EXPECT_EQ(target.host, "fe80::1%eth0");
  EXPECT_EQ(target.port, 3307u);
  EXPECT_EQ(target.user, "u");
  EXPECT_EQ(Refusal("mariadb://[::1/db"), "the url's host: expected ']' behind an IPv6 address");
  EXPECT_EQ(Refusal("mariadb://[::1]3307/db"), "the url's host: expected [address]:port");
  EXPECT_EQ(Refusal("mariadb://::1/db"), "the url's port: expected a number from 1 to 65535");
}

TEST(MariaDbUrl, EveryPartMayBePercentEncoded) {
  const MariaDbTarget target =
      Parsed("mariadb://b%40b:p%3A%2F%3F%23%25@my%2Dhost/a%2Fb%20c?socket=%2Frun%2Fm%26n.sock");
  EXPECT_EQ(target.user, "b@b");
  EXPECT_EQ(target.password, "p:/?#%");
  EXPECT_EQ(target.host, "my-host");
  EXPECT_EQ(target.database, "a/b c");
  EXPECT_EQ(target.socket, "/run/m&n.sock");
}

TEST(MariaDbUrl, APasswordMayHoldCharactersThatShouldHaveBeenEncoded) {
  for (const absl::string_view password :
       {"a@b", "a:b", "a/b", "a?b", "a/b@c", "a?b=c", "", "%zz"}) {
    const MariaDbTarget target =
        Parsed(absl::StrCat("mariadb://bob:", password, "@h:3307/db?ssl=1"));
    EXPECT_EQ(target.user, "bob");
    EXPECT_EQ(target.password, password);
    EXPECT_EQ(target.host, "h") << password;
    EXPECT_EQ(target.port, 3307u) << password;
    EXPECT_EQ(target.database, "db") << password;
    EXPECT_TRUE(target.tls) << password;
  }
}

TEST(MariaDbUrl, AUserMayBeEmptyOrWithoutAPassword) {
  const MariaDbTarget nobody = Parsed("mariadb://@h/db");
  EXPECT_EQ(nobody.user, "");
  EXPECT_EQ(nobody.password, "");
  EXPECT_EQ(nobody.host, "h");
  const MariaDbTarget unnamed = Parsed("mariadb://:secret@h/db");
  EXPECT_EQ(unnamed.user, "");
  EXPECT_EQ(unnamed.password, "secret");
  EXPECT_EQ(unnamed.host, "h");
  const MariaDbTarget trusted = Parsed("mariadb://bob@h/db");
  EXPECT_EQ(trusted.user, "bob");
  EXPECT_EQ(trusted.password, "");
}

TEST(MariaDbUrl, OptionsAreWrittenWithHyphensOrUnderscores) {
  const MariaDbTarget hyphens =
      Parsed("mariadb://h/db?connect-timeout=3&ssl-ca=/ca.pem&ssl-cert=/our.pem&ssl-key=/our.key");
  const MariaDbTarget underscores = Parsed(
      "mariadb://h/db?connect_timeout=3&ssl_ca=/ca.pem&ssl_cert=/our.pem&ssl_key=/our.key#end");
  for (const MariaDbTarget& target : {hyphens, underscores}) {
    EXPECT_EQ(target.connect_timeout_seconds, 3);
    EXPECT_EQ(target.ca_file, "/ca.pem");
    EXPECT_EQ(target.certificate_file, "/our.pem");
    EXPECT_EQ(target.key_file, "/our.key");
  }
}

TEST(MariaDbUrl, WhatNeedsTlsTurnsItOn) {
  const auto tls = [](absl::string_view options) {
    const MariaDbTarget target = Parsed(absl::StrCat("mariadb://h/db?", options));
    return absl::StrCat(target.tls ? "encrypt" : "plain",
                        target.verify_certificate ? ", verify" : "");
  };
  EXPECT_EQ(tls(""), "plain");
  EXPECT_EQ(tls("ssl=0"), "plain");
  EXPECT_EQ(tls("ssl=1"), "encrypt");
  EXPECT_EQ(tls("ssl=true"), "encrypt");
  EXPECT_EQ(tls("ssl-ca=/ca.pem"), "encrypt, verify");
  EXPECT_EQ(tls("ssl-cert=/our.pem"), "encrypt");
  EXPECT_EQ(tls("ssl-key=/our.key"), "encrypt");
  EXPECT_EQ(tls("ssl-verify-server-cert=1"), "encrypt, verify");
  EXPECT_EQ(tls("ssl_verify_server_cert=1"), "encrypt, verify");
  EXPECT_EQ(tls("ssl-verify-server-cert=0"), "plain");
  EXPECT_EQ(tls("ssl=1&ssl-verify-server-cert=0"), "encrypt");
  EXPECT_EQ(tls("ssl-ca=/ca.pem&ssl-verify-server-cert=0"), "encrypt");
  EXPECT_EQ(tls("ssl-verify-server-cert=0&ssl-ca=/ca.pem"), "encrypt");
  for (const absl::string_view contrary :
       {"ssl-ca=/ca.pem&ssl=0", "ssl=0&ssl-ca=/ca.pem", "ssl=0&ssl-verify-server-cert=1",
        "ssl=0&ssl-cert=/our.pem", "ssl-key=/our.key&ssl=0"}) {
    EXPECT_EQ(Refusal(absl::StrCat("mariadb://h/db?", contrary)),
              "the url's options: expected ssl=1, or no other option of ssl beside ssl=0")
        << contrary;
  }
}

TEST(MariaDbUrl, AnOptionWithoutAValueIsRefused) {
  for (const absl::string_view options :
       {"ssl", "ssl=1&ssl-verify-server-cert", "ssl&ssl-ca=/ca.pem"}) {
    EXPECT_EQ(Refusal(absl::StrCat("mariadb://h/db?", options)),
              "the url's options: expected name=value")
        << options;
  }
  EXPECT_TRUE(Parsed("mariadb://h/db?&ssl=1&").tls);
  EXPECT_FALSE(Parsed("mariadb://h/db?#ssl").tls);
}

TEST(MariaDbUrl, EachErrorNamesThePartAndWhatItShouldBe) {
  const std::string port = "the url's port: expected a number from 1 to 65535";
  for (const absl::string_view text : {"0", "65536", "x", "-1", "99999999999"}) {
    EXPECT_EQ(Refusal(absl::StrCat("mariadb://h:", text, "/db")), port) << text;
  }
  EXPECT_EQ(Parsed("mariadb://h:65535/db").port, 65'535u);
  const std::string database = "the url's database: expected mariadb://host/database";
  for (const absl::string_view url :
       {"mariadb://", "mariadb://h", "mariadb://h/", "mariadb://h?ssl=1", "mariadb://h/#db"}) {
    EXPECT_EQ(Refusal(url), database) << url;
  }
  const std::string timeout = "the url's connect-timeout: expected whole seconds, at least 1";
  for (const absl::string_view text : {"0", "-1", "1.5", "", "99999999999"}) {
    EXPECT_EQ(Refusal(absl::StrCat("mariadb://h/db?connect_timeout=", text)), timeout) << text;
  }
  EXPECT_EQ(Refusal("mariadb://h/db?ssl=maybe"), "the url's ssl: expected 0 or 1");
  EXPECT_EQ(Refusal("mariadb://h/db?ssl_verify_server_cert="),
            "the url's ssl-verify-server-cert: expected 0 or 1");
  EXPECT_EQ(Refusal("mariadb://h/db?compress=1"),
            "the url's options: expected socket, connect-timeout, ssl, ssl-ca, ssl-cert, ssl-key "
            "or ssl-verify-server-cert");
  EXPECT_EQ(Refusal("mariadb://bob@h/d%00b"), "the url's parts: expected no %00");
}

TEST(MariaDbUrl, NoErrorQuotesUserOrPassword) {
  for (const absl::string_view rest :
       {"h:0/db", "h:x/db", "[::1/db", "[::1]x/db", "h", "h/", "h/db?ssl=maybe",
        "h/db?connect-timeout=x", "h/db?compress=1", "h/db?password=hunter2",
        "h/db?user=bob&compress=1"}) {
    const std::string refusal = Refusal(absl::StrCat("mariadb://bob:hunter2@", rest));
    EXPECT_THAT(refusal, Not(HasSubstr("bob"))) << rest;
    EXPECT_THAT(refusal, Not(HasSubstr("hunter2"))) << rest;
  }
  // Not even where the password hides the host.
  for (const absl::string_view url :
       {"mysqlx://bob:hunter2@h/db", "mariadb://bob:hunter2", "mariadb://bob:hunter2/db",
        "mariadb://bob:${hunter2@h/db", "mariadb://bob:1?hunter2@h/db"}) {
    const std::string refusal = Refusal(url);
    EXPECT_THAT(refusal, Not(HasSubstr("bob"))) << url;
    EXPECT_THAT(refusal, Not(HasSubstr("hunter2"))) << url;
  }
}

}  // namespace
}  // namespace headwater
