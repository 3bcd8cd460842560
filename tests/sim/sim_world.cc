// Time, and the coordinator's process: inputs in batches, steps, appends, effects, deaths.
#include "tests/sim/sim_world.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

constexpr absl::Duration kKeepRuns = absl::Minutes(20);
constexpr RunLimits kRunLimits = {.runs = 12, .demands = 40};  // A life has some dozen runs.
constexpr int kWakesAtOneInstant = 50;  // Of the core by its own wish: more is a busy loop.
const char* const kWorkers[] = {"anna", "bert", "cleo"};

}  // namespace

SimWorld::SimWorld(const SimOptions& options) : options_(options), random_(options.seed) {
  core_skew_ = absl::Milliseconds(Pick(7'200'000) - 3'600'000);
  AddDatasets();
  StartCoordinator(true);
  for (const char* name : kWorkers) StartWorker(name);
}

SimWorld::~SimWorld() = default;

void SimWorld::Keep(const std::string& line) {
  trace_.push_back(
      absl::StrCat(absl::FormatTime("%d %H:%M:%E3S", now_, absl::UTCTimeZone()), " ", line));
}

void SimWorld::Digest(const std::string& bytes) {  // FNV-1a
  for (const char c : bytes) digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
}

void SimWorld::Fail(const std::string& what) {
  if (!broken_.empty()) return;
  broken_ = absl::StrCat("at ", absl::FormatTime(now_, absl::UTCTimeZone()), ": ", what);
  Trace([&] { return "BROKEN: " + what; });
}

void SimWorld::Later(absl::Duration delay, std::function<void()> run) {
  actions_.push({now_ + delay, ++order_, std::move(run)});
}

void SimWorld::InProcess(absl::Duration delay, std::function<void()> run) {
  Later(delay, [this, epoch = epoch_, run = std::move(run)] {
    if (epoch == epoch_) run();
  });
}

void SimWorld::Feed(std::vector<Input> inputs) {
  if (core_ == nullptr) return;  // Nobody listens.
  for (Input& input : inputs) inbox_.push_back(std::move(input));
  if (step_due_ || now_ < frozen_until_) return;
  step_due_ = true;
  // What comes while a step is appended goes into the next one together.
  InProcess(Chance(0.1) ? Millis(40) : absl::ZeroDuration(), [this] { Step(); });
}

void SimWorld::Step() {
  step_due_ = false;
  if (now_ < frozen_until_) return;
  const std::vector<Input> inputs = std::exchange(inbox_, {});
  StepResult result = core_->Step(inputs, CoreNow());
  if (Fault(0.02)) return Crash();  // Before the append: neither events nor effects ever were.
  Take(std::move(result));
}

void SimWorld::Take(StepResult result) {
  for (const v1::Event& event : result.events) {
    log_.push_back(event.SerializeAsString());
    Digest(log_.back());
    NoteEvent(event);
    Trace([&] { return absl::StrCat("event ", log_.size(), " ", event.ShortDebugString()); });
  }
  CheckStep();
  if (Chance(0.01)) snapshot_ = {core_->state().last_sequence(), core_->state().Serialize()};
  size_t leave = result.effects.size();
  const bool dies = Fault(0.02);  // After the append: only some effects leave, or none.
  if (dies) leave = static_cast<size_t>(Pick(static_cast<int64_t>(leave) + 1));
  for (size_t i = 0; i < leave; ++i) {
    if (dies) {
      Play(result.effects[i]);
      continue;
    }
    InProcess(absl::ZeroDuration(),
              [this, effect = std::move(result.effects[i])] { Play(effect); });
  }
  if (dies) Crash();
}

void SimWorld::Crash() {
  Trace([] { return std::string("the coordinator dies"); });
  ++epoch_;
  ++counts_.restarts;
  core_.reset();
  inbox_.clear();
  step_due_ = false;
  frozen_until_ = absl::InfinitePast();
  const bool workers_die = Chance(0.5);  // They were loops of the same process.
  if (workers_die) {
    for (const char* name : kWorkers) KillWorker(name);
  } else {
    std::vector<SessionId> open;
    for (const auto& [session, stream] : streams_) open.push_back(session);
    for (const SessionId& session : open) CutStream(session);
  }
  // The next process reads the wall clock anew, which somebody may have set meanwhile.
  if (Chance(0.3)) core_skew_ = absl::Milliseconds(Pick(7'200'000) - 3'600'000);
  Later(absl::Milliseconds(1 + Pick(5'000)),
        [this, workers_die] { StartCoordinator(workers_die); });
}

void SimWorld::StartCoordinator(bool workers_are_dead) {
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
  Trace([&] { return absl::StrCat("a coordinator starts, workers dead: ", workers_are_dead); });
  CoreOptions options;
  options.keep_runs = kKeepRuns;
  options.run_limits = kRunLimits;
  core_ = std::make_unique<Core>(std::move(state), options);
  for (auto& [name, server] : servers_) server.last_began = absl::InfinitePast();
  if (!log_.empty() && Chance(0.3)) Reconfigure();
  DatasetsConfigured configured;
  for (const auto& [id, source] : sources_) configured.datasets.push_back(source.spec);
  Take(core_->Begin(workers_are_dead, "digest", CoreNow()));
  if (core_ == nullptr) return;  // Died again.
  CheckDurable();
  CheckTable();
  Feed({configured});
}

void SimWorld::Play(const Effect& effect) {
  if (const auto* check = std::get_if<CheckCommit>(&effect)) return PlayCheck(*check);
  if (const auto* list = std::get_if<ListFiles>(&effect)) return PlayList(*list);
  if (const auto* commit = std::get_if<Commit>(&effect)) return PlayCommit(commit->intent);
  if (const auto* abandon = std::get_if<AbandonIntent>(&effect))
    return PlayAbandon(abandon->intent);
  if (const auto* answer = std::get_if<AnswerDeliver>(&effect)) return PlayAnswer(*answer);
  if (const auto* answer = std::get_if<AnswerRun>(&effect)) return PlayAnswer(*answer);
  if (const auto* answer = std::get_if<AnswerPlan>(&effect)) return PlayAnswer(*answer);
  if (const auto* answer = std::get_if<AnswerVerify>(&effect)) return PlayAnswer(*answer);
  if (const auto* answer = std::get_if<AnswerCancel>(&effect)) return PlayAnswer(*answer);
  if (const auto* archive = std::get_if<ArchiveRuns>(&effect)) return PlayArchive(*archive);
  if (std::holds_alternative<RunChanged>(effect)) return;
  if (const auto* offer = std::get_if<SendOffer>(&effect)) {
    CheckOffer(*offer);
    return ToWorker(offer->session, effect);
  }
  if (const auto* frame = std::get_if<SendWelcome>(&effect))
    return ToWorker(frame->session, effect);
  if (const auto* frame = std::get_if<SendReportAck>(&effect))
    return ToWorker(frame->session, effect);
  if (const auto* frame = std::get_if<SendCancel>(&effect)) return ToWorker(frame->session, effect);
}

void SimWorld::WakeCore() {
  inbox_.push_back(Ticked{});
  Step();
}

void SimWorld::RunUntil(const std::function<bool()>& done, absl::Duration limit) {
  const absl::Time end = now_ + limit;
  int wakes = 0;
  while (broken_.empty() && now_ <= end && !done()) {
    absl::Time deadline = absl::InfiniteFuture();
    if (core_ != nullptr && !step_due_)
      deadline = std::max(core_->NextDeadline() - core_skew_, frozen_until_);
    const absl::Time action = actions_.empty() ? absl::InfiniteFuture() : actions_.top().at;
    if (std::min(deadline, action) > end) {
      now_ = std::max(now_, end);
      return;
    }
    if (action <= deadline) {
      now_ = std::max(now_, action);
      const auto run = actions_.top().run;
      actions_.pop();
      run();
      wakes = 0;
      continue;
    }
    wakes = deadline > now_ ? 0 : wakes + 1;
    if (wakes > kWakesAtOneInstant) return Fail("the core is woken again and again at one instant");
    now_ = std::max(now_, deadline);
    WakeCore();
  }
}

// I12: with nothing in its way any more, every run ends.
void SimWorld::RunToTheEnd(const std::function<void()>& ask, absl::Duration limit) {
  if (!broken_.empty()) return;
  now_ += absl::Minutes(70);  // Later than every open transaction.
  RunUntil([&] { return core_ != nullptr && now_ >= frozen_until_; }, absl::Minutes(10));
  ask();
  RunUntil([&] { return inbox_.empty() && core_->Idle() && !step_due_; }, limit);
  if (broken_.empty() && !core_->Idle())
    Fail(absl::StrCat("a run did not end within ", absl::FormatDuration(limit), " of calm"));
  RunUntil([] { return false; }, absl::Seconds(1));  // Answers are on their way.
}

void SimWorld::CalmDown() {
  calm_ = true;
  calm_since_ = now_;
  for (auto& [name, server] : servers_) server.down_until = absl::InfinitePast();
  for (auto& [id, source] : sources_) {  // Everything is let go on, by configuration.
    source.spec.reload_on_regress = true;
    Configure(source);
  }
  if (core_ != nullptr) Crash();
  RunUntil([&] { return core_ != nullptr; }, absl::Minutes(1));
}

std::string SimWorld::Live() {
  for (int i = 0; i < options_.steps && broken_.empty(); ++i) {
    RunUntil([] { return false; }, Millis(60'000));
    if (broken_.empty()) Happen();
  }
  CalmDown();
  // Each is later than every open transaction; the last ones have nothing to read but what lookback
  // and `full` always read.
  const absl::Duration limit = absl::Hours(30);  // Servers have quiet hours.
  for (int i = 0; i < 4; ++i) RunToTheEnd([this] { SubmitTick(true, true); }, limit);
  std::vector<DatasetId> dirty;
  for (const auto& [id, source] : sources_) {
    if (source.dirty) dirty.push_back(id);
  }
  if (!dirty.empty()) RunToTheEnd([&] { SubmitBackfill(dirty); }, limit);
  for (int i = 0; i < 2; ++i) RunToTheEnd([this] { SubmitTick(true, true); }, limit);
  if (!broken_.empty()) return broken_;
  CheckTable();
  CheckAgainstSources();
  CheckCompacted();
  const auto before = counts_.changes;  // I5: once more changes no row, and writes nothing at all.
  const auto static_reads = counts_.static_reads;
  RunToTheEnd([this] { SubmitTick(true, true); }, limit);
  if (broken_.empty() && counts_.changes != before)
    Fail("a run with nothing new committed something");
  if (broken_.empty() && counts_.static_reads != static_reads)
    Fail("a static dataset was read, and its checksum had not changed");
  const auto verified = counts_.verified;
  RunToTheEnd([this] { Verify(); }, limit);
  if (broken_.empty() && counts_.verified == verified) Fail("a verification was not answered");
  return broken_;
}

}  // namespace headwater
