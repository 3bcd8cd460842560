// PostgreSQL's binary COPY stream, from bytes to Arrow columns. Knows no server and no socket.
//
//   stream  = signature flags extension { tuple } trailer
//   signature = "PGCOPY\n\xff\r\n\0"    flags = int32    extension = int32 length, bytes
//   tuple   = int16 number of fields { int32 length (-1: NULL) bytes }
//   trailer = int16 -1
#ifndef HEADWATER_WORKER_SOURCE_POSTGRES_COPY_DECODER_H_
#define HEADWATER_WORKER_SOURCE_POSTGRES_COPY_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/data/schema.h"
#include "worker/source/bad_row_rules.h"
#include "worker/source/batch_builder.h"
#include "worker/source/postgres/postgres_type.h"
#include "worker/source/wire_rows.h"

namespace headwater {

// Confined to one thread. The first error is final.
class CopyDecoder {
 public:
  // `shapes` has one entry per column of `schema`.
  CopyDecoder(const Schema& schema, const std::vector<WireShape>& shapes, BadRowRules rules);

  // Decodes every row that `bytes` completes; what is left waits for more. The stream may be cut
  // anywhere.
  // Errors: DATA_LOSS         the bytes are not a COPY stream of these columns.
  //         INVALID_ARGUMENT  a value does not fit its column, and the rules do not let its row be
  //                           set aside: names column, key and value.
  absl::Status Feed(absl::string_view bytes);

  // True after the trailer. A stream that ends before is DATA_LOSS, which the caller reports.
  bool finished() const { return state_ == State::kFinished; }

  // The rows decoded since the last call of batch().Finish().
  BatchBuilder& batch() { return rows_.batch(); }

 private:
  enum class State { kHeader, kTuples, kFinished };

  // Each consumes one whole unit from the front of `bytes`, or leaves it: kPart.
  enum class Taken { kWhole, kPart, kError };
  Taken TakeHeader(absl::string_view& bytes);
  Taken TakeTuple(absl::string_view& bytes);
  Taken Fail(absl::Status status);

  State state_ = State::kHeader;
  std::string rest_;  // Bytes of a unit that is not whole yet.
  WireRows rows_;
  absl::Status error_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_POSTGRES_COPY_DECODER_H_
