// What a process says about itself, on stderr, one record a line. stdout is data and never touched.
// Row values, secrets and URLs with passwords do not belong here (common/config/secret.h).
#ifndef HEADWATER_COMMON_BASE_LOG_H_
#define HEADWATER_COMMON_BASE_LOG_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace headwater {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

enum class LogFormat {
  kText,  // `2026-11-21T05:04:03.210Z warning worker lost worker=w1 leases=3`
  kJson,  // {"time":"2026-11-21T05:04:03.210Z","level":"warning","message":"worker lost",...}
};

// For the whole process; kWarning and kText until set. Thread-safe; mains call it once.
void SetLog(LogLevel level, LogFormat format);

using LogFields = std::vector<std::pair<absl::string_view, std::string>>;

// Writes one record when `level` is not below the process's level. Line breaks and other control
// characters inside are escaped, so a record is always one line, written whole. Thread-safe.
void Log(LogLevel level, absl::string_view message, const LogFields& fields = {});

// The record that Log() would write at `time` ("2026-11-21T05:04:03.210Z"), with its line break.
std::string FormatLogRecord(LogFormat format, absl::string_view time, LogLevel level,
                            absl::string_view message, const LogFields& fields);

}  // namespace headwater

#endif  // HEADWATER_COMMON_BASE_LOG_H_
