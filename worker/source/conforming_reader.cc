#include "worker/source/conforming_reader.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/arrow_schema.h"

namespace headwater {
namespace {

class ConformingReader final : public SourceReader {
 public:
  ConformingReader(std::unique_ptr<SourceReader> inner, Schema rows)
      : inner_(std::move(inner)), schema_(std::move(rows)), arrow_schema_(ToArrow(schema_)) {
    for (const Column& column : schema_.columns)
      from_.push_back(inner_->schema().Find(column.name));
  }

  const Schema& schema() const override { return schema_; }

  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override {
    if (!status_.ok()) return status_;
    absl::StatusOr<std::unique_ptr<RowBatch>> batch = inner_->Next();
    if (!batch.ok() || *batch == nullptr) return batch;
    absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> rows = Conform(*(*batch)->arrow());
    if (rows.ok()) return std::make_unique<RowBatch>(**batch, *std::move(rows));
    status_ = rows.status();
    return status_;
  }

  void Cancel() override { inner_->Cancel(); }

 private:
  absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> Conform(const arrow::RecordBatch& rows) {
    arrow::ArrayVector columns;
    for (int i = 0; i < arrow_schema_->num_fields(); ++i) {
      ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> column, ColumnOf(rows, i));
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(arrow_schema_, rows.num_rows(), std::move(columns));
  }

  absl::StatusOr<std::shared_ptr<arrow::Array>> ColumnOf(const arrow::RecordBatch& rows, int i) {
    const std::shared_ptr<arrow::DataType>& type = arrow_schema_->field(i)->type();
    const std::string& name = schema_.columns[i].name;
    if (from_[i] < 0) {
      auto nulls = arrow::MakeArrayOfNull(type, rows.num_rows(), ArrowPool());
      RETURN_IF_ERROR(FromArrow(nulls.status(), absl::StrCat("making column '", name, "'")));
      return *std::move(nulls);
    }
    const std::shared_ptr<arrow::Array>& column = rows.column(from_[i]);
    if (column->type()->Equals(*type)) return column;
    arrow::compute::ExecContext context(ArrowPool());
    context.set_use_threads(false);
    auto cast = arrow::compute::Cast(*column, type, arrow::compute::CastOptions::Safe(), &context);
    RETURN_IF_ERROR(FromArrow(cast.status(), absl::StrCat("converting column '", name, "' to ",
                                                          TypeToString(schema_.columns[i].type))));
    return *std::move(cast);
  }

  const std::unique_ptr<SourceReader> inner_;
  const Schema schema_;
  const std::shared_ptr<arrow::Schema> arrow_schema_;
  std::vector<int> from_;  // By column: its index in the inner reader's batches; -1: it has none.
  absl::Status status_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SourceReader>> ConformToTable(std::unique_ptr<SourceReader> inner,
                                                             const Schema& table,
                                                             SchemaPolicy policy,
                                                             const DatasetSpec& dataset) {
  if (table.columns.empty()) return inner;
  ASSIGN_OR_RETURN(SchemaPlan plan,
                   PlanSchema(table, inner->schema(), policy, NeededColumns(dataset)));
  if (plan.rows == inner->schema()) return inner;
  return std::make_unique<ConformingReader>(std::move(inner), std::move(plan.rows));
}

}  // namespace headwater
