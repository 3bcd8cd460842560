#include "cli/command_line_globals.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/config/ledger_config.h"

namespace headwater {

void GlobalFlags::AddTo(CLI::App& app) {
  app.add_option("-c,--config", options_.config_path,
                 "Configuration: a file or a folder (or HEADWATER_CONFIG)")
      ->envname("HEADWATER_CONFIG")
      ->capture_default_str()
      ->type_name("PATH");
  app.add_option("--coordinator", options_.coordinator,
                 "Use this coordinator, or whichever of several leads, not the embedded one "
                 "(or HEADWATER_COORDINATOR)")
      ->envname("HEADWATER_COORDINATOR")
      ->type_name("HOST:PORT,...");
  app.add_option("--ledger", ledger_,
                 "postgresql://..., or sqlite, instead of the configured ledger (or "
                 "HEADWATER_LEDGER)")
      ->envname("HEADWATER_LEDGER")
      ->type_name("URL");
  app.add_option("-o,--output", output_, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->type_name("FORMAT");
  app.add_option("--progress", progress_, "auto, bar, plain, json or off; on stderr")
      ->check(CLI::IsMember({"auto", "bar", "plain", "json", "off"}))
      ->type_name("MODE");
  app.add_flag("-q,--quiet", options_.quiet, "Only errors on stderr");
  app.add_option("--workers", options_.workers,
                 "Worker loops of the embedded cluster (default: one for each core)")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
}

std::string GlobalFlags::Finish(bool for_worker) {
  static constexpr std::pair<const char*, ProgressMode> kModes[] = {{"auto", ProgressMode::kAuto},
                                                                    {"bar", ProgressMode::kBar},
                                                                    {"plain", ProgressMode::kPlain},
                                                                    {"json", ProgressMode::kJson},
                                                                    {"off", ProgressMode::kOff}};
  for (const auto& [word, mode] : kModes) {
    if (progress_ == word) options_.progress = mode;
  }
  options_.output = output_ == "json" ? OutputFormat::kJson : OutputFormat::kTable;
  if (!ledger_.empty()) {
    absl::StatusOr<std::string> url = CheckLedgerUrl(ledger_);
    if (!url.ok()) return absl::StrCat("--ledger: ", url.status().message());
    options_.ledger = *std::move(url);
  }
  if (!options_.coordinator.empty() && !absl::StrContains(options_.coordinator, ":")) {
    return absl::StrCat("--coordinator: expected host:port, found '", options_.coordinator, "'");
  }
  if (for_worker && options_.coordinator.empty()) return "--coordinator HOST:PORT is missing";
  return "";
}

}  // namespace headwater
