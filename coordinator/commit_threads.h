// Publication beside the core: one thread per table carries out the core's commit effects in order,
// so that a slow table delays no other and never the core.
#ifndef HEADWATER_COORDINATOR_COMMIT_THREADS_H_
#define HEADWATER_COORDINATOR_COMMIT_THREADS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <variant>

#include "common/base/bounded_queue.h"
#include "coordinator/commit/committer.h"
#include "coordinator/core.h"

namespace headwater {

using CommitEffect = std::variant<CheckCommit, Commit, AbandonIntent, ListFiles>;

// Confined to one thread (the core's), but for the threads inside.
class CommitThreads {
 public:
  // `post` takes the answers: CommitChecked for CheckCommit, FilesListed for ListFiles,
  // CommitFinished for Commit, and for
  // AbandonIntent a CommitFinished whose result is CANCELLED when the intent can no longer be
  // committed. It is called from the table's thread. `locate` finds a table's folder; it is called
  // on the caller's thread. Both and `factory` must outlive this object.
  CommitThreads(CommitterFactory* factory, std::function<TableLocation(const std::string&)> locate,
                std::function<void(Input)> post);
  ~CommitThreads();  // Stop().

  // Queues the effect for its table's thread, which starts with the table's first effect. Never
  // blocks: the core has at most one effect per table under way, so the queue cannot be full.
  void Run(CommitEffect effect);

  // Ends all threads after the call that each is in; what still waits is dropped (a restart finds
  // it in the ledger). Repeatable.
  void Stop();

 private:
  struct Table;
  void Work(Table& table);

  CommitterFactory* const factory_;
  const std::function<TableLocation(const std::string&)> locate_;
  const std::function<void(Input)> post_;
  std::map<std::string, std::unique_ptr<Table>> tables_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_THREADS_H_
