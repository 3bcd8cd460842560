// What a worker finds when it does a task, all at one instant: that of its snapshot.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
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
  if (microbatch != nullptr) {
    outcome.result = asks_source ? DoMicrobatch(source, *microbatch, task.lease.fence)
                                 : Compact(*microbatch, task.lease.fence);
  } else if (const auto* verification = std::get_if<VerificationTask>(&task.kind)) {
    outcome.result = DoVerification(source, *verification);
  } else {
    outcome.result = DoProbe(source, std::get<ProbeTask>(task.kind));
  }
  return outcome;
}

ProbeResult SimWorld::DoProbe(const SimSource& source, const ProbeTask& task) {
  ProbeResult probe = source.Probe(task, now_);
  if (task.checksum && source.sums && !Fault())
    probe.checksum = source.ChecksumOf({Range{0, 1}, false}, INT64_MAX, now_);
  return probe;
}

SimWorld::Result SimWorld::DoMicrobatch(const SimSource& source, const MicrobatchTask& task,
                                        int64_t fence) {
  Manifest read = Read(source, task.extent, task.cuts, task.known, task.domain_end, fence);
  if (task.look_around && read.rows_read == 0 && !Fault())
    read.empty_around = source.EmptyAround(*task.extent.range, now_);
  const bool asked = task.checksums && source.sums && !Fault(0.5);
  if (asked) TakeChecksums(source, task, read);
  if (!source.spec.keyed()) return read;
  SimKeyedRead keyed{source, task.extent, task.domain_end, fence, now_};
  if (asked) {
    // As PieceChecks::Narrow() has it.
    keyed.extent = {};
    for (const StagedPiece& piece : read.pieces) {
      const bool spared =
          piece.unchanged && std::any_of(task.known.begin(), task.known.end(), [&](auto& known) {
            return known.extent == piece.extent && known.checksum.has_value();
          });
      if (spared) continue;
      if (!piece.extent.range.has_value()) {
        keyed.extent.outside = true;
      } else if (!keyed.extent.range.has_value()) {
        keyed.extent.range = piece.extent.range;
      } else {
        keyed.extent.range->to = piece.extent.range->to;
      }
    }
    if (read.rows_skipped > 0 && !keyed.extent.range.has_value() && !keyed.extent.outside) {
      read.keyed.emplace();
      return read;
    }
  }
  if (absl::Status looked = LookUp(keyed, *task.base, read); !looked.ok())
    return Failure{FailureKind::kTask, looked};
  return read;
}

// Pieces whose checksum is the one that was kept stay unread.
void SimWorld::TakeChecksums(const SimSource& source, const MicrobatchTask& task,
                             Manifest& manifest) {
  for (StagedPiece& piece : manifest.pieces) {
    piece.checksum = source.ChecksumOf(piece.extent, task.domain_end, now_);
    for (const KnownPiece& known : task.known) {
      if (!(known.extent == piece.extent) || known.checksum != piece.checksum) continue;
      if (!(known.fingerprint == piece.fingerprint)) Fail("a kept checksum is not of its rows");
      piece.unchanged = true;
      ++counts_.spared_reads;
      manifest.rows_read -= piece.fingerprint.rows;
      manifest.rows_skipped += piece.fingerprint.rows;
    }
  }
}

SimWorld::Result SimWorld::DoVerification(const SimSource& source, const VerificationTask& task) {
  Manifest read = Read(source, task.extent, task.cuts, {}, task.domain_end, 0);
  if (source.spec.keyed()) {
    const SimKeyedRead keyed{source, task.extent, task.domain_end, 0, now_};
    if (absl::Status looked = LookUp(keyed, *task.base, read); !looked.ok())
      return Failure{FailureKind::kTask, looked};
  }
  return Verification{std::move(read)};
}

absl::Status SimWorld::LookUp(const SimKeyedRead& read, const TableBase& base, Manifest& manifest) {
  std::vector<std::pair<std::string, const SimKeyedFile*>> files;
  SimKeyedAttempt attempt{read.now, {}};
  for (const StagedFile& file : base.files) {
    const auto found = keyed_files_.find(file.path);
    if (found == keyed_files_.end()) return absl::AbortedError("a file is gone: " + file.path);
    files.emplace_back(file.path, &found->second);
    attempt.base.push_back(file.path);
  }
  absl::StatusOr<SimKeyedStaged> staged = StageByKey(read, files);
  if (!staged.ok()) {
    Fail(absl::StrCat(ToString(read.source.spec.id), ": ", staged.status().message()));
    return staged.status();
  }
  manifest.keyed = std::move(staged->change);
  if (read.fence == 0) return absl::OkStatus();
  keyed_attempts_[read.fence] = std::move(attempt);
  for (auto& [path, file] : staged->files) keyed_files_[path] = std::move(file);
  return absl::OkStatus();
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
