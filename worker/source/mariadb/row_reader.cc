#include "worker/source/mariadb/row_reader.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/mariadb/row_decoder.h"
#include "worker/source/mariadb_catalog.h"
#include "worker/source/prepared_read.h"

namespace headwater {
namespace {

constexpr unsigned kBinaryCharset = 63;

struct StatementDeleter {
  void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
};
using Statement = std::unique_ptr<MYSQL_STMT, StatementDeleter>;

// How the server sends a column; none: in no way that we know.
std::optional<RowShape> ShapeOf(const MYSQL_FIELD& field) {
  const bool is_unsigned = (field.flags & UNSIGNED_FLAG) != 0;
  switch (field.type) {
    case MYSQL_TYPE_TINY:
      return is_unsigned ? RowShape::kUint1 : RowShape::kInt1;
    case MYSQL_TYPE_SHORT:
      return is_unsigned ? RowShape::kUint2 : RowShape::kInt2;
    case MYSQL_TYPE_YEAR:  // Unsigned, but not beyond 2155.
      return RowShape::kInt2;
    case MYSQL_TYPE_INT24:  // Of either sign it has room in four bytes with a sign.
      return RowShape::kInt4;
    case MYSQL_TYPE_LONG:
      return is_unsigned ? RowShape::kUint4 : RowShape::kInt4;
    case MYSQL_TYPE_LONGLONG:
      return is_unsigned ? RowShape::kUint8 : RowShape::kInt8;
    case MYSQL_TYPE_FLOAT:
      return RowShape::kFloat;
    case MYSQL_TYPE_DOUBLE:
      return RowShape::kDouble;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
      return RowShape::kDate;
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
      return RowShape::kMoment;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
    case MYSQL_TYPE_JSON:
    case MYSQL_TYPE_ENUM:
    case MYSQL_TYPE_SET:
      return RowShape::kText;
    case MYSQL_TYPE_GEOMETRY:
      return RowShape::kBytes;
    case MYSQL_TYPE_NULL:  // An expression that is always NULL.
      return RowShape::kText;
    case MYSQL_TYPE_VARCHAR:
    case MYSQL_TYPE_VAR_STRING:
    case MYSQL_TYPE_STRING:
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
      return field.charsetnr == kBinaryCharset ? RowShape::kBytes : RowShape::kText;
    default:
      return std::nullopt;
  }
}

// `quoted` as the column is asked for. `declared` has the column's own type, also where it is read
// as text.
std::string Selected(const Dialect& dialect, const SourceColumn& declared, bool as_text,
                     const std::string& quoted) {
  const ColumnType& type = declared.column.type;
  const absl::string_view name = declared.type_name;
  if (as_text && type.kind != TypeKind::kString) {
    return ValueAsText(dialect, quoted, type, name);
  }
  if (absl::StartsWith(name, "bit(")) return MariaDbBits(name, quoted);
  if (type.kind != TypeKind::kString) return quoted;
  // What is a text with us and not with the server.
  const bool printed =
      absl::StartsWith(name, "time") || name == "uuid" || absl::StartsWith(name, "inet");
  return printed ? CursorAsText(dialect, quoted) : quoted;
}

constexpr absl::string_view kCastHelps = "; 'columns: cast' can have it read as text";

class RowReader : public SourceReader {
 public:
  RowReader(MariaDbSession& session, Schema schema, Statement statement, RowDecoder decoder,
            int64_t batch_bytes)
      : session_(session),
        schema_(std::move(schema)),
        statement_(std::move(statement)),
        decoder_(std::move(decoder)),
        batch_bytes_(batch_bytes) {}
  ~RowReader() override {
    if (!done_) session_.Abandon();
  }

  const Schema& schema() const override { return schema_; }
  void Cancel() override { session_.Cancel(); }

  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override {
    if (!failed_.ok()) return failed_;
    absl::StatusOr<std::unique_ptr<RowBatch>> batch = ReadBatch();
    failed_ = batch.status();
    return batch;
  }

 private:
  absl::StatusOr<std::unique_ptr<RowBatch>> ReadBatch();
  absl::Status FetchRow();

  MariaDbSession& session_;
  const Schema schema_;
  Statement statement_;
  RowDecoder decoder_;
  const int64_t batch_bytes_;
  int64_t row_bytes_ = 0;  // Of the row that was fetched and not yet appended; 0: none.
  bool done_ = false;      // Nothing more will be sent.
  absl::Status failed_;    // The first error: final.
};

absl::StatusOr<std::unique_ptr<RowBatch>> RowReader::ReadBatch() {
  BatchBuilder& batch = decoder_.batch();
  while (!done_ && batch.rows() < kMaxBatchRows) {
    // Rows that have arrived already would still be decoded after a cancellation.
    if (session_.cancelled()) return absl::CancelledError("the read was cancelled");
    if (row_bytes_ == 0) RETURN_IF_ERROR(FetchRow());
    if (done_) break;
    if (!batch.empty() && batch.size_bytes() + row_bytes_ > batch_bytes_) break;
    RETURN_IF_ERROR(decoder_.Append());
    row_bytes_ = 0;
  }
  if (session_.cancelled()) return absl::CancelledError("the read was cancelled");
  if (batch.empty()) return nullptr;
  return batch.Finish();
}

absl::Status RowReader::FetchRow() {
  const int fetched = mysql_stmt_fetch(statement_.get());
  if (fetched == MYSQL_NO_DATA) {
    session_.EndAnswer();
    done_ = true;
    return absl::OkStatus();
  }
  if (fetched != 0) {
    absl::Status failure = session_.Failure(statement_.get());
    done_ = !absl::IsCancelled(failure);  // The answer has ended, though badly.
    return failure;
  }
  // Nothing is bound, so the library converts nothing. It keeps the row in its buffer until the
  // next one is fetched.
  const NET& net = session_.connection()->net;
  const absl::string_view buffer(reinterpret_cast<const char*>(net.read_pos),
                                 static_cast<size_t>(net.buff_end - net.read_pos));
  ASSIGN_OR_RETURN(const size_t taken, decoder_.Take(buffer));
  const auto columns = static_cast<int64_t>(schema_.columns.size());
  row_bytes_ = static_cast<int64_t>(taken) + columns * kExtraBytesPerColumn;
  return absl::OkStatus();
}

// The shapes of the columns that `statement` gives.
absl::StatusOr<std::vector<RowShape>> ShapesOf(MYSQL_STMT* statement, const Selection& selection) {
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> described(
      mysql_stmt_result_metadata(statement), mysql_free_result);
  const size_t count = described == nullptr ? 0 : mysql_num_fields(described.get());
  if (count != selection.columns.size()) {
    return absl::InternalError(absl::StrCat("the statement gives ", count, " columns; expected ",
                                            selection.columns.size()));
  }
  std::vector<RowShape> shapes;
  for (size_t i = 0; i < count; ++i) {
    const MYSQL_FIELD* field = mysql_fetch_field_direct(described.get(), static_cast<unsigned>(i));
    const std::optional<RowShape> shape = ShapeOf(*field);
    const Column& column = selection.schema.columns[i];
    if (!shape.has_value() || AppenderOf(*shape, column.type) == nullptr) {
      const TypeKind kind = column.type.kind;
      const bool castable = kind != TypeKind::kString && kind != TypeKind::kBinary;
      return absl::InvalidArgumentError(
          absl::StrCat("column '", column.name, "' (", selection.columns[i].type_name,
                       ") is sent as MariaDB's type ", static_cast<int>(field->type),
                       ", which is no ", TypeToString(column.type), castable ? kCastHelps : ""));
    }
    shapes.push_back(*shape);
  }
  return shapes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SourceReader>> OpenRowReader(MariaDbSession& session,
                                                            const DatasetSpec& dataset,
                                                            const Extent& extent,
                                                            const ReadOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<SourceColumn> columns, session.Describe(dataset.relation));
  ASSIGN_OR_RETURN(PreparedRead read, PrepareRead(session, columns, dataset, extent, options));
  for (const SourceColumn& declared : columns) {
    const int at = read.selection.schema.Find(declared.column.name);
    if (at < 0) continue;
    const bool as_text = read.selection.columns[static_cast<size_t>(at)].as_text;
    ASSIGN_OR_RETURN(const std::string quoted,
                     QuoteIdentifier(session.dialect(), declared.column.name));
    read.query.expressions.push_back(Selected(session.dialect(), declared, as_text, quoted));
  }
  ASSIGN_OR_RETURN(const std::string sql, BuildRangeQuery(session.dialect(), read.query));
  if (session.cancelled()) return absl::CancelledError("the read was cancelled");
  Statement statement(mysql_stmt_init(session.connection()));
  if (statement == nullptr) return absl::ResourceExhaustedError("libmariadb: no memory");
  session.BeginAnswer();
  if (mysql_stmt_prepare(statement.get(), sql.data(), sql.size()) != 0 ||
      mysql_stmt_execute(statement.get()) != 0) {
    return session.Failure(statement.get());
  }
  // Not before: a table that was altered since it was prepared is read as it is now.
  absl::StatusOr<std::vector<RowShape>> shapes = ShapesOf(statement.get(), read.selection);
  if (!shapes.ok()) {
    session.Abandon();  // Or the statement's end would read all rows.
    return shapes.status();
  }
  RowDecoder decoder(read.selection.schema, *std::move(shapes), RulesFor(dataset, read.selection));
  return std::make_unique<RowReader>(session, read.selection.schema, std::move(statement),
                                     std::move(decoder), options.batch_bytes);
}

}  // namespace headwater
