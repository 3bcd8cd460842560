#include "coordinator/history/run_archive.h"

#include <xxhash.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "coordinator/history/run_file.h"

namespace headwater {
namespace {

constexpr char kPrefix[] = "runs-";
constexpr char kSuffix[] = ".parquet";
constexpr char kTimeFormat[] = "%E4Y%m%dT%H%M%SZ";

std::string Stamp(absl::Time time) {
  return absl::FormatTime(kTimeFormat, time, absl::UTCTimeZone());
}

absl::Time WholeSeconds(absl::Time time) {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(time));
}

RunFileName SpanOf(const std::vector<v1::EndedRun>& runs) {
  const auto [first, last] = std::minmax_element(
      runs.begin(), runs.end(),
      [](const auto& a, const auto& b) { return TimeOf(a.ended()) < TimeOf(b.ended()); });
  return {WholeSeconds(TimeOf(first->ended())), WholeSeconds(TimeOf(last->ended()))};
}

struct RunFile {
  std::string name;
  RunFileName span;
};

// Those that have runs which ended between these two, the file with the latest run first.
absl::StatusOr<std::vector<RunFile>> FilesBetween(const ObjectStore& store, absl::Time from,
                                                  absl::Time to) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, store.List(""));
  std::vector<RunFile> files;
  for (const std::string& name : names) {
    const std::optional<RunFileName> span = ParseRunFileName(name);
    if (!span.has_value() || span->last + absl::Seconds(1) <= from || span->first >= to) continue;
    files.push_back({name, *span});
  }
  std::sort(files.begin(), files.end(),
            [](const RunFile& a, const RunFile& b) { return a.span.last > b.span.last; });
  return files;
}

}  // namespace

std::string NameOfRunFile(const std::vector<v1::EndedRun>& runs) {
  std::set<std::string> ids;
  for (const v1::EndedRun& run : runs) ids.insert(run.run_id());
  std::string all;
  for (const std::string& id : ids) absl::StrAppend(&all, id.size(), ":", id);
  const RunFileName span = SpanOf(runs);
  return absl::StrCat(kPrefix, Stamp(span.first), "-", Stamp(span.last), "-",
                      absl::Hex(XXH3_64bits(all.data(), all.size()), absl::kZeroPad16), kSuffix);
}

std::optional<RunFileName> ParseRunFileName(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kPrefix) || !absl::ConsumeSuffix(&name, kSuffix))
    return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(name, '-');
  RunFileName span;
  std::string error;
  if (parts.size() != 3 || !absl::ParseTime(kTimeFormat, parts[0], &span.first, &error) ||
      !absl::ParseTime(kTimeFormat, parts[1], &span.last, &error)) {
    return std::nullopt;
  }
  return span;
}

absl::StatusOr<std::vector<v1::EndedRun>> RunArchive::Read(const std::string& name) const {
  ASSIGN_OR_RETURN(const std::string bytes, store_->Read(name));
  absl::StatusOr<std::vector<v1::EndedRun>> runs = DecodeRuns(bytes);
  if (!runs.ok()) return Annotate(runs.status(), absl::StrCat(store_->root(), "/", name));
  return runs;
}

absl::Status RunArchive::Put(const std::vector<v1::EndedRun>& runs) {
  if (runs.empty()) return absl::OkStatus();
  const RunFileName span = SpanOf(runs);
  ASSIGN_OR_RETURN(const std::vector<RunFile> files,
                   FilesBetween(*store_, span.first, span.last + absl::Seconds(1)));
  std::set<std::string> known;
  for (const RunFile& file : files) {
    const absl::StatusOr<std::vector<v1::EndedRun>> there = Read(file.name);
    if (!there.ok()) {  // It keeps nobody's runs: they are written once more.
      Log(LogLevel::kWarning, "archived runs cannot be read", {{"why", there.status().ToString()}});
      continue;
    }
    // Whoever wrote it may have died before its name was durable.
    RETURN_IF_ERROR(store_->Persist(file.name));
    for (const v1::EndedRun& run : *there) known.insert(run.run_id());
  }
  std::vector<v1::EndedRun> unknown;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(unknown),
               [&](const v1::EndedRun& run) { return !known.contains(run.run_id()); });
  if (unknown.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string bytes, EncodeRuns(unknown));
  RETURN_IF_ERROR(store_->Put(NameOfRunFile(unknown), bytes));
  RETURN_IF_ERROR(Failpoint("archive.after_put"));
  // What died while it was written, by whoever held the ledger before: nobody else writes here.
  (void)store_->DropUnfinished("", absl::InfiniteFuture());
  return absl::OkStatus();
}

void RunArchive::AddTo(const RunQuery& query, v1::GetHistoryResponse& response) const {
  const absl::StatusOr<std::vector<RunFile>> files = FilesBetween(*store_, query.from, query.to);
  if (!files.ok()) {
    response.add_problems(std::string(files.status().message()));
    return;
  }
  std::set<std::string> known;
  for (const v1::EndedRun& run : response.runs()) known.insert(run.run_id());
  for (const RunFile& file : *files) {
    Order(query, response);
    // Whether all that is wanted is there, and the file has nothing newer.
    const auto& runs = response.runs();
    if (response.more() &&
        TimeOf(runs[runs.size() - 1].ended()) >= file.span.last + absl::Seconds(1))
      break;
    absl::StatusOr<std::vector<v1::EndedRun>> there = Read(file.name);
    if (!there.ok()) {
      response.add_problems(std::string(there.status().message()));
      continue;
    }
    for (v1::EndedRun& run : *there) {
      if (known.insert(run.run_id()).second && Narrow(query, run))
        *response.add_runs() = std::move(run);
    }
  }
  Order(query, response);
}

}  // namespace headwater
