#include "common/base/log.h"

#include <unistd.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace headwater {
namespace {

std::atomic<LogLevel> process_level = LogLevel::kWarning;
std::atomic<LogFormat> process_format = LogFormat::kText;

absl::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      return "off";
  }
  return "unknown";
}

// JSON's escapes; they also keep a text record on one line. `quotes`: escape '"' and '\' as well.
void AppendEscaped(std::string& out, absl::string_view text, bool quotes) {
  for (char c : text) {
    if (quotes && (c == '"' || c == '\\')) {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<int>(c));
    } else {
      out += c;
    }
  }
}

void AppendQuoted(std::string& out, absl::string_view text) {
  out += '"';
  AppendEscaped(out, text, /*quotes=*/true);
  out += '"';
}

void WriteWhole(const std::string& record) {
  static absl::Mutex mutex;  // A record longer than a pipe's buffer must not be interleaved.
  absl::MutexLock lock(&mutex);
  size_t written = 0;
  while (written < record.size()) {
    const ssize_t n = write(STDERR_FILENO, record.data() + written, record.size() - written);
    if (n <= 0) return;  // Nobody listens; there is nobody to tell.
    written += static_cast<size_t>(n);
  }
}

}  // namespace

void SetLog(LogLevel level, LogFormat format) {
  process_level = level;
  process_format = format;
}

std::string FormatLogRecord(LogFormat format, absl::string_view time, LogLevel level,
                            absl::string_view message, const LogFields& fields) {
  std::string record;
  if (format == LogFormat::kText) {
    absl::StrAppend(&record, time, " ", NameOf(level), " ");
    AppendEscaped(record, message, /*quotes=*/false);
    for (const auto& [name, value] : fields) {
      absl::StrAppend(&record, " ", name, "=");
      const bool plain = !value.empty() && value.find_first_of(" \"=") == std::string::npos;
      plain ? AppendEscaped(record, value, /*quotes=*/false) : AppendQuoted(record, value);
    }
  } else {
    absl::StrAppend(&record, R"({"time":")", time, R"(","level":")", NameOf(level),
                    R"(","message":)");
    AppendQuoted(record, message);
    for (const auto& [name, value] : fields) {
      record += ',';
      AppendQuoted(record, name);
      record += ':';
      AppendQuoted(record, value);
    }
    record += '}';
  }
  record += '\n';
  return record;
}

void Log(LogLevel level, absl::string_view message, const LogFields& fields) {
  if (level < process_level.load() || level == LogLevel::kOff) return;
  const std::string time =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  WriteWhole(FormatLogRecord(process_format.load(), time, level, message, fields));
}

}  // namespace headwater
