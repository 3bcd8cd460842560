#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/command_line_globals.h"
#include "cli/command_line_help.h"
#include "cli/command_line_options.h"
#include "cli/exit_code.h"
#include "cli/usage_error.h"
#include "common/config/yaml_reader.h"

namespace headwater {
namespace {

constexpr char kPurpose[] =
    "Moves rows from many database servers into analytical tables: incrementally, exactly once, "
    "in parallel.";

class Parser {
 public:
  Parser(const CommandTable& commands, std::ostream& out, std::ostream& err)
      : app_(kPurpose, "headwater"), out_(out), err_(err) {
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.require_subcommand(1);
    app_.footer(
        "Exit codes: 0 done, 1 some failed, 2 usage, configuration or ledger, 3 no source or "
        "target reachable,\n4 coordinator unreachable, 5 verification failed.");
    globals_.AddTo(app_);
    AddCommands(commands);
  }

  int Run(const std::vector<std::string>& arguments) {
    std::vector<std::string> reversed(arguments.rbegin(),
                                      arguments.rend());  // As CLI11 takes them.
    try {
      app_.parse(std::move(reversed));
    } catch (const CLI::CallForHelp&) {
      return Help();
    } catch (const CLI::CallForAllHelp&) {
      return Help();
    } catch (const CLI::ParseError& error) {
      return Complain(arguments, error.what());
    }
    const std::string wrong = globals_.Finish(app_.get_subcommands()[0]->get_name() == "worker");
    if (!wrong.empty()) return Complain(arguments, wrong);
    return chosen_();
  }

 private:
  int Help() {
    const std::vector<CLI::App*> named = app_.get_subcommands();
    out_ << (named.empty() ? app_.help() : named[0]->help());
    return kExitDone;
  }

  template <typename Options>
  CLI::App* Add(int (*run)(const Options&), Options& options, const char* name,
                const char* purpose) {
    if (run == nullptr) return nullptr;
    CLI::App* command = app_.add_subcommand(name, purpose);
    command->fallthrough();  // Globals may follow the command.
    command->footer(
        "Everywhere: -c --coordinator --ledger -o --progress -q --workers; see headwater --help, "
        "which "
        "has\nthe exit codes too.");
    command->callback([this, run, &options] {
      chosen_ = [this, run, &options] {
        options.global = globals_.options();
        return run(options);
      };
    });
    return command;
  }

  void AddCommands(const CommandTable& commands) {
    CLI::App* demo = Add(commands.demo, demo_, "demo",
                         "Loads real flights of three servers, with late and changed rows");
    if (demo != nullptr) {
      demo->add_option("--keep", demo_.keep, "Leave everything in this folder")->type_name("DIR");
    }
    AddSelector(Add(commands.validate, validate_, "validate",
                    "Checks the configuration; connects to nothing"),
                validate_.selector);
    CLI::App* plan = Add(commands.plan, plan_, "plan",
                         "Says what a run or a backfill would do; changes nothing");
    AddSelector(plan, plan_.selector);
    AddWindow(plan, plan_.window, false);
    CLI::App* run = Add(commands.run, run_, "run", "Loads what is new, changed or missing");
    AddSelector(run, run_.selector);
    if (run != nullptr) {
      run->add_flag("--force", run_.force,
                    "Also read static tables whose checksum says that nothing changed");
      run->add_option("--plan", run_.plan_id, "Just what this plan said, or nothing")
          ->type_name("ID")
          ->excludes("SEL");
    }
    CLI::App* backfill =
        Add(commands.backfill, backfill_, "backfill", "Reads a range again, beside other runs");
    AddSelector(backfill, backfill_.selector);
    AddWindow(backfill, backfill_.window, true);
    if (backfill != nullptr) {
      backfill->add_flag("--dry-run", backfill_.dry_run,
                         "Only say what it would do, as `plan` does");
    }
    CLI::App* retry = Add(commands.retry, retry_, "retry",
                          "Tries again what a run did not get done, and nothing else");
    if (retry != nullptr) {
      retry->add_option("RUN", retry_.run_id, "As its summary and `status` name it")->required();
    }
    CLI::App* status = Add(commands.status, status_, "status", "Shows how far every dataset is");
    AddSelector(status, status_.selector);
    if (status != nullptr) {
      status->add_flag("--watch", status_.watch, "Again every two seconds, until Ctrl-C");
    }
    AddSelector(Add(commands.explain, explain_, "explain",
                    "Says why something runs, waits, failed or is missing"),
                explain_.selector);
    AddHistory(Add(commands.history, history_, "history", "Shows what runs that have ended did"));
    AddVerify(commands);
    AddRepair(commands);
    AddState(Add(commands.state, state_, "state",
                 "Shows, changes or heals what is recorded of datasets"));
    CLI::App* gc = Add(commands.gc, gc_, "gc", "Removes what tables no longer need, at once");
    AddSelector(gc, gc_.selector);
    if (gc != nullptr) {
      gc->add_flag("--dry-run", gc_.dry_run, "Only say what would go, and why");
    }
    CLI::App* fsck = Add(commands.fsck, fsck_, "fsck",
                         "Checks ledger, tables and files against each other, while loads go on");
    AddSelector(fsck, fsck_.selector);
    AddProcesses(commands);
  }

  void AddHistory(CLI::App* history) {
    AddSelector(history, history_.selector);
    if (history == nullptr) return;
    history->add_option("--from", history_.from, "That ended then or later: 2026-10-01, -7d")
        ->type_name("T");
    history->add_option("--to", history_.to, "That ended before; `now` is allowed")->type_name("T");
    history->add_option("--last", history_.last, "So many of the newest")
        ->check(CLI::Range(1, 1'000))
        ->capture_default_str()
        ->type_name("N");
  }

  void AddVerify(const CommandTable& commands) {
    CLI::App* verify = Add(commands.verify, verify_, "verify",
                           "Compares published rows with the sources, piece by piece");
    AddSelector(verify, verify_.selector);
    if (verify != nullptr) {
      CLI::Option* counts =
          verify->add_flag("--counts", verify_.counts, "Only count the rows of each piece");
      CLI::Option* hash =
          verify->add_flag("--hash", verify_.hash, "Compare their content (the default)")
              ->excludes(counts);
      CLI::Option* sample =
          verify->add_option("--sample", verify_.sample, "So many pieces of each dataset, anew")
              ->type_name("N")
              ->check(CLI::PositiveNumber);
      verify->add_flag("--scd2", verify_.scd2, "Whether the versions of each key go together")
          ->excludes(counts)
          ->excludes(hash)
          ->excludes(sample);
    }
  }

  void AddRepair(const CommandTable& commands) {
    CLI::App* repair =
        Add(commands.repair, repair_, "repair",
            "Compares published rows with the sources, and reads again what differs");
    AddSelector(repair, repair_.selector);
    if (repair != nullptr) {
      CLI::Option* dry =
          repair->add_flag("--dry-run", repair_.dry_run, "Only say what differs, as verify does");
      CLI::Option* adopt =
          repair->add_flag("--adopt", repair_.adopt,
                           "Take over files that another writer wrote, and read them anew");
      adopt->excludes(dry);
      repair->add_flag("--scd2", repair_.scd2, "Mend versions that do not go together")
          ->excludes(adopt);
      repair->add_flag("--yes", repair_.yes, "With --adopt: do not ask")->needs(adopt);
    }
  }

  void AddState(CLI::App* state) {
    if (state == nullptr) return;
    static const std::map<std::string, StateAction> kActions = {
        {"show", StateAction::kShow},     {"export", StateAction::kExport},
        {"import", StateAction::kImport}, {"set", StateAction::kSet},
        {"reset", StateAction::kReset},   {"heal", StateAction::kHeal}};
    state->add_option("ACTION", state_.action, "show, export, import FILE, set, reset or heal")
        ->required()
        ->transform(CLI::Transformer(kActions))
        ->type_name("ACTION");
    AddSelector(state, state_.selector);
    CLI::Option* start = state->add_option("--from", state_.from, "set: start, included");
    CLI::Option* end = state->add_option("--to", state_.to, "set: end, excluded");
    start->type_name("T")->needs(end);
    end->type_name("T")->needs(start);
    state
        ->add_option_function<std::string>(
            "--as", [this](const std::string& as) { state_.fresh = as == "fresh"; },
            "set: stale (to be read again, the default) or fresh (not)")
        ->check(CLI::IsMember({"stale", "fresh"}))
        ->type_name("STATE");
    state->add_flag("--yes", state_.yes, "Do not ask");
  }

  void AddProcesses(const CommandTable& commands) {
    CLI::App* ledger = Add(commands.ledger, ledger_, "ledger",
                           "Moves the ledger from its file into the configured database");
    if (ledger != nullptr) {
      ledger->add_option("ACTION", ledger_.action, "migrate")
          ->required()
          ->check(CLI::IsMember({"migrate"}))
          ->type_name("ACTION");
      ledger->add_flag("--yes", ledger_.yes, "Do not ask");
    }
    CLI::App* coordinator = Add(commands.coordinator, coordinator_, "coordinator",
                                "Serves workers and commands until it is stopped");
    if (coordinator != nullptr) {
      coordinator->add_option("--listen", coordinator_.listen, "Address to serve on")
          ->capture_default_str()
          ->type_name("HOST:PORT");
    }
    CLI::App* worker = Add(commands.worker, worker_, "worker",
                           "Reads and stages for a coordinator until it is stopped");
    if (worker != nullptr) {
      worker->add_option("--name", worker_.name, "Default: host name and process id")
          ->type_name("NAME");
      worker->add_option("--slots", worker_.slots, "Microbatches at once")
          ->check(CLI::Range(1, 1024))
          ->capture_default_str()
          ->type_name("N");
    }
    Add(commands.version, version_, "version", "Prints the version");
  }

  std::vector<const CLI::App*> Commands() const {
    return app_.get_subcommands([](const CLI::App*) { return true; });
  }

  // The command that the arguments name, as far as they could be parsed.
  const CLI::App* Named(const std::vector<std::string>& arguments) const {
    for (const std::string& word : arguments) {
      for (const CLI::App* command : Commands()) {
        if (command->get_name() == word) return command;
      }
    }
    return nullptr;
  }

  std::vector<std::string> Flags(const CLI::App* command) const {
    std::vector<std::string> flags;
    for (const CLI::App* app : {command, static_cast<const CLI::App*>(&app_)}) {
      if (app == nullptr) continue;
      for (const CLI::Option* option : app->get_options()) {
        for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
        for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
      }
    }
    return flags;
  }

  // Says what is wrong and what was probably meant.
  int Complain(const std::vector<std::string>& arguments, const std::string& what) {
    const CLI::App* command = Named(arguments);
    UsageError error{arguments, what, command == nullptr ? "" : command->get_name(), {}, {}, {}};
    error.flags = Flags(command);
    for (const CLI::App* one : Commands()) error.commands.push_back(one->get_name());
    for (const CLI::Option* option : app_.get_options()) {
      if (option->get_expected_max() == 0) continue;
      for (const std::string& name : option->get_lnames()) error.with_value.push_back("--" + name);
      for (const std::string& name : option->get_snames()) error.with_value.push_back("-" + name);
    }
    const std::string text = DescribeUsageError(error);
    err_ << (text.empty() ? app_.help() : text);
    return kExitUsage;
  }

  CLI::App app_;
  std::ostream& out_;
  std::ostream& err_;
  GlobalFlags globals_;
  DemoOptions demo_;
  ValidateOptions validate_;
  PlanOptions plan_;
  RunOptions run_;
  BackfillOptions backfill_;
  RetryOptions retry_;
  StatusOptions status_;
  ExplainOptions explain_;
  HistoryCommandOptions history_;
  VerifyOptions verify_;
  RepairOptions repair_;
  StateOptions state_;
  GcOptions gc_;
  FsckCommandOptions fsck_;
  LedgerCommandOptions ledger_;
  CoordinatorCommandOptions coordinator_;
  WorkerCommandOptions worker_;
  VersionOptions version_;
  std::function<int()> chosen_;
};

}  // namespace

int RunCommandLine(const std::vector<std::string>& arguments, const CommandTable& commands,
                   std::ostream& out, std::ostream& err) {
  // CLI11 takes `-7d` for an option: it is glued to the option that it follows.
  std::vector<std::string> glued;
  for (const std::string& argument : arguments) {
    const bool offset = argument.size() > 1 && argument[0] == '-' && argument[1] >= '0' &&
                        argument[1] <= '9' && !glued.empty() &&
                        (glued.back() == "--from" || glued.back() == "--to");
    if (offset) {
      absl::StrAppend(&glued.back(), "=", argument);
    } else {
      glued.push_back(argument);
    }
  }
  return Parser(commands, out, err).Run(glued);
}

}  // namespace headwater
