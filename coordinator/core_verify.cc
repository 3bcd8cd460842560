// Verifications: published pieces are read again and compared.
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/core_impl.h"
#include "coordinator/plan/planner.h"

namespace headwater {
namespace {

constexpr int kPiecesPerVerification = 64;
constexpr int kVerificationRetries = 3;

}  // namespace

void Core::Impl::On(const VerifyRequested& input) {
  VerifyCall& verify = verifications[input.call];
  verify.started = now;
  for (const DatasetId& id : input.datasets) {
    const DatasetState* dataset = state->FindDataset(id);
    if (dataset == nullptr) continue;
    *verify.results[id].mutable_dataset() = RefOf(id);
    verify.unasked.insert(id.table);
    const auto table = state->tables().find(id.table);
    const auto written =
        table == state->tables().end() ? std::map<std::string, Schema>() : table->second.written;
    for (VerificationTask& task : VerificationsOf(*dataset, written, kPiecesPerVerification)) {
      verify.queued.emplace_back(id, std::move(task));
    }
  }
}

void Core::Impl::TakeVerified(const std::string& task_id, const Manifest* manifest,
                              const Failure* failure) {
  for (auto& [call, verify] : verifications) {
    const auto it = verify.tasks.find(task_id);
    if (it == verify.tasks.end()) continue;
    verify.under_way.erase(task_id);
    const auto [id, task] = it->second;
    verify.tasks.erase(it);
    v1::VerifiedDataset& result = verify.results[id];
    const DatasetState& dataset = *state->FindDataset(id);
    const auto problem = [&, &id = id](const Extent& extent, const std::string& message) {
      v1::Problem* shown = result.add_problems();
      *shown->mutable_dataset() = RefOf(id);
      shown->set_extent(Describe(dataset, extent));
      shown->set_message(message);
    };
    if (failure != nullptr) {
      if (failure->kind == FailureKind::kDrain || ++verify.failures <= kVerificationRetries) {
        verify.queued.emplace_back(id, task);
      } else {
        result.set_failed(true);
        problem(task.extent, std::string(failure->status.message()));
      }
      return;
    }
    for (const StagedPiece& read : manifest->pieces) {
      const Piece* piece =
          read.extent.range.has_value() ? dataset.coverage.Known(*read.extent.range) : nullptr;
      const std::string* spec_version = piece != nullptr ? &piece->spec_version
                                        : dataset.outside.has_value()
                                            ? &dataset.outside->spec_version
                                            : nullptr;
      const Fingerprint* published = piece != nullptr ? &piece->fingerprint
                                     : !read.extent.range.has_value() && dataset.outside.has_value()
                                         ? &dataset.outside->fingerprint
                                         : nullptr;
      if (published == nullptr) continue;  // Replaced while it was being read.
      result.set_pieces(result.pieces() + 1);
      result.set_rows(result.rows() + read.fingerprint.rows);
      if (*published == read.fingerprint) continue;
      if (published->rows == read.fingerprint.rows &&
          !Compares(dataset, *spec_version, *manifest)) {
        v1::Problem* shown = result.add_problems();
        *shown->mutable_dataset() = RefOf(id);
        shown->set_extent(Describe(dataset, read.extent));
        shown->set_warning(absl::StrCat("same count (", read.fingerprint.rows,
                                        " rows), content not compared: it was written with columns "
                                        "that the source does not have any more"));
        continue;
      }
      result.set_different(result.different() + 1);
      problem(read.extent,
              published->rows == read.fingerprint.rows
                  ? absl::StrCat("same count (", read.fingerprint.rows, " rows), different content")
                  : absl::StrCat("the source has ", read.fingerprint.rows, " rows, the table ",
                                 published->rows));
    }
    return;
  }
}

void Core::Impl::FailVerifications(const std::string& server, const Failure& failure) {
  for (auto& [call, verify] : verifications) {
    for (auto it = verify.queued.begin(); it != verify.queued.end();) {
      if (it->first.server != server) {
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
    Send(std::move(answer));
    it = verifications.erase(it);
  }
}

}  // namespace headwater
