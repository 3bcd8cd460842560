// A core with a dataset whose units are about to be compacted, its worker and its committer.
#ifndef HEADWATER_TESTS_UNIT_COORDINATOR_COMPACTION_FIXTURE_H_
#define HEADWATER_TESTS_UNIT_COORDINATOR_COMPACTION_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/core.h"
#include "coordinator/state/cluster_state.h"

namespace headwater {

inline const absl::Duration kBetweenLoads = absl::Hours(7);  // No load extends the piece before.
inline const absl::Duration kSettled = absl::Hours(48);

// An integer dataset in units of 10, of which 0 to 25 are published in pieces of 5 and one of 6.
// Every row is a cursor value. The next probe shows that all but the bound has settled.
class CoreCompactionTest : public ::testing::Test {
 protected:
  CoreCompactionTest()
      : core_(std::make_unique<Core>(std::make_unique<ClusterState>(), CoreOptions())) {
    spec_.id = id_;
    spec_.server.name = id_.server;
    spec_.server.url = "test:p1";
    spec_.server.max_connections = 1;
    spec_.server.timezone = spec_.cursor_timezone = "UTC";
    spec_.cursor = "id";
    spec_.relation = "deals";
    spec_.strategy = Strategy::kIncremental;
    spec_.unit = *ParseUnit("10");
    spec_.settle = absl::Hours(24);
    spec_.settle_values = 0;
    spec_.target_uri = "/nowhere/deals";
    core_->Begin(/*workers_are_dead=*/true, "digest", now_);
    Step({DatasetsConfigured{{spec_}}});
    OpenSession();
    for (const int64_t bound : {4, 9, 14, 19, 25}) {
      now_ += kBetweenLoads;
      Submit(absl::StrCat("load-", bound));
      Probe(bound);
      Read();
    }
    now_ += kSettled;
    Submit("wait");
    Probe(25);
    EXPECT_TRUE(Ended("wait"));
    EXPECT_EQ(Pieces().size(), 5u);
    EXPECT_EQ(listed_, 0);
  }

  static Hash128 HashOf(int64_t row) { return {0, static_cast<uint64_t>(row)}; }

  void OpenSession(std::vector<LeaseRef> held = {}) {
    SessionOpened opened;
    opened.session = "s";
    opened.hello.name = "w";
    opened.hello.held = std::move(held);
    Step({opened, CreditChanged{"s", 4}});
  }

  // Takes a step, and more with what the committer and the worker answer at once.
  void Step(const std::vector<Input>& inputs) { Play(core_->Step(inputs, now_)); }

  void Play(const StepResult& step) {
    std::vector<Input> answers;
    for (const Effect& effect : step.effects) {
      if (const auto* offer = std::get_if<SendOffer>(&effect)) {
        offers_.push_back(offer->task);
        answers.push_back(OfferReplied{offer->session, offer->task.lease, true, ""});
      } else if (const auto* plan = std::get_if<AnswerPlan>(&effect)) {
        planned_ = plan->plan;
      } else if (const auto* list = std::get_if<ListFiles>(&effect)) {
        answers.push_back(Listed(*list));
      } else if (const auto* check = std::get_if<CheckCommit>(&effect)) {
        CommitChecked checked{check->table, absl::OkStatus(), {}};
        for (const Replacement& replacement : check->replacements) {
          const bool compaction = !replacement.compacted.empty();
          checked.statuses.push_back(compaction ? compaction_check_ : absl::OkStatus());
        }
        answers.push_back(checked);
      } else if (const auto* commit = std::get_if<Commit>(&effect)) {
        committed_ = commit->intent;
        answers.push_back(
            CommitFinished{"deals", commit->intent.sequence, CommitResult{++version_}});
      }
    }
    if (!answers.empty()) Step(answers);
  }

  FilesListed Listed(const ListFiles& list) {
    ++listed_;
    FilesListed answer;
    answer.table = list.table;
    answer.status = list_status_;
    for (const PublishedPiece& piece : list.pieces) {
      StagedFile file;
      file.path = absl::StrCat(piece.extent.range->from, "@", piece.fence);
      file.size_bytes = 10;
      file.rows = piece.rows;
      answer.files.emplace_back();
      if (!files_are_gone_) answer.files.back().push_back(file);
    }
    return answer;
  }

  void Submit(const std::string& run_id, v1::RunKind kind = v1::RUN_KIND_INCREMENTAL) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = run_id;
    run.kind = kind;
    run.by_person = false;
    run.demands.emplace_back().dataset = id_;
    if (kind == v1::RUN_KIND_BACKFILL) run.demands.back().mode = v1::BACKFILL_MODE_ALL;
    Step({run});
  }

  // The first offered task that is a compaction, or is none.
  TaskSpec Take(bool compaction) {
    for (auto it = offers_.begin(); it != offers_.end(); ++it) {
      const auto* microbatch = std::get_if<MicrobatchTask>(&it->kind);
      if ((microbatch != nullptr && !microbatch->inputs.empty()) != compaction) continue;
      TaskSpec task = std::move(*it);
      offers_.erase(it);
      return task;
    }
    ADD_FAILURE() << "not offered";
    return {};
  }

  void HandIn(const TaskSpec& task, decltype(Outcome::result) result) {
    Delivered delivered;
    delivered.session = "s";
    delivered.outcomes.push_back({task.lease, std::move(result)});
    Step({delivered});
  }

  // Answers the offered probe.
  void Probe(int64_t bound) {
    const TaskSpec task = Take(/*compaction=*/false);
    ProbeResult found;
    found.cursor_type = CursorType::kInteger;
    found.source_clock = now_;
    found.transactions_known = true;
    found.minimum = 0;
    found.bound = bound;
    found.schema.columns = {{"id", {TypeKind::kLong}, true}};
    for (const Range& range : std::get<ProbeTask>(task.kind).tail) {
      const int64_t last = std::min(range.to, bound + 1) - 1;
      found.tail.push_back({range, last - range.from + 1, last});
    }
    HandIn(task, found);
  }

  static Manifest Rows(const Extent& extent) {
    Manifest manifest;
    manifest.schema.columns = {{"id", {TypeKind::kLong}, true}};
    manifest.spec_version = SpecVersionOf(manifest.schema, HashAlgorithm::kXxh3);
    StagedPiece& piece = manifest.pieces.emplace_back();
    piece.extent = extent;
    for (int64_t row = extent.range->from; row < extent.range->to; ++row)
      piece.fingerprint.Add(HashOf(row));
    piece.max_cursor = extent.range->to - 1;
    StagedFile& file = piece.files.emplace_back();
    file.path = "file.parquet";
    file.size_bytes = 10;
    file.rows = piece.fingerprint.rows;
    return manifest;
  }

  void Read() {
    const TaskSpec task = Take(/*compaction=*/false);
    const auto& microbatch = std::get<MicrobatchTask>(task.kind);
    ASSERT_TRUE(microbatch.cuts.empty());
    HandIn(task, Rows(microbatch.extent));
  }

  void Compact(const TaskSpec& task) {
    HandIn(task, Rows(std::get<MicrobatchTask>(task.kind).extent));
  }

  std::vector<Range> Pieces() const {
    std::vector<Range> ranges;
    for (const auto& [from, piece] : Dataset().coverage.pieces()) ranges.push_back(piece.range);
    return ranges;
  }
  const DatasetState& Dataset() const { return *core_->state().FindDataset(id_); }
  const DemandState& Demand(const std::string& run) const {
    return core_->state().FindRun(run)->demands.at(id_);
  }
  bool Ended(const std::string& run) const {
    return core_->state().FindRun(run)->ended.has_value();
  }

  // Another coordinator takes over the ledger.
  void Restart(bool workers_are_dead) {
    auto state = ClusterState::Restore(core_->state().last_sequence(), core_->state().Serialize());
    ASSERT_TRUE(state.ok()) << state.status();
    core_ = std::make_unique<Core>(*std::move(state), CoreOptions());
    offers_.clear();
    Play(core_->Begin(workers_are_dead, "digest", now_));
  }

  // A run whose probe finds two units to compact, and the two tasks.
  std::vector<TaskSpec> Begin(const std::string& run, int64_t bound = 25) {
    now_ += kSettled;
    Submit(run);
    Probe(bound);
    return {Take(/*compaction=*/true), Take(/*compaction=*/true)};
  }

  const DatasetId id_{"deals", "p1"};
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  DatasetSpec spec_;
  absl::Status list_status_, compaction_check_;
  Intent committed_;
  int listed_ = 0;
  int64_t version_ = -1;
  std::vector<TaskSpec> offers_;
  bool files_are_gone_ = false;
  v1::PlanResponse planned_;
  std::unique_ptr<Core> core_;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_UNIT_COORDINATOR_COMPACTION_FIXTURE_H_
