// The columns of tables and of their sources: what a probe and a look at the table say of them.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "coordinator/core_impl.h"

namespace headwater {

// What this probe's columns make of the table. An error stops the dataset.
absl::StatusOr<SchemaPlan> Core::Impl::PlanColumns(const DatasetState& dataset,
                                                   const ProbeResult& result) const {
  const DatasetSpec& spec = dataset.spec;
  // Ranges, needs and claims are in the cursor's own resolution.
  if (dataset.probe.has_value() && dataset.probe->cursor_type != result.cursor_type &&
      !(dataset.coverage.pieces().empty() && dataset.claims.empty())) {
    return absl::InvalidArgumentError(absl::StrCat(
        ToString(spec.id), ": cursor column ", spec.cursor,
        " is of another kind than what was loaded by it (an instant, a time without zone, a date, "
        "an integer). Mend the source, or load into another table (target_table)"));
  }
  absl::StatusOr<SchemaPlan> plan = PlanSchema(state->ColumnsOf(spec.id.table), result.schema,
                                               spec.on_schema_change, NeededColumns(spec));
  if (!plan.ok()) return Annotate(plan.status(), ToString(spec.id));
  if (plan->notices.size() > kMaxListed) {
    const size_t more = plan->notices.size() - kMaxListed;
    plan->notices.resize(kMaxListed);
    plan->notices.push_back(absl::StrCat("and ", more, " more columns"));
  }
  return plan;
}

// The notices of `plan` that the dataset's last probe did not give already: a run says once what
// has become of a column, a plan each time.
std::vector<std::string> Core::Impl::NewNotices(const DatasetState& dataset,
                                                const SchemaPlan& plan) const {
  if (!dataset.probe.has_value()) return plan.notices;
  const absl::StatusOr<SchemaPlan> before = PlanColumns(dataset, *dataset.probe);
  std::vector<std::string> notices;
  for (const std::string& notice : plan.notices) {
    const bool said = before.ok() && std::find(before->notices.begin(), before->notices.end(),
                                               notice) != before->notices.end();
    if (!said) notices.push_back(notice);
  }
  return notices;
}

void Core::Impl::TakeColumns(const std::string& table, const Schema& columns) {
  if (columns == state->ColumnsOf(table)) return;
  v1::Event event;
  event.mutable_table_columns()->set_table(table);
  *event.mutable_table_columns()->mutable_columns() = ToProto(columns);
  Emit(std::move(event));
}

// A look at the table has the last word, but not on columns that are on their way there.
void Core::Impl::TakeFoundColumns(const std::string& table, const std::optional<Schema>& found) {
  for (auto it = state->datasets().lower_bound({table, ""});
       it != state->datasets().end() && it->first.table == table; ++it) {
    if (!it->second.claims.empty()) return;
  }
  TakeColumns(table, found.value_or(Schema()));
}

// Whether rows read as `manifest` says show what pieces of that version hold: they are in the same
// columns, and the source still has each of them.
bool Core::Impl::Compares(const DatasetState& dataset, const std::string& spec_version,
                          const Manifest& manifest) const {
  if (manifest.spec_version != spec_version) return false;
  if (!dataset.probe.has_value()) return true;
  const Schema columns = SourceColumns(manifest.schema);
  return std::all_of(columns.columns.begin(), columns.columns.end(), [&](const Column& column) {
    return dataset.probe->schema.Find(column.name) >= 0;
  });
}

}  // namespace headwater
