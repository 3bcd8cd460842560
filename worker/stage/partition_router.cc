#include "worker/stage/partition_router.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr size_t kMaxSlots = 65'536;
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

bool FitsCursor(TypeKind kind, CursorType type) {
  switch (kind) {
    case TypeKind::kByte:
    case TypeKind::kShort:
    case TypeKind::kInteger:
    case TypeKind::kLong:
      return type == CursorType::kInteger;
    case TypeKind::kDate:
      return type == CursorType::kDate;
    case TypeKind::kTimestamp:
      return type == CursorType::kInstant;
    case TypeKind::kTimestampNtz:
      return type == CursorType::kWallClock;
    default:
      return false;
  }
}

}  // namespace

PartitionRouter::PartitionRouter(const StagingOptions& options, CursorCalendar calendar)
    : dataset_(options.dataset.id),
      extent_(options.extent),
      cuts_(options.cuts),
      cursor_type_(options.cursor_type),
      domain_end_(options.domain_end),
      cursor_(options.dataset.cursor),
      server_column_(options.dataset.system_columns.server_source),
      partition_column_(PartitionColumn(options.dataset.partition_by)),
      unit_(options.dataset.partition_by),
      calendar_(calendar) {}

absl::StatusOr<PartitionRouter> PartitionRouter::Create(const StagingOptions& options) {
  const DatasetSpec& dataset = options.dataset;
  ASSIGN_OR_RETURN(CursorCalendar calendar, CalendarOf(dataset, options.cursor_type));
  PartitionRouter router(options, calendar);
  RETURN_IF_ERROR(router.TakePieces());
  RETURN_IF_ERROR(router.FindCursorColumn(options.source_schema));
  return router;
}

absl::Status PartitionRouter::TakePieces() {
  if (!extent_.range && !extent_.outside) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToString(dataset_), ": an extent needs a range or the outside rows"));
  }
  int64_t from = extent_.range ? extent_.range->from : 0;
  for (const int64_t cut : cuts_) {
    if (!extent_.range || cut <= from || cut >= extent_.range->to) {
      return absl::InvalidArgumentError(
          absl::StrCat(ToString(dataset_), ": cut ", calendar_.Format(cut),
                       " is not strictly inside the range, or cuts do not ascend"));
    }
    pieces_.push_back(Extent{Range{from, cut}, false});
    from = cut;
  }
  if (extent_.range) {
    if (from >= extent_.range->to) {
      return absl::InvalidArgumentError(
          absl::StrCat(ToString(dataset_), ": empty range ", calendar_.Format(*extent_.range)));
    }
    pieces_.push_back(Extent{Range{from, extent_.range->to}, false});
  }
  if (extent_.outside) pieces_.push_back(Extent{std::nullopt, true});
  max_cursors_.resize(pieces_.size());
  return absl::OkStatus();
}

absl::Status PartitionRouter::FindCursorColumn(const Schema& schema) {
  if (cursor_type_ == CursorType::kNone) {
    if (partition_column_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(ToString(dataset_), ": partition column '",
                                                   partition_column_, "' needs a cursor"));
  }
  cursor_column_ = schema.Find(cursor_);
  if (cursor_column_ < 0) {
    return absl::InvalidArgumentError(absl::StrCat(ToString(dataset_), ": cursor column '", cursor_,
                                                   "' is not among the columns that were read"));
  }
  const ColumnType& type = schema.columns[cursor_column_].type;
  if (!FitsCursor(type.kind, cursor_type_)) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToString(dataset_), ": cursor column '", cursor_, "' has type ",
                     TypeToString(type), ", which is not what the probe of its cursor found"));
  }
  cursor_kind_ = type.kind;
  return absl::OkStatus();
}

absl::Status PartitionRouter::OutsideExtent(const std::string& value) const {
  const std::string range = extent_.range ? calendar_.Format(*extent_.range) : "no range";
  return absl::InvalidArgumentError(
      absl::StrCat(ToString(dataset_), ": a row with cursor '", cursor_, "' = ", value,
                   " lies outside the extent that was asked for: ", range,
                   extent_.outside ? " and outside rows" : ""));
}

absl::StatusOr<int> PartitionRouter::PieceOf(int64_t value) const {
  if (cursor_type_ != CursorType::kNone && value >= domain_end_) {
    if (!extent_.outside) return OutsideExtent(calendar_.Format(value));
    return static_cast<int>(pieces_.size()) - 1;
  }
  if (!extent_.range || !extent_.range->Contains(value)) {
    return OutsideExtent(calendar_.Format(value));
  }
  return static_cast<int>(std::upper_bound(cuts_.begin(), cuts_.end(), value) - cuts_.begin());
}

absl::StatusOr<int> PartitionRouter::RouteBadRow(const std::optional<int64_t>& cursor) {
  if (cursor_type_ == CursorType::kNone) return PieceOf(0);
  if (!cursor.has_value()) {
    if (!extent_.outside) return OutsideExtent("NULL");
    return static_cast<int>(pieces_.size()) - 1;
  }
  ASSIGN_OR_RETURN(const int piece, PieceOf(*cursor));
  std::optional<int64_t>& largest = max_cursors_[static_cast<size_t>(piece)];
  if (pieces_[static_cast<size_t>(piece)].range)
    largest = std::max(largest.value_or(kMin), *cursor);
  return piece;
}

absl::StatusOr<int> PartitionRouter::SlotOf(int piece, std::optional<std::string> label) {
  const auto [entry, added] = slot_of_.try_emplace({piece, label}, static_cast<int>(slots_.size()));
  if (!added) return entry->second;
  if (slots_.size() >= kMaxSlots) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToString(dataset_), ": one microbatch has more than ", kMaxSlots,
                     " partitions; choose a larger partition_by than ", UnitToString(unit_)));
  }
  PartitionValues values;
  if (!server_column_.empty()) values.emplace_back(server_column_, dataset_.server);
  if (!partition_column_.empty()) values.emplace_back(partition_column_, std::move(label));
  slots_.push_back(Slot{piece, std::move(values)});
  return entry->second;
}

absl::StatusOr<int> PartitionRouter::NullSlot() {
  if (null_slot_ < 0) {
    if (!extent_.outside) return OutsideExtent("NULL");
    ASSIGN_OR_RETURN(null_slot_, SlotOf(static_cast<int>(pieces_.size()) - 1, std::nullopt));
  }
  return null_slot_;
}

absl::StatusOr<PartitionRouter::Stretch> PartitionRouter::StretchOf(int64_t value) {
  auto next = stretches_.upper_bound(value);
  if (next != stretches_.begin()) {
    const Stretch& known = std::prev(next)->second;
    if (value <= known.last) return known;
  }
  ASSIGN_OR_RETURN(const int piece, PieceOf(value));
  Stretch stretch{kMin, kMax, -1};
  std::optional<std::string> label;
  if (!partition_column_.empty()) {
    const int64_t start = calendar_.UnitStart(value, unit_);
    const int64_t end = calendar_.UnitEnd(value, unit_);
    // At the ends of time the calendar saturates; such a value is a stretch of its own.
    const bool regular = start <= value && value < end;
    stretch = regular ? Stretch{start, end - 1, -1} : Stretch{value, value, -1};
    label = calendar_.PartitionLabel(regular ? start : value, unit_);
  }
  if (pieces_[piece].range) {
    stretch.first = std::max(stretch.first, pieces_[piece].range->from);
    stretch.last = std::min(stretch.last, pieces_[piece].range->to - 1);
    if (cursor_type_ != CursorType::kNone) {
      stretch.last = std::min(stretch.last, domain_end_ - 1);
    }
  } else {
    stretch.first = std::max(stretch.first, domain_end_);
  }
  ASSIGN_OR_RETURN(stretch.slot, SlotOf(piece, std::move(label)));
  stretches_.emplace(stretch.first, stretch);
  return stretch;
}

template <typename T>
absl::Status PartitionRouter::RouteValues(const arrow::RecordBatch& rows, std::vector<int>& slots) {
  const arrow::ArrayData& data = *rows.column_data(cursor_column_);
  const T* values = data.GetValues<T>(1);
  const bool nullable = data.GetNullCount() != 0;
  const arrow::Array& column = *rows.column(cursor_column_);
  for (int64_t i = 0; i < rows.num_rows(); ++i) {
    if (nullable && column.IsNull(i)) {
      ASSIGN_OR_RETURN(slots[i], NullSlot());
      continue;
    }
    const int64_t value = values[i];
    if (value < latest_.first || value > latest_.last) {
      ASSIGN_OR_RETURN(latest_, StretchOf(value));
    }
    slots[i] = latest_.slot;
    const int piece = slots_[latest_.slot].piece;
    if (pieces_[piece].range && value >= max_cursors_[piece].value_or(kMin)) {
      max_cursors_[piece] = value;
    }
  }
  return absl::OkStatus();
}

absl::Status PartitionRouter::Route(const RowBatch& batch, std::vector<int>& slots) {
  const arrow::RecordBatch& rows = *batch.arrow();
  slots.assign(rows.num_rows(), 0);
  if (cursor_type_ == CursorType::kNone) {
    ASSIGN_OR_RETURN(const Stretch whole, StretchOf(0));
    std::fill(slots.begin(), slots.end(), whole.slot);
    return absl::OkStatus();
  }
  switch (cursor_kind_) {
    case TypeKind::kByte:
      return RouteValues<int8_t>(rows, slots);
    case TypeKind::kShort:
      return RouteValues<int16_t>(rows, slots);
    case TypeKind::kInteger:
    case TypeKind::kDate:
      return RouteValues<int32_t>(rows, slots);
    default:
      return RouteValues<int64_t>(rows, slots);
  }
}

}  // namespace headwater
