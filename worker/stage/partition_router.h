// Decides for each row which piece and which partition it belongs to.
//
// Pieces: `cuts` split the extent's range, and `outside` is a piece of its own, the last. Rows with
// a NULL cursor, or one at or beyond `domain_end`, are `outside` rows.
// Partitions: `server_source` (string), and for `partition_by` one column of the cursor, labelled
// in the server's zone: cursor_day (date), cursor_hour, cursor_month, cursor_year (string). It is
// NULL where the cursor is.
//
//   extent [05:00, 07:00) + outside, cuts {06:00}, day    →  pieces 0: [05:00, 06:00)
//   row 06:30 → piece 1, cursor_day 2013-01-01                      1: [06:00, 07:00)
//   row NULL  → piece 2, cursor_day NULL                            2: outside
#ifndef HEADWATER_WORKER_STAGE_PARTITION_ROUTER_H_
#define HEADWATER_WORKER_STAGE_PARTITION_ROUTER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/cursor.h"
#include "common/data/partition_path.h"
#include "common/data/row_batch.h"
#include "common/model/extent.h"
#include "worker/stage/staging_writer.h"

namespace headwater {

// Confined to one thread.
class PartitionRouter {
 public:
  // A piece and a partition: what shares a file.
  struct Slot {
    int piece = 0;
    PartitionValues partition;
  };

  // INVALID_ARGUMENT: an extent without range and outside, cuts that do not ascend strictly inside
  // the range, an unknown zone, or a cursor column that is missing or has another type.
  static absl::StatusOr<PartitionRouter> Create(const StagingOptions& options);

  // Replaces `slots` by one index into slots() per row, and notes the largest cursors.
  // INVALID_ARGUMENT names a cursor value outside the extent, or says that there are more than
  // 65,536 partitions (each costs a file: the unit of `partition_by` is too small).
  absl::Status Route(const RowBatch& batch, std::vector<int>& slots);

  // The piece of a row that is not in a batch, by its cursor (none: NULL, or there is no cursor);
  // notes the largest cursor too. INVALID_ARGUMENT: outside the extent.
  absl::StatusOr<int> RouteBadRow(const std::optional<int64_t>& cursor);

  const std::vector<Extent>& pieces() const { return pieces_; }
  const std::vector<Slot>& slots() const { return slots_; }  // Grows with what Route() meets.
  // Largest cursor met in a piece; none for the outside piece, and without a cursor.
  std::optional<int64_t> max_cursor(int piece) const { return max_cursors_[piece]; }

 private:
  // The cursor values from a key of `stretches_` up to `last` share a slot.
  struct Stretch {
    int64_t first = 0;
    int64_t last = -1;  // Included: the largest int64 is a legal cursor.
    int slot = -1;
  };

  PartitionRouter(const StagingOptions& options, CursorCalendar calendar);
  absl::Status TakePieces();
  absl::Status FindCursorColumn(const Schema& schema);
  absl::StatusOr<Stretch> StretchOf(int64_t value);
  absl::StatusOr<int> PieceOf(int64_t value) const;
  absl::StatusOr<int> NullSlot();
  absl::StatusOr<int> SlotOf(int piece, std::optional<std::string> label);
  absl::Status OutsideExtent(const std::string& value) const;
  template <typename T>
  absl::Status RouteValues(const arrow::RecordBatch& rows, std::vector<int>& slots);

  DatasetId dataset_;
  Extent extent_;
  std::vector<int64_t> cuts_;
  CursorType cursor_type_;
  int64_t domain_end_;
  std::string cursor_;
  int cursor_column_ = -1;
  TypeKind cursor_kind_ = TypeKind::kLong;
  std::string server_column_;     // Empty: the table has none.
  std::string partition_column_;  // Empty: by server only.
  Unit unit_;
  CursorCalendar calendar_;

  std::vector<Extent> pieces_;
  std::vector<std::optional<int64_t>> max_cursors_;
  std::vector<Slot> slots_;
  std::map<std::pair<int, std::optional<std::string>>, int> slot_of_;
  std::map<int64_t, Stretch> stretches_;  // By first value.
  Stretch latest_;                        // Most rows follow one of the same partition.
  int null_slot_ = -1;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_STAGE_PARTITION_ROUTER_H_
