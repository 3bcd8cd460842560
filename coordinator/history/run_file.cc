#include "coordinator/history/run_file.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/history/run_columns.h"

namespace headwater {
namespace {

using google::protobuf::Timestamp;
using Texts = google::protobuf::RepeatedPtrField<std::string>;

constexpr int64_t kMicros = 1'000'000;
constexpr char kByPerson[] = "by_person";
constexpr char kRewritten[] = "rewritten";
constexpr char kNotices[] = "notices";
constexpr char kProblems[] = "problems";

std::shared_ptr<arrow::DataType> Instant() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}
std::shared_ptr<arrow::DataType> ProblemType() {
  return arrow::struct_(
      {arrow::field("extent", arrow::utf8()), arrow::field("attempts", arrow::int32()),
       arrow::field("code", arrow::int32()), arrow::field("message", arrow::utf8())});
}

// As people want to see it: who, when, what of, how much.
std::shared_ptr<arrow::Schema> RunSchema() {
  arrow::FieldVector fields;
  const auto add = [&](const char* name, const std::shared_ptr<arrow::DataType>& type) {
    fields.push_back(arrow::field(name, type));
  };
  const auto add_all = [&](const auto& columns, const std::shared_ptr<arrow::DataType>& type) {
    for (const auto& column : columns) add(column.name, type);
  };
  add_all(kRunTexts, arrow::utf8());
  add(kByPerson, arrow::boolean());
  add_all(kRunTimes, Instant());
  add_all(kDatasetTexts, arrow::utf8());
  add_all(kDemandTexts, arrow::utf8());
  add_all(kDemandTimes, Instant());
  add_all(kCounts, arrow::int64());
  add(kRewritten, arrow::list(arrow::utf8()));
  add(kNotices, arrow::list(arrow::utf8()));
  add(kProblems, arrow::list(ProblemType()));
  return arrow::schema(std::move(fields));
}

// Takes rows in the schema's order. Arrow's builders fail only for want of memory.
class RowWriter {
 public:
  RowWriter() : schema_(RunSchema()) {
    for (const auto& field : schema_->fields()) {
      std::unique_ptr<arrow::ArrayBuilder> builder;
      status_ &= arrow::MakeBuilder(arrow::default_memory_pool(), field->type(), &builder);
      columns_.push_back(std::move(builder));
    }
  }

  void Add(const v1::EndedRun& run, const v1::EndedDemand* demand) {
    next_ = 0;
    PutTexts(kRunTexts, run);
    status_ &= Next<arrow::BooleanBuilder>().Append(run.by_person());
    PutTimes(kRunTimes, run);
    if (demand == nullptr) {
      while (next_ < columns_.size()) status_ &= columns_[next_++]->AppendNull();
      return;
    }
    PutTexts(kDatasetTexts, demand->dataset());
    PutTexts(kDemandTexts, *demand);
    PutTimes(kDemandTimes, *demand);
    for (const CountColumn& column : kCounts) {
      auto& builder = Next<arrow::Int64Builder>();
      const bool absent = column.has != nullptr && !(demand->*column.has)();
      status_ &= absent ? builder.AppendNull() : builder.Append((demand->*column.get)());
    }
    PutList(demand->rewritten());
    PutList(demand->notices());
    PutProblems(*demand);
  }

  arrow::Result<std::shared_ptr<arrow::Table>> Finish() {
    ARROW_RETURN_NOT_OK(status_);
    arrow::ArrayVector arrays(columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i)
      ARROW_RETURN_NOT_OK(columns_[i]->Finish(&arrays[i]));
    return arrow::Table::Make(schema_, arrays);
  }

 private:
  template <typename Builder>
  Builder& Next() {
    return static_cast<Builder&>(*columns_[next_++]);
  }
  template <typename Columns, typename Message>
  void PutTexts(const Columns& columns, const Message& message) {
    for (const auto& column : columns) {
      auto& builder = Next<arrow::StringBuilder>();
      const std::string& text = (message.*column.get)();
      status_ &= text.empty() ? builder.AppendNull() : builder.Append(text);
    }
  }
  template <typename Columns, typename Message>
  void PutTimes(const Columns& columns, const Message& message) {
    for (const auto& column : columns) {
      auto& builder = Next<arrow::TimestampBuilder>();
      const Timestamp& at = (message.*column.get)();
      status_ &= (message.*column.has)()
                     ? builder.Append(at.seconds() * kMicros + at.nanos() / 1000)
                     : builder.AppendNull();
    }
  }
  void PutList(const Texts& texts) {
    auto& builder = Next<arrow::ListBuilder>();
    status_ &= builder.Append();
    for (const std::string& text : texts)
      status_ &= static_cast<arrow::StringBuilder&>(*builder.value_builder()).Append(text);
  }
  void PutProblems(const v1::EndedDemand& demand) {
    auto& builder = Next<arrow::ListBuilder>();
    status_ &= builder.Append();
    auto& row = static_cast<arrow::StructBuilder&>(*builder.value_builder());
    const auto text = [&](int at, const std::string& value) {
      status_ &= static_cast<arrow::StringBuilder&>(*row.field_builder(at)).Append(value);
    };
    const auto number = [&](int at, int32_t value) {
      status_ &= static_cast<arrow::Int32Builder&>(*row.field_builder(at)).Append(value);
    };
    for (const v1::EndedProblem& problem : demand.problems()) {
      status_ &= row.Append();
      text(0, problem.extent());
      number(1, problem.attempts());
      number(2, problem.code());
      text(3, problem.message());
    }
  }

  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> columns_;
  size_t next_ = 0;
  arrow::Status status_;
};

arrow::Result<std::string> Encode(absl::Span<const v1::EndedRun> runs) {
  RowWriter rows;
  for (const v1::EndedRun& run : runs) {
    for (const v1::EndedDemand& demand : run.datasets()) rows.Add(run, &demand);
    if (run.datasets().empty()) rows.Add(run, nullptr);
  }
  ARROW_ASSIGN_OR_RAISE(const auto table, rows.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto sink, arrow::io::BufferOutputStream::Create());
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
  ARROW_RETURN_NOT_OK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink,
                                                 std::max<int64_t>(table->num_rows(), 1),
                                                 properties));
  ARROW_ASSIGN_OR_RAISE(const auto buffer, sink->Finish());
  return buffer->ToString();
}

// One row of a table of one chunk. What is not there, or is of another type, is NULL.
class RowReader {
 public:
  RowReader(const arrow::Table& table, int64_t row) : table_(table), row_(row) {}

  template <typename Columns, typename Message>
  void TakeTexts(const Columns& columns, Message& message) const {
    for (const auto& column : columns) *(message.*column.set)() = Text(column.name);
  }
  template <typename Columns, typename Message>
  void TakeTimes(const Columns& columns, Message& message) const {
    for (const auto& column : columns) {
      const auto values = Column<arrow::TimestampArray>(column.name);
      if (values == nullptr) continue;
      // Towards the past, so that nanoseconds are never negative.
      const int64_t micros = values->Value(row_);
      const int64_t rest = (micros % kMicros + kMicros) % kMicros;
      (message.*column.set)()->set_seconds((micros - rest) / kMicros);
      (message.*column.set)()->set_nanos(static_cast<int32_t>(rest * 1000));
    }
  }
  std::string Text(const char* name) const {
    const auto values = Column<arrow::StringArray>(name);
    return values == nullptr ? "" : values->GetString(row_);
  }
  bool Flag(const char* name) const {
    const auto values = Column<arrow::BooleanArray>(name);
    return values != nullptr && values->Value(row_);
  }
  void TakeCounts(v1::EndedDemand& demand) const {
    for (const CountColumn& column : kCounts) {
      const auto values = Column<arrow::Int64Array>(column.name);
      if (values != nullptr) (demand.*column.set)(values->Value(row_));
    }
  }
  void TakeList(const char* name, Texts* texts) const {
    const auto lists = Column<arrow::ListArray>(name);
    if (lists == nullptr) return;
    const auto values = std::dynamic_pointer_cast<arrow::StringArray>(lists->value_slice(row_));
    for (int64_t i = 0; values != nullptr && i < values->length(); ++i)
      *texts->Add() = values->GetString(i);
  }
  void TakeProblems(v1::EndedDemand& demand) const {
    const auto lists = Column<arrow::ListArray>(kProblems);
    if (lists == nullptr) return;
    const auto rows = std::dynamic_pointer_cast<arrow::StructArray>(lists->value_slice(row_));
    if (rows == nullptr || rows->num_fields() != ProblemType()->num_fields()) return;
    const auto extents = std::dynamic_pointer_cast<arrow::StringArray>(rows->field(0));
    const auto attempts = std::dynamic_pointer_cast<arrow::Int32Array>(rows->field(1));
    const auto codes = std::dynamic_pointer_cast<arrow::Int32Array>(rows->field(2));
    const auto messages = std::dynamic_pointer_cast<arrow::StringArray>(rows->field(3));
    if (!extents || !attempts || !codes || !messages) return;
    for (int64_t i = 0; i < rows->length(); ++i) {
      v1::EndedProblem* problem = demand.add_problems();
      problem->set_extent(extents->GetString(i));
      problem->set_attempts(attempts->Value(i));
      problem->set_code(codes->Value(i));
      problem->set_message(messages->GetString(i));
    }
  }

 private:
  // Null: the row has no value there.
  template <typename Array>
  std::shared_ptr<Array> Column(const char* name) const {
    const auto column = table_.GetColumnByName(name);
    if (column == nullptr || column->num_chunks() != 1) return nullptr;
    auto values = std::dynamic_pointer_cast<Array>(column->chunk(0));
    return values == nullptr || values->IsNull(row_) ? nullptr : values;
  }

  const arrow::Table& table_;
  const int64_t row_;
};

std::vector<v1::EndedRun> Collect(const arrow::Table& table) {
  std::vector<v1::EndedRun> runs;
  for (int64_t i = 0; i < table.num_rows(); ++i) {
    const RowReader row(table, i);
    if (runs.empty() || runs.back().run_id() != row.Text("run_id")) {
      v1::EndedRun& run = runs.emplace_back();
      row.TakeTexts(kRunTexts, run);
      run.set_by_person(row.Flag(kByPerson));
      row.TakeTimes(kRunTimes, run);
      run.set_archived(true);
    }
    if (row.Text("server").empty()) continue;
    v1::EndedDemand& demand = *runs.back().add_datasets();
    row.TakeTexts(kDatasetTexts, *demand.mutable_dataset());
    row.TakeTexts(kDemandTexts, demand);
    row.TakeTimes(kDemandTimes, demand);
    row.TakeCounts(demand);
    row.TakeList(kRewritten, demand.mutable_rewritten());
    row.TakeList(kNotices, demand.mutable_notices());
    row.TakeProblems(demand);
  }
  return runs;
}

arrow::Result<std::vector<v1::EndedRun>> Decode(const std::string& bytes) {
  const auto input = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        parquet::arrow::OpenFile(input, arrow::default_memory_pool()));
  std::shared_ptr<arrow::Table> table;
  ARROW_ASSIGN_OR_RAISE(table, reader->ReadTable());
  if (table->GetColumnByName("run_id") == nullptr)
    return arrow::Status::Invalid("it has no column run_id");
  ARROW_ASSIGN_OR_RAISE(table, table->CombineChunks());
  return Collect(*table);
}

}  // namespace

absl::StatusOr<std::string> EncodeRuns(absl::Span<const v1::EndedRun> runs) {
  arrow::Result<std::string> bytes = Encode(runs);
  if (!bytes.ok())
    return absl::InternalError(absl::StrCat("writing ended runs: ", bytes.status().ToString()));
  return *std::move(bytes);
}

absl::StatusOr<std::vector<v1::EndedRun>> DecodeRuns(const std::string& bytes) {
  try {  // Parquet throws on some damaged files.
    arrow::Result<std::vector<v1::EndedRun>> runs = Decode(bytes);
    if (!runs.ok())
      return absl::DataLossError(absl::StrCat("reading ended runs: ", runs.status().ToString()));
    return *std::move(runs);
  } catch (const std::exception& error) {
    return absl::DataLossError(absl::StrCat("reading ended runs: ", error.what()));
  }
}

}  // namespace headwater
