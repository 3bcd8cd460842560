#include "tests/support/fake_source.h"

#include <arrow/array.h>
#include <arrow/array/builder_base.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/util/decimal.h>
#include <rapidjson/document.h>

#include <cstdio>
#include <cstdlib>

#include "common/data/arrow_schema.h"

namespace headwater {
namespace {

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "BatchOf: %s\n", why.c_str());
  std::abort();
}

std::string TextOf(const rapidjson::Value& value) {
  if (value.IsString()) return {value.GetString(), value.GetStringLength()};
  if (value.IsBool()) return value.GetBool() ? "true" : "false";
  if (value.IsInt64()) return std::to_string(value.GetInt64());
  if (value.IsNumber()) return std::to_string(value.GetDouble());
  Die("a value is neither text, number nor boolean");
}

std::shared_ptr<arrow::Scalar> ScalarOf(const std::shared_ptr<arrow::DataType>& type,
                                        const rapidjson::Value& value) {
  if (value.IsNull()) return arrow::MakeNullScalar(type);
  const std::string text = TextOf(value);
  if (type->id() == arrow::Type::DECIMAL128) {
    arrow::Decimal128 decimal;
    int32_t precision, scale;
    if (!arrow::Decimal128::FromString(text, &decimal, &precision, &scale).ok()) Die(text);
    auto scaled = decimal.Rescale(scale, static_cast<const arrow::Decimal128Type&>(*type).scale());
    if (!scaled.ok()) Die(text);
    return std::make_shared<arrow::Decimal128Scalar>(*scaled, type);
  }
  // Parsed as zoneless: Arrow insists on a zone in the text of a zoned timestamp.
  const bool timestamp = type->id() == arrow::Type::TIMESTAMP;
  auto scalar =
      arrow::Scalar::Parse(timestamp ? arrow::timestamp(arrow::TimeUnit::MICRO) : type, text);
  if (!scalar.ok()) Die(scalar.status().ToString());
  if (!timestamp) return *scalar;
  return std::make_shared<arrow::TimestampScalar>(
      static_cast<const arrow::TimestampScalar&>(**scalar).value, type);
}

}  // namespace

std::unique_ptr<RowBatch> BatchOf(const Schema& schema, const std::string& json_rows) {
  rapidjson::Document rows;
  rows.Parse(json_rows.c_str(), json_rows.size());
  if (rows.HasParseError() || !rows.IsArray()) Die("not a JSON array: " + json_rows);
  const auto arrow_schema = ToArrow(schema);
  arrow::ArrayVector columns;
  for (int i = 0; i < arrow_schema->num_fields(); ++i) {
    const auto& type = arrow_schema->field(i)->type();
    auto builder = arrow::MakeBuilder(type, ArrowPool());
    if (!builder.ok()) Die(builder.status().ToString());
    for (const rapidjson::Value& row : rows.GetArray()) {
      if (row.Size() != schema.columns.size()) Die("a row has another number of columns");
      const arrow::Status added = (*builder)->AppendScalar(*ScalarOf(type, row[i]));
      if (!added.ok()) Die(added.ToString());
    }
    columns.push_back(*(*builder)->Finish());
  }
  return std::make_unique<RowBatch>(
      arrow::RecordBatch::Make(arrow_schema, rows.Size(), std::move(columns)));
}

absl::StatusOr<std::unique_ptr<RowBatch>> FakeReader::Next() {
  absl::MutexLock lock(&mutex_);
  if (next_ == static_cast<int>(script_.batches.size()) && script_.blocks_at_end) {
    mutex_.Await(absl::Condition(&cancelled_));
  }
  if (cancelled_) return absl::CancelledError("cancelled");
  if (next_ < static_cast<int>(script_.batches.size())) {
    return BatchOf(script_.schema, script_.batches[next_++]);
  }
  if (!script_.end.ok()) return script_.end;
  return nullptr;
}

void FakeReader::Cancel() {
  script_.on_cancel();
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
}

int FakeReader::batches_read() const {
  absl::MutexLock lock(&mutex_);
  return next_;
}

void FakeReader::AwaitBatches(int count) const {
  absl::MutexLock lock(&mutex_);
  const auto reached = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return next_ >= count; };
  mutex_.Await(absl::Condition(&reached));
}

absl::StatusOr<ProbeResult> FakeSource::Probe(const DatasetSpec&, const ProbeTask& task,
                                              std::stop_token) {
  query_tags.push_back(task.query_tag);
  if (!open_status.ok()) return open_status;
  return probe;
}

absl::StatusOr<std::unique_ptr<SourceReader>> FakeSource::Read(const DatasetSpec&,
                                                               const Extent& extent,
                                                               const ReadOptions& options,
                                                               std::stop_token) {
  query_tags.push_back(options.query_tag);
  reads.push_back(extent);
  if (!open_status.ok()) return open_status;
  return std::make_unique<FakeReader>(script);
}

}  // namespace headwater
