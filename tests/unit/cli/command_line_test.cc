#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "cli/exit_code.h"

namespace headwater {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What the command that ran was given.
BackfillOptions backfill;
RunOptions run;
PlanOptions plan;
WorkerCommandOptions worker;
ValidateOptions validate;
GcOptions gc;
FsckCommandOptions fsck;
HistoryCommandOptions history;

class CommandLineTest : public ::testing::Test {
 protected:
  CommandLineTest() {
    unsetenv("HEADWATER_CONFIG");
    commands_.backfill = [](const BackfillOptions& o) { return backfill = o, 11; };
    commands_.run = [](const RunOptions& o) { return run = o, 12; };
    commands_.plan = [](const PlanOptions& o) { return plan = o, 13; };
    commands_.worker = [](const WorkerCommandOptions& o) { return worker = o, 14; };
    commands_.gc = [](const GcOptions& o) { return gc = o, 16; };
    commands_.fsck = [](const FsckCommandOptions& o) { return fsck = o, 18; };
    commands_.history = [](const HistoryCommandOptions& o) { return history = o, 19; };
    commands_.validate = [](const ValidateOptions& o) { return validate = o, 15; };
  }
  int Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return RunCommandLine(arguments, commands_, out_, err_);
  }

  CommandTable commands_;
  std::ostringstream out_, err_;
};

TEST_F(CommandLineTest, GlobalsMayStandBeforeAndAfterTheCommand) {
  EXPECT_EQ(Run({"-o", "json", "run", "jfk/flights", "-c", "x.yaml", "-q", "--workers", "3"}), 12);
  EXPECT_EQ(run.global.output, OutputFormat::kJson);
  EXPECT_EQ(run.global.config_path, "x.yaml");
  EXPECT_TRUE(run.global.quiet);
  EXPECT_EQ(run.global.workers, 3);
  EXPECT_THAT(run.selector.patterns, ElementsAre("jfk/flights"));
  EXPECT_EQ(Run({"run"}), 12);
  EXPECT_EQ(run.global.config_path, "headwater.yaml");
  setenv("HEADWATER_CONFIG", "/etc/h.yaml", 1);
  EXPECT_EQ(Run({"run"}), 12);
  EXPECT_EQ(run.global.config_path, "/etc/h.yaml");
}

TEST_F(CommandLineTest, GarbageIsCollectedUnlessOnlyAsked) {
  EXPECT_EQ(Run({"gc", "--dry-run", "airports/*"}), 16);
  EXPECT_TRUE(gc.dry_run);
  EXPECT_THAT(gc.selector.patterns, ElementsAre("airports/*"));
}

TEST_F(CommandLineTest, FsckTakesASelection) {
  EXPECT_EQ(Run({"fsck", "airports/*"}), 18);
  EXPECT_THAT(fsck.selector.patterns, ElementsAre("airports/*"));
}

TEST_F(CommandLineTest, HistoryTakesASelectionAWindowAndANumber) {
  EXPECT_EQ(Run({"history", "jfk/*", "--from", "-7d", "--to", "now", "--last", "100"}), 19);
  EXPECT_THAT(history.selector.patterns, ElementsAre("jfk/*"));
  EXPECT_EQ(history.from, "-7d");
  EXPECT_EQ(history.to, "now");
  EXPECT_EQ(history.last, 100);
  history = {};
  EXPECT_EQ(Run({"history"}), 19);
  EXPECT_EQ(history.last, 20);
  EXPECT_EQ(Run({"history", "--last", "0"}), kExitUsage);
  EXPECT_EQ(Run({"history", "--last", "1001"}), kExitUsage);
}

TEST_F(CommandLineTest, FiltersTakeOneWordAndLeaveTheRestToTheSelector) {
  EXPECT_EQ(Run({"run", "--server", "jfk,lga", "flights", "--server", "ewr", "weather", "--tag",
                 "a", "--frequency=daily", "--strategy", "full", "--table", "t"}),
            12);
  EXPECT_THAT(run.selector.servers, ElementsAre("jfk", "lga", "ewr"));
  EXPECT_THAT(run.selector.patterns, ElementsAre("flights", "weather"));
  EXPECT_THAT(run.selector.frequencies, ElementsAre("daily"));
}

TEST_F(CommandLineTest, ABackfillHasAWindow) {
  EXPECT_EQ(Run({"backfill", "jfk/flights", "--from", "-7d", "--to", "now", "--only", "missing"}),
            11);
  EXPECT_EQ(backfill.window.from, "-7d");
  EXPECT_EQ(backfill.window.to, "now");
  EXPECT_EQ(backfill.window.only, "missing");
  EXPECT_EQ(Run({"backfill", "--from", "1", "--to", "2"}), 11);
  EXPECT_EQ(backfill.window.only, "");
  EXPECT_FALSE(backfill.dry_run);
  EXPECT_EQ(Run({"backfill", "--from", "1", "--to", "2", "--only", "stale", "--dry-run"}), 11);
  EXPECT_EQ(backfill.window.only, "stale");
  EXPECT_TRUE(backfill.dry_run);
  EXPECT_EQ(Run({"backfill", "--from", "1", "--to", "2", "--every", "7d", "--newest-first",
                 "--max-active", "3", "--per-server=2", "--columns", "a,b"}),
            11);
  EXPECT_EQ(backfill.window.every, "7d");
  EXPECT_TRUE(backfill.window.newest_first);
  EXPECT_EQ(backfill.window.max_active, 3);
  EXPECT_EQ(backfill.window.per_server, 2);
  EXPECT_THAT(backfill.window.columns, ElementsAre("a", "b"));
  EXPECT_EQ(Run({"backfill", "--from", "1"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--to"));
  EXPECT_EQ(Run({"plan"}), 13);
  EXPECT_EQ(plan.window.from, "");
}

TEST_F(CommandLineTest, AWorkerNeedsACoordinator) {
  EXPECT_EQ(Run({"worker"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--coordinator"));
  EXPECT_EQ(Run({"worker", "--coordinator", "etl1"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("expected host:port"));
  EXPECT_EQ(Run({"worker", "--coordinator", "etl1:7380", "--slots", "4"}), 14);
  EXPECT_EQ(worker.slots, 4);
}

TEST_F(CommandLineTest, MistakesAreExitTwoWithTheNearest) {
  EXPECT_EQ(Run({"valdate"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("unknown command 'valdate'; did you mean 'validate'?"));
  EXPECT_EQ(Run({"run", "--servr", "x"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("unknown option '--servr'; did you mean '--server'?"));
  EXPECT_EQ(Run({"run", "-o", "xml"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("xml"));
  EXPECT_EQ(Run({}), kExitUsage);
  EXPECT_EQ(Run({"demo"}), kExitUsage);  // Not in the table.
}

TEST_F(CommandLineTest, HelpBeginsWithPurposeAndExamples) {
  EXPECT_EQ(Run({"run", "--help"}), kExitDone);
  EXPECT_THAT(out_.str(),
              ::testing::StartsWith("Loads what is new, changed or missing\n\nExamples:\n"
                                    "  headwater run "));
  EXPECT_THAT(out_.str(), HasSubstr("Usage: headwater run [options] [SEL...]"));
  EXPECT_EQ(Run({"--help"}), kExitDone);
  EXPECT_THAT(out_.str(), HasSubstr("Exit codes: 0 done"));
  EXPECT_EQ(err_.str(), "");
}

}  // namespace
}  // namespace headwater
