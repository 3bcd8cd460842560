// Compactions in the simulated world: which files the table lists, what a worker makes of them, and
// that no reader sees a row more or less for it.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "coordinator/state/compaction.h"
#include "tests/sim/sim_world.h"

namespace headwater {
namespace {

std::string PathOf(int64_t fence, const Extent& extent) {
  if (!extent.range.has_value()) return absl::StrCat(fence, ":outside");
  return absl::StrCat(fence, ":", extent.range->from, ":", extent.range->to);
}

StagedFile FileOf(int64_t fence, const Extent& extent, size_t rows) {
  StagedFile file;
  file.path = PathOf(fence, extent);
  file.size_bytes = 1;
  file.rows = static_cast<int64_t>(rows);
  return file;
}

std::vector<uint64_t> Sorted(std::vector<uint64_t> contents) {
  std::sort(contents.begin(), contents.end());
  return contents;
}

}  // namespace

void SimWorld::PlayList(const ListFiles& list) {
  FilesListed listed;
  listed.table = list.table;
  if (Fault()) {
    listed.status = absl::UnavailableError("the table cannot be read");
  }
  for (const PublishedPiece& piece : list.pieces) {
    std::vector<StagedFile>& files = listed.files.emplace_back();
    for (const SimPiece& visible : table_[piece.dataset]) {
      if (!(visible.extent == piece.extent) || visible.fence != piece.fence) continue;
      if (Fault(0.2)) continue;  // Somebody has removed them.
      files.push_back(FileOf(piece.fence, piece.extent, visible.contents.size()));
    }
  }
  for (const DatasetId& id : list.keyed) {
    std::vector<StagedFile> files;
    for (const std::string& path : keyed_[id].live)
      files.push_back(StagedFileOf(path, keyed_files_.at(path)));
    listed.keyed.emplace_back(std::move(files));
  }
  InProcess(Millis(200), [this, listed] { Feed({listed}); });
}

Manifest SimWorld::Compact(const MicrobatchTask& task, int64_t fence) {
  std::vector<uint64_t> contents;
  for (const StagedFile& input : task.inputs) {
    for (const auto& [attempt, files] : staged_) {
      for (const auto& [extent, rows] : files) {
        if (extent.range.has_value() && PathOf(attempt, extent) == input.path)
          contents.insert(contents.end(), rows.begin(), rows.end());
      }
    }
  }
  if (Fault() && !contents.empty()) contents.pop_back();  // A broken disk.
  Manifest manifest;
  manifest.spec_version = "spec";
  StagedPiece piece;
  piece.extent = task.extent;
  for (const uint64_t content : contents) piece.fingerprint.Add(HashOf(content));
  piece.files.push_back(FileOf(fence, task.extent, contents.size()));
  manifest.pieces.push_back(std::move(piece));
  staged_[fence] = {{task.extent, std::move(contents)}};
  return manifest;
}

// What a compaction's commit exchanges is what it was made of, row for row.
void SimWorld::CheckCompaction(const Replacement& replacement) {
  if (replacement.compacted.empty()) return;
  ++counts_.compactions;
  std::vector<uint64_t> before;
  for (const SimPiece& visible : table_[replacement.dataset]) {
    if (!Overlaps(visible.extent, replacement.extent)) continue;
    before.insert(before.end(), visible.contents.begin(), visible.contents.end());
    const bool expected = std::any_of(
        replacement.compacted.begin(), replacement.compacted.end(), [&](const PublishedPiece& p) {
          return p.extent == visible.extent && p.fence == visible.fence;
        });
    if (!expected && !visible.contents.empty()) Fail("a compaction replaces what it has not read");
  }
  if (Sorted(before) != Sorted(staged_.at(replacement.fence).front().second))
    Fail("a compaction changes rows");
}

// Once all is calm, no settled unit lies in several pieces.
void SimWorld::CheckCompacted() {
  for (const auto& [id, dataset] : core_->state().datasets()) {
    DatasetState copy = dataset;
    copy.compaction_from = std::numeric_limits<int64_t>::min();
    if (!TakeCompactable(copy).empty())
      Fail(absl::StrCat(ToString(id), ": settled pieces were not put together"));
  }
}

}  // namespace headwater
