#include "common/model/dataset_spec.h"

#include "absl/strings/str_cat.h"
#include "common/data/fingerprint.h"
#include "common/model/model_proto.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace headwater {

std::string ToString(const DatasetId& id) { return absl::StrCat(id.server, "/", id.table); }

std::string StrategyToString(Strategy strategy) {
  switch (strategy) {
    case Strategy::kFull:
      return "full";
    case Strategy::kIncremental:
      return "incremental";
    case Strategy::kPartition:
      return "partition";
    case Strategy::kStatic:
      return "static";
    case Strategy::kScd2:
      return "scd2";
  }
  return "unknown";
}

std::string PartitionColumn(const Unit& partition_by) {
  switch (partition_by.kind) {
    case Unit::Kind::kHour:
      return "cursor_hour";
    case Unit::Kind::kDay:
      return "cursor_day";
    case Unit::Kind::kMonth:
      return "cursor_month";
    case Unit::Kind::kYear:
      return "cursor_year";
    case Unit::Kind::kNone:
    case Unit::Kind::kValues:
      return "";
  }
  return "";
}

std::vector<std::string> NeededColumns(const DatasetSpec& spec) {
  std::vector<std::string> needed = spec.key_columns;
  if (!spec.cursor.empty()) needed.push_back(spec.cursor);
  if (!spec.dedup_by.empty()) needed.push_back(spec.dedup_by);
  return needed;
}

absl::StatusOr<CursorCalendar> CalendarOf(const DatasetSpec& spec, CursorType type) {
  const std::string& zone = spec.server.timezone;
  return CursorCalendar::Create(type, zone,
                                spec.cursor_timezone.empty() ? zone : spec.cursor_timezone);
}

std::string DigestOf(const DatasetSpec& spec) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    ToProto(spec).SerializeToCodedStream(&coded);
  }
  return DigestOf(bytes);
}

}  // namespace headwater
