#include "coordinator/takeovers.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "common/base/status.h"
#include "common/model/model_proto.h"
#include "coordinator/state/progress.h"

namespace headwater {
namespace {

// Attempts of the lost ledger may have had numbers that no table has seen, and their workers may
// still be alive: far more than are ever under way at once.
constexpr int64_t kHeadroom = 1'000'000;
constexpr char kAdopted[] = "repair --adopt";
constexpr char kHealed[] = "state heal";

using Specs = std::vector<const DatasetSpec*>;

// What is appended is applied, and the other way round.
class Writer {
 public:
  Writer(EventLog& log, ClusterState& state, const Clock& clock)
      : log_(log), state_(state), clock_(clock) {}

  void Add(v1::Event event) {
    *event.mutable_at() = ToTimestamp(clock_.Now());
    events_.push_back(std::move(event));
  }

  absl::Status Append() {
    std::vector<std::string> payloads;
    for (const v1::Event& event : events_) payloads.push_back(event.SerializeAsString());
    const int64_t first = state_.last_sequence() + 1;
    RETURN_IF_ERROR(log_.Append(first, payloads));
    for (size_t i = 0; i < events_.size(); ++i)
      state_.Apply(first + static_cast<int64_t>(i), events_[i]);
    events_.clear();
    return absl::OkStatus();
  }

 private:
  EventLog& log_;
  ClusterState& state_;
  const Clock& clock_;
  std::vector<v1::Event> events_;
};

bool LeavesAlone(const absl::Status& status) {
  return absl::IsAlreadyExists(status) || absl::IsUnimplemented(status);
}

absl::Status PlanOne(const Specs& specs, TakeoverFactory& factory, const TakeoverScope& scope,
                     TableTakeoverPlan& plan) {
  const TableLocation location{plan.table, plan.uri, scope.ledger_id};
  absl::StatusOr<std::unique_ptr<TableTakeover>> table = factory.Open(location);
  absl::StatusOr<TableSurvey> survey =
      table.ok() ? (*table)->Survey() : absl::StatusOr<TableSurvey>(table.status());
  if (LeavesAlone(survey.status())) {
    plan.refused = std::string(survey.status().message());
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(
      Annotate(survey.status(), absl::StrCat("table ", plan.table, ", folder ", plan.uri)));
  plan.survey = *std::move(survey);
  const bool ours = !scope.ledger_id.empty() && plan.survey.owner == scope.ledger_id;
  for (const DatasetSpec* spec : specs) {
    plan.servers.insert(spec->id.server);
    const bool adopt = scope.adopted.contains(spec->id);
    if (ours && !adopt) continue;
    PlannedTakeover planned = PlanTakeover(*spec, plan.survey, adopt);
    const bool changes = planned.report.adopted() || !planned.possible;
    if (!ours || changes) plan.datasets.emplace_back(spec->id, std::move(planned));
  }
  return absl::OkStatus();
}

// The events by which the ledger knows what has been taken, but for the table's own.
void AddProgress(const TableTakeoverPlan& plan, const std::string& why, Writer& writer) {
  for (const auto& [id, planned] : plan.datasets) {
    if (!planned.possible) continue;
    v1::Event event;
    v1::ProgressSet* set = event.mutable_progress_set();
    *set->mutable_dataset() = RefOf(id);
    *set->mutable_progress() = planned.progress;
    set->set_why(why);
    set->set_clear_failures(true);
    writer.Add(std::move(event));
  }
}

absl::Status TakeTable(const TableTakeoverPlan& plan, TakeoverFactory& factory,
                       const std::string& why, EventLog& log, ClusterState& state, Writer& writer) {
  if (!plan.refused.empty() || !plan.survey.exists) return absl::OkStatus();
  TakeoverRequest request;
  request.version = plan.survey.version;
  const TableState* known = state.FindTable(plan.table);
  request.sequence =
      std::max(plan.survey.last_sequence, known == nullptr ? 0 : known->last_sequence) + 1;
  for (const auto& [id, planned] : plan.datasets) {
    if (planned.adopts) request.adopted.insert(id.server);
    if (planned.adopts_by_key) request.adopted_by_key.insert(id.server);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<TableTakeover> table,
                   factory.Open({plan.table, plan.uri, log.ledger_id()}));
  ASSIGN_OR_RETURN(const int64_t version, table->Take(request));
  RETURN_IF_ERROR(Failpoint("takeover.after_table"));
  v1::Event event;
  event.mutable_table_taken()->set_table(plan.table);
  event.mutable_table_taken()->set_commit_sequence(request.sequence);
  event.mutable_table_taken()->set_version(version);
  writer.Add(std::move(event));
  AddProgress(plan, why, writer);
  return writer.Append();
}

void AddDefinitions(const std::vector<DatasetSpec>& datasets, const ClusterState& state,
                    Writer& writer) {
  for (const DatasetSpec& spec : datasets) {
    const std::string digest = DigestOf(spec);
    const DatasetState* known = state.FindDataset(spec.id);
    if (known != nullptr && known->digest == digest) continue;
    v1::Event event;
    *event.mutable_dataset_defined()->mutable_spec() = ToProto(spec);
    event.mutable_dataset_defined()->set_digest(digest);
    writer.Add(std::move(event));
  }
}

// Their workers are gone: the lock says so.
absl::Status AddReleases(const TableTakeoverPlan& plan, const ClusterState& state, Writer& writer) {
  const TableState* table = state.FindTable(plan.table);
  if (table != nullptr && table->intended.has_value()) {
    return absl::FailedPreconditionError(
        absl::StrCat("table ", plan.table,
                     ": a commit was begun there, and the ledger does not know how it ended; let "
                     "`headwater run` find out first, then try again"));
  }
  for (const auto& [id, planned] : plan.datasets) {
    const DatasetState* dataset = state.FindDataset(id);
    if (dataset == nullptr) continue;
    for (const auto& [fence, claim] : dataset->claims) {
      v1::Event event;
      event.mutable_released()->set_fence(fence);
      event.mutable_released()->set_reason(kAdopted);
      writer.Add(std::move(event));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<TableTakeoverPlan>> PlanTakeovers(
    const std::vector<DatasetSpec>& datasets, TakeoverFactory& factory,
    const TakeoverScope& scope) {
  std::set<std::string> selected;
  for (const DatasetId& id : scope.adopted) selected.insert(id.table);
  std::map<std::string, Specs> tables;
  for (const DatasetSpec& spec : datasets) {
    if (scope.ledger_id.empty() || selected.contains(spec.id.table))
      tables[spec.id.table].push_back(&spec);
  }
  std::vector<TableTakeoverPlan> plans;
  for (const auto& [table, specs] : tables) {
    TableTakeoverPlan plan;
    plan.table = table;
    plan.uri = specs.front()->target_uri;
    RETURN_IF_ERROR(PlanOne(specs, factory, scope, plan));
    const bool nothing = plan.datasets.empty() && plan.refused.empty();
    if (!nothing) plans.push_back(std::move(plan));
  }
  return plans;
}

v1::TakeoverReport ReportOf(const std::vector<TableTakeoverPlan>& plans) {
  v1::TakeoverReport report;
  for (const TableTakeoverPlan& plan : plans) {
    v1::TakenTable* table = report.add_tables();
    table->set_table(plan.table);
    table->set_folder(plan.uri);
    table->set_owner(plan.survey.owner);
    table->set_version(plan.survey.version);
    table->set_refused(plan.refused);
    for (const auto& [id, planned] : plan.datasets) *table->add_datasets() = planned.report;
    for (const auto& [server, found] : plan.survey.servers) {
      const bool nobodys = server.empty() && !found.foreign.empty();
      if (nobodys) {
        table->add_notes(absl::StrCat(
            found.foreign.size(), " files say neither a piece nor a server: ",
            found.foreign.front(), "; nothing more is published there until they are removed"));
      } else if (!plan.servers.contains(server)) {
        table->add_notes(absl::StrCat("server ", server, " is not configured: left as it is"));
      }
    }
  }
  return report;
}

absl::Status Heal(const std::vector<DatasetSpec>& datasets,
                  const std::vector<TableTakeoverPlan>& plans, TakeoverFactory& factory,
                  int64_t floor, EventLog& log, const Clock& clock) {
  ClusterState state;
  for (const TableTakeoverPlan& plan : plans)
    floor = std::max({floor, plan.survey.max_fence, plan.survey.last_sequence});
  floor += kHeadroom;
  RETURN_IF_ERROR(log.RaiseFloor(floor));
  state.RaiseFloor(floor);
  Writer writer(log, state, clock);
  AddDefinitions(datasets, state, writer);
  RETURN_IF_ERROR(writer.Append());
  for (const TableTakeoverPlan& plan : plans)
    RETURN_IF_ERROR(TakeTable(plan, factory, kHealed, log, state, writer));
  return absl::OkStatus();
}

absl::Status Adopt(const std::vector<DatasetSpec>& datasets,
                   const std::vector<TableTakeoverPlan>& plans, TakeoverFactory& factory,
                   EventLog& log, ClusterState& state, const Clock& clock) {
  int64_t floor = 0;
  for (const TableTakeoverPlan& plan : plans)
    floor = std::max({floor, plan.survey.max_fence, plan.survey.last_sequence});
  Writer writer(log, state, clock);
  for (const TableTakeoverPlan& plan : plans) RETURN_IF_ERROR(AddReleases(plan, state, writer));
  AddDefinitions(datasets, state, writer);
  RETURN_IF_ERROR(writer.Append());
  // Attempts to come are newer than all that the tables have seen.
  RETURN_IF_ERROR(log.RaiseFloor(floor));
  state.RaiseFloor(floor);
  for (const TableTakeoverPlan& plan : plans)
    RETURN_IF_ERROR(TakeTable(plan, factory, kAdopted, log, state, writer));
  return absl::OkStatus();
}

}  // namespace headwater
