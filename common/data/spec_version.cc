#include <xxhash.h>

#include "absl/strings/str_cat.h"
#include "common/data/row_hash.h"

namespace headwater {

std::string SpecVersionOf(const Schema& schema) {
  // Names are written with their length, so that no two column lists share a text.
  std::string text = "headwater row hash 1\n";
  for (const Column& column : schema.columns) {
    absl::StrAppend(&text, column.name.size(), ":", column.name, " ", TypeToString(column.type),
                    "\n");
  }
  const XXH128_hash_t digest = XXH3_128bits(text.data(), text.size());
  return HexOf(Hash128{digest.high64, digest.low64});
}

}  // namespace headwater
