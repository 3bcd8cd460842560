#include "common/config/secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/config/connection_string.h"
#include "tests/support/temp_folder.h"

namespace headwater {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Resolved(const std::string& text) {
  const absl::StatusOr<Secret> secret = ResolveReferences(text);
  return secret.ok() ? secret->Reveal() : absl::StrCat("error: ", secret.status().message());
}

class SecretTest : public ::testing::Test {
 protected:
  SecretTest() {
    setenv("HW_PW", "p@s/s:w;}d%", 1);
    setenv("HW_EMPTY", "", 1);
    unsetenv("HW_UNSET");
  }
};

TEST_F(SecretTest, ExpandsVariables) {
  EXPECT_EQ(Resolved("a ${HW_PW} b"), "a p@s/s:w;}d% b");
  EXPECT_EQ(Resolved("${HW_UNSET:-x}${HW_EMPTY:-{y}}"), "x{y}");
  EXPECT_EQ(Resolved("${HW_EMPTY}."), ".");
  EXPECT_EQ(Resolved("$${HW_PW} costs 5$"), "${HW_PW} costs 5$");
  EXPECT_THAT(Resolved("${HW_UNSET}"), HasSubstr("${HW_UNSET}: the environment variable is not"));
  EXPECT_THAT(Resolved("${HW_UNSET:?set it}"), HasSubstr("${HW_UNSET}: set it"));
  EXPECT_THAT(Resolved("${HW_PW"), HasSubstr("not closed"));
  EXPECT_THAT(Resolved("${HW PW}"), HasSubstr("not a reference"));
}

TEST_F(SecretTest, ReadsFilesThatOthersMayNotRead) {
  const TempFolder folder;
  const std::string path = folder.path() + "/hw_secret_test";
  std::ofstream(path) << "from file\n";
  chmod(path.c_str(), 0600);
  EXPECT_EQ(Resolved(absl::StrCat("${file:", path, "}")), "from file");
  setenv("CREDENTIALS_DIRECTORY", folder.path().c_str(), 1);
  EXPECT_EQ(Resolved("${cred:hw_secret_test}"), "from file");
  EXPECT_THAT(Resolved("${cred:../etc/passwd}"), HasSubstr("error"));
  chmod(path.c_str(), 0604);
  EXPECT_THAT(Resolved(absl::StrCat("${file:", path, "}")), HasSubstr("others may read"));
  remove(path.c_str());
  EXPECT_THAT(Resolved(absl::StrCat("${file:", path, "}")), HasSubstr("no such file"));
}

TEST_F(SecretTest, WritesAValueAsItsPlaceNeedsIt) {
  EXPECT_EQ(Resolved("postgresql://bob:${HW_PW}@h/db"),
            "postgresql://bob:p%40s%2Fs%3Aw%3B%7Dd%25@h/db");
  EXPECT_EQ(Resolved("postgresql://h/db?password=${HW_PW}&a=b"),
            "postgresql://h/db?password=p%40s%2Fs%3Aw%3B%7Dd%25&a=b");
  EXPECT_EQ(Resolved("odbc:DSN=x;PWD=${HW_PW};A=b"), "odbc:DSN=x;PWD={p@s/s:w;}}d%};A=b");
  EXPECT_EQ(Resolved("odbc:DSN=x;PWD={${HW_PW}}"), "odbc:DSN=x;PWD={p@s/s:w;}}d%}");
}

TEST_F(SecretTest, FoldsUserAndPasswordIntoTheUrl) {
  const auto fold = [](const char* url, const char* user, const char* password) {
    const absl::StatusOr<std::string> folded = FoldCredentials(url, user, password);
    return folded.ok() ? *folded : absl::StrCat("error: ", folded.status().message());
  };
  EXPECT_EQ(fold("postgresql://h/db", "bob", "${cred:crm}"), "postgresql://bob:${cred:crm}@h/db");
  EXPECT_EQ(fold("postgresql://bob@h/db", "", "a@b"), "postgresql://bob:a%40b@h/db");
  EXPECT_EQ(fold("odbc:DSN=x", "bob", "${HW_PW}"), "odbc:DSN=x;UID=bob;PWD=${HW_PW}");
  EXPECT_EQ(Resolved(fold("odbc:DSN=x;", "", "a;${HW_EMPTY}}")), "odbc:DSN=x;PWD={a;}}}");
  EXPECT_THAT(fold("postgresql://a:b@h", "", "c"), HasSubstr("a password already"));
  EXPECT_THAT(fold("odbc:PWD=b", "", "c"), HasSubstr("PWD= already"));
  EXPECT_THAT(fold("${URL}", "", "c"), HasSubstr("reference as a whole"));
}

TEST_F(SecretTest, TellsAPasswordThatIsWrittenOut) {
  for (const char* url :
       {"postgresql://bob:hush@h/db", "postgresql://bob@h/db?password=hush",
        "postgresql://bob:${VAR}x@h/db", "postgresql://bob:${VAR:-hush}@h/db",
        "postgresql://bob:$${VAR}@h/db", "odbc:Driver=X;PWD=hush", "odbc:Driver=X;Pwd={hu}}sh}",
        "odbc:Driver=X;PWD={a${VAR}}", "odbc:Driver=X;PWD={x",
        "odbc:Driver=X;pqopt={user=me password = hush}", "odbc:A=b;pqopt={password=${V}x};C=d",
        "${URL:-postgresql://bob:hush@h/db}"}) {
    EXPECT_TRUE(HasLiteralSecret(url)) << url;
  }
  for (const char* url :
       {"postgresql://h/db", "postgresql://bob@h/db", "postgresql://bob:${VAR}@h/db",
        "postgresql://bob:${VAR:-}@h/db", "postgresql://bob:${VAR:?set it}@h/db",
        "postgresql://h/db?password=${file:/pw}", "odbc:Driver=X;PWD=${cred:crm};A=b",
        "odbc:Driver=X;PWD={${cred:crm}}", "odbc:A={b=c};pqopt={sslmode=require password=${V}}",
        "odbc:Driver=X;PWD=;A=b", "${URL}", "${URL:-postgresql://bob@h/db}"}) {
    EXPECT_FALSE(HasLiteralSecret(url)) << url;
  }
}

TEST_F(SecretTest, APlantedPasswordIsNeverShown) {
  for (const std::string url :
       {"postgresql://bob:Pl4nted@h:5432/db", "postgresql://bob:Pl4nted@h/db?sslpassword=Pl4nted",
        "postgresql://h/db?user=bob&password=Pl4nted", "postgres://bob:Pl4/nted@h/db",
        "postgresql://bob:Pl?4nted@h/db", "postgresql://bob:Pl@4nted@h/db",
        "odbc:Driver=X;UID=bob;PWD=Pl4nted;Server=h", "odbc:DSN=x;Password={Pl4;nted}",
        "odbc:DSN=x;pwd = Pl4nted", "odbc:D=X;pqopt={a=b password=Pl4nted}",
        "${URL:-postgresql://bob:Pl4nted@h/db}"}) {
    const std::string shown = DisplayUrl(url);
    EXPECT_THAT(shown, HasSubstr("***")) << url;
    EXPECT_THAT(shown, Not(HasSubstr("nted"))) << url;
    const std::string message = absl::StrCat("cannot connect with ", url, " (password Pl4nted)");
    if (url[0] == '$') continue;
    EXPECT_THAT(Redact(message, Secret(url)), Not(HasSubstr(url))) << url;
  }
  EXPECT_EQ(DisplayUrl("postgresql://bob:Pl4nted@h:5432/db"), "postgresql://bob:***@h:5432/db");
  EXPECT_EQ(DisplayUrl("postgresql://h:5432/a@b"), "postgresql://h:5432/a@b");
  EXPECT_EQ(DisplayUrl("odbc:DSN=x;PWD=Pl4nted;A=b"), "odbc:DSN=x;PWD=***;A=b");
}

TEST_F(SecretTest, RedactsAPasswordInEveryFormThatADriverMayQuote) {
  EXPECT_EQ(Redact("p%40w and p@w", Secret("postgresql://bob:p%40w@h")), "*** and ***");
  EXPECT_EQ(Redact("{a}}b} or a}b", Secret("odbc:PWD={a}}b}")), "*** or ***");
  EXPECT_EQ(Redact("it is hunter2.", Secret("hunter2")), "it is ***.");
  EXPECT_EQ(Redact("nothing", Secret("postgresql://h/db")), "nothing");
}

}  // namespace
}  // namespace headwater
