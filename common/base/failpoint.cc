#include "common/base/failpoint.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/log.h"

namespace headwater {
namespace {

constexpr int kExitAsKilled = 137;
constexpr int kExitAsMisused = 2;

struct Armed {
  int at = 1;  // Occurrence, counted down.
  bool crash = false;
  bool hold = false;
  absl::StatusCode code = absl::StatusCode::kUnavailable;
};

std::mutex mutex;
std::map<std::string, Armed>& Points() {
  static auto* points = new std::map<std::string, Armed>();  // Lives as long as any thread.
  return *points;
}

absl::StatusOr<absl::StatusCode> CodeNamed(absl::string_view name) {
  for (int code = 1; code <= 16; ++code) {
    const auto candidate = static_cast<absl::StatusCode>(code);
    if (absl::StatusCodeToString(candidate) == name) return candidate;
  }
  return absl::InvalidArgumentError(absl::StrCat("not a status code: '", name, "'"));
}

[[noreturn]] void Hold(const char* name) {
  Log(LogLevel::kWarning, "failpoint holds", {{"name", name}});
  while (true) pause();
}

// A misspelt failpoint would let a test pass that tests nothing.
const bool armed_from_environment = [] {
  const char* spec = std::getenv("HEADWATER_FAILPOINTS");
  if (spec == nullptr) return false;
  if (const absl::Status status = ArmFailpoints(spec); !status.ok()) {
    std::fprintf(stderr, "HEADWATER_FAILPOINTS: %s\n", std::string(status.message()).c_str());
    _exit(kExitAsMisused);
  }
  return true;
}();

}  // namespace

namespace failpoint_internal {

std::atomic<bool> armed{false};

absl::Status Hit(const char* name) {
  Armed point;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto it = Points().find(name);
    if (it == Points().end() || --it->second.at != 0) return absl::OkStatus();
    point = it->second;
    if (point.crash) _exit(kExitAsKilled);  // Under the lock: nobody gets further meanwhile.
  }
  if (point.hold) Hold(name);
  return absl::Status(point.code, absl::StrCat("failpoint ", name));
}

}  // namespace failpoint_internal

absl::Status ArmFailpoints(absl::string_view spec) {
  std::map<std::string, Armed> points;
  for (absl::string_view entry : absl::StrSplit(spec, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(entry, absl::MaxSplits('=', 1));
    std::vector<std::string> words = absl::StrSplit(parts.second, ':');
    Armed armed;
    if (int at = 0; !words.empty() && absl::SimpleAtoi(words.front(), &at)) {
      armed.at = at;
      words.erase(words.begin());
    }
    const bool named = !parts.first.empty() && !absl::StrContains(entry, ' ') && armed.at > 0;
    if (!named || points.contains(std::string(parts.first))) {
      return absl::InvalidArgumentError(absl::StrCat(
          "not a failpoint: '", entry, "'; expected a name, once, and an occurrence from 1"));
    }
    if (words.size() == 1 && (words[0] == "crash" || words[0] == "hold")) {
      armed.crash = words[0] == "crash";
      armed.hold = !armed.crash;
    } else if (words.size() == 2 && words[0] == "error") {
      const absl::StatusOr<absl::StatusCode> code = CodeNamed(words[1]);
      if (!code.ok()) return code.status();
      armed.code = *code;
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("not a failpoint: '", entry,
                       "'; expected name=[n:]crash, name=[n:]hold or name=[n:]error:CODE"));
    }
    points[std::string(parts.first)] = armed;
  }
  const std::lock_guard<std::mutex> lock(mutex);
  Points() = std::move(points);
  failpoint_internal::armed = !Points().empty();
  return absl::OkStatus();
}

}  // namespace headwater
