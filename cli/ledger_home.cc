#include "cli/ledger_home.h"

#include <unistd.h>

#include <iostream>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "cli/ledger_file.h"
#include "cli/ledger_lock.h"
#include "cli/local_cluster.h"
#include "common/base/status.h"
#include "common/config/secret.h"
#include "coordinator/ledger/postgres_ledger.h"
#include "coordinator/ledger/sqlite_event_log.h"

namespace headwater {
namespace {

const std::string& UrlOf(const GlobalOptions& global, const Config& config) {
  return global.ledger.has_value() ? *global.ledger : config.ledger;
}

class FileHome final : public LedgerHome {
 public:
  explicit FileHome(std::string directory) : directory_(std::move(directory)) {}

  std::string name() const override { return LedgerPath(directory_); }
  std::string file() const override { return LedgerPath(directory_); }

  absl::StatusOr<bool> TryTake(const std::string&) override {
    if (lock_.has_value()) return true;
    ASSIGN_OR_RETURN(lock_, LedgerLock::TryAcquire(directory_));
    return lock_.has_value();
  }

  absl::StatusOr<std::string> WriterAddress() override {
    // Who can have the lock now proves that nobody else does; it is let go of at once.
    ASSIGN_OR_RETURN(const auto lock, LedgerLock::TryAcquire(directory_));
    return lock.has_value() ? "" : SocketAddress(directory_);
  }

  absl::StatusOr<std::unique_ptr<EventLog>> OpenLog() override {
    return OpenSqliteEventLog(LedgerPath(directory_));
  }
  absl::StatusOr<std::unique_ptr<EventLog>> OpenLogReadOnly() override {
    // Where nobody has it open, SQLite may have to recover the file first: not while a host comes.
    ASSIGN_OR_RETURN(const auto lock, LedgerLock::TryAcquire(directory_));
    return OpenSqliteEventLogReadOnly(LedgerPath(directory_));
  }
  absl::StatusOr<std::string> Replace(const std::string& made, absl::Time now) override {
    return ReplaceLedgerFile(LedgerPath(directory_), made, now);
  }
  absl::Status CopyFrom(EventLog&) override {
    return absl::UnimplementedError("a ledger is copied into a database only");
  }
  // The kernel keeps the lock.
  void Keep(std::function<void(const absl::Status&)>) override {}

 private:
  const std::string directory_;
  std::optional<LedgerLock> lock_;
};

class DatabaseHome final : public LedgerHome {
 public:
  DatabaseHome(const Secret& url, std::unique_ptr<LeaderLease> lease)
      : url_(url), lease_(std::move(lease)) {}

  std::string name() const override { return DisplayUrl(url_.Reveal()); }
  std::string file() const override { return ""; }

  absl::StatusOr<bool> TryTake(const std::string& address) override {
    return lease_->TryAcquire(address);
  }
  absl::StatusOr<std::string> WriterAddress() override {
    ASSIGN_OR_RETURN(Leader leader, lease_->Current());
    return std::move(leader.address);
  }
  absl::StatusOr<std::unique_ptr<EventLog>> OpenLog() override {
    return OpenPostgresEventLog(url_, lease_->term());
  }
  absl::StatusOr<std::unique_ptr<EventLog>> OpenLogReadOnly() override {
    return OpenPostgresEventLogReadOnly(url_);
  }
  absl::StatusOr<std::string> Replace(const std::string& made, absl::Time now) override {
    ASSIGN_OR_RETURN(const auto from, OpenSqliteEventLogReadOnly(made));
    const std::string kept =
        absl::FormatTime("before_heal_%Y%m%dt%H%M%Sz", now, absl::UTCTimeZone());
    ASSIGN_OR_RETURN(const bool moved, ReplacePostgresLedger(url_, lease_->term(), *from, kept));
    RETURN_IF_ERROR(RemoveLedgerFile(made));
    return moved ? absl::StrCat("in the tables headwater_*_", kept) : "";
  }
  absl::Status CopyFrom(EventLog& from) override {
    return ReplacePostgresLedger(url_, lease_->term(), from, "before_migration").status();
  }
  void Keep(std::function<void(const absl::Status&)> lost) override {
    lease_->Keep(std::move(lost));
  }

 private:
  const Secret url_;
  const std::unique_ptr<LeaderLease> lease_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LedgerHome>> LedgerHome::Open(const GlobalOptions& global,
                                                             const Config& config) {
  const std::string& url = UrlOf(global, config);
  if (url.empty()) return std::make_unique<FileHome>(config.directory);
  ASSIGN_OR_RETURN(const Secret resolved, ResolveReferences(url));
  auto lease = LeaderLease::Open(resolved, ProcessName());
  // To a command this is its configuration's fault, not a source's.
  if (absl::IsPermissionDenied(lease.status()) || absl::IsNotFound(lease.status()))
    return absl::FailedPreconditionError(lease.status().message());
  RETURN_IF_ERROR(lease.status());
  return std::make_unique<DatabaseHome>(resolved, *std::move(lease));
}

void EndForAnother(const absl::Status& why) {
  std::cerr
      << "headwater: this process has the ledger no longer: " << why.message()
      << "\nWorkers find the coordinator that leads next; started again, this one stands by.\n";
  _exit(kExitCoordinator);
}

}  // namespace headwater
