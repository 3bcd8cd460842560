#include "coordinator/commit_threads.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr size_t kQueueCapacity = 64;  // Far above the one effect that the core has under way.

const std::string& TableOf(const CommitEffect& effect) {
  struct Visitor {
    const std::string& operator()(const CheckCommit& check) const { return check.table; }
    const std::string& operator()(const Commit& commit) const { return commit.intent.table; }
    const std::string& operator()(const AbandonIntent& abandon) const {
      return abandon.intent.table;
    }
    const std::string& operator()(const ListFiles& list) const { return list.table; }
  };
  return std::visit(Visitor{}, effect);
}

CommitChecked Check(TableCommitter& committer, const CheckCommit& check) {
  CommitChecked answer;
  answer.table = check.table;
  committer.Expect(check.published);
  answer.table_status = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(answer.statuses, committer.Check(check.replacements));
    if (check.replacements.empty()) {
      ASSIGN_OR_RETURN(answer.columns, committer.Columns());
    }
    if (check.pieces.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(answer.lost, committer.FindLost(check.pieces));
    return absl::OkStatus();
  }();
  if (!answer.lost.empty()) {
    Log(LogLevel::kWarning, "files of published pieces are gone from the table",
        {{"table", check.table}, {"pieces", absl::StrCat(answer.lost.size())}});
  }
  return answer;
}

CommitFinished Finish(const Intent& intent, absl::StatusOr<CommitResult> result) {
  CommitFinished answer;
  answer.table = intent.table;
  answer.sequence = intent.sequence;
  answer.result = std::move(result);
  return answer;
}

FilesListed List(const absl::StatusOr<std::unique_ptr<TableCommitter>>& committer,
                 const ListFiles& list) {
  FilesListed answer;
  answer.table = list.table;
  answer.status = committer.status();
  if (!committer.ok()) return answer;
  (*committer)->Expect(list.published);
  absl::StatusOr<std::vector<std::vector<StagedFile>>> files = (*committer)->Files(list.pieces);
  answer.status = files.status();
  if (files.ok()) answer.files = *std::move(files);
  if (!answer.status.ok() || list.keyed.empty()) return answer;
  auto keyed = (*committer)->KeyedFiles(list.keyed);
  answer.status = keyed.status();
  if (keyed.ok()) answer.keyed = *std::move(keyed);
  return answer;
}

// Carries out one effect; a committer that could not be opened answers with why.
Input Execute(const absl::StatusOr<std::unique_ptr<TableCommitter>>& committer,
              const CommitEffect& effect) {
  if (const auto* check = std::get_if<CheckCommit>(&effect)) {
    if (committer.ok()) return Check(**committer, *check);
    CommitChecked refused;
    refused.table = check->table;
    refused.table_status = committer.status();
    return refused;
  }
  if (const auto* commit = std::get_if<Commit>(&effect)) {
    if (!committer.ok()) return Finish(commit->intent, committer.status());
    (*committer)->Expect(commit->published);
    return Finish(commit->intent, (*committer)->Commit(commit->intent));
  }
  if (const auto* list = std::get_if<ListFiles>(&effect)) return List(committer, *list);
  const auto& [intent, published] = std::get<AbandonIntent>(effect);
  if (!committer.ok()) return Finish(intent, committer.status());
  (*committer)->Expect(published);
  const absl::Status status = (*committer)->Abandon(intent);
  return Finish(intent, status.ok() ? absl::CancelledError("the intent was abandoned") : status);
}

}  // namespace

struct CommitThreads::Table {
  TableLocation location;
  BoundedQueue<CommitEffect> effects{kQueueCapacity};
  std::atomic<bool> stopped = false;
  std::thread thread;
};

CommitThreads::CommitThreads(CommitterFactory* factory,
                             std::function<TableLocation(const std::string&)> locate,
                             std::function<void(Input)> post)
    : factory_(factory), locate_(std::move(locate)), post_(std::move(post)) {}

CommitThreads::~CommitThreads() { Stop(); }

void CommitThreads::Run(CommitEffect effect) {
  std::unique_ptr<Table>& table = tables_[TableOf(effect)];
  if (table == nullptr) {
    table = std::make_unique<Table>();
    table->location = locate_(TableOf(effect));
    table->thread = std::thread([this, started = table.get()] { Work(*started); });
  }
  const std::string& name = table->location.table;
  if (!table->effects.TryPush(std::move(effect))) {
    Log(LogLevel::kError, "a commit was dropped: its table is stopped or has too many waiting",
        {{"table", name}});
  }
}

void CommitThreads::Work(Table& table) {
  absl::StatusOr<std::unique_ptr<TableCommitter>> committer =
      absl::UnavailableError("not opened yet");
  while (std::optional<CommitEffect> effect = table.effects.Pop()) {
    if (table.stopped) return;
    if (!committer.ok()) {  // Tried again with every effect: the folder may be back.
      committer = factory_->Open(table.location);
      if (!committer.ok()) {
        Log(LogLevel::kWarning, "cannot open the table",
            {{"table", table.location.table}, {"why", committer.status().ToString()}});
      }
    }
    post_(Execute(committer, *effect));
  }
}

void CommitThreads::Stop() {
  for (auto& [name, table] : tables_) {
    table->stopped = true;
    table->effects.Close();
  }
  for (auto& [name, table] : tables_) {
    if (table->thread.joinable()) table->thread.join();
  }
}

}  // namespace headwater
