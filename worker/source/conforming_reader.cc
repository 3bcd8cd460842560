#include "worker/source/conforming_reader.h"

#include <utility>

#include "common/base/status.h"
#include "common/data/row_conformer.h"

namespace headwater {
namespace {

class ConformingReader final : public SourceReader {
 public:
  ConformingReader(std::unique_ptr<SourceReader> inner, Schema rows)
      : inner_(std::move(inner)), schema_(std::move(rows)), conformer_(inner_->schema(), schema_) {}

  const Schema& schema() const override { return schema_; }

  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override {
    if (!status_.ok()) return status_;
    absl::StatusOr<std::unique_ptr<RowBatch>> batch = inner_->Next();
    if (!batch.ok() || *batch == nullptr) return batch;
    absl::StatusOr<std::shared_ptr<arrow::RecordBatch>> rows =
        conformer_.Conform(*(*batch)->arrow());
    if (rows.ok()) return std::make_unique<RowBatch>(**batch, *std::move(rows));
    status_ = rows.status();
    return status_;
  }

  void Cancel() override { inner_->Cancel(); }

 private:
  const std::unique_ptr<SourceReader> inner_;
  const Schema schema_;
  const RowConformer conformer_;
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
