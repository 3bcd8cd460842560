// The files of keyed datasets in the simulated table: what its committer lists, refuses and
// exchanges, as coordinator/commit/delta does it, and what other writers do to them.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/sim/sim_world.h"

namespace headwater {

std::vector<const SimKeyedFile*> SimWorld::LiveFiles(const DatasetId& id) const {
  std::vector<const SimKeyedFile*> files;
  const auto table = keyed_.find(id);
  if (table == keyed_.end()) return files;
  for (const std::string& path : table->second.live) files.push_back(&keyed_files_.at(path));
  return files;
}

int64_t SimWorld::LiveRows(const DatasetId& id) const {
  int64_t rows = 0;
  for (const SimKeyedFile* file : LiveFiles(id)) rows += static_cast<int64_t>(file->rows.size());
  return rows;
}

// As CheckKeyed() of replacement_check.cc.
absl::Status SimWorld::CheckBase(const Replacement& replacement) {
  if (!replacement.manifest.keyed.has_value()) return absl::OkStatus();
  const KeyedChange& change = *replacement.manifest.keyed;
  const std::vector<std::string>& live = keyed_[replacement.dataset].live;
  int64_t rows = LiveRows(replacement.dataset);
  bool fits = true;
  for (const std::string& path : change.replaced) {
    const bool known = std::find(live.begin(), live.end(), path) != live.end();
    fits &= known;
    if (known) rows -= static_cast<int64_t>(keyed_files_.at(path).rows.size());
  }
  for (const StagedFile& file : change.files) {
    if (!keyed_files_.contains(file.path))
      Fail("files of a live attempt were removed: " + file.path);
    rows += file.rows;
  }
  if (fits && rows == change.table_rows) return absl::OkStatus();
  ++counts_.refused_bases;
  Trace(
      [&] { return absl::StrCat("fence ", replacement.fence, " was staged against other files"); });
  return absl::NotFoundError("it was staged against other files than the table has");
}

// Whether a version is made of it: one that removes and adds nothing is none.
bool SimWorld::ChangesTable(const Intent& intent) const {
  return std::any_of(intent.replacements.begin(), intent.replacements.end(),
                     [](const Replacement& one) {
                       return !one.manifest.keyed.has_value() || !one.manifest.keyed->empty();
                     });
}

void SimWorld::ExchangeFiles(const Replacement& replacement) {
  const DatasetId& id = replacement.dataset;
  const DatasetSpec& spec = sources_.at(id).spec;
  const KeyedChange& change = *replacement.manifest.keyed;
  const SimKeyedAttempt& attempt = keyed_attempts_.at(replacement.fence);
  SimKeyedTable& table = keyed_[id];
  ++counts_.keyed_commits;
  // I2: what it decided, it decided of what is there now.
  if (std::set<std::string>(attempt.base.begin(), attempt.base.end()) !=
      std::set<std::string>(table.live.begin(), table.live.end())) {
    return Fail(absl::StrCat(ToString(id), ": fence ", replacement.fence,
                             " is published over other files than it started from"));
  }
  if (attempt.read < table.read)
    return Fail(absl::StrCat(ToString(id), ": an older read is published after a newer one"));
  const SimKeys before = KeysOf(spec, LiveFiles(id));
  for (const std::string& path : change.replaced) std::erase(table.live, path);
  for (const StagedFile& file : change.files) {
    const auto staged = keyed_files_.find(file.path);
    if (staged == keyed_files_.end()) return Fail("files are named that were removed");  // I7
    table.live.push_back(file.path);
    CheckWritten(id, staged->second, attempt.read);
  }
  table.read = attempt.read;
  table.disturbed = false;
  CheckChange(replacement, before, KeysOf(spec, LiveFiles(id)));
}

void SimWorld::DisturbTable() {
  if (keyed_.empty()) return;
  auto it = keyed_.begin();
  std::advance(it, Pick(static_cast<int64_t>(keyed_.size())));
  Disturb(it->first);
}

// Somebody else removes files. Of a history all of them, as what is left of one might not be sound.
void SimWorld::Disturb(const DatasetId& id) {
  SimKeyedTable& table = keyed_[id];
  if (table.live.empty()) return;
  const DatasetSpec& spec = sources_.at(id).spec;
  const bool all = spec.write == WriteMode::kVersions && !spec.cursor.empty();
  const size_t one = static_cast<size_t>(Pick(static_cast<int64_t>(table.live.size())));
  Trace([&] {
    return absl::StrCat("files of ", ToString(id),
                        " are removed: ", all ? "all" : table.live[one].c_str());
  });
  if (all) {
    table.live.clear();
  } else {
    table.live.erase(table.live.begin() + static_cast<ptrdiff_t>(one));
  }
  table.disturbed = true;
  table.disturbed_at = now_;
  table.missed = false;
  ++visible_[id.table].version;
  ++counts_.disturbed;
}

// A table keeps removed files for as long as any attempt may have started from them.
void SimWorld::CollectFiles() {
  std::set<std::string> named;
  for (const auto& [id, table] : keyed_) named.insert(table.live.begin(), table.live.end());
  std::erase_if(keyed_files_, [&](const auto& entry) {
    const DatasetState* dataset = core_->state().FindDataset(entry.second.dataset);
    return !named.contains(entry.first) && (dataset == nullptr || dataset->claims.empty());
  });
}

// Nobody will name what this attempt has staged.
void SimWorld::DropFiles(int64_t fence) {
  std::erase_if(keyed_files_, [&](const auto& entry) { return entry.second.fence == fence; });
}

}  // namespace headwater
