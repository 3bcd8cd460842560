// A core with one worker that does what it is offered, and servers that have a row a day.
#ifndef HEADWATER_TESTS_UNIT_COORDINATOR_CORE_WORLD_H_
#define HEADWATER_TESTS_UNIT_COORDINATOR_CORE_WORLD_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);  // A Friday, 08:00 UTC.
inline constexpr int64_t kDay = 86'400'000'000;                       // Microseconds.

// A task as it was offered.
struct OfferedTask {
  TaskSpec spec;
  std::string server;
  SessionId session;
};

class CoreWorldTest : public ::testing::Test {
 protected:
  explicit CoreWorldTest(const CoreOptions& options = CoreOptions())
      : core_(std::make_unique<ClusterState>(), options) {
    core_.Begin(/*workers_are_dead=*/true, "digest", now_);
  }

  DatasetSpec& Configure(const std::string& server, const std::string& table) {
    DatasetSpec& spec = configured_.datasets.emplace_back();
    spec.id = {.table = table, .server = server};
    spec.server.name = server;
    spec.server.url = "test:" + server;
    spec.cursor = "at";
    spec.cursor_timezone = "UTC";
    spec.relation = table;
    spec.strategy = Strategy::kPartition;
    spec.unit = spec.partition_by = Unit{Unit::Kind::kDay, 1};
    spec.target_uri = "/nowhere/" + table;
    return spec;
  }

  void Begin(int credit) {
    for (const DatasetSpec& spec : configured_.datasets)
      server_of_[DigestOf(spec)] = spec.id.server;
    SessionOpened opened;
    opened.session = "s";
    opened.hello.name = "w";
    Step({configured_, opened, CreditChanged{"s", credit}});
  }

  void Run(const std::string& id, bool by_person = true,
           v1::RunKind kind = v1::RUN_KIND_INCREMENTAL) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = id;
    run.kind = kind;
    run.by_person = by_person;
    for (const DatasetSpec& spec : configured_.datasets) {
      run.demands.emplace_back().dataset = spec.id;
      if (kind == v1::RUN_KIND_BACKFILL) run.demands.back().mode = v1::BACKFILL_MODE_ALL;
    }
    Step({run});
  }

  void Step(const std::vector<Input>& inputs) {
    const StepResult step = core_.Step(inputs, now_);
    std::vector<Input> replies;
    for (const v1::Event& event : step.events) {
      if (event.has_run_ended()) ended_.push_back(event.run_ended().run_id());
      if (event.has_demands_failed())
        failed_[event.demands_failed().dataset().server()].push_back(
            event.demands_failed().failure().message());
    }
    for (const Effect& effect : step.effects) {
      if (const auto* offer = std::get_if<SendOffer>(&effect)) {
        tasks_.push_back({offer->task, server_of_.at(offer->task.dataset_digest), offer->session});
        replies.push_back(OfferReplied{offer->session, offer->task.lease, true, ""});
      } else if (const auto* answer = std::get_if<AnswerRun>(&effect)) {
        answer_ = answer->status;
      } else if (const auto* check = std::get_if<CheckCommit>(&effect)) {
        CommitChecked checked{
            check->table, absl::OkStatus(),
            std::vector<absl::Status>(check->replacements.size(), absl::OkStatus())};
        if (check->replacements.empty()) {
          checked.lost = std::exchange(lost_, {});
          looked_for_ = check->pieces;
          checked.columns = columns_;
        } else if (!refused_.ok()) {
          checked.statuses[0] = std::exchange(refused_, absl::OkStatus());
        }
        replies.push_back(std::move(checked));
      } else if (const auto* deliver = std::get_if<AnswerDeliver>(&effect)) {
        verdicts_.insert(verdicts_.end(), deliver->verdicts.begin(), deliver->verdicts.end());
      } else if (const auto* verified = std::get_if<AnswerVerify>(&effect)) {
        verified_ = verified->result;
      } else if (const auto* list = std::get_if<ListFiles>(&effect)) {
        lists_.push_back(*list);
      } else if (const auto* archive = std::get_if<ArchiveRuns>(&effect)) {
        archives_.push_back(*archive);
      } else if (const auto* commit = std::get_if<Commit>(&effect)) {
        intents_.push_back(commit->intent);
        replies.push_back(
            CommitFinished{commit->intent.table, commit->intent.sequence, CommitResult{1}});
      }
    }
    if (!replies.empty()) Step(replies);
  }

  void Answer(const OfferedTask& task, decltype(Outcome::result) result) {
    Delivered delivered;
    delivered.session = task.session;
    delivered.outcomes.push_back({task.spec.lease, std::move(result)});
    Step({delivered});
  }

  // Days of rows that end with this one.
  ProbeResult Days(int days) const {
    ProbeResult probe;
    probe.cursor_type = CursorType::kInstant;
    probe.schema.columns = {{"at", {TypeKind::kTimestamp}, true}};
    probe.source_clock = now_;
    probe.transactions_known = true;
    probe.bound = absl::ToUnixMicros(now_);
    probe.minimum = *probe.bound - (days - 1) * kDay;
    return probe;
  }

  static Manifest Rows(const TaskSpec& task) {
    const auto& microbatch = std::get<MicrobatchTask>(task.kind);
    Manifest manifest;
    manifest.spec_version = "v";
    manifest.schema.columns = {{"at", {TypeKind::kTimestamp}, true}};
    int64_t from = microbatch.extent.range->from;
    std::vector<int64_t> ends = microbatch.cuts;
    ends.push_back(microbatch.extent.range->to);
    for (const int64_t end : ends) {
      StagedPiece& piece = manifest.pieces.emplace_back();
      piece.extent.range = Range{from, end};
      piece.fingerprint.rows = 1;
      from = end;
    }
    return manifest;
  }

  static bool IsProbe(const OfferedTask& task) {
    return std::holds_alternative<ProbeTask>(task.spec.kind);
  }

  // Answers probes with that many days, and has each microbatch answered by `serve`, with its task
  // and range, until nothing is offered.
  template <typename Serve>
  void ServeOffered(int days, const Serve& serve) {
    while (!tasks_.empty()) {
      const OfferedTask task = tasks_.front();
      tasks_.pop_front();
      if (IsProbe(task)) {
        Answer(task, Days(days));
      } else {
        serve(task, *std::get<MicrobatchTask>(task.spec.kind).extent.range);
      }
    }
  }

  // Answers what is offered, as `away` says per server, until nothing is; moves the time on to what
  // the core waits for. Returns how many tasks each server was offered.
  std::map<std::string, int> Live(const std::map<std::string, absl::Status>& away, int days,
                                  absl::Time until = absl::InfiniteFuture()) {
    std::map<std::string, int> offered;
    for (int i = 0; i < 10'000; ++i) {
      if (tasks_.empty()) {
        const absl::Time next = core_.NextDeadline();
        if (next > until || next == absl::InfiniteFuture()) break;
        now_ = std::max(now_, next);
        Step({Ticked{}});
        continue;
      }
      const OfferedTask task = tasks_.front();
      tasks_.pop_front();
      ++offered[task.server];
      now_ += absl::Milliseconds(1);
      if (const auto it = away.find(task.server); it != away.end()) {
        Answer(task, Failure{FailureKind::kSource, it->second});
      } else if (IsProbe(task)) {
        Answer(task, Days(days));
      } else {
        Answer(task, Rows(task.spec));
      }
    }
    return offered;
  }

  absl::Time now_ = kNow;
  Core core_;
  DatasetsConfigured configured_;
  std::map<std::string, std::string> server_of_;  // By the dataset's digest.
  std::deque<OfferedTask> tasks_;
  std::deque<ListFiles> lists_;             // Not answered yet.
  std::deque<ArchiveRuns> archives_;        // Likewise.
  std::vector<Intent> intents_;             // Committed.
  std::optional<Schema> columns_;           // That the next look at a table finds.
  std::vector<PublishedPiece> lost_;        // What the next look at a table finds gone,
  std::vector<PublishedPiece> looked_for_;  // and what the last one was asked for.
  std::vector<absl::Status> verdicts_;      // On outcomes that were handed in.
  std::vector<std::string> ended_;
  absl::Status refused_;                        // What the next check says of what is staged first.
  std::optional<v1::VerifyResponse> verified_;  // The last answer to one.
  absl::Status answer_;                         // To the last run that was submitted.
  std::map<std::string, std::vector<std::string>> failed_;  // Messages by server.
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_UNIT_COORDINATOR_CORE_WORLD_H_
