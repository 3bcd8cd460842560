// YAML with places. The only file that meets yaml-cpp: it reads a document into a plain tree that
// knows the line and column of every key and value, and offers typed reading over it. Nothing here
// knows what a server or a table is.
//
// Reading never stops at the first mistake: each one becomes a line in Problems, and the reader
// goes on with the value left out. A value is quoted in a message only where the caller says that
// it is not a secret.
#ifndef HEADWATER_COMMON_CONFIG_YAML_READER_H_
#define HEADWATER_COMMON_CONFIG_YAML_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace headwater {

// A place in a file. Line and column count from 1.
struct Place {
  std::string file;
  int line = 1;
  int column = 1;
};
std::string ToString(const Place& place);  // "headwater.yaml:12:5"

// What is wrong with a configuration, up to 20 problems: more would only hide the first. Confined
// to one thread.
class Problems {
 public:
  static constexpr size_t kMaxProblems = 20;  // A screenful.

  void Add(const Place& place, absl::string_view message);
  // A message that begins with its place already, as those of ParseYaml do.
  void AddPlaced(absl::string_view message);
  bool empty() const { return lines_.empty(); }
  size_t count() const { return count_; }

  // OK when there are none, else INVALID_ARGUMENT with one `file:line:column: message` a line, in
  // the order of files and lines.
  absl::Status ToStatus() const;

 private:
  struct Line {
    Place place;
    std::string text;  // With the place.
  };
  std::vector<Line> lines_;
  size_t count_ = 0;  // With those that were dropped.
};

// One value of a document. A tree owns its children.
struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Entry;

  Kind kind = Kind::kNull;
  Place place;
  std::string scalar;           // As written, without quotes. May be a secret.
  bool quoted = false;          // `"5"` is text, `5` may be a number.
  std::vector<YamlNode> items;  // kList.
  std::vector<Entry> entries;   // kMap, in the order of the file, no key twice.
};
struct YamlNode::Entry {
  std::string key;
  Place place;
  YamlNode value;
};

// "a map", "a list", "text", "nothing".
std::string KindName(const YamlNode& node);

// Parses one document. A key that stands twice in a map is a problem that names both places; the
// first one counts. INVALID_ARGUMENT: not YAML (with the place), deeper than 50 levels, or more
// than a million values (aliases may multiply).
absl::StatusOr<YamlNode> ParseYaml(absl::string_view text, const std::string& file,
                                   Problems& problems);

// The one of `candidates` that `word` was probably meant to be: at most a third of its letters are
// wrong (swapped neighbours count once); ties go to the earlier. Empty when none is near.
std::string NearestWord(absl::string_view word, absl::Span<const std::string> candidates);
// "; did you mean 'x'?", or empty.
std::string DidYouMean(absl::string_view word, absl::Span<const std::string> candidates);

// `500ms`, `5s`, `10m`, `2h`, `30d`, `1h30m`. Never a bare number, never negative.
absl::StatusOr<absl::Duration> ParseDurationText(absl::string_view text);
// `512B`, `64KiB`, `64MiB`, `1GiB`, `10MB`. Never a bare number.
absl::StatusOr<int64_t> ParseByteSize(absl::string_view text);

// Reads one map key by key. Whoever asks for a key makes it known; Finish() complains about the
// rest. `node` and `problems` must outlive the reader.
class MapReader {
 public:
  // `what` names the map in messages: "server 'crm'". A node of another kind is a problem (a null
  // is an empty map), and the reader then finds nothing.
  MapReader(const YamlNode& node, std::string what, Problems& problems);

  const Place& place() const { return node_.place; }
  bool Has(absl::string_view key) const;
  // The place of the value of `key`, or of the map when it is absent.
  const Place& PlaceOf(absl::string_view key) const;

  // Null when the key is absent (or its value is null). A value of the wrong type is a problem.
  const YamlNode* Child(absl::string_view key);
  std::optional<std::string> Text(absl::string_view key);
  std::optional<int64_t> Integer(absl::string_view key, int64_t min, int64_t max);
  std::optional<bool> Bool(absl::string_view key);
  std::optional<absl::Duration> Duration(absl::string_view key);
  std::optional<int64_t> ByteSize(absl::string_view key);
  // A list of texts; a single text counts as a list of one.
  std::optional<std::vector<std::string>> TextList(absl::string_view key);
  // One of `values`; one of `later` is "not in this version".
  std::optional<std::string> Choice(absl::string_view key, absl::Span<const std::string> values,
                                    absl::Span<const std::string> later = {});

  // Keys that the design names and this version does not have.
  void Later(absl::Span<const std::string> keys);

  // Complains about every key that nobody asked for. Call it last.
  void Finish();

 private:
  const YamlNode::Entry* Find(absl::string_view key) const;
  const YamlNode* Scalar(absl::string_view key, absl::string_view expected);

  const YamlNode& node_;
  const std::string what_;
  Problems& problems_;
  std::vector<std::string> known_;
  std::vector<std::string> later_;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_YAML_READER_H_
