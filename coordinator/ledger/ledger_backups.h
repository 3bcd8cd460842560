// Copies of a ledger's file, made while the ledger is written to, in a folder beside it:
//
//   .headwater/backups/ledger-20261122T114856Z.db     whole, at that time; the newest seven stay
//                      ledger-20261123T114857Z.db.making    one that is not finished
#ifndef HEADWATER_COORDINATOR_LEDGER_LEDGER_BACKUPS_H_
#define HEADWATER_COORDINATOR_LEDGER_LEDGER_BACKUPS_H_

#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"

namespace headwater {

inline constexpr int kKeptBackups = 7;
inline constexpr absl::Duration kBackUpEvery = absl::Hours(24);

// Copies the ledger at `path` by SQLite's online backup, which never makes its writer wait, syncs
// the copy, gives it its name, and removes all but the newest kKeptBackups and what earlier copies
// have left unfinished. The copy's path. Makes the folder with mode 0700.
// Requires: nobody else makes copies there. NOT_FOUND: there is no ledger. Others: the disk's; the
// copies that are there stay.
absl::StatusOr<std::string> BackUpLedger(const std::string& path, const std::string& folder,
                                         absl::Time now);

// The newest copy, and when it was made.
struct LedgerBackup {
  std::string path;
  absl::Time made;
};
std::optional<LedgerBackup> NewestBackup(const std::string& folder);

// Backs a ledger up when the newest copy is a day old, now and later, on a thread of its own.
// Failures are logged, and tried again in an hour. Thread-compatible.
class LedgerBackups {
 public:
  // `is_new`: there is nothing in the ledger yet; the first copy is due in a day.
  LedgerBackups(std::string path, std::string folder, bool is_new,
                const Clock* clock = &Clock::Real());
  ~LedgerBackups();  // Waits for a copy under way.

 private:
  void Loop();
  // Until the next look.
  absl::Duration BackUpIfDue() const;

  const std::string path_, folder_;
  const bool is_new_;
  const Clock* const clock_;
  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_LEDGER_LEDGER_BACKUPS_H_
