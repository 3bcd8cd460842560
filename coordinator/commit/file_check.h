// Whether a table's folder has every file that the table's log names, as the log describes it.
#ifndef HEADWATER_COORDINATOR_COMMIT_FILE_CHECK_H_
#define HEADWATER_COORDINATOR_COMMIT_FILE_CHECK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/commit/committer.h"

namespace headwater {

// A live file that is not there, or not whole.
struct FaultyFile {
  std::string path;    // With the folder of its table.
  std::string server;  // Whose rows it held; empty: nothing says it.
  int64_t expected_bytes = 0;
  std::optional<int64_t> found_bytes;  // Absent: it is gone.
};

struct FileCheck {
  static constexpr size_t kMaxFaulty = 1'000;  // More say nothing new; all are counted.

  int64_t files = 0, bytes = 0;  // That the log names.
  int64_t faulty_count = 0;
  std::vector<FaultyFile> faulty;
};

// One implementation per kind of sink. Thread-safe.
class FileChecker {
 public:
  virtual ~FileChecker() = default;

  // Looks at each live file of the table and its quarantine, beside whoever commits or collects
  // there meanwhile: a file that a version has replaced since is not faulty. Reads only. An absent
  // table has no files. Errors: the log cannot be read.
  virtual absl::StatusOr<FileCheck> CheckFiles(const TableLocation& location) = 0;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_FILE_CHECK_H_
