#include "tests/sim/sim_world.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/planner.h"

namespace headwater {
namespace {

constexpr absl::Duration kSettle = absl::Minutes(5);
constexpr absl::Duration kMaxLag =
    absl::Seconds(299);  // Just less than kSettle: nothing may be lost.
const char* const kWorkers[] = {"anna", "bert", "cleo"};

}  // namespace

SimWorld::SimWorld(const SimOptions& options) : options_(options), random_(options.seed) {
  for (int i = 0; i < options.datasets; ++i) AddDataset(i);
  core_ = std::make_unique<Core>(std::make_unique<ClusterState>(), CoreOptions());
  Take(core_->Begin(true, "digest", now_));
  Configure();
}

void SimWorld::Configure() {
  DatasetsConfigured configured;
  for (const auto& [id, source] : sources_) configured.datasets.push_back(source.spec);
  Feed({configured});
  for (const char* name : kWorkers) StartWorker(name);
}

void SimWorld::AddDataset(int number) {
  DatasetSpec spec;
  spec.id = {number % 2 == 0 ? "deals" : "orders", absl::StrCat("p", number)};
  spec.server.name = spec.id.server;
  spec.server.max_connections = 1 + static_cast<int>(Pick(3));
  spec.server.timezone = spec.cursor_timezone = "UTC";
  spec.server.url = "sim:";
  spec.relation = spec.id.table;
  spec.target_uri = "/lake";
  const int64_t kind = Pick(5);
  spec.strategy = kind == 0  ? Strategy::kFull
                  : kind < 3 ? Strategy::kPartition
                             : Strategy::kIncremental;
  if (spec.strategy != Strategy::kFull) {
    spec.cursor = "at";
    spec.unit = *ParseUnit("1h");
    spec.lookback_units = static_cast<int>(Pick(3));
  }
  spec.settle = kSettle;
  spec.retries = 3;
  Source source{spec, {}};
  const int64_t rows = Pick(60);
  for (int64_t i = 0; i < rows; ++i) {
    const absl::Time at = now_ - absl::Seconds(Pick(40'000));
    source.rows.push_back({absl::ToUnixMicros(at), ++contents_,
                           at + absl::Seconds(Pick(absl::ToInt64Seconds(kMaxLag)))});
  }
  by_digest_[DigestOf(spec)] = spec.id;
  sources_.emplace(spec.id, std::move(source));
}

void SimWorld::AddRows() {
  auto it = sources_.begin();
  std::advance(it, Pick(static_cast<int64_t>(sources_.size())));
  Source& source = it->second;
  const int64_t rows = 1 + Pick(4);
  for (int64_t i = 0; i < rows; ++i) {
    // Stamped now, or equal to a row that is there (ties), and visible when its transaction
    // commits.
    int64_t cursor = absl::ToUnixMicros(now_);
    if (Chance(0.2) && !source.rows.empty() &&
        now_ - absl::FromUnixMicros(source.rows.back().cursor) < absl::Seconds(1)) {
      cursor = source.rows.back().cursor;
    }
    const absl::Duration lag =
        Chance(0.5) ? absl::ZeroDuration() : absl::Seconds(Pick(absl::ToInt64Seconds(kMaxLag)));
    source.rows.push_back({cursor, ++contents_, now_ + lag});
  }
}

void SimWorld::Fail(const std::string& what) {
  if (broken_.empty())
    broken_ = absl::StrCat("at ", absl::FormatTime(now_, absl::UTCTimeZone()), ": ", what);
}

void SimWorld::Later(absl::Duration delay, std::function<void()> run) {
  actions_.push({now_ + delay, ++order_, std::move(run)});
}

void SimWorld::StartWorker(const std::string& name) {
  if (workers_.contains(name)) return;
  Worker& worker = workers_[name];
  worker.name = name;
  worker.session = absl::StrCat("s", ++sessions_);
  WorkerHello hello;
  hello.name = name;
  hello.slots = 2;
  Feed({SessionOpened{worker.session, hello}, CreditChanged{worker.session, 2}});
}

void SimWorld::KillWorker(const std::string& name) {
  const auto it = workers_.find(name);
  if (it == workers_.end()) return;
  const SessionId session = it->second.session;
  workers_.erase(it);
  Feed({SessionClosed{session}});
  Later(absl::Seconds(1 + Pick(30)), [this, name] { StartWorker(name); });
}

void SimWorld::Feed(std::vector<Input> inputs) {
  StepResult result = core_->Step(inputs, now_);
  if (!calm_ && Chance(options_.fault / 10)) {
    RestartCoordinator();  // Killed before the append: neither events nor effects ever were.
    return;
  }
  Take(std::move(result));
}

void SimWorld::Take(StepResult result) {
  for (const v1::Event& event : result.events) log_.push_back(event.SerializeAsString());
  CheckClaims();
  if (Chance(0.02)) snapshot_ = {core_->state().last_sequence(), core_->state().Serialize()};
  if (!calm_ && Chance(options_.fault / 10)) {
    RestartCoordinator();  // Killed after the append: the effects never left.
    return;
  }
  // Effects are played later, in order, never from inside of a step.
  for (const Effect& effect : result.effects)
    Later(absl::ZeroDuration(), [this, effect] { Play(effect); });
}

void SimWorld::RestartCoordinator() {
  // Everything in memory is gone; answers to the old process find nobody.
  std::vector<Action> kept;
  actions_ = {};
  std::unique_ptr<ClusterState> state = std::make_unique<ClusterState>();
  int64_t from = 0;
  if (Chance(0.5) && snapshot_.first > 0) {
    auto restored = ClusterState::Restore(snapshot_.first, snapshot_.second);
    if (!restored.ok()) return Fail("snapshot cannot be restored");
    state = *std::move(restored);
    from = snapshot_.first;
    if (state->Serialize() != snapshot_.second)
      return Fail("a restored snapshot differs from its own");
  }
  for (size_t i = static_cast<size_t>(from); i < log_.size(); ++i) {
    v1::Event event;
    event.ParseFromString(log_[i]);
    state->Apply(static_cast<int64_t>(i) + 1, event);
  }
  core_ = std::make_unique<Core>(std::move(state), CoreOptions());
  workers_.clear();
  now_ += absl::Milliseconds(1 + Pick(5'000));
  Take(core_->Begin(/*workers_are_dead=*/Chance(0.5), "digest", now_));
  if (broken_.empty()) Configure();
}

void SimWorld::Play(const Effect& effect) {
  if (const auto* offer = std::get_if<SendOffer>(&effect)) return PlayOffer(*offer);
  if (const auto* list = std::get_if<ListFiles>(&effect)) return PlayList(*list);
  if (const auto* commit = std::get_if<Commit>(&effect)) return PlayCommit(commit->intent);
  if (const auto* abandon = std::get_if<AbandonIntent>(&effect))
    return PlayAbandon(abandon->intent);
  if (const auto* check = std::get_if<CheckCommit>(&effect)) {
    CommitChecked checked{check->table, absl::OkStatus(), {}};
    if (!calm_ && Chance(options_.fault))
      checked.table_status = absl::UnavailableError("the table cannot be read");
    for (const Replacement& replacement : check->replacements) {
      const bool gone = !replacement.compacted.empty() && !calm_ && Chance(options_.fault);
      checked.statuses.push_back(gone ? absl::NotFoundError("files are gone") : absl::OkStatus());
    }
    Later(absl::Milliseconds(Pick(200)), [this, checked] { Feed({checked}); });
  }
}

void SimWorld::PlayOffer(const SendOffer& offer) {
  const auto worker = std::find_if(workers_.begin(), workers_.end(), [&](const auto& entry) {
    return entry.second.session == offer.session;
  });
  if (worker == workers_.end()) return;
  if (!calm_ && Chance(options_.fault)) return;  // Lost on the way: void after two seconds.
  const std::string name = worker->first;
  const SessionId session = offer.session;
  const TaskSpec task = offer.task;
  Feed({OfferReplied{session, task.lease, true, ""}});
  const bool slow = !calm_ && Chance(options_.fault);  // So slow that its lease is gone by then.
  const absl::Duration work = slow ? absl::Seconds(20 + Pick(60)) : absl::Milliseconds(Pick(3'000));
  const auto held = workers_.find(name);
  if (held == workers_.end()) return;
  held->second.held[task.lease] = task;
  Later(work, [this, name, session, task] {
    const auto it = workers_.find(name);
    if (it == workers_.end() || it->second.session != session) return;  // Died with its worker.
    RunTask(name, task, task.dataset_digest);
  });
}

void SimWorld::RunTask(const std::string& name, const TaskSpec& task, const std::string& digest) {
  const Source& source = sources_.at(by_digest_.at(digest));
  Outcome outcome = OutcomeOf(task, source);
  if (!calm_ && Chance(options_.fault)) {
    outcome.result = Failure{FailureKind::kSource, absl::UnavailableError("connection lost")};
  }
  const SessionId session = workers_.at(name).session;
  workers_.at(name).held.erase(task.lease);
  const int times =
      !calm_ && Chance(options_.fault) ? 2 : 1;  // Its answer was lost: handed in again.
  for (int i = 0; i < times; ++i) {
    Later(absl::Milliseconds(Pick(500)), [this, session, outcome] {
      Feed({Delivered{1, session, {outcome}}});
    });
  }
}

Outcome SimWorld::OutcomeOf(const TaskSpec& task, const Source& source) {
  Outcome outcome;
  outcome.lease = task.lease;
  if (const auto* microbatch = std::get_if<MicrobatchTask>(&task.kind)) {
    if (!microbatch->inputs.empty()) {
      outcome.result = Compact(*microbatch, task.lease.fence);
      return outcome;
    }
    outcome.result =
        Read(source, microbatch->extent, microbatch->cuts, microbatch->known, task.lease.fence);
    return outcome;
  }
  if (const auto* verification = std::get_if<VerificationTask>(&task.kind)) {
    outcome.result = Verification{Read(source, verification->extent, verification->cuts, {}, 0)};
    return outcome;
  }
  ProbeResult probe;
  probe.source_clock = now_;
  probe.transactions_known = true;
  probe.schema.columns = {{"at", {TypeKind::kTimestamp}, true}};
  probe.cursor_type =
      source.spec.strategy == Strategy::kFull ? CursorType::kNone : CursorType::kInstant;
  for (const Range& range : std::get<ProbeTask>(task.kind).tail)
    probe.tail.push_back({range, 0, std::nullopt});
  for (const SimRow& row : source.rows) {
    if (row.visible_at > now_ || probe.cursor_type == CursorType::kNone) continue;
    probe.minimum = std::min(probe.minimum.value_or(row.cursor), row.cursor);
    probe.bound = std::max(probe.bound.value_or(row.cursor), row.cursor);
    for (TailCheck& check : probe.tail) {
      if (!check.range.Contains(row.cursor)) continue;
      ++check.rows;
      check.max_cursor = std::max(check.max_cursor.value_or(row.cursor), row.cursor);
    }
  }
  outcome.result = probe;
  return outcome;
}

Manifest SimWorld::Read(const Source& source, const Extent& extent,
                        const std::vector<int64_t>& cuts, const std::vector<KnownPiece>& known,
                        int64_t fence) {
  Manifest manifest;
  manifest.spec_version = "spec";
  auto& files = staged_[fence];
  files.clear();
  for (const Extent& piece : PiecesOf(extent, cuts)) {
    StagedPiece staged;
    staged.extent = piece;
    std::vector<uint64_t> contents;
    for (const SimRow& row : source.rows) {
      const int64_t cursor = source.spec.strategy == Strategy::kFull ? 0 : row.cursor;
      if (row.visible_at > now_ || !piece.range.has_value() || !piece.range->Contains(cursor))
        continue;
      staged.fingerprint.Add(HashOf(row.content));
      staged.max_cursor = std::max(staged.max_cursor.value_or(cursor), cursor);
      contents.push_back(row.content);
    }
    manifest.rows_read += staged.fingerprint.rows;
    for (const KnownPiece& old : known) {
      staged.unchanged |= old.extent == piece && old.fingerprint == staged.fingerprint;
    }
    files.emplace_back(piece, std::move(contents));
    manifest.pieces.push_back(std::move(staged));
  }
  return manifest;
}

void SimWorld::Submit() {
  RunSubmitted run;
  run.call = 1;
  run.run_id = absl::StrCat("r", ++runs_);
  const bool backfill = !calm_ && Chance(0.4);
  run.kind = backfill ? v1::RUN_KIND_BACKFILL : v1::RUN_KIND_INCREMENTAL;
  const absl::Time from = now_ - absl::Seconds(Pick(40'000));
  for (const auto& [id, source] : sources_) {
    if (!calm_ && Chance(0.3)) continue;
    DemandRequest demand{id, v1::BACKFILL_MODE_UNSPECIFIED, {}, {}, {}, {}};
    if (backfill) {
      demand.mode = Chance(0.5) ? v1::BACKFILL_MODE_ALL : v1::BACKFILL_MODE_MISSING;
      demand.from = from;
      demand.to = from + absl::Seconds(1 + Pick(20'000));
    }
    run.demands.push_back(demand);
  }
  if (!run.demands.empty()) Feed({run});
}

void SimWorld::Happen() {
  switch (Pick(9)) {
    case 0:
      return Submit();
    case 1:
      return KillWorker(kWorkers[Pick(3)]);
    case 2:
      if (runs_ > 0) Feed({RunCancelRequested{1, absl::StrCat("r", 1 + Pick(runs_))}});
      return;
    case 3: {
      for (auto& [name, worker] : workers_) {
        Reported report{worker.session, 1, {}};
        for (const auto& [ref, task] : worker.held)
          report.leases.push_back({ref, LeasePhase::kReading, 1, 1});
        Feed({report});
        return;
      }
      return;
    }
    default:
      return AddRows();
  }
}

void SimWorld::RunUntil(const std::function<bool()>& done, absl::Duration limit) {
  const absl::Time end = now_ + limit;
  while (broken_.empty() && now_ <= end && !done()) {
    const absl::Time deadline = core_->NextDeadline();
    const absl::Time action = actions_.empty() ? absl::InfiniteFuture() : actions_.top().at;
    if (std::min(deadline, action) == absl::InfiniteFuture()) return;
    if (action <= deadline) {
      now_ = std::max(now_, action);
      const auto run = actions_.top().run;
      actions_.pop();
      run();
    } else {
      now_ = std::max(now_, deadline);
      Feed({Ticked{}});
    }
  }
}

std::string SimWorld::Live() {
  for (int i = 0; i < options_.steps && broken_.empty(); ++i) {
    const absl::Time until = now_ + absl::Milliseconds(Pick(60'000));
    RunUntil([&] { return now_ >= until; }, until - now_);
    now_ = std::max(now_, until);
    Happen();
  }
  calm_ = true;
  // Three calm runs, each later than every open transaction: the last one has nothing to read but
  // what lookback and `full` always read.
  for (int i = 0; i < 3 && broken_.empty(); ++i) {
    now_ += absl::Minutes(10);
    Submit();
    RunUntil([&] { return core_->Idle(); }, absl::Hours(2));
    if (broken_.empty() && !core_->Idle())
      Fail("a run did not end within two hours of calm");  // I12
  }
  if (!broken_.empty()) return broken_;
  CheckTableAgainstCoverage();
  CheckAgainstSources();
  CheckCompacted();
  const auto before = last_commit_;  // I5: once more changes no row, and writes nothing at all.
  now_ += absl::Minutes(10);
  Submit();
  RunUntil([&] { return core_->Idle(); }, absl::Hours(2));
  if (broken_.empty() && last_commit_ != before) Fail("a run with nothing new committed something");
  return broken_;
}

}  // namespace headwater
