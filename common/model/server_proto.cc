#include "common/model/server_proto.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "common/model/proto_check.h"

namespace headwater {
namespace {

absl::StatusOr<QuietWindow> QuietFromProto(const v1::QuietWindow& quiet) {
  const bool good = quiet.days() > 0 && quiet.days() < 1U << 7 && quiet.from_minute() >= 0 &&
                    quiet.from_minute() < kMinutesPerDay && quiet.to_minute() > 0 &&
                    quiet.to_minute() <= kMinutesPerDay;
  if (good) return QuietWindow{quiet.days(), quiet.from_minute(), quiet.to_minute()};
  return BadField("server.quiet_windows",
                  absl::StrCat("days ", quiet.days(), ", minutes ", quiet.from_minute(), " to ",
                               quiet.to_minute(), " are not of a week"));
}

}  // namespace

absl::StatusOr<ServerSpec> ServerFromProto(const v1::ServerSpec& server) {
  RETURN_IF_ERROR(CheckNotEmpty("server.name", server.name()));
  RETURN_IF_ERROR(CheckNotEmpty("server.url", server.url()));
  RETURN_IF_ERROR(CheckNotEmpty("server.timezone", server.timezone()));
  RETURN_IF_ERROR(CheckAtLeast("server.max_connections", server.max_connections(), 1));
  RETURN_IF_ERROR(CheckAtLeast("server.max_tasks_per_minute", server.max_tasks_per_minute(), 0));
  ServerSpec result{.name = server.name(),
                    .url = server.url(),
                    .timezone = server.timezone(),
                    .clock_sql = server.clock_sql(),
                    .max_connections = server.max_connections(),
                    .fleet = server.fleet(),
                    .quiet_windows = {},
                    .max_tasks_per_minute = server.max_tasks_per_minute(),
                    .transactions_from = server.transactions_from(),
                    .transactions_url = server.transactions_url()};
  if (result.transactions_from.empty() != result.transactions_url.empty()) {
    return BadField("server.transactions_url", "it and transactions_from are given both or not");
  }
  if (server.has_silent_after()) {
    ASSIGN_OR_RETURN(result.silent_after, FromProto("server.silent_after", server.silent_after()));
  }
  if (server.has_statement_timeout()) {
    ASSIGN_OR_RETURN(result.statement_timeout,
                     FromProto("server.statement_timeout", server.statement_timeout()));
  }
  for (const v1::QuietWindow& quiet : server.quiet_windows()) {
    ASSIGN_OR_RETURN(const QuietWindow window, QuietFromProto(quiet));
    result.quiet_windows.push_back(window);
  }
  if (!LeaveRoom(result.quiet_windows)) {
    return BadField("server.quiet_windows", "they leave no minute of the week");
  }
  return result;
}

v1::ServerSpec ServerToProto(const ServerSpec& server) {
  v1::ServerSpec result;
  result.set_name(server.name);
  result.set_url(server.url);
  result.set_timezone(server.timezone);
  result.set_clock_sql(server.clock_sql);
  result.set_max_connections(server.max_connections);
  if (server.silent_after != absl::InfiniteDuration()) {
    *result.mutable_silent_after() = ToProto(server.silent_after);
  }
  if (server.statement_timeout != absl::InfiniteDuration()) {
    *result.mutable_statement_timeout() = ToProto(server.statement_timeout);
  }
  result.set_fleet(server.fleet);
  for (const QuietWindow& window : server.quiet_windows) {
    v1::QuietWindow* quiet = result.add_quiet_windows();
    quiet->set_days(window.days);
    quiet->set_from_minute(window.from_minute);
    quiet->set_to_minute(window.to_minute);
  }
  result.set_max_tasks_per_minute(server.max_tasks_per_minute);
  result.set_transactions_from(server.transactions_from);
  result.set_transactions_url(server.transactions_url);
  return result;
}

}  // namespace headwater
