// What people and schedules ask for, and what happens to the world meanwhile.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/sim_world.h"

namespace headwater {
namespace {

const char* const kWorkers[] = {"anna", "bert", "cleo"};

}  // namespace

// Under a key of its own; at times twice, as by somebody who had no answer.
void SimWorld::Ask(RunSubmitted run) {
  if (run.demands.empty()) return;
  run.idempotency_key = absl::StrCat("k", ++runs_);
  const int times = Fault(3) ? 2 : 1;
  for (int i = 0; i < times; ++i) {
    run.call = ++calls_;
    run.run_id = absl::StrCat("r", runs_, "-", i);
    asked_[run.call] = run.idempotency_key;
    if (i == 0) asked_at_[run.idempotency_key] = now_;
    Trace([&] { return absl::StrCat("asks for run ", run.run_id, ", kind ", run.kind); });
    if (i == 0) {
      Feed({run});
    } else {
      Later(Millis(20'000), [this, run] { Feed({run}); });
    }
  }
}

void SimWorld::SubmitTick(bool everything, bool by_person) {
  RunSubmitted run;
  run.by_person = by_person;
  for (const auto& [id, source] : sources_) {
    if (everything || Chance(0.7))
      run.demands.push_back({id, v1::BACKFILL_MODE_UNSPECIFIED, {}, {}, {}, {}});
    if (!calm_ && !run.demands.empty() && source.spec.strategy == Strategy::kStatic)
      run.demands.back().force = Chance(0.05);
  }
  Ask(run);
}

void SimWorld::SubmitBackfill(const std::vector<DatasetId>& ids) {
  RunSubmitted run;
  run.kind = v1::RUN_KIND_BACKFILL;
  for (const DatasetId& id : ids)
    run.demands.push_back({id, v1::BACKFILL_MODE_ALL, {}, {}, {}, {}});
  Ask(run);
}

void SimWorld::Submit() {
  const int64_t kind = Pick(10);
  if (kind < 5) return SubmitTick(false, Chance(0.5));
  RunSubmitted run;
  run.kind = v1::RUN_KIND_BACKFILL;
  if (kind == 5 && core_ != nullptr) {
    std::vector<std::string> ended;
    for (const auto& [id, state] : core_->state().runs()) {
      if (state.ended.has_value()) ended.push_back(id);
    }
    if (ended.empty()) return;
    run.kind = v1::RUN_KIND_RETRY;
    run.retry_of = ended[static_cast<size_t>(Pick(static_cast<int64_t>(ended.size())))];
  }
  if (kind == 6 && !plans_.empty()) {
    run.plan_id = plans_[static_cast<size_t>(Pick(static_cast<int64_t>(plans_.size())))];
  }
  const v1::BackfillMode modes[] = {v1::BACKFILL_MODE_ALL, v1::BACKFILL_MODE_ALL,
                                    v1::BACKFILL_MODE_MISSING, v1::BACKFILL_MODE_STALE,
                                    v1::BACKFILL_MODE_FAILED};
  const v1::BackfillMode mode = modes[Pick(5)];
  const absl::Time from = now_ - absl::Seconds(Pick(40'000));
  const absl::Time to = from + absl::Seconds(1 + Pick(20'000));
  const int64_t value = Pick(300);
  if (Chance(0.3)) run.pace.max_active = 1 + static_cast<int>(Pick(2));
  if (Chance(0.3)) run.pace.newest_first = true;
  for (const auto& [id, source] : sources_) {
    if (run.plan_id.empty() && Chance(0.3)) continue;
    DemandRequest demand{id, mode, {}, {}, {}, {}};
    if (source.cursor_type == CursorType::kInteger) {
      demand.from_value = value;
      demand.to_value = value + 1 + Pick(200);
    } else if (Chance(0.8)) {
      demand.from = from;
      demand.to = to;
    }
    run.demands.push_back(demand);
  }
  if (kind == 7) {
    PlanRequested plan{++calls_, run.kind, run.demands, run.pace, absl::StrCat("plan", calls_)};
    return Feed({plan});
  }
  Ask(run);
}

void SimWorld::Verify() {
  VerifyRequested verify{++calls_, {}};
  for (const auto& [id, source] : sources_) verify.datasets.push_back(id);
  Feed({verify});
}

void SimWorld::PlayAnswer(const AnswerRun& answer) {
  if (!answer.status.ok()) return;
  const std::string& key = asked_.at(answer.call);
  const auto recorded = run_of_key_.find(key);
  if (recorded == run_of_key_.end()) return Fail("a run was acknowledged that no event has");  // I8
  if (recorded->second != answer.run_id) return Fail("one key has two runs");
  if (!Fault()) told_.insert(answer.run_id);
}

void SimWorld::PlayAnswer(const AnswerPlan& answer) {
  if (!answer.plan.plan_id().empty()) plans_.push_back(answer.plan.plan_id());
}

void SimWorld::PlayAnswer(const AnswerVerify& answer) {
  ++counts_.verified;
  if (!calm_) return;
  for (const v1::VerifiedDataset& dataset : answer.result.datasets()) {
    if (dataset.failed() || dataset.different() > 0)
      Fail(absl::StrCat("a verification found: ", dataset.ShortDebugString()));
  }
}

void SimWorld::PlayAnswer(const AnswerCancel& answer) {
  if (answer.status.ok() && !Fault()) told_cancelled_.insert(cancels_.at(answer.call));
}

// Its process may die before the file is there, after it, and before it says so.
void SimWorld::PlayArchive(const ArchiveRuns& archive) {
  if (Fault()) {
    return InProcess(Millis(1'000),
                     [this] { Feed({RunsWritten{absl::UnavailableError("the disk is full")}}); });
  }
  InProcess(Millis(3'000), [this, archive] {
    for (const v1::EndedRun& run : archive.runs) {
      const auto [there, first] = archived_.emplace(run.run_id(), run.SerializeAsString());
      if (!first && there->second != run.SerializeAsString())
        Fail(absl::StrCat("run ", run.run_id(), " is told otherwise than before"));
    }
    InProcess(Millis(3'000), [this] { Feed({RunsWritten{absl::OkStatus()}}); });
  });
}

void SimWorld::Happen() {
  const int64_t what = Pick(20);
  if (what < 4) return Submit();
  if (what == 4 && Chance(0.5)) return KillWorker(kWorkers[Pick(3)]);
  if (what == 5 && Fault(5)) {
    const auto it = workers_.find(kWorkers[Pick(3)]);
    if (it != workers_.end() && !it->second.session.empty()) CutStream(it->second.session);
    return;
  }
  if (what == 6 && Fault(5)) {
    const auto it = workers_.find(kWorkers[Pick(3)]);
    if (it != workers_.end()) FreezeWorker(it->second);
    return;
  }
  if (what == 7 && core_ != nullptr && !core_->state().runs().empty()) {
    auto it = core_->state().runs().begin();
    std::advance(it, Pick(static_cast<int64_t>(core_->state().runs().size())));
    cancels_[++calls_] = it->first;
    Trace([&] { return "cancels run " + it->first; });
    return Feed({RunCancelRequested{calls_, it->first}});
  }
  if (what == 8 && Fault(5) && core_ != nullptr) {  // Everything waits, and then comes at once.
    ++counts_.frozen;
    frozen_until_ = now_ + absl::Seconds(1 + Pick(60));
    Trace([] { return std::string("the coordinator freezes"); });
    // Its clock may have been set meanwhile; clocks that go back stand still for it.
    if (Chance(0.5)) core_skew_ += absl::Milliseconds(Pick(20'000) - 5'000);
    return InProcess(frozen_until_ - now_, [this] {
      if (now_ >= frozen_until_) Step();
    });
  }
  if (what == 9 && Fault(3)) {
    auto it = servers_.begin();
    std::advance(it, Pick(static_cast<int64_t>(servers_.size())));
    it->second.down_until = now_ + absl::Seconds(Pick(600));
    ++counts_.unreachable;
    return;
  }
  if (what == 10 && Fault(2)) return LoseRows();
  if (what == 11) return CollectGarbage();
  if (what == 12 && Chance(options_.keyed > 0 ? 0.5 : 0.2)) return Verify();
  if (what == 13 && options_.keyed > 0 && Fault(2)) return DisturbTable();
  AddRows();
}

}  // namespace headwater
