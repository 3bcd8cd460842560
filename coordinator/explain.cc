#include "coordinator/explain.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/data/range_set.h"

namespace headwater {
namespace {

constexpr size_t kMaxRanges = 20;  // A screenful.

const char* PhaseName(const Lease& lease) {
  if (!lease.accepted) return "offered";
  switch (lease.phase) {
    case LeasePhase::kWaiting:
      return "waiting";
    case LeasePhase::kConnecting:
      return "connecting";
    case LeasePhase::kReading:
      return "reading";
    case LeasePhase::kFinishing:
      return "finishing";
    case LeasePhase::kDelivering:
      return "delivering";
  }
  return "";
}

const char* KindName(TaskKind kind) {
  switch (kind) {
    case TaskKind::kProbe:
      return "probe";
    case TaskKind::kMicrobatch:
      return "microbatch";
    case TaskKind::kVerification:
      return "verification";
  }
  return "";
}

// Some ranges in one phrase.
std::string Phrase(const DatasetState& dataset, const std::vector<Range>& ranges) {
  if (ranges.empty()) return "";
  std::string text = Describe(dataset, Extent{ranges.front(), false});
  if (ranges.size() > 1) absl::StrAppend(&text, " and ", ranges.size() - 1, " more");
  return text;
}

class Explainer {
 public:
  Explainer(const ClusterState& state, const DatasetState& dataset, const ExplainSources& sources,
            absl::Time now, v1::ExplainResponse& response)
      : state_(state), dataset_(dataset), sources_(sources), now_(now), response_(response) {}

  void All() {
    const int before = response_.explanations_size();
    InFlight();
    Demands();
    Failed();
    Unwanted();
    if (response_.explanations_size() == before) Quiet();
  }

 private:
  v1::Explanation& Say(const char* state, const std::string& extent, const Reason& reason) {
    v1::Explanation& said = *response_.add_explanations();
    *said.mutable_dataset() = RefOf(dataset_.spec.id);
    said.set_state(state);
    said.set_extent(extent);
    said.set_code(reason.code);
    said.set_why(reason.why);
    if (reason.until > now_ && reason.until < absl::InfiniteFuture())
      *said.mutable_until() = ToTimestamp(reason.until);
    return said;
  }

  void InFlight() {
    if (sources_.leases != nullptr) {
      for (const auto& [ref, lease] : sources_.leases->leases()) {
        if (lease.dataset == dataset_.spec.id) Leased(lease);
      }
    }
    for (const auto& [fence, claim] : dataset_.claims) {
      const std::string extent = Describe(dataset_, claim.extent);
      taken_.push_back(claim.extent);
      if (claim.manifest.has_value()) {
        Say("in flight", extent, sources_.why_staged(dataset_.spec.id.table));
      } else if (sources_.leases == nullptr) {
        Say("in flight", extent,
            {"no_coordinator",
             "was being read when the coordinator ended; it is read again with "
             "the next run, or goes on when its worker comes back"});
      }
    }
  }

  void Leased(const Lease& lease) {
    const v1::TaskInFlight task =
        DescribeTask(dataset_, lease, sources_.worker(lease.session), now_);
    std::string why = absl::StrCat(task.kind(), " ", task.task_id(), ": ");
    if (task.worker().empty()) {
      absl::StrAppend(&why, "waits for its worker to come back after a restart");
    } else {
      absl::StrAppend(&why, task.phase(), " on worker ", task.worker(), " for ",
                      static_cast<int64_t>(task.seconds()), " s");
    }
    if (task.rows() > 0) {
      absl::StrAppend(&why, ", ", task.rows(), " rows, ",
                      static_cast<int64_t>(task.rows_per_second()), " rows/s");
    }
    Say("in flight", task.extent(), {task.worker().empty() ? "adopted" : "reads", why})
        .set_run_id(lease.run_id);
  }

  // What is wanted of `demand` and not under way.
  std::vector<Range> Rest(const DemandState& demand) {
    RangeSet rest;
    for (const SequenceMap::Entry& entry : demand.remaining.entries()) rest.Add(entry.range);
    wanted_outside_ |= demand.outside_remaining > 0;
    for (const Range& range : rest.ranges()) wanted_.Add(range);
    SubtractTold(rest);
    return rest.ranges();
  }

  // Takes out what is under way and what failed: they have lines of their own.
  void SubtractTold(RangeSet& rest) const {
    for (const Extent& extent : taken_) {
      if (extent.range.has_value()) rest.Subtract(*extent.range);
    }
    for (const Blocked& blocked : dataset_.blocked) {
      if (blocked.extent.range.has_value()) rest.Subtract(*blocked.extent.range);
    }
  }

  bool IsMended() const {
    return std::any_of(dataset_.claims.begin(), dataset_.claims.end(),
                       [](const auto& entry) { return entry.second.histories; });
  }

  void Demands() {
    for (const std::string& run_id : dataset_.live_runs) {
      const RunState& run = *state_.FindRun(run_id);
      const DemandState& demand = run.demands.at(dataset_.spec.id);
      if (demand.ended()) continue;
      if (demand.demand.histories()) {
        if (!IsMended())
          Say("waits", "histories", sources_.why_waits(dataset_, run, demand)).set_run_id(run_id);
        continue;
      }
      const std::vector<Range> rest = Rest(demand);
      const bool probing = demand.phase == DemandPhase::kWaitingForProbe;
      if (!probing && rest.empty() && demand.outside_remaining == 0) continue;  // All under way.
      Say("waits", probing ? "" : Phrase(dataset_, rest), sources_.why_waits(dataset_, run, demand))
          .set_run_id(run_id);
    }
  }

  void Failed() {
    for (const Blocked& blocked : dataset_.blocked) {
      const std::string times =
          blocked.attempts == 1 ? "1 attempt" : absl::StrCat(blocked.attempts, " attempts");
      const std::string words(blocked.failure.status.message());
      const std::string extent = Describe(dataset_, blocked.extent);
      if (blocked.quarantined) {
        Say("failed", extent,
            {"quarantined", absl::StrCat(times, ": ", words, "; `headwater run ",
                                         ToString(dataset_.spec.id), "` tries once more")});
      } else {
        Say("waits", extent,
            {"backoff", absl::StrCat("tried again after ", times, ": ", words),
             blocked.not_before});
      }
    }
  }

  // What is missing or stale and nobody wants now.
  void Unwanted() {
    if (!dataset_.probe.has_value()) {
      if (dataset_.live_runs.empty()) {
        Say("missing", "",
            {"not_asked",
             absl::StrCat("never loaded: `headwater run ", ToString(dataset_.spec.id), "` does")});
      }
      return;
    }
    const auto unasked = [&](const std::vector<Range>& ranges) {
      RangeSet rest;
      for (const Range& range : ranges) rest.Add(range);
      rest.Subtract(wanted_);
      SubtractTold(rest);
      return Phrase(dataset_, rest.ranges());
    };
    if (const std::string missing = unasked(MissingRanges(dataset_)); !missing.empty()) {
      Say("missing", missing,
          {"not_asked", absl::StrCat("not loaded, and no run wants it: `headwater run ",
                                     ToString(dataset_.spec.id), "` does")});
    }
    if (const std::string stale = unasked(StaleRanges(dataset_)); !stale.empty()) {
      Say("stale", stale,
          {"moved", absl::StrCat("its rows have changed on the source, or somebody asked for them "
                                 "again; the next `headwater run ",
                                 ToString(dataset_.spec.id), "` reads it")});
    }
    if (dataset_.outside_need > 0 && !wanted_outside_) {
      Say("stale", "rows outside",
          {"moved", "rows without a cursor, or far ahead, have changed; the next run reads them"});
    }
  }

  void Quiet() {
    if (!dataset_.domain.has_value()) {
      Say("fresh", "", {"loaded", "its source had no rows at the last probe"});
      return;
    }
    const CursorCalendar& calendar = *dataset_.calendar;
    if (calendar.type() == CursorType::kNone) {
      Say("fresh", "", {"loaded", "loaded as a whole"});
      return;
    }
    Say("fresh", calendar.Format(*dataset_.domain),
        {"loaded", absl::StrCat("loaded up to the bound ", calendar.Format(dataset_.domain->to - 1),
                                "; settled up to ", calendar.Format(dataset_.settled_to),
                                ": the next run checks what comes after")});
  }

  const ClusterState& state_;
  const DatasetState& dataset_;
  const ExplainSources& sources_;
  const absl::Time now_;
  v1::ExplainResponse& response_;
  std::vector<Extent> taken_;  // By claims.
  RangeSet wanted_;
  bool wanted_outside_ = false;
};

}  // namespace

ExplainSources WithoutCoordinator() {
  ExplainSources sources;
  sources.why_waits = [](const DatasetState&, const RunState&, const DemandState&) {
    return Reason{"no_coordinator",
                  "no coordinator is running: the next command that starts one goes on with it"};
  };
  sources.why_staged = [](const std::string&) {
    return Reason{"staged", "read and staged; published with the next run"};
  };
  sources.worker = [](const std::string&) { return std::string(); };
  return sources;
}

void Explain(const ClusterState& state, const DatasetState& dataset, const ExplainSources& sources,
             absl::Time now, v1::ExplainResponse& response) {
  Explainer(state, dataset, sources, now, response).All();
}

v1::TaskInFlight DescribeTask(const DatasetState& dataset, const Lease& lease,
                              const std::string& worker, absl::Time now) {
  v1::TaskInFlight task;
  task.set_task_id(lease.ref.task_id);
  task.set_fence(lease.ref.fence);
  task.set_kind(KindName(lease.kind));
  if (const auto claim = dataset.claims.find(lease.ref.fence); claim != dataset.claims.end())
    task.set_extent(Describe(dataset, claim->second.extent));
  task.set_worker(worker);
  task.set_phase(PhaseName(lease));
  task.set_rows(lease.rows);
  task.set_bytes(lease.bytes);
  task.set_rows_per_second(lease.rows_per_second);
  task.set_seconds(absl::ToDoubleSeconds(now - lease.since));
  task.set_run_id(lease.run_id);
  return task;
}

v1::RangeList DescribeRanges(const DatasetState& dataset, const std::vector<Range>& ranges) {
  v1::RangeList list;
  list.set_count(static_cast<int64_t>(ranges.size()));
  for (size_t i = 0; i < ranges.size() && i < kMaxRanges; ++i)
    list.add_first(Describe(dataset, Extent{ranges[i], false}));
  return list;
}

std::vector<Range> MissingRanges(const DatasetState& dataset) {
  if (!dataset.domain.has_value()) return {};
  return dataset.coverage.Missing(*dataset.domain);
}

std::vector<Range> StaleRanges(const DatasetState& dataset) {
  RangeSet stale;
  for (const SequenceMap::Entry& need : dataset.needs.entries()) stale.Add(need.range);
  for (const Range& missing : MissingRanges(dataset)) stale.Subtract(missing);
  return stale.ranges();
}

}  // namespace headwater
