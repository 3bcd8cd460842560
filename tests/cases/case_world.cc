#include "tests/cases/case_world.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace headwater {
namespace {

constexpr int kMostWaits = 10'000;  // Times that Finish() lets time pass.

}  // namespace

CaseWorld::CaseWorld(absl::Time now)
    : now_(now), core_(std::make_unique<Core>(std::make_unique<ClusterState>(), CoreOptions())) {
  for (const Effect& effect : core_->Begin(true, "digest", now_).effects) Play(effect);
}

CaseServer& CaseWorld::Add(const std::string& name, CursorType type) {
  CaseServer& server = servers_[name];
  server.type = type;
  DatasetSpec& spec = server.spec;
  spec.id = {"deals", name};
  spec.server.name = name;
  spec.server.url = "case:";
  spec.server.timezone = spec.cursor_timezone = "UTC";
  spec.relation = "deals";
  spec.target_uri = "/lake/deals";
  spec.strategy = Strategy::kIncremental;
  spec.cursor = "at";
  spec.unit = *ParseUnit(type == CursorType::kInteger ? "1000" : "1h");
  spec.retries = 2;
  return server;
}

void CaseWorld::Configure() {
  DatasetsConfigured configured;
  for (const auto& [name, server] : servers_) {
    configured.datasets.push_back(server.spec);
    by_digest_[DigestOf(server.spec)] = name;
  }
  Feed(configured);
  if (sessions_ > 0) return;
  const SessionId session = absl::StrCat("s", ++sessions_);
  WorkerHello hello;
  hello.name = "worker";
  hello.slots = 8;
  Feed(SessionOpened{session, hello});
  Feed(CreditChanged{session, 8});
}

void CaseWorld::Restart() {
  auto state = ClusterState::Restore(core_->state().last_sequence(), core_->state().Serialize());
  ASSERT_TRUE(state.ok()) << state.status();
  held_.clear();
  inputs_.clear();
  sessions_ = 0;
  core_ = std::make_unique<Core>(*std::move(state), CoreOptions());
  for (const Effect& effect : core_->Begin(true, "digest", now_).effects) Play(effect);
  Configure();
}

void CaseWorld::PassTo(absl::Time time) {
  while (!held_.empty() && now_ < time) {
    now_ = std::min(time, now_ + absl::Seconds(3));
    Reported report{absl::StrCat("s", sessions_), 1, {}};
    for (const TaskSpec& task : held_) report.leases.push_back({task.lease, LeasePhase::kReading});
    Feed(report);
  }
  now_ = time;
}

int64_t CaseWorld::CursorOf(const std::string& name, absl::Time at) {
  const CaseServer& server = servers_.at(name);
  return CalendarOf(server.spec, server.type)->FromInstant(at);
}

uint64_t CaseWorld::Insert(const std::string& server, std::optional<int64_t> value,
                           absl::Time visible_at) {
  servers_.at(server).rows.push_back({value, ++contents_, visible_at});
  return contents_;
}

uint64_t CaseWorld::InsertAt(const std::string& server, absl::Time at, absl::Time visible_at) {
  return Insert(server, CursorOf(server, at), visible_at);
}

void CaseWorld::Feed(Input input) {
  inputs_.push_back(std::move(input));
  if (std::exchange(feeding_, true)) return;
  while (!inputs_.empty()) {
    const Input next = std::move(inputs_.front());
    inputs_.pop_front();
    const StepResult step = core_->Step({&next, 1}, now_);
    for (const Effect& effect : step.effects) Play(effect);
  }
  feeding_ = false;
}

void CaseWorld::Play(const Effect& effect) {
  if (const auto* offer = std::get_if<SendOffer>(&effect)) {
    Feed(OfferReplied{offer->session, offer->task.lease, true, ""});
    if (hold_ && std::holds_alternative<MicrobatchTask>(offer->task.kind)) {
      held_.push_back(offer->task);
    } else {
      RunTask(offer->task);
    }
  } else if (const auto* list = std::get_if<ListFiles>(&effect)) {
    FilesListed listed{list->table, absl::OkStatus(), {}};
    for (const PublishedPiece& piece : list->pieces) {
      StagedFile file;
      file.path = absl::StrCat(piece.fence, "@", piece.extent.range->from);
      file.size_bytes = 1;
      file.rows = piece.rows;
      listed.files.push_back({file});
    }
    Feed(listed);
  } else if (const auto* check = std::get_if<CheckCommit>(&effect)) {
    CommitChecked checked{check->table, absl::OkStatus(), {}};
    checked.statuses.resize(check->replacements.size());
    Feed(checked);
  } else if (const auto* commit = std::get_if<Commit>(&effect)) {
    Publish(commit->intent);
    Feed(CommitFinished{commit->intent.table, commit->intent.sequence, CommitResult{commits_}});
  }
}

void CaseWorld::RunTask(const TaskSpec& task) {
  Feed(Delivered{1, absl::StrCat("s", sessions_), {OutcomeOf(task)}});
}

Outcome CaseWorld::OutcomeOf(const TaskSpec& task) {
  const CaseServer& server = servers_.at(by_digest_.at(task.dataset_digest));
  Outcome outcome;
  outcome.lease = task.lease;
  const auto* microbatch = std::get_if<MicrobatchTask>(&task.kind);
  const bool reads = microbatch == nullptr || microbatch->inputs.empty();
  if (reads && !server.reachable) {
    outcome.result = Failure{FailureKind::kSource, absl::UnavailableError("no route to host")};
  } else if (microbatch == nullptr) {
    outcome.result = Probe(server, std::get<ProbeTask>(task.kind));
  } else {
    outcome.result = reads ? Read(server, *microbatch, task.lease.fence)
                           : Compact(server, *microbatch, task.lease.fence);
  }
  return outcome;
}

void CaseWorld::Publish(const Intent& intent) {
  ++commits_;
  versions_ += std::any_of(intent.replacements.begin(), intent.replacements.end(),
                           [](const Replacement& r) { return r.compacted.empty(); })
                   ? 1
                   : 0;
  for (const Replacement& replacement : intent.replacements) {
    std::vector<CasePiece>& pieces = table_[replacement.dataset];
    for (size_t i = 0; i < replacement.manifest.pieces.size(); ++i) {
      const StagedPiece& staged = replacement.manifest.pieces[i];
      if (staged.unchanged) continue;
      std::erase_if(pieces,
                    [&](const CasePiece& old) { return Overlaps(old.extent, staged.extent); });
      pieces.push_back(staged_.at(replacement.fence)[i]);
    }
    staged_.erase(replacement.fence);
  }
  if (on_version) on_version();
}

std::string CaseWorld::Submit(v1::RunKind kind, const std::vector<DemandRequest>& demands) {
  RunSubmitted run;
  run.run_id = run.idempotency_key = absl::StrCat("r", ++runs_);
  run.kind = kind;
  run.demands = demands;
  Feed(run);
  return run.run_id;
}

std::string CaseWorld::SubmitTick(const std::vector<std::string>& servers) {
  std::vector<DemandRequest> demands;
  for (const auto& [name, server] : servers_) {
    if (!servers.empty() && std::find(servers.begin(), servers.end(), name) == servers.end())
      continue;
    demands.emplace_back().dataset = server.spec.id;
  }
  return Submit(v1::RUN_KIND_INCREMENTAL, demands);
}

DemandRequest CaseWorld::Backfill(const std::string& server, std::optional<absl::Time> from,
                                  std::optional<absl::Time> to) const {
  DemandRequest request;
  request.dataset = servers_.at(server).spec.id;
  request.mode = v1::BACKFILL_MODE_ALL;
  request.from = from;
  request.to = to;
  return request;
}

void CaseWorld::Release() {
  ASSERT_FALSE(held_.empty());
  const TaskSpec task = std::move(held_.front());
  held_.pop_front();
  RunTask(task);
}

void CaseWorld::ReadOnly() {
  ASSERT_FALSE(held_.empty());
  const TaskSpec task = std::move(held_.front());
  held_.pop_front();
  undelivered_.push_back(OutcomeOf(task));
}

void CaseWorld::Deliver() {
  ASSERT_FALSE(undelivered_.empty());
  const Outcome outcome = std::move(undelivered_.front());
  undelivered_.pop_front();
  Feed(Delivered{1, absl::StrCat("s", sessions_), {outcome}});
}

void CaseWorld::ReleaseAll() {
  hold_ = false;
  while (!held_.empty()) Release();
}

void CaseWorld::Cancel(const std::string& run) { Feed(RunCancelRequested{1, run}); }

void CaseWorld::Finish() {
  ReleaseAll();
  for (int i = 0; !core_->Idle(); ++i) {
    ASSERT_LT(i, kMostWaits) << "a run does not end";
    ASSERT_LT(core_->NextDeadline(), absl::InfiniteFuture()) << "a run waits for nothing";
    now_ = std::max(now_, core_->NextDeadline());
    Feed(Ticked{});
  }
  CheckCoverage();
}

v1::WatchRunResponse CaseWorld::Tick(const std::vector<std::string>& servers) {
  const std::string run = SubmitTick(servers);
  Finish();
  return Describe(run);
}

v1::WatchRunResponse CaseWorld::Describe(const std::string& run) const {
  return core_->DescribeRun(run, now_).value();
}

const DatasetState& CaseWorld::Dataset(const std::string& server) const {
  return *core_->state().FindDataset(servers_.at(server).spec.id);
}

std::vector<uint64_t> CaseWorld::Published(const std::string& server) const {
  std::vector<uint64_t> contents;
  for (const CasePiece& piece : Files(server))
    contents.insert(contents.end(), piece.contents.begin(), piece.contents.end());
  std::sort(contents.begin(), contents.end());
  return contents;
}

std::vector<uint64_t> CaseWorld::Visible(const std::string& name) const {
  std::vector<uint64_t> contents;
  const CaseServer& server = servers_.at(name);
  for (const CaseRow& row : server.rows) {
    if (IsVisible(server, row)) contents.push_back(row.content);
  }
  std::sort(contents.begin(), contents.end());
  return contents;
}

std::vector<Range> CaseWorld::Pieces(const std::string& server) const {
  std::vector<Range> ranges;
  for (const auto& [from, piece] : Dataset(server).coverage.pieces()) ranges.push_back(piece.range);
  return ranges;
}

const std::vector<CasePiece>& CaseWorld::Files(const std::string& server) const {
  static const std::vector<CasePiece> kNone;
  const auto it = table_.find(servers_.at(server).spec.id);
  return it == table_.end() ? kNone : it->second;
}

void CaseWorld::CheckCoverage() const {
  for (const auto& [id, dataset] : core_->state().datasets()) {
    size_t rows = 0;
    for (const CasePiece& piece : Files(id.server)) rows += piece.contents.size();
    EXPECT_EQ(static_cast<int64_t>(rows), dataset.rows()) << ToString(id);
  }
}

}  // namespace headwater
