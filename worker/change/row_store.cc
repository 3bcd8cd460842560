#include "worker/change/row_store.h"

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/status.h"
#include "common/data/arrow_schema.h"
#include "worker/stage/output_file.h"

namespace headwater {

// Batches in Arrow's stream format, in a file that has no name.
class RowStore::Spill {
 public:
  static absl::StatusOr<std::unique_ptr<Spill>> Open(const std::string& folder,
                                                     const std::shared_ptr<arrow::Schema>& schema) {
    std::error_code ignored;  // Opening says what is wrong.
    std::filesystem::create_directories(folder, ignored);
    auto spill = std::make_unique<Spill>();
    spill->folder_ = folder;
    spill->descriptor_ = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (spill->descriptor_ < 0) return FileError(errno, "keeping rows in", folder);
    spill->file_ =
        std::make_shared<OutputFile>(fcntl(spill->descriptor_, F_DUPFD_CLOEXEC, 0), folder);
    auto writer = arrow::ipc::MakeStreamWriter(spill->file_, schema, Options());
    RETURN_IF_ERROR(spill->StatusOf(writer.status()));
    spill->writer_ = *std::move(writer);
    return spill;
  }
  ~Spill() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  absl::Status Add(const arrow::RecordBatch& batch) {
    return StatusOf(writer_->WriteRecordBatch(batch));
  }

  absl::Status ForEach(int64_t first_row, Take take) {
    RETURN_IF_ERROR(StatusOf(writer_->Close()));
    RETURN_IF_ERROR(StatusOf(file_->Close()));
    if (lseek(descriptor_, 0, SEEK_SET) < 0) return FileError(errno, "reading rows in", folder_);
    auto file = arrow::io::ReadableFile::Open(std::exchange(descriptor_, -1), ArrowPool());
    RETURN_IF_ERROR(StatusOf(file.status()));
    arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
    options.memory_pool = ArrowPool();
    options.use_threads = false;
    auto reader = arrow::ipc::RecordBatchStreamReader::Open(*file, options);
    RETURN_IF_ERROR(StatusOf(reader.status()));
    while (true) {
      std::shared_ptr<arrow::RecordBatch> batch;
      RETURN_IF_ERROR(StatusOf((*reader)->ReadNext(&batch)));
      if (batch == nullptr) return absl::OkStatus();
      RETURN_IF_ERROR(take(first_row, *batch));
      first_row += batch->num_rows();
    }
  }

 private:
  static arrow::ipc::IpcWriteOptions Options() {
    arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults();
    options.memory_pool = ArrowPool();
    options.use_threads = false;
    return options;
  }
  absl::Status StatusOf(const arrow::Status& status) const {
    if (!status.ok() && file_ != nullptr && !file_->error().ok()) return file_->error();
    return FromArrow(status, "keeping rows that were read");
  }

  std::string folder_;
  int descriptor_ = -1;
  std::shared_ptr<OutputFile> file_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

RowStore::RowStore(std::string folder, std::shared_ptr<arrow::Schema> schema, int64_t memory_bytes)
    : folder_(std::move(folder)), schema_(std::move(schema)), memory_bytes_(memory_bytes) {}

RowStore::~RowStore() = default;

absl::Status RowStore::Add(const std::shared_ptr<arrow::RecordBatch>& batch) {
  rows_ += batch->num_rows();
  kept_bytes_ += arrow::util::TotalBufferSize(*batch);
  if (spill_ == nullptr && kept_bytes_ <= memory_bytes_) {
    kept_.push_back(batch);
    return absl::OkStatus();
  }
  if (spill_ == nullptr) {
    ASSIGN_OR_RETURN(spill_, Spill::Open(folder_, schema_));
  }
  return spill_->Add(*batch);
}

absl::Status RowStore::ForEach(Take take) {
  int64_t first_row = 0;
  for (std::shared_ptr<arrow::RecordBatch>& batch : kept_) {
    RETURN_IF_ERROR(take(first_row, *batch));
    first_row += batch->num_rows();
    batch.reset();  // Not wanted any more.
  }
  return spill_ == nullptr ? absl::OkStatus() : spill_->ForEach(first_row, take);
}

}  // namespace headwater
