#include "coordinator/commit/delta/table_claim.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"
#include "coordinator/commit/delta/delta_support.h"
#include "coordinator/commit/delta/table_folder.h"

namespace headwater {
namespace {

absl::Status Foreign(const TableLocation& location, absl::string_view what,
                     absl::string_view owner) {
  return absl::AlreadyExistsError(absl::StrCat(
      "table ", location.table, ", folder ", location.uri, ": ", what, ". Expected owner: ledger ",
      location.ledger_id, " (this one), or an empty folder; found: ", owner,
      ". Nothing is published there. Move the folder "
      "away, or name another target_table or target"));
}

absl::Status Behind(const TableLocation& location, const PublishedTable& published,
                    absl::string_view found) {
  return absl::DataLossError(absl::StrCat(
      "table ", location.table, ", folder ", location.uri,
      ": the table is behind its ledger: rows that were published are not there. Expected version ",
      published.version, " or a later one, with our transaction ", published.sequence,
      " or a later one; found: ", found,
      ". Nothing is published there. Restore the folder; or move it and the folder .headwater "
      "away, "
      "and load everything again"));
}

}  // namespace

std::string AppIdOf(const TableLocation& location) {
  return absl::StrCat("headwater/", location.ledger_id, "/", location.table);
}

absl::Status CheckClaim(const TableLocation& location, const PublishedTable& published,
                        const DeltaSnapshot& snapshot, const ObjectStore& store) {
  if (!snapshot.exists()) {
    ASSIGN_OR_RETURN(const std::optional<std::string> foreign, FindForeignKey(store));
    if (foreign.has_value()) {
      return Foreign(location, absl::StrCat("it holds '", *foreign, "' and no table of ours"),
                     "no ledger");
    }
    return published.version < 0 ? absl::OkStatus() : Behind(location, published, "no table");
  }
  if (!snapshot.metadata().has_value() || !snapshot.protocol().has_value()) {
    return absl::DataLossError(
        absl::StrCat(location.uri, ": the table's log has no metaData or no protocol"));
  }
  const auto& configuration = snapshot.metadata()->configuration;
  const auto owner = configuration.find(kOwnerProperty);
  if (owner == configuration.end()) {
    return Foreign(location, "the folder holds a Delta table that Headwater did not make",
                   "no ledger");
  }
  if (owner->second != location.ledger_id) {
    return Foreign(location,
                   "the table belongs to another ledger. Is .headwater lost, or an older copy: "
                   "headwater state heal. Is the table to change hands: headwater repair --adopt",
                   absl::StrCat("ledger ", owner->second));
  }
  const int64_t sequence = snapshot.LastSequence(AppIdOf(location));
  if (snapshot.version() < published.version || sequence < published.sequence) {
    return Behind(location, published,
                  absl::StrCat("version ", snapshot.version(), ", transaction ", sequence));
  }
  return Annotate(CheckWritable(*snapshot.protocol(), *snapshot.metadata()),
                  absl::StrCat("table ", location.table, ", folder ", location.uri));
}

}  // namespace headwater
