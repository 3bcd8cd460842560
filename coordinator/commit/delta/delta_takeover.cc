#include "coordinator/commit/delta/delta_takeover.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/bad_row.h"
#include "common/storage/local_store.h"
#include "coordinator/commit/delta/delta_log.h"
#include "coordinator/commit/delta/delta_schema.h"
#include "coordinator/commit/delta/delta_snapshot.h"
#include "coordinator/commit/delta/delta_support.h"
#include "coordinator/commit/delta/piece_index.h"
#include "coordinator/commit/delta/table_claim.h"
#include "coordinator/commit/delta/table_folder.h"

namespace headwater {
namespace {

constexpr char kOurApps[] = "headwater/";  // Every ledger's, and that of the fences.
constexpr char kOperation[] = "SET TBLPROPERTIES";
constexpr char kIntent[] = "takeover";  // No intent has this hash: they are hex digits.

// One table as it is now; a quarantine is one of its own.
struct Folder {
  TableLocation location;
  std::unique_ptr<ObjectStore> store;
  DeltaSnapshot snapshot;
  PieceIndex index;

  absl::Status Load();
};

absl::Status Folder::Load() {
  ASSIGN_OR_RETURN(snapshot, DeltaSnapshot::Load(*store));
  if (!snapshot.exists()) {
    ASSIGN_OR_RETURN(const std::optional<std::string> foreign, FindForeignKey(*store));
    if (!foreign.has_value()) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat("the folder holds '", *foreign,
                                                 "' and no table of Headwater's; move it away, or "
                                                 "name another target_table"));
  }
  if (!snapshot.metadata().has_value() || !snapshot.protocol().has_value())
    return absl::DataLossError("the table's log has no metaData or no protocol");
  if (!snapshot.metadata()->configuration.contains(kOwnerProperty)) {
    return absl::AlreadyExistsError(
        "the folder holds a Delta table that Headwater did not make; move it away, or name another "
        "target_table");
  }
  RETURN_IF_ERROR(CheckWritable(*snapshot.protocol(), *snapshot.metadata()));
  index.Reset(snapshot);
  return absl::OkStatus();
}

// The files of one piece, as they come.
struct Gathered {
  SurveyedPiece piece;
  std::map<int64_t, int64_t> rows;  // In live files, by fence; -1: not known.
};

using PieceKey = std::tuple<bool, int64_t, int64_t>;  // Outside last.
PieceKey KeyOf(const Extent& extent) {
  if (!extent.range.has_value()) return {true, 0, 0};
  return {false, extent.range->from, extent.range->to};
}

void Gather(const DeltaAdd& add, const PieceTags& tags, int64_t rows, Gathered& into) {
  SurveyedPiece& piece = into.piece;
  const auto [known, first] = into.rows.emplace(tags.fence, rows);
  if (!first) known->second = known->second < 0 || rows < 0 ? -1 : known->second + rows;
  piece.one_attempt = into.rows.size() == 1;
  if (tags.fence < piece.fence) return;
  piece.extent = tags.extent;
  piece.fence = tags.fence;
  PieceFacts facts = FactsOf(add);
  piece.fingerprint = facts.fingerprint;
  piece.bad_rows = facts.bad_rows;
  piece.spec_version = std::move(facts.spec_version);
  piece.settled_to = facts.settled_to;
}

struct GatheredServer {
  SurveyedServer server;
  std::map<PieceKey, Gathered> pieces;
};

std::map<std::string, GatheredServer> GatherAll(const Folder& folder) {
  std::map<std::string, GatheredServer> servers;
  for (const auto& [path, add] : folder.snapshot.files()) {
    const std::string name = folder.index.ServerOf(add);
    GatheredServer& gathered = servers[name];
    const std::optional<PieceTags> tags = ParseTags(add);
    const int64_t rows = RowsOf(add);
    if (!tags.has_value()) {
      gathered.server.foreign.push_back(DecodePath(path));
    } else if (tags->keyed) {
      ++gathered.server.keyed_files;
    } else if (tags->adopted) {
      ++gathered.server.adopted_files;
    } else {
      Gather(add, *tags, rows, gathered.pieces[KeyOf(tags->extent)]);
    }
  }
  for (auto& [name, gathered] : servers) {
    gathered.server.keyed_rows = folder.index.KeyedRows(name);
    for (auto& [key, one] : gathered.pieces) one.piece.live_rows = one.rows.at(one.piece.fence);
  }
  return servers;
}

class DeltaTakeover final : public TableTakeover {
 public:
  DeltaTakeover(const TableLocation& location, const Clock* clock)
      : clock_(clock),
        table_{location, OpenLocalStore(location.uri), {}, {}},
        quarantine_{
            {QuarantineName(location.table), QuarantineName(location.uri), location.ledger_id},
            OpenLocalStore(QuarantineName(location.uri)),
            {},
            {}} {}

  absl::StatusOr<TableSurvey> Survey() override;
  absl::StatusOr<int64_t> Take(const TakeoverRequest& request) override;

 private:
  absl::StatusOr<int64_t> Take(Folder& folder, const TakeoverRequest& request) const;

  const Clock* const clock_;
  Folder table_, quarantine_;
};

void TakeNumbers(const Folder& folder, TableSurvey& survey) {
  for (const auto& [app_id, sequence] : folder.snapshot.txns()) {
    if (!absl::StartsWith(app_id, kOurApps)) continue;
    survey.last_sequence = std::max(survey.last_sequence, sequence);
    // Also the transaction of fences, which are of the same kind of number.
    survey.max_fence = std::max(survey.max_fence, sequence);
  }
  for (const auto& [path, add] : folder.snapshot.files()) {
    if (const std::optional<PieceTags> tags = ParseTags(add); tags.has_value())
      survey.max_fence = std::max(survey.max_fence, tags->fence);
  }
}

absl::StatusOr<TableSurvey> DeltaTakeover::Survey() {
  RETURN_IF_ERROR(table_.Load());
  TableSurvey survey;
  survey.exists = table_.snapshot.exists();
  survey.version = table_.snapshot.version();
  if (!survey.exists) return survey;
  RETURN_IF_ERROR(Annotate(quarantine_.Load(), QuarantineName(table_.location.table)));
  survey.owner = table_.snapshot.metadata()->configuration.at(kOwnerProperty);
  ASSIGN_OR_RETURN(survey.schema, SchemaFromJson(table_.snapshot.metadata()->schema_string));
  survey.own_sequence = table_.snapshot.LastSequence(AppIdOf(table_.location));
  TakeNumbers(table_, survey);
  TakeNumbers(quarantine_, survey);
  std::map<std::string, GatheredServer> bad = GatherAll(quarantine_);
  for (auto& [name, gathered] : GatherAll(table_)) {
    SurveyedServer server = std::move(gathered.server);
    const auto beside = bad.find(name);
    for (auto& [key, one] : gathered.pieces) {
      SurveyedPiece piece = std::move(one.piece);
      if (beside != bad.end() && beside->second.pieces.contains(key)) {
        const std::map<int64_t, int64_t>& rows = beside->second.pieces.at(key).rows;
        if (const auto it = rows.find(piece.fence); it != rows.end())
          piece.live_bad_rows = std::max<int64_t>(0, it->second);
      }
      server.pieces.push_back(std::move(piece));
    }
    if (beside != bad.end()) {
      for (const std::string& path : beside->second.server.foreign)
        server.foreign.push_back(absl::StrCat(quarantine_.location.table, "/", path));
      server.adopted_files += beside->second.server.adopted_files;
    }
    survey.servers.emplace(name, std::move(server));
  }
  return survey;
}

absl::StatusOr<int64_t> DeltaTakeover::Take(Folder& folder, const TakeoverRequest& request) const {
  const int64_t now_ms = absl::ToUnixMillis(clock_->Now());
  const std::string app_id = AppIdOf(folder.location);
  DeltaVersion actions;
  actions.commit_info =
      DeltaCommitInfo{now_ms, kOperation, app_id, request.sequence, kIntent, false};
  actions.txns.push_back({app_id, request.sequence});
  actions.metadata = folder.snapshot.metadata();
  actions.metadata->configuration[kOwnerProperty] = folder.location.ledger_id;
  for (const auto& [path, add] : folder.snapshot.files()) {
    const std::string server = folder.index.ServerOf(add);
    const std::optional<PieceTags> tags = ParseTags(add);
    const bool by_key = request.adopted_by_key.contains(server) && !tags.has_value();
    const bool adopted = request.adopted.contains(server) && !(tags.has_value() && tags->adopted);
    if (!by_key && !adopted) continue;
    DeltaAdd again = add;
    again.tags = ForeignTags(server, by_key);
    again.data_change = false;
    actions.adds.push_back(std::move(again));
  }
  const int64_t version = folder.snapshot.version() + 1;
  absl::Status put = PutVersion(*folder.store, version, actions);
  if (absl::IsAlreadyExists(put)) {
    put = absl::AbortedError(absl::StrCat("table ", folder.location.table,
                                          ": another writer made version ", version,
                                          " meanwhile; try again"));
  }
  RETURN_IF_ERROR(put);
  return version;
}

absl::StatusOr<int64_t> DeltaTakeover::Take(const TakeoverRequest& request) {
  RETURN_IF_ERROR(table_.Load());
  if (table_.snapshot.version() != request.version) {
    return absl::AbortedError(absl::StrCat("table ", table_.location.table, ": version ",
                                           table_.snapshot.version(), " was made since version ",
                                           request.version, " was read; try again"));
  }
  RETURN_IF_ERROR(quarantine_.Load());
  // The table last: whoever owns it owns both.
  if (quarantine_.snapshot.exists()) RETURN_IF_ERROR(Take(quarantine_, request).status());
  return Take(table_, request);
}

}  // namespace

absl::StatusOr<std::unique_ptr<TableTakeover>> DeltaTakeoverFactory::Open(
    const TableLocation& location) {
  if (absl::StrContains(location.uri, "://") && !absl::StartsWith(location.uri, "file://")) {
    return absl::UnimplementedError(absl::StrCat("table ", location.table, ": ", location.uri,
                                                 ": only local folders are in this version"));
  }
  return std::unique_ptr<TableTakeover>(std::make_unique<DeltaTakeover>(location, clock_));
}

}  // namespace headwater
