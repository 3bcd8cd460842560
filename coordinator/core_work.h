// What the core has under way, in memory only: sessions, probes, questions that people wait for,
// and each table's committer as far as it is known here. Private to Core; a restart loses all of
// it.
#ifndef HEADWATER_COORDINATOR_CORE_WORK_H_
#define HEADWATER_COORDINATOR_CORE_WORK_H_

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/data/range_set.h"
#include "coordinator/core.h"

namespace headwater {

struct Session {
  WorkerHello hello;
  int credit = 0;
  bool draining = false;
  std::set<std::string> known_specs;  // Digests of the dataset specs it has been sent.
};

// One dataset's wish for a probe: who waits, and the try under way.
struct ProbeWork {
  std::string task_id;  // Empty: none under way.
  int failures = 0;
  absl::Time not_before = absl::InfinitePast();
  absl::Status last_failure;
  std::vector<std::string>
      run_ids;  // That this try answers: those that waited when it was offered.
  std::set<CallId> plans;
  int64_t asked_after = 0;  // The last event before this try was offered.
};

struct PlanCall {
  PlanRequested request;
  std::set<DatasetId> waiting;
  std::map<DatasetId, v1::PlannedDataset> results;
  std::vector<v1::Demand> listed = {};  // What is to be done of it.
};

struct VerifyCall {
  using Queue = std::deque<std::pair<DatasetId, VerificationTask>>;
  Queue queued;
  std::set<std::string> under_way;  // Task ids.
  std::set<std::string> unasked;    // Tables that have not been looked at for it.
  std::map<std::string, std::pair<DatasetId, VerificationTask>> tasks;
  std::map<DatasetId, v1::VerifiedDataset> results;
  absl::Time started;
  int failures = 0;
  std::string plan_id;  // For what differs:
  struct Differing {
    RangeSet ranges;
    bool outside = false;
    bool histories = false;  // Just those.
  };
  std::map<DatasetId, Differing> differing;
};

// The tries to mend the histories of a dataset that some run wants mended.
struct Mending {
  int failures = 0;
  absl::Time not_before = absl::InfinitePast();
};

struct GarbageCall {
  std::deque<std::string> queued;  // Tables.
  int tables = 0;                  // All that were asked for.
  bool dry_run = false;
  absl::Time started;
  v1::CollectGarbageResponse answer;
};

// The table that is gone through for garbage next.
struct NextCollection {
  absl::Time at = absl::InfiniteFuture();    // When it is due.
  absl::Time last = absl::InfiniteFuture();  // When that was done last.
  std::string table;
};

// Settled pieces that become one, with their live files as the committer listed them. What is asked
// for has no files yet.
struct CompactionInput {
  DatasetId dataset;
  Range range;
  std::vector<PublishedPiece> pieces;  // Those with rows. A piece and its fence name its content.
  std::vector<StagedFile> files = {};
};

// Live files that a task is to be offered with, to be listed: those of these pieces, or of a keyed
// dataset, which has none, all.
struct BaseWanted {
  DatasetId dataset;
  std::vector<PublishedPiece> pieces;
};

// And as they were listed.
struct ListedBase {
  std::vector<PublishedPiece> pieces;
  std::optional<TableBase> base;  // None: they do not hold what was published.
};

// One table's committer, as far as it is known here.
struct TableWork {
  enum class Phase { kIdle, kChecking, kCommitting, kAbandoning, kListing };
  Phase phase = Phase::kIdle;
  std::vector<int64_t> fences;            // Being checked.
  std::vector<CompactionInput> listing;   // Whose files are being listed,
  std::vector<BaseWanted> listing_bases;  // and what tasks wait for.
  absl::Time retry_at = absl::InfinitePast();
  int failures = 0;
  std::string unfit;     // Why the intent under way cannot be committed: it is abandoned.
  absl::Status stopped;  // Not OK: nothing more is published here in this term.

  // The runs that wait for this table have been told that it cannot be written now.
  static constexpr int kFailuresToTell = 4;
  bool told() const { return !stopped.ok() || failures >= kFailuresToTell; }
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_CORE_WORK_H_
