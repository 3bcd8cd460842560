#include "bench/skip_locked_queue.h"

#include <libpq-fe.h>

#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/substitute.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "tests/support/throwaway_postgres.h"

namespace headwater {
namespace {

// Only jobs that wait are in the index, so the peer does not walk over those that are done.
constexpr char kFill[] =
    "create table jobs(id bigint not null, state int not null);"
    "insert into jobs select g, 0 from generate_series(1, $0) g;"
    "create index on jobs(id) where state = 0; vacuum analyze jobs";
constexpr char kTake[] =
    "update jobs set state = 1 where state = 0 and id = (select id from jobs where state = 0"
    " order by id for update skip locked limit 1) returning id";

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

absl::Status CheckAnswer(const Connection& connection, const Answer& answer) {
  const ExecStatusType status = PQresultStatus(answer.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the queue's PostgreSQL: ", PQerrorMessage(connection.get())));
}

absl::Status Execute(const std::string& url, const std::string& sql) {
  const Connection connection(PQconnectdb(url.c_str()), PQfinish);
  return CheckAnswer(connection, Answer(PQexec(connection.get(), sql.c_str()), PQclear));
}

// Takes jobs until none is left; the number taken.
absl::StatusOr<int> TakeAll(const std::string& url) {
  const Connection connection(PQconnectdb(url.c_str()), PQfinish);
  RETURN_IF_ERROR(CheckAnswer(
      connection, Answer(PQprepare(connection.get(), "take", kTake, 0, nullptr), PQclear)));
  for (int taken = 0;; ++taken) {
    const Answer answer(PQexecPrepared(connection.get(), "take", 0, nullptr, nullptr, nullptr, 0),
                        PQclear);
    RETURN_IF_ERROR(CheckAnswer(connection, answer));
    if (PQntuples(answer.get()) == 0) return taken;
  }
}

}  // namespace

absl::StatusOr<double> MeasureSkipLocked(int jobs, int clients) {
  std::string why_not;
  const std::unique_ptr<ThrowawayPostgres> server =
      ThrowawayPostgres::Start(why_not, /*durable=*/true);
  if (server == nullptr) return absl::UnimplementedError(why_not);
  const std::string url = server->Url();
  for (absl::string_view sql : absl::StrSplit(absl::Substitute(kFill, jobs), ';')) {
    RETURN_IF_ERROR(Execute(url, std::string(sql)));
  }
  RETURN_IF_ERROR(Execute(url, "checkpoint"));
  std::vector<absl::StatusOr<int>> taken(clients, 0);
  std::vector<std::thread> threads;
  const absl::Time began = Clock::Real().Now();
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] { taken[i] = TakeAll(url); });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = absl::ToDoubleSeconds(Clock::Real().Now() - began);
  int total = 0;
  for (const absl::StatusOr<int>& one : taken) {
    RETURN_IF_ERROR(one.status());
    total += *one;
  }
  if (total != jobs) {
    return absl::InternalError(absl::StrCat(total, " jobs were taken of ", jobs));
  }
  return jobs / seconds;
}

}  // namespace headwater
