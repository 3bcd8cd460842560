#include "worker/stage/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr size_t kBufferBytes = 128 << 10;  // Gathers page headers; pages themselves pass by.

}  // namespace

absl::Status FileError(int error, absl::string_view doing, absl::string_view path) {
  const std::string why = std::strerror(error);
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    const std::string folder = std::filesystem::path(std::string(path)).parent_path().string();
    return absl::ResourceExhaustedError(absl::StrCat(
        doing, " '", path, "': ", why, "; make room in folder '", folder, "' or raise its limit"));
  }
  const std::string message = absl::StrCat(doing, " '", path, "': ", why);
  if (error == EACCES || error == EPERM || error == EROFS) {
    return absl::PermissionDeniedError(message);
  }
  return absl::InternalError(message);
}

absl::Status SyncFolder(const std::string& folder) {
  RETURN_IF_ERROR(Failpoint("stage.before_folder_sync"));
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return FileError(errno, "opening folder", folder);
  const int error = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  return error == 0 ? absl::OkStatus() : FileError(error, "syncing folder", folder);
}

absl::StatusOr<std::shared_ptr<OutputFile>> OutputFile::Create(const std::string& path) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0) return FileError(errno, "creating", path);
  return std::make_shared<OutputFile>(descriptor, path);
}

OutputFile::OutputFile(int descriptor, std::string path)
    : descriptor_(descriptor), path_(std::move(path)) {}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

arrow::Status OutputFile::Write(const void* data, int64_t nbytes) {
  const char* bytes = static_cast<const char*>(data);
  position_ += nbytes;
  if (buffer_.size() + nbytes <= kBufferBytes) {
    if (buffer_.capacity() < kBufferBytes) buffer_.reserve(kBufferBytes);
    buffer_.append(bytes, nbytes);
    return arrow::Status::OK();
  }
  ARROW_RETURN_NOT_OK(WriteOut(buffer_.data(), buffer_.size()));
  buffer_.clear();
  return WriteOut(bytes, nbytes);
}

arrow::Status OutputFile::Flush() {
  const std::string buffer = std::exchange(buffer_, std::string());
  return WriteOut(buffer.data(), buffer.size());
}

arrow::Status OutputFile::WriteOut(const char* data, int64_t nbytes) {
  if (!error_.ok()) return arrow::Status::IOError(std::string(error_.message()));
  while (nbytes > 0) {
    const ssize_t written = write(descriptor_, data, nbytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      error_ = FileError(written < 0 ? errno : ENOSPC, "writing", path_);
      return arrow::Status::IOError(std::string(error_.message()));
    }
    data += written;
    nbytes -= written;
  }
  return arrow::Status::OK();
}

arrow::Status OutputFile::Close() {
  if (descriptor_ < 0) return arrow::Status::OK();
  arrow::Status flushed = Flush();
  if (close(std::exchange(descriptor_, -1)) != 0 && error_.ok()) {
    error_ = FileError(errno, "closing", path_);
    return arrow::Status::IOError(std::string(error_.message()));
  }
  return flushed;
}

absl::Status OutputFile::Sync() {
  (void)Flush();  // Its failure is in error_.
  if (error_.ok() && fsync(descriptor_) != 0) error_ = FileError(errno, "syncing", path_);
  return error_;
}

}  // namespace headwater
