// Garbage collection: when each table is gone through, one at a time and beside everything else,
// and by what facts of the ledger.
#include <algorithm>
#include <utility>

#include "coordinator/core_impl.h"
#include "coordinator/garbage_request.h"

namespace headwater {
namespace {

// A dry run of many tables fits a message all the same.
constexpr int kMaxAnswered = 10'000;

v1::CollectedTable Shown(const std::string& table, const GarbageReport& report, int room) {
  v1::CollectedTable shown;
  shown.set_table(table);
  shown.set_complete(report.complete);
  shown.set_files(report.files);
  shown.set_bytes(report.bytes);
  shown.set_log_entries(report.log_entries);
  shown.set_log_bytes(report.log_bytes);
  for (const auto& [why, kept] : report.kept) {
    v1::KeptGarbage* one = shown.add_kept();
    one->set_why(why);
    one->set_count(kept.count);
    one->set_bytes(kept.size_bytes);
  }
  for (const GarbageItem& item : report.items) {
    if (shown.items_size() >= room) break;
    v1::GarbageItem* one = shown.add_items();
    one->set_path(item.path);
    one->set_bytes(item.size_bytes);
    one->set_age_seconds(absl::ToInt64Seconds(item.age));
    one->set_why(item.why);
  }
  if (!report.status.ok()) shown.add_problems(std::string(report.status.message()));
  for (const std::string& problem : report.problems) shown.add_problems(problem);
  return shown;
}

}  // namespace

void Core::Impl::On(const GarbageRequested& input) {
  GarbageCall& call = garbage_calls[input.call];
  call.started = now;
  call.dry_run = input.dry_run;
  call.queued.assign(input.tables.begin(), input.tables.end());
  call.tables = static_cast<int>(input.tables.size());
}

void Core::Impl::On(const GarbageCollected& input) {
  if (collecting != input.table) return;
  collecting.reset();
  next_collection.reset();
  const GarbageReport& report = input.report;
  if (input.call == 0 && absl::IsCancelled(report.status)) {
    collections_end = true;  // It was not begun: this coordinator is about to end.
    return;
  }
  if (!input.dry_run && !absl::IsCancelled(report.status)) {
    v1::Event event;
    v1::Collected* collected = event.mutable_collected();
    collected->set_table(input.table);
    collected->set_complete(report.complete);
    collected->set_files(report.files);
    collected->set_bytes(report.bytes);
    if (report.removed_before.has_value())
      *collected->mutable_removed_before() = ToTimestamp(*report.removed_before);
    Emit(std::move(event));
  }
  const auto call = garbage_calls.find(input.call);
  if (call == garbage_calls.end()) return;
  int listed = 0;
  for (const v1::CollectedTable& table : call->second.answer.tables()) listed += table.items_size();
  *call->second.answer.add_tables() = Shown(input.table, report, kMaxAnswered - listed);
}

void Core::Impl::On(const CollectionsWanted&) {
  collect_from = std::min(collect_from, now);
  archive_from = std::min(archive_from, now);
  next_collection.reset();
}

// What was collected longest ago, of the configured tables that have a version.
const NextCollection& Core::Impl::FindNextCollection() {
  if (next_collection.has_value()) return *next_collection;
  next_collection.emplace();
  for (const std::string& name : configured_tables) {
    const TableState* table = state->FindTable(name);
    if (table == nullptr || table->published_version < 0) continue;
    const absl::Time at = std::max(table->collected + options.collect_every, collect_from);
    if (std::pair(at, table->collected) < std::pair(next_collection->at, next_collection->last))
      next_collection = NextCollection{at, table->collected, name};
  }
  return *next_collection;
}

bool Core::Impl::CollectionIsDue() {
  if (options.collect_every == absl::InfiniteDuration() || collections_end) return false;
  return FindNextCollection().at <= now;
}

void Core::Impl::StartCollections() {
  if (collecting.has_value()) return;
  for (auto& [call, garbage] : garbage_calls) {
    if (garbage.queued.empty()) continue;
    const std::string table = std::move(garbage.queued.front());
    garbage.queued.pop_front();
    return Collect(table, call, garbage.dry_run);
  }
  // A moment when nobody waits, unless there has been none for long.
  if (!CollectionIsDue()) return;
  const NextCollection next = FindNextCollection();
  if (now < next.at + options.collect_every && !Idle()) return;
  Collect(next.table, 0, false);
}

void Core::Impl::Collect(const std::string& table, CallId call, bool dry_run) {
  CollectGarbage effect{table, call, {}};
  effect.request = GarbageRequestOf(*state, table);
  effect.request.published = PublishedOf(table);
  effect.request.dry_run = dry_run;
  collecting = table;
  Send(std::move(effect));
}

void Core::Impl::FinishGarbageCalls() {
  for (auto it = garbage_calls.begin(); it != garbage_calls.end();) {
    GarbageCall& call = it->second;
    const int done = call.answer.tables_size();
    if (!call.queued.empty() || done < call.tables) {
      ++it;
      continue;
    }
    call.answer.set_dry_run(call.dry_run);
    call.answer.set_seconds(absl::ToDoubleSeconds(now - call.started));
    Send(AnswerGarbage{it->first, std::move(call.answer)});
    it = garbage_calls.erase(it);
  }
}

// When StartCollections() would do what it does not do now.
absl::Time Core::Impl::NextCollectionWake() const {
  if (options.collect_every == absl::InfiniteDuration() || collections_end ||
      collecting.has_value() || !next_collection.has_value()) {
    return absl::InfiniteFuture();
  }
  return next_collection->at > now ? next_collection->at
                                   : next_collection->at + options.collect_every;
}

}  // namespace headwater
