#include "bench/scale_cluster.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/check.h"
#include "common/model/model_proto.h"

namespace headwater {
namespace {

const char* const kZones[] = {"America/New_York", "Europe/Oslo", "Asia/Tokyo", "UTC"};
constexpr int kColumns = 10;

Schema ColumnsOfSource() {
  Schema schema;
  schema.columns.push_back({"timemsc", {.kind = TypeKind::kTimestampNtz}});
  for (int i = 1; i < kColumns; ++i)
    schema.columns.push_back({absl::StrCat("column_", i), {.kind = TypeKind::kLong}});
  return schema;
}

v1::Event Granted(const DatasetSpec& spec, const PlannedClaim& claim) {
  v1::Event event;
  *event.mutable_granted()->mutable_dataset() = RefOf(spec.id);
  *event.mutable_granted()->mutable_extent() = ToProto(claim.extent);
  for (int64_t cut : claim.cuts) event.mutable_granted()->add_cuts(cut);
  event.mutable_granted()->set_task_id("microbatch-1-1");
  return event;
}

}  // namespace

absl::Time ScaleNow() { return absl::FromUnixSeconds(1'780'000'000); }

DatasetSpec ScaleDataset(const std::string& table, int server, int max_connections) {
  DatasetSpec spec;
  spec.id = {.table = table, .server = absl::StrFormat("server%04d", server)};
  spec.server.name = spec.id.server;
  spec.server.url = "postgresql://nowhere/" + table;
  spec.server.timezone = kZones[server % std::size(kZones)];
  spec.server.max_connections = max_connections;
  spec.relation = "public." + table;
  spec.strategy = Strategy::kIncremental;
  spec.cursor = "timemsc";
  spec.cursor_timezone = spec.server.timezone;
  spec.unit = {.kind = Unit::Kind::kDay, .count = 1};
  spec.target_uri = "/nowhere/" + table;
  return spec;
}

std::vector<DatasetSpec> ScaleDatasets(int servers, int max_connections) {
  std::vector<DatasetSpec> datasets;
  for (int i = 0; i < servers; ++i) datasets.push_back(ScaleDataset("deals", i, max_connections));
  return datasets;
}

ProbeResult ScaleProbe(const DatasetSpec& spec, int days, absl::Time now) {
  ProbeResult probe;
  probe.cursor_type = CursorType::kWallClock;
  probe.schema = ColumnsOfSource();
  probe.source_clock = now;
  probe.transactions_known = true;
  absl::StatusOr<CursorCalendar> calendar = CalendarOf(spec, probe.cursor_type);
  HW_CHECK(calendar.ok());
  const int64_t today = calendar->UnitStart(calendar->FromInstant(now), spec.unit);
  probe.bound = today;
  probe.minimum = today - (days - 1) * absl::ToInt64Microseconds(absl::Hours(24));
  probe.estimated_rows = int64_t{1'000} * days;
  return probe;
}

Manifest ScaleManifest(const MicrobatchTask& task) {
  Manifest manifest;
  manifest.spec_version = "0123456789abcdef";
  manifest.schema = ColumnsOfSource();
  for (const Extent& extent : PiecesOf(task.extent, task.cuts)) {
    StagedPiece piece;
    piece.extent = extent;
    const uint64_t from = extent.range.has_value() ? static_cast<uint64_t>(extent.range->from) : 0;
    piece.fingerprint = {1, {from * 0x9e3779b97f4a7c15, from}};
    if (extent.range.has_value()) piece.max_cursor = extent.range->from;
    manifest.pieces.push_back(std::move(piece));
  }
  manifest.rows_read = static_cast<int64_t>(manifest.pieces.size());
  return manifest;
}

ScaleState::ScaleState(const std::vector<DatasetSpec>& datasets, int days)
    : state_(std::make_unique<ClusterState>()) {
  v1::Event run;
  run.mutable_run_started()->set_run_id("r-0");
  run.mutable_run_started()->set_kind(v1::RUN_KIND_INCREMENTAL);
  for (const DatasetSpec& spec : datasets) {
    v1::Event defined;
    *defined.mutable_dataset_defined()->mutable_spec() = ToProto(spec);
    defined.mutable_dataset_defined()->set_digest(DigestOf(spec));
    Apply(std::move(defined));
    *run.mutable_run_started()->add_demands()->mutable_dataset() = RefOf(spec.id);
  }
  Apply(std::move(run));
  for (const DatasetSpec& spec : datasets) {
    v1::Event probed;
    *probed.mutable_probed()->mutable_dataset() = RefOf(spec.id);
    *probed.mutable_probed()->mutable_result() = ToProto(ScaleProbe(spec, days, ScaleNow()));
    probed.mutable_probed()->add_run_ids("r-0");
    Apply(std::move(probed));
    const DatasetState& dataset = *state_->FindDataset(spec.id);
    int64_t at = dataset.domain->from;
    for (int day = 0; day < days; ++day) {
      const int64_t end = std::min(dataset.calendar->UnitEnd(at, spec.unit), dataset.domain->to);
      if (day % 2 == 1) Load(spec, {{Range{at, end}, false}, {}}, nullptr);
      at = end;
    }
  }
}

int64_t ScaleState::Apply(v1::Event event) {
  *event.mutable_at() = ToTimestamp(ScaleNow());
  state_->Apply(state_->last_sequence() + 1, event);
  return state_->last_sequence();
}

void ScaleState::Load(const DatasetSpec& spec, const PlannedClaim& claim,
                      std::vector<std::string>* payloads) {
  const auto apply = [&](v1::Event event) {
    *event.mutable_at() = ToTimestamp(ScaleNow());
    if (payloads != nullptr) payloads->push_back(event.SerializeAsString());
    return Apply(std::move(event));
  };
  const DatasetState& dataset = *state_->FindDataset(spec.id);
  const int64_t fence = apply(Granted(spec, claim));
  v1::Event staged;
  staged.mutable_staged()->set_fence(fence);
  *staged.mutable_staged()->mutable_manifest() =
      ToProto(ScaleManifest(MicrobatchOf(dataset, dataset.claims.at(fence))));
  apply(std::move(staged));
  v1::Event published;
  published.mutable_published()->set_table(spec.id.table);
  published.mutable_published()->set_commit_sequence(++version_);
  published.mutable_published()->set_version(version_);
  published.mutable_published()->add_fences(fence);
  apply(std::move(published));
}

void ScaleState::LoadMore(const DatasetSpec& spec, std::vector<std::string>& payloads) {
  const DatasetState& dataset = *state_->FindDataset(spec.id);
  const DemandState& demand = state_->FindRun("r-0")->demands.at(spec.id);
  const NextClaimResult next = NextClaim(dataset, demand, ScaleNow());
  HW_CHECK(next.claim.has_value());
  Load(spec, *next.claim, &payloads);
}

double PeakMegabytes() {
  rusage usage = {};
  HW_CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
}

double ResidentMegabytes() {
  int64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / 1e6;
}

double ThreadCpuSeconds() {
  timespec time = {};
  HW_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void PrintBar(const std::string& what, double value, const std::string& unit, double limit) {
  absl::PrintF("  %-58s %9.2f %s  at most %g: %s\n", what, value, unit, limit,
               value <= limit ? "met" : "MISSED");
}

int PositiveArgument(const char* text, const char* usage) {
  int value = 0;
  if (absl::SimpleAtoi(text, &value) && value > 0) return value;
  absl::FPrintF(stderr, "usage: %s\n", usage);
  std::exit(2);
}

}  // namespace headwater
