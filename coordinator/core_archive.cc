// Ended runs leave the ledger for the archive: which, and when.
#include <algorithm>
#include <utility>

#include "coordinator/core_impl.h"
#include "coordinator/ended_run.h"

namespace headwater {
namespace {

constexpr absl::Duration kArchiveEvery = absl::Hours(24);  // A file each time: not too many.
constexpr absl::Duration kTryAgain = absl::Hours(1);       // After a disk that would not take it.

}  // namespace

absl::Duration Core::Impl::ArchiveEvery() const {
  return std::min(kArchiveEvery, options.keep_runs);
}

absl::Time Core::Impl::NextArchiving() const {
  return std::max({state->runs_archived() + ArchiveEvery(), archive_looked + ArchiveEvery(),
                   archive_from, archive_retry});
}

bool Core::Impl::ArchivingIsDue() const {
  if (options.keep_runs == absl::InfiniteDuration() || archives_end || archiving) return false;
  return now >= NextArchiving() ||
         (now >= archive_retry && HasTooManyRuns(*state, options.run_limits));
}

void Core::Impl::StartArchiving() {
  if (!ArchivingIsDue()) return;
  // A moment when nobody waits, unless there has been none for long.
  const bool too_many = HasTooManyRuns(*state, options.run_limits);
  if (!too_many && now < NextArchiving() + ArchiveEvery() && !Idle()) return;
  to_archive = FindOldRuns(*state, now - options.keep_runs, options.run_limits);
  if (to_archive.ids.empty()) {
    archive_looked = now;
    // What is too much and may not go, may go when other runs have come.
    if (too_many) archive_retry = now + kTryAgain;
    return;
  }
  ArchiveRuns effect;
  effect.runs.reserve(to_archive.ids.size());
  for (const std::string& id : to_archive.ids)
    effect.runs.push_back(EndedRunOf(*state->FindRun(id)));
  archiving = true;
  Send(std::move(effect));
}

void Core::Impl::On(const RunsWritten& input) {
  if (!archiving) return;
  archiving = false;
  const OldRuns written = std::exchange(to_archive, {});
  if (absl::IsCancelled(input.status)) {
    archives_end = true;
    return;
  }
  if (!input.status.ok()) {
    archive_retry = now + kTryAgain;
    return;
  }
  v1::Event event;
  v1::RunsArchived* archived = event.mutable_runs_archived();
  for (const std::string& id : written.ids) archived->add_run_ids(id);
  archived->set_more(written.more);
  Emit(std::move(event));
}

// When StartArchiving() would do what it does not do now.
absl::Time Core::Impl::NextArchivingWake() const {
  if (options.keep_runs == absl::InfiniteDuration() || archives_end || archiving)
    return absl::InfiniteFuture();
  const bool too_many = HasTooManyRuns(*state, options.run_limits);
  if (too_many && archive_retry > now) return archive_retry;
  const absl::Time next = NextArchiving();
  return next > now ? next : next + ArchiveEvery();
}

}  // namespace headwater
