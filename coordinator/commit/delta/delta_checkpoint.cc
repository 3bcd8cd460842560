#include "coordinator/commit/delta/delta_checkpoint.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace headwater {
namespace {

using arrow::field;
using Fields = std::vector<std::shared_ptr<arrow::Field>>;

std::shared_ptr<arrow::DataType> TextMap() { return arrow::map(arrow::utf8(), arrow::utf8()); }

// Column order of the file, and of Row's members below.
std::shared_ptr<arrow::Schema> CheckpointSchema() {
  const auto txn =
      arrow::struct_({field("appId", arrow::utf8()), field("version", arrow::int64())});
  const auto add =
      arrow::struct_({field("path", arrow::utf8()), field("partitionValues", TextMap()),
                      field("size", arrow::int64()), field("modificationTime", arrow::int64()),
                      field("dataChange", arrow::boolean()), field("stats", arrow::utf8()),
                      field("tags", TextMap())});
  const auto remove = arrow::struct_(
      {field("path", arrow::utf8()), field("deletionTimestamp", arrow::int64()),
       field("dataChange", arrow::boolean()), field("extendedFileMetadata", arrow::boolean()),
       field("partitionValues", TextMap()), field("size", arrow::int64())});
  const auto format =
      arrow::struct_({field("provider", arrow::utf8()), field("options", TextMap())});
  const auto metadata = arrow::struct_(
      {field("id", arrow::utf8()), field("format", format), field("schemaString", arrow::utf8()),
       field("partitionColumns", arrow::list(arrow::utf8())), field("configuration", TextMap()),
       field("createdTime", arrow::int64()), field("name", arrow::utf8()),
       field("description", arrow::utf8())});
  const auto protocol = arrow::struct_({field("minReaderVersion", arrow::int32()),
                                        field("minWriterVersion", arrow::int32()),
                                        field("readerFeatures", arrow::list(arrow::utf8())),
                                        field("writerFeatures", arrow::list(arrow::utf8()))});
  return arrow::schema({field("txn", txn), field("add", add), field("remove", remove),
                        field("metaData", metadata), field("protocol", protocol)});
}
enum Column { kTxn, kAdd, kRemove, kMetadata, kProtocol, kColumns };

// Appends rows that have exactly one of the five columns. Arrow's builders fail only for want of
// memory.
class Rows {
 public:
  Rows() : schema_(CheckpointSchema()) {
    for (const auto& column : schema_->fields()) {
      std::unique_ptr<arrow::ArrayBuilder> builder;
      status_ &= arrow::MakeBuilder(arrow::default_memory_pool(), column->type(), &builder);
      columns_.push_back(std::move(builder));
    }
  }

  arrow::StructBuilder& Begin(Column which) {
    for (int i = 0; i < kColumns; ++i) {
      if (i != which) status_ &= columns_[i]->AppendNull();
    }
    auto& builder = static_cast<arrow::StructBuilder&>(*columns_[which]);
    status_ &= builder.Append();
    return builder;
  }
  void Text(arrow::StructBuilder& row, int at, const std::string& value,
            bool null_if_empty = false) {
    auto& builder = static_cast<arrow::StringBuilder&>(*row.field_builder(at));
    status_ &= null_if_empty && value.empty() ? builder.AppendNull() : builder.Append(value);
  }
  void Long(arrow::StructBuilder& row, int at, int64_t value) {
    status_ &= static_cast<arrow::Int64Builder&>(*row.field_builder(at)).Append(value);
  }
  void Int(arrow::StructBuilder& row, int at, int value) {
    status_ &= static_cast<arrow::Int32Builder&>(*row.field_builder(at)).Append(value);
  }
  void Flag(arrow::StructBuilder& row, int at, bool value) {
    status_ &= static_cast<arrow::BooleanBuilder&>(*row.field_builder(at)).Append(value);
  }
  void Texts(arrow::StructBuilder& row, int at, const std::vector<std::string>* values) {
    auto& builder = static_cast<arrow::ListBuilder&>(*row.field_builder(at));
    status_ &= values == nullptr ? builder.AppendNull() : builder.Append();
    if (values == nullptr) return;
    for (const std::string& value : *values)
      status_ &= static_cast<arrow::StringBuilder&>(*builder.value_builder()).Append(value);
  }
  template <typename Map>
  void Pairs(arrow::StructBuilder& row, int at, const Map& values) {
    auto& builder = static_cast<arrow::MapBuilder&>(*row.field_builder(at));
    status_ &= builder.Append();
    for (const auto& [key, value] : values) {
      status_ &= static_cast<arrow::StringBuilder&>(*builder.key_builder()).Append(key);
      auto& items = static_cast<arrow::StringBuilder&>(*builder.item_builder());
      const std::optional<std::string> text = value;
      status_ &= text.has_value() ? items.Append(*text) : items.AppendNull();
    }
  }

  arrow::Result<std::shared_ptr<arrow::Table>> Finish() {
    ARROW_RETURN_NOT_OK(status_);
    std::vector<std::shared_ptr<arrow::Array>> arrays(kColumns);
    for (int i = 0; i < kColumns; ++i) ARROW_RETURN_NOT_OK(columns_[i]->Finish(&arrays[i]));
    return arrow::Table::Make(schema_, arrays);
  }

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> columns_;
  arrow::Status status_;
};

void AppendProtocol(Rows& rows, const DeltaProtocol& protocol) {
  arrow::StructBuilder& row = rows.Begin(kProtocol);
  rows.Int(row, 0, protocol.min_reader);
  rows.Int(row, 1, protocol.min_writer);
  rows.Texts(row, 2, protocol.min_reader >= 3 ? &protocol.reader_features : nullptr);
  rows.Texts(row, 3, protocol.min_writer >= 7 ? &protocol.writer_features : nullptr);
}

void AppendMetadata(Rows& rows, const DeltaMetadata& metadata) {
  arrow::StructBuilder& row = rows.Begin(kMetadata);
  rows.Text(row, 0, metadata.id);
  auto& format = static_cast<arrow::StructBuilder&>(*row.field_builder(1));
  // The parent struct's Append() does not open its children that are structs.
  (void)format.Append();
  rows.Text(format, 0, "parquet");
  rows.Pairs(format, 1, std::map<std::string, std::string>());
  rows.Text(row, 2, metadata.schema_string);
  rows.Texts(row, 3, &metadata.partition_columns);
  rows.Pairs(row, 4, metadata.configuration);
  rows.Long(row, 5, metadata.created_ms);
  rows.Text(row, 6, metadata.name, /*null_if_empty=*/true);
  rows.Text(row, 7, metadata.description, /*null_if_empty=*/true);
}

arrow::Result<std::string> Encode(const DeltaVersion& state) {
  Rows rows;
  if (state.protocol.has_value()) AppendProtocol(rows, *state.protocol);
  if (state.metadata.has_value()) AppendMetadata(rows, *state.metadata);
  for (const DeltaTxn& txn : state.txns) {
    arrow::StructBuilder& row = rows.Begin(kTxn);
    rows.Text(row, 0, txn.app_id);
    rows.Long(row, 1, txn.version);
  }
  for (const DeltaRemove& remove : state.removes) {
    arrow::StructBuilder& row = rows.Begin(kRemove);
    rows.Text(row, 0, remove.path);
    rows.Long(row, 1, remove.deleted_ms);
    rows.Flag(row, 2, remove.data_change);
    rows.Flag(row, 3, true);
    rows.Pairs(row, 4, remove.partition_values);
    rows.Long(row, 5, remove.size_bytes);
  }
  for (const DeltaAdd& add : state.adds) {
    arrow::StructBuilder& row = rows.Begin(kAdd);
    rows.Text(row, 0, add.path);
    rows.Pairs(row, 1, add.partition_values);
    rows.Long(row, 2, add.size_bytes);
    rows.Long(row, 3, add.modified_ms);
    rows.Flag(row, 4, add.data_change);
    rows.Text(row, 5, add.stats, /*null_if_empty=*/true);
    rows.Pairs(row, 6, add.tags);
  }
  ARROW_ASSIGN_OR_RAISE(const auto table, rows.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto sink, arrow::io::BufferOutputStream::Create());
  ARROW_RETURN_NOT_OK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink));
  ARROW_ASSIGN_OR_RAISE(const auto buffer, sink->Finish());
  return buffer->ToString();
}

// Reads one struct column's children by name; a child that another writer left out reads as NULL.
class StructColumn {
 public:
  StructColumn(const arrow::Table& table, const char* name) {
    const auto column = table.GetColumnByName(name);
    if (column == nullptr || column->num_chunks() != 1) return;
    array_ = std::dynamic_pointer_cast<arrow::StructArray>(column->chunk(0));
  }
  explicit StructColumn(std::shared_ptr<arrow::StructArray> array) : array_(std::move(array)) {}

  bool Has(int64_t row) const { return array_ != nullptr && array_->IsValid(row); }

  std::string Text(const char* name, int64_t row) const {
    const auto child = Child<arrow::StringArray>(name);
    return child == nullptr || child->IsNull(row) ? "" : child->GetString(row);
  }
  int64_t Long(const char* name, int64_t row) const {
    if (const auto child = Child<arrow::Int32Array>(name); child != nullptr && child->IsValid(row))
      return child->Value(row);
    const auto child = Child<arrow::Int64Array>(name);
    return child == nullptr || child->IsNull(row) ? 0 : child->Value(row);
  }
  bool Flag(const char* name, int64_t row) const {
    const auto child = Child<arrow::BooleanArray>(name);
    return child == nullptr || child->IsNull(row) || child->Value(row);
  }
  std::vector<std::string> Texts(const char* name, int64_t row) const {
    std::vector<std::string> texts;
    const auto child = Child<arrow::ListArray>(name);
    if (child == nullptr || child->IsNull(row)) return texts;
    const auto values = std::dynamic_pointer_cast<arrow::StringArray>(child->value_slice(row));
    for (int64_t i = 0; values != nullptr && i < values->length(); ++i)
      texts.push_back(values->GetString(i));
    return texts;
  }
  PartitionValues Pairs(const char* name, int64_t row) const {
    PartitionValues pairs;
    const auto child = Child<arrow::MapArray>(name);
    if (child == nullptr || child->IsNull(row)) return pairs;
    const auto keys = std::dynamic_pointer_cast<arrow::StringArray>(child->keys());
    const auto items = std::dynamic_pointer_cast<arrow::StringArray>(child->items());
    if (keys == nullptr || items == nullptr) return pairs;
    for (int64_t i = child->value_offset(row); i < child->value_offset(row + 1); ++i) {
      auto& value = pairs[keys->GetString(i)];
      if (items->IsValid(i)) value = items->GetString(i);
    }
    return pairs;
  }
  std::map<std::string, std::string> Map(const char* name, int64_t row) const {
    std::map<std::string, std::string> map;
    for (auto& [key, value] : Pairs(name, row)) {
      if (value.has_value()) map.emplace(key, *value);
    }
    return map;
  }

 private:
  template <typename Array>
  std::shared_ptr<Array> Child(const char* name) const {
    return std::dynamic_pointer_cast<Array>(array_->GetFieldByName(name));
  }
  std::shared_ptr<arrow::StructArray> array_;
};

DeltaVersion Collect(const arrow::Table& table) {
  const StructColumn txn(table, "txn"), add(table, "add"), remove(table, "remove"),
      metadata(table, "metaData"), protocol(table, "protocol");
  DeltaVersion state;
  for (int64_t i = 0; i < table.num_rows(); ++i) {
    if (txn.Has(i)) state.txns.push_back({txn.Text("appId", i), txn.Long("version", i)});
    if (add.Has(i)) {
      state.adds.push_back({add.Text("path", i), add.Pairs("partitionValues", i),
                            add.Long("size", i), add.Long("modificationTime", i),
                            add.Flag("dataChange", i), add.Text("stats", i), add.Map("tags", i)});
    }
    if (remove.Has(i)) {
      state.removes.push_back({remove.Text("path", i), remove.Long("deletionTimestamp", i),
                               remove.Flag("dataChange", i), remove.Pairs("partitionValues", i),
                               remove.Long("size", i)});
    }
    if (metadata.Has(i)) {
      state.metadata = DeltaMetadata{metadata.Text("id", i),
                                     metadata.Text("schemaString", i),
                                     metadata.Texts("partitionColumns", i),
                                     metadata.Map("configuration", i),
                                     metadata.Long("createdTime", i),
                                     metadata.Text("name", i),
                                     metadata.Text("description", i)};
    }
    if (protocol.Has(i)) {
      state.protocol =
          DeltaProtocol{static_cast<int>(protocol.Long("minReaderVersion", i)),
                        static_cast<int>(protocol.Long("minWriterVersion", i)),
                        protocol.Texts("readerFeatures", i), protocol.Texts("writerFeatures", i)};
    }
  }
  return state;
}

arrow::Result<DeltaVersion> Decode(const std::string& bytes) {
  const auto input = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        parquet::arrow::OpenFile(input, arrow::default_memory_pool()));
  std::shared_ptr<arrow::Table> table;
  ARROW_ASSIGN_OR_RAISE(table, reader->ReadTable());
  ARROW_ASSIGN_OR_RAISE(table, table->CombineChunks());
  return Collect(*table);
}

}  // namespace

absl::StatusOr<std::string> EncodeCheckpoint(const DeltaVersion& state) {
  arrow::Result<std::string> bytes = Encode(state);
  if (!bytes.ok())
    return absl::InternalError(absl::StrCat("writing a checkpoint: ", bytes.status().ToString()));
  return *std::move(bytes);
}

absl::StatusOr<DeltaVersion> DecodeCheckpoint(const std::string& bytes) {
  try {  // Parquet throws on some damaged files.
    arrow::Result<DeltaVersion> state = Decode(bytes);
    if (!state.ok())
      return absl::DataLossError(absl::StrCat("reading a checkpoint: ", state.status().ToString()));
    if (!state->protocol.has_value() || !state->metadata.has_value()) {
      return absl::DataLossError("reading a checkpoint: it has no protocol or no metaData");
    }
    return *std::move(state);
  } catch (const std::exception& error) {
    return absl::DataLossError(absl::StrCat("reading a checkpoint: ", error.what()));
  }
}

}  // namespace headwater
