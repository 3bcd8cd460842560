#include "coordinator/commit/delta/delta_snapshot.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "coordinator/commit/delta/delta_checkpoint.h"
#include "coordinator/commit/delta/delta_log.h"

namespace headwater {
namespace {

// The newest version that the folder's names give witness of; a checkpoint follows its version.
int64_t HeadOf(const DeltaListing& listing) {
  int64_t head = -1;
  if (!listing.versions.empty()) head = listing.versions.back();
  if (!listing.checkpoints.empty()) head = std::max(head, listing.checkpoints.back());
  return head;
}

// `snapshot`, brought up to date. DATA_LOSS if that ends before `head`: whoever committed from
// there would write a version into the gap, which readers of a newer checkpoint never see.
absl::StatusOr<DeltaSnapshot> ReplayTo(int64_t head, DeltaSnapshot snapshot,
                                       const ObjectStore& store) {
  RETURN_IF_ERROR(snapshot.Refresh(store, [](const DeltaVersion&) {}));
  if (snapshot.version() >= head) return snapshot;
  return absl::DataLossError(absl::StrCat(
      store.root(), ": version ", snapshot.version() + 1,
      " is missing from the table's log, which goes on to version ", head,
      ", and no checkpoint after it can be read; restore the folder _delta_log from a backup"));
}

}  // namespace

absl::StatusOr<DeltaSnapshot> DeltaSnapshot::Load(const ObjectStore& store) {
  ASSIGN_OR_RETURN(DeltaListing listing, ListLog(store));
  // The listing itself says which checkpoints there are: _last_checkpoint is a hint that we do not
  // need.
  for (auto it = listing.checkpoints.rbegin(); it != listing.checkpoints.rend(); ++it) {
    DeltaSnapshot snapshot;
    if (!snapshot.LoadFrom(store, *it).ok())
      continue;  // A damaged one: an older one, or the entries.
    return ReplayTo(HeadOf(listing), std::move(snapshot), store);
  }
  DeltaSnapshot snapshot;
  if (listing.versions.empty() && listing.checkpoints.empty()) return snapshot;
  if (!listing.versions.empty() && listing.versions.front() != 0) {
    return absl::DataLossError(absl::StrCat(
        store.root(), ": the table's log begins at version ", listing.versions.front(),
        " and no checkpoint can be read; restore the folder _delta_log from a backup"));
  }
  return ReplayTo(HeadOf(listing), std::move(snapshot), store);
}

absl::Status DeltaSnapshot::LoadFrom(const ObjectStore& store, int64_t checkpoint) {
  ASSIGN_OR_RETURN(const std::string bytes, store.Read(CheckpointKey(checkpoint)));
  ASSIGN_OR_RETURN(const DeltaVersion state, DecodeCheckpoint(bytes));
  version_ = checkpoint - 1;
  checkpoint_ = checkpoint;
  Apply(checkpoint, state);
  return absl::OkStatus();
}

absl::Status DeltaSnapshot::Refresh(const ObjectStore& store, const TakeVersion& taken) {
  while (true) {
    const absl::StatusOr<DeltaVersion> next = ReadVersion(store, version_ + 1);
    if (absl::IsNotFound(next.status())) return absl::OkStatus();
    RETURN_IF_ERROR(next.status());
    Apply(version_ + 1, *next);
    taken(*next);
  }
}

void DeltaSnapshot::Apply(int64_t version, const DeltaVersion& actions) {
  HW_CHECK(version == version_ + 1);
  version_ = version;
  if (actions.protocol.has_value()) protocol_ = actions.protocol;
  if (actions.metadata.has_value()) metadata_ = actions.metadata;
  for (const DeltaTxn& txn : actions.txns) txns_[txn.app_id] = txn.version;
  for (const DeltaRemove& remove : actions.removes) {
    files_.erase(remove.path);
    removed_.insert_or_assign(remove.path, remove);
  }
  for (const DeltaAdd& add : actions.adds) {
    removed_.erase(add.path);
    files_.insert_or_assign(add.path, add);
  }
}

int64_t DeltaSnapshot::LastSequence(const std::string& app_id) const {
  const auto it = txns_.find(app_id);
  return it == txns_.end() ? 0 : it->second;
}

void DeltaSnapshot::ForgetRemoved(absl::Time expired) {
  const int64_t expired_ms = absl::ToUnixMillis(expired);
  std::erase_if(removed_, [&](const auto& entry) {
    const int64_t deleted_ms = entry.second.deleted_ms;
    return deleted_ms > 0 && deleted_ms < expired_ms;
  });
}

DeltaVersion DeltaSnapshot::ToCheckpoint() const {
  DeltaVersion state;
  state.protocol = protocol_;
  state.metadata = metadata_;
  for (const auto& [app_id, version] : txns_) state.txns.push_back({app_id, version});
  for (const auto& [path, remove] : removed_) state.removes.push_back(remove);
  for (const auto& [path, add] : files_) state.adds.push_back(add);
  return state;
}

}  // namespace headwater
