// What a worker finds when it does a task, all at one instant: that of its snapshot.
#include <algorithm>
#include <utility>

#include "coordinator/plan/planner.h"
#include "tests/sim/sim_world.h"

namespace headwater {

Outcome SimWorld::OutcomeOf(const TaskSpec& task) {
  const DatasetId& id = by_digest_.at(task.dataset_digest);
  const SimSource& source = sources_.at(id);
  Outcome outcome;
  outcome.lease = task.lease;
  const auto* microbatch = std::get_if<MicrobatchTask>(&task.kind);
  const bool asks_source = microbatch == nullptr || microbatch->inputs.empty();
  if (asks_source && now_ < servers_.at(id.server).down_until) {
    outcome.result = Failure{FailureKind::kSource, absl::UnavailableError("connection refused")};
    return outcome;
  }
  if (Fault(0.5)) {
    outcome.result = Failure{FailureKind::kSource,
                             Chance(0.8)   ? absl::UnavailableError("connection lost")
                             : Chance(0.5) ? absl::ResourceExhaustedError("too many connections")
                                           : absl::InvalidArgumentError("a value does not fit")};
    return outcome;
  }
  if (microbatch != nullptr && asks_source) {
    Manifest read = Read(source, microbatch->extent, microbatch->cuts, microbatch->known,
                         microbatch->domain_end, task.lease.fence);
    if (microbatch->look_around && read.rows_read == 0 && !Fault())
      read.empty_around = source.EmptyAround(*microbatch->extent.range, now_);
    outcome.result = std::move(read);
  } else if (microbatch != nullptr) {
    outcome.result = Compact(*microbatch, task.lease.fence);
  } else if (const auto* verification = std::get_if<VerificationTask>(&task.kind)) {
    outcome.result = Verification{
        Read(source, verification->extent, verification->cuts, {}, verification->domain_end, 0)};
  } else {
    outcome.result = source.Probe(std::get<ProbeTask>(task.kind), now_);
  }
  return outcome;
}

Manifest SimWorld::Read(const SimSource& source, const Extent& extent,
                        const std::vector<int64_t>& cuts, const std::vector<KnownPiece>& known,
                        int64_t domain_end, int64_t fence) {
  Manifest manifest;
  manifest.spec_version = "spec";
  manifest.schema = source.Columns();
  auto& files = staged_[fence];
  files.clear();
  for (const Extent& piece : PiecesOf(extent, cuts)) {
    StagedPiece staged;
    staged.extent = piece;
    std::vector<uint64_t> contents = source.Read(piece, domain_end, now_, &staged.max_cursor);
    for (const uint64_t content : contents) staged.fingerprint.Add(HashOf(content));
    manifest.rows_read += staged.fingerprint.rows;
    for (const KnownPiece& old : known)
      staged.unchanged |= old.extent == piece && old.fingerprint == staged.fingerprint;
    files.emplace_back(piece, std::move(contents));
    manifest.pieces.push_back(std::move(staged));
  }
  return manifest;
}

}  // namespace headwater
