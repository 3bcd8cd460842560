#include "common/model/task.h"

namespace headwater {

void AddChecksum(const std::optional<ExtentChecksum>& part, std::optional<ExtentChecksum>& whole) {
  if (!part.has_value() || !whole.has_value() || part->kind != ChecksumKind::kMd5 ||
      whole->kind != part->kind || whole->spec_version != part->spec_version) {
    whole.reset();
    return;
  }
  whole->rows += part->rows;
  whole->sum += part->sum;
}

}  // namespace headwater
