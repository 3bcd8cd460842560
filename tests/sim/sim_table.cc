// The simulated table: commits that fail before or after they are done, and intents that no longer
// fit.
#include <algorithm>

#include "tests/sim/sim_world.h"

namespace headwater {

void SimWorld::PlayAbandon(const Intent& intent) {
  auto& last = last_commit_[intent.table];
  CommitFinished finished{intent.table, intent.sequence, absl::CancelledError("abandoned")};
  if (last.first >= intent.sequence) return Fail("a published intent was abandoned");
  if (!calm_ && Chance(options_.fault)) {
    finished.result = absl::UnavailableError("not written");
  } else {
    last = {intent.sequence, "abandoned"};
  }
  Later(absl::Milliseconds(Pick(300)), [this, finished] { Feed({finished}); });
}

void SimWorld::PlayCommit(const Intent& intent) {
  auto& last = last_commit_[intent.table];
  CommitFinished finished{intent.table, intent.sequence, CommitResult{}};
  const bool lost_before = !calm_ && Chance(options_.fault);
  const bool lost_after = !calm_ && Chance(options_.fault);
  const bool abandoned = last.first == intent.sequence && last.second == "abandoned";
  if (last.first == intent.sequence && last.second != intent.hash && !abandoned) {
    return Fail("another intent under one sequence");
  }
  if (last.first > intent.sequence) return Fail("an older sequence was committed again");
  const bool unfit = !calm_ && Chance(options_.fault / 3) && last.first != intent.sequence;
  if (abandoned) {
    finished.result = absl::CancelledError("abandoned before");
  } else if (unfit) {
    finished.result = absl::InvalidArgumentError("the table has changed");
  } else if (lost_before) {
    finished.result = absl::UnavailableError("not written");
  } else {
    if (last.first != intent.sequence) {
      last = {intent.sequence, intent.hash};
      for (const Replacement& replacement : intent.replacements) {
        std::vector<SimPiece>& pieces = table_[replacement.dataset];
        const auto& manifest = replacement.manifest.pieces;
        CheckCompaction(replacement);
        for (size_t i = 0; i < manifest.size(); ++i) {
          if (manifest[i].unchanged) continue;
          std::erase_if(pieces, [&](const SimPiece& old) {
            return Overlaps(old.extent, manifest[i].extent);
          });
          const auto& file = staged_.at(replacement.fence)[i];
          if (static_cast<int64_t>(file.second.size()) != manifest[i].fingerprint.rows) {
            Fail("a commit of files that a later attempt wrote over");  // I2
          }
          pieces.push_back({file.first, replacement.fence, file.second});
        }
      }
    }
    if (lost_after) finished.result = absl::UnknownError("no answer");
  }
  CheckTableAgainstCoverage();
  Later(absl::Milliseconds(Pick(300)), [this, finished] { Feed({finished}); });
}

}  // namespace headwater
