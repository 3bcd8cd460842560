// Verifications: published pieces are read again and compared.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/model_proto.h"
#include "coordinator/core_impl.h"
#include "coordinator/plan/verification_plan.h"

namespace headwater {
namespace {

constexpr int kVerificationRetries = 3;

}  // namespace

void Core::Impl::On(const VerifyRequested& input) {
  VerifyCall& verify = verifications[input.call];
  verify.started = now;
  verify.plan_id = input.plan_id;
  const VerificationOptions options{
      .counts_only = input.counts_only, .sample = input.sample, .seed = input.seed};
  for (const DatasetId& id : input.datasets) {
    const DatasetState* dataset = state->FindDataset(id);
    if (dataset == nullptr) continue;
    if (input.histories && dataset->spec.write != WriteMode::kVersions) continue;
    v1::VerifiedDataset& result = verify.results[id];
    *result.mutable_dataset() = RefOf(id);
    verify.unasked.insert(id.table);
    if (input.histories) {
      QueueHistories(*dataset, verify);
      continue;
    }
    const TableState* table = state->FindTable(id.table);
    VerificationPlan plan =
        PlanVerification(*dataset, table == nullptr ? TableState() : *table, options);
    result.set_pieces_left_out(plan.left_out);
    for (VerificationTask& task : plan.tasks) {
      if (dataset->spec.keyed() && !task.counts_only)
        task.table_schema = state->ColumnsOf(id.table);
      verify.queued.emplace_back(id, std::move(task));
    }
  }
}

bool Core::Impl::TakeVerificationBase(const DatasetState& dataset, VerificationTask& task) {
  if (task.counts_only) return true;
  // Rows that did not fit are in no file of the table: all of such pieces is read.
  const std::vector<PublishedPiece> pieces = PiecesWithRows(dataset, task.extent);
  if (!dataset.spec.keyed() &&
      std::any_of(pieces.begin(), pieces.end(),
                  [](const PublishedPiece& piece) { return piece.bad_rows > 0; })) {
    return true;
  }
  if (!HasBase(dataset, task.extent)) return false;
  task.base = TakeBase(dataset.spec.id);
  return true;
}

void Core::Impl::FailVerifications(const DatasetId& id, const absl::Status& status) {
  for (auto& [call, verify] : verifications) {
    const auto last = std::remove_if(verify.queued.begin(), verify.queued.end(),
                                     [&](const auto& queued) { return queued.first == id; });
    if (last == verify.queued.end()) continue;
    verify.queued.erase(last, verify.queued.end());
    v1::VerifiedDataset& result = verify.results[id];
    result.set_failed(true);
    v1::Problem* problem = result.add_problems();
    *problem->mutable_dataset() = RefOf(id);
    problem->set_message(std::string(status.message()));
  }
}

namespace {

void AddProblem(const DatasetState& dataset, const Extent& extent, std::string message,
                v1::VerifiedDataset& result) {
  v1::Problem* shown = result.add_problems();
  *shown->mutable_dataset() = RefOf(dataset.spec.id);
  shown->set_extent(Describe(dataset, extent));
  shown->set_message(std::move(message));
}

// Rows were looked up in the table.
void CompareByKey(const DatasetState& dataset, const Extent& extent, const Manifest& read,
                  v1::VerifiedDataset& result) {
  const KeyedChange& change = *read.keyed;
  result.set_pieces(result.pieces() + 1);
  result.set_rows(result.rows() + read.rows_read + read.rows_skipped);
  // Of ranges of a cursor that updates change, rows may have gone on to other ranges.
  const bool tells_deletes =
      dataset.spec.on_missing != MissingPolicy::kKeep && !dataset.spec.cursor_modified;
  const int64_t deleted = tells_deletes ? change.deleted_rows : 0;
  const int64_t differ = change.new_rows + change.changed_rows + deleted;
  if (differ == 0) return;
  result.set_different(result.different() + 1);
  AddProblem(dataset, extent,
             absl::StrCat(differ, " of ", read.rows_read + read.rows_skipped,
                          " rows: ", change.new_rows, " not in the table, ", change.changed_rows,
                          " with other content, ", deleted, " no more in the source"),
             result);
}

}  // namespace

void Core::Impl::ComparePiece(const DatasetState& dataset, const VerificationTask& task,
                              const StagedPiece& read, const Manifest& manifest,
                              v1::VerifiedDataset& result) const {
  const bool outside = !read.extent.range.has_value();
  const Piece* piece = outside ? nullptr : dataset.coverage.Known(*read.extent.range);
  if (outside ? !dataset.outside.has_value() : piece == nullptr) return;  // Replaced meanwhile.
  const Fingerprint& published = outside ? dataset.outside->fingerprint : piece->fingerprint;
  const std::string& spec_version = outside ? dataset.outside->spec_version : piece->spec_version;
  result.set_pieces(result.pieces() + 1);
  result.set_rows(result.rows() + read.fingerprint.rows);
  const std::optional<Fingerprint>& files = read.files_fingerprint;
  // Hashes of other columns, or by another algorithm, tell nothing of what was published; but files
  // and source were hashed alike.
  const bool same_spec = manifest.spec_version == spec_version;
  const Fingerprint& expected = same_spec || !files.has_value() ? published : *files;
  const bool as_committed =
      same_spec ? !files.has_value() || *files == published : expected.rows == published.rows;
  if (!as_committed) {
    result.set_different(result.different() + 1);
    AddProblem(dataset, read.extent,
               absl::StrCat("the table's files have ", read.files_fingerprint->rows,
                            " rows that are not the ", published.rows,
                            " that were committed: somebody has changed the files"),
               result);
    return;
  }
  const bool same_count = published.rows == read.fingerprint.rows;
  if (expected == read.fingerprint || (same_count && task.counts_only)) return;
  if (same_count && !Compares(dataset, spec_version, manifest)) {
    v1::Problem* shown = result.add_problems();
    *shown->mutable_dataset() = RefOf(dataset.spec.id);
    shown->set_extent(Describe(dataset, read.extent));
    shown->set_warning(absl::StrCat(
        "same count (", read.fingerprint.rows, " rows), content not compared: ",
        same_spec ? "it was written with columns that the source does not have any more"
                  : "with which columns, or by which algorithm, it was hashed is not known here"));
    return;
  }
  result.set_different(result.different() + 1);
  AddProblem(dataset, read.extent,
             same_count
                 ? absl::StrCat("same count (", read.fingerprint.rows, " rows), different content")
                 : absl::StrCat("the source has ", read.fingerprint.rows, " rows, the table ",
                                published.rows),
             result);
}

void AddDifferences(const Manifest& manifest, v1::VerifiedDataset& result) {
  result.set_rows_different(result.rows_different() + manifest.rows_different);
  for (const Difference& difference : manifest.differences) {
    if (result.differences_size() < static_cast<int>(kMaxDifferences))
      *result.add_differences() = ToProto(difference);
  }
}

void Core::Impl::OfferQueued(const SessionId& session_id, Session& session, VerifyCall& verify,
                             VerifyCall::Queue::iterator queued) {
  const DatasetState& dataset = *state->FindDataset(queued->first);
  const std::string task_id = NewTaskId("verification");
  verify.under_way.insert(task_id);
  TaskSpec task;
  task.kind = queued->second;
  verify.tasks.emplace(task_id, std::move(*queued));
  verify.queued.erase(queued);
  Offer(session_id, session, dataset, TaskKind::kVerification, {task_id, 0}, std::move(task),
        false);
}

void Core::Impl::TakeVerified(const std::string& task_id, const Manifest* manifest,
                              const Failure* failure) {
  for (auto& entry : verifications) {
    VerifyCall& verify = entry.second;
    const auto it = verify.tasks.find(task_id);
    if (it == verify.tasks.end()) continue;
    verify.under_way.erase(task_id);
    const std::pair<DatasetId, VerificationTask> asked = it->second;
    const DatasetId& id = asked.first;
    const VerificationTask& task = asked.second;
    verify.tasks.erase(it);
    v1::VerifiedDataset& result = verify.results[id];
    const DatasetState& dataset = *state->FindDataset(id);
    if (failure != nullptr) {
      if (failure->kind == FailureKind::kDrain || ++verify.failures <= kVerificationRetries) {
        verify.queued.emplace_back(id, task);
      } else {
        result.set_failed(true);
        AddProblem(dataset, task.extent, std::string(failure->status.message()), result);
      }
      return;
    }
    if (task.histories) return TakeHistories(dataset, *manifest, verify);
    result.set_rows_skipped(result.rows_skipped() + manifest->rows_skipped);
    result.set_rows_read(result.rows_read() + manifest->rows_read);
    result.set_bytes_read(result.bytes_read() + manifest->bytes_read);
    AddDifferences(*manifest, result);
    const auto compare = [&](const Extent& extent, const auto& how) {
      const int64_t before = result.different();
      how();
      if (result.different() == before) return;
      VerifyCall::Differing& differing = verify.differing[dataset.spec.id];
      if (extent.range.has_value()) differing.ranges.Add(*extent.range);
      differing.outside |= extent.outside;
    };
    if (manifest->keyed.has_value()) {
      compare(task.extent, [&] { CompareByKey(dataset, task.extent, *manifest, result); });
      return;
    }
    for (const StagedPiece& read : manifest->pieces)
      compare(read.extent, [&] { ComparePiece(dataset, task, read, *manifest, result); });
    return;
  }
}

void Core::Impl::FailVerifications(const std::string& server, const Failure& failure) {
  for (auto& [call, verify] : verifications) {
    for (auto it = verify.queued.begin(); it != verify.queued.end();) {
      if (it->first.server != server || it->second.histories) {
        ++it;
        continue;
      }
      v1::VerifiedDataset& result = verify.results[it->first];
      if (!result.failed()) {
        *result.add_problems()->mutable_dataset() = RefOf(it->first);
        result.mutable_problems()->rbegin()->set_message(std::string(failure.status.message()));
      }
      result.set_failed(true);
      it = verify.queued.erase(it);
    }
  }
}

std::string Core::Impl::PlanOfDifferences(const VerifyCall& verify) {
  if (verify.differing.empty() || verify.plan_id.empty()) return "";
  PlanCall plan;
  plan.request.plan_id = verify.plan_id;
  for (const auto& [id, differing] : verify.differing) {
    v1::Demand listed = ListedDemand(id, differing.ranges, differing.outside);
    listed.set_differing(!differing.histories);
    listed.set_histories(differing.histories);
    plan.listed.push_back(std::move(listed));
  }
  RecordPlan(plan);
  return verify.plan_id;
}

void Core::Impl::FinishVerifications() {
  for (auto it = verifications.begin(); it != verifications.end();) {
    VerifyCall& verify = it->second;
    if (!verify.queued.empty() || !verify.under_way.empty() || !verify.unasked.empty()) {
      ++it;
      continue;
    }
    AnswerVerify answer{it->first, {}};
    for (auto& [id, result] : verify.results) *answer.result.add_datasets() = std::move(result);
    answer.result.set_seconds(absl::ToDoubleSeconds(now - verify.started));
    answer.result.set_plan_id(PlanOfDifferences(verify));
    Send(std::move(answer));
    it = verifications.erase(it);
  }
}

}  // namespace headwater
