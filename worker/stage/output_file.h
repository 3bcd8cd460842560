// A file on local disk as an Arrow output stream that keeps the system's own error: Arrow's status
// does not tell a full disk from a broken one.
#ifndef HEADWATER_WORKER_STAGE_OUTPUT_FILE_H_
#define HEADWATER_WORKER_STAGE_OUTPUT_FILE_H_

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace headwater {

// What `error` (an errno) means for `path`. RESOURCE_EXHAUSTED: the disk, a quota or a size limit
// is full; the message names the folder to make room in. PERMISSION_DENIED: not writable. Else
// INTERNAL.
absl::Status FileError(int error, absl::string_view doing, absl::string_view path);

// Syncs the entries of a folder: a file in it is durable only after both were synced.
absl::Status SyncFolder(const std::string& folder);

// Confined to one thread. Destroying it closes the descriptor and leaves the file where it is.
class OutputFile final : public arrow::io::OutputStream {
 public:
  // Creates the file. INTERNAL when it exists: names hold random digits, so that means a fault.
  static absl::StatusOr<std::shared_ptr<OutputFile>> Create(const std::string& path);

  // Takes over the descriptor; `path` is only named in messages.
  OutputFile(int descriptor, std::string path);
  ~OutputFile() override;

  arrow::Status Write(const void* data, int64_t nbytes) override;
  // Writes out what waits in memory and gives that memory back.
  arrow::Status Flush() override;
  arrow::Status Close() override;
  arrow::Result<int64_t> Tell() const override { return position_; }
  bool closed() const override { return descriptor_ < 0; }

  // Makes every byte written so far durable. Requires: not closed.
  absl::Status Sync();

  // The first failed system call, or OK. Look here when Arrow reports an error.
  const absl::Status& error() const { return error_; }

 private:
  arrow::Status WriteOut(const char* data, int64_t nbytes);

  int descriptor_;
  const std::string path_;
  std::string buffer_;
  int64_t position_ = 0;
  absl::Status error_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_OUTPUT_FILE_H_
