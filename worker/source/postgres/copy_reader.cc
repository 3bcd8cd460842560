#include "worker/source/postgres/copy_reader.h"

#include <poll.h>
#include <sys/socket.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/postgres/postgres_type.h"
#include "worker/source/prepared_read.h"

namespace headwater {
namespace {

constexpr int kPlentyBytes = 256 << 10;
constexpr int kPatienceMillis = 2;

// Waits until `socket` has something to read. The server sends in pieces of 8 KiB, and waking for
// each would cost more than decoding it: so this waits for plenty, but not for long, and then for
// anything. The mark is taken back at once, since libpq would wait for plenty for ever.
void WaitForPlenty(int socket) {
  const auto set_mark = [&](int bytes) {
    setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
  };
  pollfd wait{socket, POLLIN, 0};
  set_mark(kPlentyBytes);
  const int ready = poll(&wait, 1, kPatienceMillis);
  set_mark(1);
  if (ready == 0) poll(&wait, 1, -1);  // An error, or a signal, shows in the read that follows.
}

}  // namespace

absl::StatusOr<std::unique_ptr<SourceReader>> OpenCopyReader(PostgresSession& session,
                                                             const DatasetSpec& dataset,
                                                             const Extent& extent,
                                                             const ReadOptions& options) {
  ASSIGN_OR_RETURN(const auto catalog, session.Catalog(dataset.relation));
  std::vector<SourceColumn> columns;
  columns.reserve(catalog.size());
  for (const auto& column : catalog) columns.push_back(column.column);
  ASSIGN_OR_RETURN(PreparedRead read, PrepareRead(session, columns, dataset, extent, options));
  const Schema& schema = read.selection.schema;
  std::vector<WireShape> shapes;
  for (const auto& column : catalog) {
    const std::string& name = column.column.column.name;
    const int at = schema.Find(name);
    if (at < 0) continue;
    PostgresType type = TypeOfPostgres(column.type);
    if (read.selection.columns[static_cast<size_t>(at)].as_text) type = AsText(type);
    ASSIGN_OR_RETURN(const std::string quoted, QuoteIdentifier(session.dialect(), name));
    read.query.expressions.push_back(SelectedAs(type, quoted));
    shapes.push_back(type.rule->shape);
  }
  ASSIGN_OR_RETURN(const std::string select, BuildRangeQuery(session.dialect(), read.query));
  auto decoder = std::make_unique<CopyDecoder>(schema, shapes, RulesFor(dataset, read.selection));
  return CopyReader::Open(session, schema, std::move(decoder), select, options.batch_bytes);
}

absl::StatusOr<std::unique_ptr<CopyReader>> CopyReader::Open(PostgresSession& session,
                                                             Schema schema,
                                                             std::unique_ptr<CopyDecoder> decoder,
                                                             const std::string& select,
                                                             int64_t batch_bytes) {
  if (session.cancelled()) return absl::CancelledError("the read was cancelled");
  const std::string sql = absl::StrCat("COPY (", select, ") TO STDOUT (FORMAT binary)");
  const PgResult result(PQexec(session.connection(), sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_COPY_OUT) return session.Failure(result.get());
  return std::unique_ptr<CopyReader>(
      new CopyReader(session, std::move(schema), std::move(decoder), batch_bytes));
}

CopyReader::~CopyReader() {
  if (!done_) session_.MarkBroken();
}

absl::StatusOr<std::unique_ptr<RowBatch>> CopyReader::Next() {
  if (!failed_.ok()) return failed_;
  absl::StatusOr<std::unique_ptr<RowBatch>> batch = ReadBatch();
  failed_ = batch.status();
  return batch;
}

absl::StatusOr<std::unique_ptr<RowBatch>> CopyReader::ReadBatch() {
  BatchBuilder& batch = decoder_->batch();
  const auto columns = static_cast<int64_t>(schema_.columns.size());
  while (!done_ && batch.rows() < kMaxBatchRows) {
    // Rows that the server has sent already would still be decoded after a cancellation.
    if (session_.cancelled()) return absl::CancelledError("the read was cancelled");
    if (message_ == nullptr) RETURN_IF_ERROR(Receive());
    if (done_) break;
    const int64_t most = static_cast<int64_t>(bytes_.size()) + columns * kExtraBytesPerColumn;
    if (!batch.empty() && batch.size_bytes() + most > batch_bytes_) break;
    RETURN_IF_ERROR(decoder_->Feed(bytes_));
    message_.reset();
  }
  if (session_.cancelled()) return absl::CancelledError("the read was cancelled");
  if (batch.empty()) return nullptr;
  return batch.Finish();
}

absl::Status CopyReader::Receive() {
  bool drained = false;
  bool lost = false;
  while (true) {
    char* message = nullptr;
    const int size = PQgetCopyData(session_.connection(), &message, /*async=*/1);
    message_.reset(message);
    if (size > 0) {
      bytes_ = absl::string_view(message, static_cast<size_t>(size));
      return absl::OkStatus();
    }
    if (size == -1) return FinishCopy();
    if (size < -1) return session_.Failure(nullptr);
    if (lost) return session_.Failure(nullptr);
    // No whole row is here. Take what has arrived before waiting for more.
    if (drained) WaitForPlenty(PQsocket(session_.connection()));
    drained = true;
    // What came before the end of a connection is the server's reason for it.
    lost = PQconsumeInput(session_.connection()) == 0;
  }
}

absl::Status CopyReader::FinishCopy() {
  // Errors of the query itself come here, also those in the middle of the data.
  absl::Status status;
  for (int i = 0; i < 4; ++i) {  // The command's result, then the null that ends it.
    const PgResult result(PQgetResult(session_.connection()));
    if (result == nullptr) break;
    if (status.ok() && PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
      status = session_.Failure(result.get());
    }
  }
  RETURN_IF_ERROR(status);
  if (!decoder_->finished()) {
    return absl::DataLossError("COPY: the stream ended before its trailer");
  }
  done_ = true;
  return absl::OkStatus();
}

}  // namespace headwater
