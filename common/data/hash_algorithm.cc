#include "common/data/hash_algorithm.h"

#include "absl/strings/str_cat.h"
#include "common/data/fingerprint.h"

namespace headwater {

std::string NameOf(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::kXxh3:
      return "xxh3";
    case HashAlgorithm::kMd5:
      return "md5";
    case HashAlgorithm::kSha256:
      return "sha256";
  }
  return "";
}

std::optional<HashAlgorithm> HashAlgorithmNamed(absl::string_view name) {
  for (const HashAlgorithm algorithm : kHashAlgorithms) {
    if (NameOf(algorithm) == name) return algorithm;
  }
  return std::nullopt;
}

std::string SpecVersionOf(const Schema& schema, HashAlgorithm algorithm) {
  // Stored before there were others.
  const bool said = algorithm != HashAlgorithm::kXxh3;
  std::string text =
      absl::StrCat("headwater row hash 1", said ? " " : "", said ? NameOf(algorithm) : "", "\n");
  // Names are written with their length, so that no two column lists share a text.
  for (const Column& column : schema.columns) {
    absl::StrAppend(&text, column.name.size(), ":", column.name, " ", TypeToString(column.type),
                    "\n");
  }
  return DigestOf(text);
}

std::optional<HashAlgorithm> AlgorithmOf(const Schema& schema, absl::string_view spec_version) {
  for (const HashAlgorithm algorithm : kHashAlgorithms) {
    if (SpecVersionOf(schema, algorithm) == spec_version) return algorithm;
  }
  return std::nullopt;
}

std::string ColumnsVersionOf(const Schema& schema) {
  return SpecVersionOf(schema, HashAlgorithm::kXxh3);
}

}  // namespace headwater
