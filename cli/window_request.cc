#include "cli/window_request.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/report_text.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"

namespace headwater {
namespace {

constexpr int kMaxServers = 5;  // Named; of more the number.

constexpr std::pair<const char*, v1::BackfillMode> kModes[] = {
    {"all", v1::BACKFILL_MODE_ALL},
    {"missing", v1::BACKFILL_MODE_MISSING},
    {"stale", v1::BACKFILL_MODE_STALE},
    {"failed", v1::BACKFILL_MODE_FAILED}};

}  // namespace

absl::StatusOr<v1::BackfillWindow> WindowOf(const WindowOptions& options,
                                            v1::BackfillMode otherwise) {
  v1::BackfillWindow window;
  window.set_from(options.from);
  window.set_to(options.to);
  window.set_mode(options.only.empty() ? otherwise : v1::BACKFILL_MODE_UNSPECIFIED);
  for (const auto& [word, mode] : kModes) {
    if (options.only == word) window.set_mode(mode);
  }
  if (options.columns.empty()) return window;
  if (!options.only.empty()) {
    return absl::InvalidArgumentError(
        "--columns reads what was written without these columns; leave out --only");
  }
  window.set_mode(v1::BACKFILL_MODE_OUTDATED);
  for (const std::string& column : options.columns) window.add_columns(column);
  return window;
}

absl::StatusOr<v1::Pace> PaceOf(const WindowOptions& options) {
  v1::Pace pace;
  if (!options.every.empty()) {
    const absl::StatusOr<Unit> every = ParseUnit(options.every);
    if (!every.ok() || every->kind == Unit::Kind::kNone) {
      return absl::InvalidArgumentError(
          absl::StrCat("--every '", options.every,
                       "': expected a unit such as 1h, 7d, 1mo, or a number of values"));
    }
    *pace.mutable_every() = ToProto(*every);
  }
  pace.set_newest_first(options.newest_first);
  pace.set_max_active(options.max_active);
  pace.set_max_per_server(options.per_server);
  return pace;
}

std::string WindowNotes(const google::protobuf::RepeatedPtrField<v1::Window>& windows) {
  std::string notes;
  for (const v1::Window& window : windows) {
    std::vector<std::string> names(window.servers().begin(), window.servers().end());
    const size_t more = names.size() > kMaxServers ? names.size() - kMaxServers : 0;
    names.resize(names.size() - more);
    std::string text = absl::StrJoin(names, ", ");
    if (more > 0) absl::StrAppend(&text, " and ", more, " more");
    absl::StrAppend(&text, ": ", window.local());
    if (!window.utc().empty() && window.timezone() != "UTC")
      absl::StrAppend(&text, " ", window.timezone(), " = ", window.utc());
    if (!window.utc().empty()) absl::StrAppend(&text, " UTC");
    notes += Note("window", text);
  }
  return notes;
}

}  // namespace headwater
