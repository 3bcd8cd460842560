// The columns of a file of ended runs that are made alike: their names, and where their values are.
// Private to run_file.cc.
#ifndef HEADWATER_COORDINATOR_HISTORY_RUN_COLUMNS_H_
#define HEADWATER_COORDINATOR_HISTORY_RUN_COLUMNS_H_

#include <cstdint>
#include <string>

#include "google/protobuf/timestamp.pb.h"
#include "headwater/v1/history.pb.h"

namespace headwater {

// A text; empty is NULL.
template <typename Message>
struct TextColumn {
  const char* name;
  const std::string& (Message::*get)() const;
  std::string* (Message::*set)();
};

inline constexpr TextColumn<v1::EndedRun> kRunTexts[] = {
    {"run_id", &v1::EndedRun::run_id, &v1::EndedRun::mutable_run_id},
    {"kind", &v1::EndedRun::kind, &v1::EndedRun::mutable_kind},
    {"retry_of", &v1::EndedRun::retry_of, &v1::EndedRun::mutable_retry_of},
    {"idempotency_key", &v1::EndedRun::idempotency_key, &v1::EndedRun::mutable_idempotency_key},
    {"run_result", &v1::EndedRun::result, &v1::EndedRun::mutable_result},
};
inline constexpr TextColumn<v1::DatasetRef> kDatasetTexts[] = {
    {"server", &v1::DatasetRef::server, &v1::DatasetRef::mutable_server},
    {"target_table", &v1::DatasetRef::table, &v1::DatasetRef::mutable_table},
};
inline constexpr TextColumn<v1::EndedDemand> kDemandTexts[] = {
    {"result", &v1::EndedDemand::result, &v1::EndedDemand::mutable_result},
    {"mode", &v1::EndedDemand::mode, &v1::EndedDemand::mutable_mode},
};

// An instant; absent is NULL.
template <typename Message>
struct TimeColumn {
  const char* name;
  bool (Message::*has)() const;
  const google::protobuf::Timestamp& (Message::*get)() const;
  google::protobuf::Timestamp* (Message::*set)();
};

inline constexpr TimeColumn<v1::EndedRun> kRunTimes[] = {
    {"started_at", &v1::EndedRun::has_started, &v1::EndedRun::started,
     &v1::EndedRun::mutable_started},
    {"ended_at", &v1::EndedRun::has_ended, &v1::EndedRun::ended, &v1::EndedRun::mutable_ended},
};
inline constexpr TimeColumn<v1::EndedDemand> kDemandTimes[] = {
    {"window_from", &v1::EndedDemand::has_from, &v1::EndedDemand::from,
     &v1::EndedDemand::mutable_from},
    {"window_to", &v1::EndedDemand::has_to, &v1::EndedDemand::to, &v1::EndedDemand::mutable_to},
};

// A number that is always there, or, with `has`, may be NULL.
struct CountColumn {
  const char* name;
  int64_t (v1::EndedDemand::*get)() const;
  void (v1::EndedDemand::*set)(int64_t);
  bool (v1::EndedDemand::*has)() const = nullptr;
};

inline constexpr CountColumn kCounts[] = {
    {"window_from_value", &v1::EndedDemand::from_value, &v1::EndedDemand::set_from_value,
     &v1::EndedDemand::has_from_value},
    {"window_to_value", &v1::EndedDemand::to_value, &v1::EndedDemand::set_to_value,
     &v1::EndedDemand::has_to_value},
    {"microbatches", &v1::EndedDemand::microbatches_done, &v1::EndedDemand::set_microbatches_done},
    {"microbatches_unchanged", &v1::EndedDemand::microbatches_unchanged,
     &v1::EndedDemand::set_microbatches_unchanged},
    {"microbatches_failed", &v1::EndedDemand::microbatches_failed,
     &v1::EndedDemand::set_microbatches_failed},
    {"rows_read", &v1::EndedDemand::rows_read, &v1::EndedDemand::set_rows_read},
    {"rows_written", &v1::EndedDemand::rows_written, &v1::EndedDemand::set_rows_written},
    {"rows_new", &v1::EndedDemand::rows_new, &v1::EndedDemand::set_rows_new},
    {"rows_changed", &v1::EndedDemand::rows_changed, &v1::EndedDemand::set_rows_changed},
    {"rows_same", &v1::EndedDemand::rows_same, &v1::EndedDemand::set_rows_same},
    {"rows_deleted", &v1::EndedDemand::rows_deleted, &v1::EndedDemand::set_rows_deleted},
    {"rows_duplicate", &v1::EndedDemand::rows_duplicate, &v1::EndedDemand::set_rows_duplicate},
    {"rows_skipped", &v1::EndedDemand::rows_skipped, &v1::EndedDemand::set_rows_skipped},
    {"bad_rows", &v1::EndedDemand::bad_rows, &v1::EndedDemand::set_bad_rows},
    {"truncated_values", &v1::EndedDemand::truncated_values,
     &v1::EndedDemand::set_truncated_values},
    {"bytes_read", &v1::EndedDemand::bytes_read, &v1::EndedDemand::set_bytes_read},
    {"bytes_written", &v1::EndedDemand::bytes_written, &v1::EndedDemand::set_bytes_written},
    {"pieces_written", &v1::EndedDemand::pieces_written, &v1::EndedDemand::set_pieces_written},
    {"compacted_units", &v1::EndedDemand::compacted_units, &v1::EndedDemand::set_compacted_units},
    {"compacted_files", &v1::EndedDemand::compacted_files, &v1::EndedDemand::set_compacted_files},
    {"compacted_into", &v1::EndedDemand::compacted_into, &v1::EndedDemand::set_compacted_into},
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_HISTORY_RUN_COLUMNS_H_
