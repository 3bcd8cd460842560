// Ended runs that the ledger has let go, in Parquet files that nobody changes:
//
//   .headwater/history/runs-20261023T101112Z-20261024T095900Z-5f0c3a9b81d2e467.parquet
//
// Of its runs the file's name has when the first and the last one ended, and a hash of their ids.
#ifndef HEADWATER_COORDINATOR_HISTORY_RUN_ARCHIVE_H_
#define HEADWATER_COORDINATOR_HISTORY_RUN_ARCHIVE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/storage/object_store.h"
#include "coordinator/run_query.h"
#include "headwater/v1/admin.pb.h"
#include "headwater/v1/history.pb.h"

namespace headwater {

// What a file's name says of its runs: when the first and the last one ended, in whole seconds.
struct RunFileName {
  absl::Time first, last;
};
std::string NameOfRunFile(const std::vector<v1::EndedRun>& runs);     // Requires: there is one.
std::optional<RunFileName> ParseRunFileName(absl::string_view name);  // None: it is no such name.

// Thread-safe, but only one process may Put().
class RunArchive {
 public:
  // `store`: the folder. It is made with the first file.
  explicit RunArchive(std::unique_ptr<ObjectStore> store) : store_(std::move(store)) {}

  // Keeps `runs` for good: durable on return, in a file of their own. Those that a file has already
  // are left out, so that no run is in two, whoever died after writing and whatever older ledger
  // took the place of this one; without others no file is made. Errors: the store's; nothing is
  // visible then, or all of it.
  absl::Status Put(const std::vector<v1::EndedRun>& runs);

  // Adds to `response`, what the ledger had before this is called, what the files have of `query`;
  // runs that are there already stay as they are. Files that cannot be read become problems of it.
  void AddTo(const RunQuery& query, v1::GetHistoryResponse& response) const;

 private:
  absl::StatusOr<std::vector<v1::EndedRun>> Read(const std::string& name) const;

  const std::unique_ptr<ObjectStore> store_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_HISTORY_RUN_ARCHIVE_H_
