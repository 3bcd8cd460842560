// Reads an extent by COPY (SELECT …) TO STDOUT (FORMAT binary).
#ifndef HEADWATER_WORKER_SOURCE_POSTGRES_COPY_READER_H_
#define HEADWATER_WORKER_SOURCE_POSTGRES_COPY_READER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/source/postgres/copy_decoder.h"
#include "worker/source/postgres/postgres_session.h"
#include "worker/source/source_reader.h"

namespace headwater {

// Reads `extent` of `dataset` with the decoder for its columns' wire shapes. Errors: as of
// Source::Read().
absl::StatusOr<std::unique_ptr<SourceReader>> OpenCopyReader(PostgresSession& session,
                                                             const DatasetSpec& dataset,
                                                             const Extent& extent,
                                                             const ReadOptions& options);

struct PgMessageDeleter {
  void operator()(char* message) const { PQfreemem(message); }
};

// A reader that is left before its end marks its session broken: what the server still sends would
// have to be read first.
class CopyReader : public SourceReader {
 public:
  // Starts `select`. `session` must outlive the reader.
  static absl::StatusOr<std::unique_ptr<CopyReader>> Open(PostgresSession& session, Schema schema,
                                                          std::unique_ptr<CopyDecoder> decoder,
                                                          const std::string& select,
                                                          int64_t batch_bytes);
  ~CopyReader() override;

  const Schema& schema() const override { return schema_; }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override;
  void Cancel() override { session_.Cancel(); }

 private:
  CopyReader(PostgresSession& session, Schema schema, std::unique_ptr<CopyDecoder> decoder,
             int64_t batch_bytes)
      : session_(session),
        schema_(std::move(schema)),
        decoder_(std::move(decoder)),
        batch_bytes_(batch_bytes) {}
  absl::StatusOr<std::unique_ptr<RowBatch>> ReadBatch();
  // Waits for the next message; none after the last one.
  absl::Status Receive();
  absl::Status FinishCopy();

  PostgresSession& session_;
  const Schema schema_;
  std::unique_ptr<CopyDecoder> decoder_;
  const int64_t batch_bytes_;
  std::unique_ptr<char, PgMessageDeleter> message_;  // Received, not yet decoded.
  absl::string_view bytes_;                          // Its content.
  bool done_ = false;
  absl::Status failed_;  // The first error: final.
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_POSTGRES_COPY_READER_H_
