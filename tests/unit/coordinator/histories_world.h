// A core whose one worker looks at histories of the table planes on server p1, and mends them.
#ifndef HEADWATER_TESTS_UNIT_COORDINATOR_HISTORIES_WORLD_H_
#define HEADWATER_TESTS_UNIT_COORDINATOR_HISTORIES_WORLD_H_

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/coordinator/core_world.h"

namespace headwater {

inline const DatasetId kPlanes{"planes", "p1"};

class CoreHistoriesTest : public CoreWorldTest {
 protected:
  CoreHistoriesTest() {
    DatasetSpec& spec = Configure("p1", "planes");
    spec.strategy = Strategy::kScd2;
    spec.write = WriteMode::kVersions;
    spec.key_columns = {"id"};
    spec.partition_by = {};
    spec.retries = 1;
  }

  void Load() {
    Begin(8);
    Run("load");
    Serve();
    ASSERT_THAT(ended_, testing::ElementsAre("load"));
    columns_ = core_.state().ColumnsOf("planes");
    ASSERT_THAT(columns_->columns, testing::Not(testing::IsEmpty()));
    now_ += absl::Hours(1);
  }

  void AnswerLists() {
    while (!lists_.empty()) {
      const ListFiles list = lists_.front();
      lists_.pop_front();
      StagedFile live;
      live.path = absl::StrCat("version-", intents_.size());
      live.rows = std::max<int64_t>(1, Planes().table_rows);
      FilesListed listed{list.table, absl::OkStatus(), {}};
      for (size_t i = 0; i < list.keyed.size(); ++i)
        listed.keyed.emplace_back(std::vector<StagedFile>{live});
      Step({listed});
    }
  }
  OfferedTask Next() {
    EXPECT_THAT(tasks_, testing::Not(testing::IsEmpty()));
    if (tasks_.empty()) return {};
    OfferedTask task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }
  // Answers probes and reads until nothing is asked.
  void Serve() {
    while (!lists_.empty() || !tasks_.empty()) {
      AnswerLists();
      if (tasks_.empty()) continue;
      const OfferedTask task = Next();
      if (IsProbe(task)) {
        Answer(task, Days(3));
      } else {
        Answer(task, Read(task));
      }
    }
  }
  static Manifest Read(const OfferedTask& task) {
    Manifest manifest = Rows(task.spec);
    KeyedChange& change = manifest.keyed.emplace();
    change.files.push_back({"new", 1, 1, {}, "{}", "compared"});
    change.new_rows = change.table_rows = 1;
    return manifest;
  }
  static const MicrobatchTask& Mended(const OfferedTask& task) {
    const auto& microbatch = std::get<MicrobatchTask>(task.spec.kind);
    EXPECT_TRUE(microbatch.histories);
    return microbatch;
  }
  // What a worker hands in that has mended something, or nothing.
  static Manifest Mend(bool something) {
    Manifest manifest;
    manifest.spec_version = "v";
    manifest.schema.columns = {{"at", {TypeKind::kTimestamp}, true}};
    KeyedChange& change = manifest.keyed.emplace();
    change.table_rows = 5;
    change.same_rows = 3;
    if (!something) return manifest;
    change.replaced = {"old"};
    change.files.push_back({"new", 1, 5, {}, "{}", "compared"});
    change.changed_rows = 2;
    change.deleted_rows = 1;
    return manifest;
  }

  void Verify() {
    VerifyRequested verify;
    verify.call = 7;
    verify.datasets = {kPlanes};
    verify.histories = true;
    verify.plan_id = "plan-1";
    Step({verify});
  }

  static Verification Broken(int keys) {
    Manifest manifest;
    manifest.spec_version = "v";
    manifest.rows_read = 9;
    manifest.keyed.emplace().same_rows = 4;
    manifest.rows_different = keys;
    if (keys > 0)
      manifest.differences.push_back({Difference::Kind::kHistory, "id = 1", "overlap", "ends"});
    return {manifest};
  }
  // A verification that finds something, and the repair of it, up to what is asked.
  void SubmitRepair(const std::string& id) { SubmitRepairOf(id, {}); }
  // The run's look at the table finds `lost` gone.
  void SubmitRepairOf(const std::string& id, const std::vector<PublishedPiece>& lost) {
    Verify();
    AnswerLists();
    Answer(Next(), Broken(2));
    lost_ = lost;
    Submit(id);
  }
  void Submit(const std::string& id) {
    RunSubmitted run;
    run.run_id = run.idempotency_key = id;
    run.kind = v1::RUN_KIND_REPAIR;
    run.plan_id = "plan-1";
    run.demands.emplace_back().dataset = kPlanes;
    Step({run});
    ASSERT_TRUE(answer_.ok()) << answer_;
  }

  const DatasetState& Planes() const { return *core_.state().FindDataset(kPlanes); }
  const DemandState& Demand(const std::string& run) const {
    return core_.state().FindRun(run)->demands.at(kPlanes);
  }
  // Everything about reads that a dataset knows.
  std::string ReadsText() const {
    std::string text;
    for (const auto& [from, piece] : Planes().coverage.pieces()) {
      absl::StrAppend(&text, from, "-", piece.range.to, " fence ", piece.fence, " filled ",
                      piece.fill_seq, " settled ", piece.settled_through, "\n");
    }
    absl::StrAppend(&text, Planes().settled_to, " ", Planes().needs.entries().size(), " ",
                    absl::FormatTime(Planes().last_loaded));
    return text;
  }
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_UNIT_COORDINATOR_HISTORIES_WORLD_H_
