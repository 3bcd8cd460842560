#include "common/config/yaml_reader.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace headwater {
namespace {

constexpr int kMaxDepth = 50;
constexpr int64_t kMaxNodes = 1'000'000;

Place PlaceAt(const std::string& file, const YAML::Mark& mark) {
  if (mark.is_null()) return {file, 1, 1};
  return {file, mark.line + 1, mark.column + 1};
}

// Copies yaml-cpp's nodes into ours; aliases become copies.
class TreeBuilder {
 public:
  TreeBuilder(const std::string& file, Problems& problems) : file_(file), problems_(problems) {}

  absl::StatusOr<YamlNode> Build(const YAML::Node& node, int depth) {
    YamlNode result;
    result.place = PlaceAt(file_, node.Mark());
    if (depth > kMaxDepth || ++count_ > kMaxNodes) {
      return absl::InvalidArgumentError(
          absl::StrCat(ToString(result.place), ": too deep or too large for a configuration"));
    }
    if (node.IsScalar()) {
      result.kind = YamlNode::Kind::kScalar;
      result.scalar = node.Scalar();
      result.quoted = node.Tag() == "!";
    } else if (node.IsSequence()) {
      result.kind = YamlNode::Kind::kList;
      for (const YAML::Node& item : node) {
        absl::StatusOr<YamlNode> child = Build(item, depth + 1);
        if (!child.ok()) return child.status();
        result.items.push_back(*std::move(child));
      }
    } else if (node.IsMap()) {
      result.kind = YamlNode::Kind::kMap;
      for (const auto& pair : node) {
        absl::Status status = AddEntry(pair.first, pair.second, depth, result);
        if (!status.ok()) return status;
      }
    }
    return result;
  }

 private:
  absl::Status AddEntry(const YAML::Node& key, const YAML::Node& value, int depth,
                        YamlNode& parent) {
    const Place place = PlaceAt(file_, key.Mark());
    if (!key.IsScalar()) {
      problems_.Add(place, "a key must be text");
      return absl::OkStatus();
    }
    const auto same = absl::c_find_if(
        parent.entries, [&](const YamlNode::Entry& entry) { return entry.key == key.Scalar(); });
    if (same != parent.entries.end()) {
      problems_.Add(place, absl::StrCat("key '", same->key, "' stands here and at ",
                                        ToString(same->place), "; remove one"));
      return absl::OkStatus();
    }
    absl::StatusOr<YamlNode> child = Build(value, depth + 1);
    if (!child.ok()) return child.status();
    if (child->kind == YamlNode::Kind::kNull) child->place = place;
    parent.entries.push_back({key.Scalar(), place, *std::move(child)});
    return absl::OkStatus();
  }

  const std::string& file_;
  Problems& problems_;
  int64_t count_ = 0;
};

// Edits that turn `a` into `b`; swapping two neighbours is one edit.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

std::string ListWords(absl::Span<const std::string> words) { return absl::StrJoin(words, ", "); }

}  // namespace

std::string ToString(const Place& place) {
  return absl::StrCat(place.file, ":", place.line, ":", place.column);
}

void Problems::Add(const Place& place, absl::string_view message) {
  ++count_;
  if (lines_.size() < kMaxProblems) {
    lines_.push_back({place, absl::StrCat(ToString(place), ": ", message)});
  }
}

void Problems::AddPlaced(absl::string_view message) {
  ++count_;
  if (lines_.size() < kMaxProblems) lines_.push_back({Place{}, std::string(message)});
}

absl::Status Problems::ToStatus() const {
  if (lines_.empty()) return absl::OkStatus();
  std::vector<const Line*> sorted;
  for (const Line& line : lines_) sorted.push_back(&line);
  absl::c_stable_sort(sorted, [](const Line* a, const Line* b) {
    return std::tie(a->place.file, a->place.line, a->place.column) <
           std::tie(b->place.file, b->place.line, b->place.column);
  });
  std::string text;
  for (const Line* line : sorted) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", line->text);
  }
  if (count_ > lines_.size()) absl::StrAppend(&text, "\n... and ", count_ - lines_.size(), " more");
  return absl::InvalidArgumentError(text);
}

std::string KindName(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "text";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "nothing";
}

absl::StatusOr<YamlNode> ParseYaml(absl::string_view text, const std::string& file,
                                   Problems& problems) {
  try {
    return TreeBuilder(file, problems).Build(YAML::Load(std::string(text)), 0);
  } catch (
      const YAML::Exception& e) {  // yaml-cpp reports by exception only; its words hold no values.
    return absl::InvalidArgumentError(
        absl::StrCat(ToString(PlaceAt(file, e.mark)), ": not valid YAML: ", e.msg));
  } catch (const std::exception& e) {
    return absl::InvalidArgumentError(absl::StrCat(file, ":1:1: not valid YAML: ", e.what()));
  }
}

std::string NearestWord(absl::string_view word, absl::Span<const std::string> candidates) {
  if (word.size() > 100) return "";  // Quadratic below; no key is that long.
  const std::string lower = absl::AsciiStrToLower(word);
  std::string nearest;
  size_t best = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(lower, absl::AsciiStrToLower(candidate));
    if (distance < best && distance < candidate.size()) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string DidYouMean(absl::string_view word, absl::Span<const std::string> candidates) {
  const std::string nearest = NearestWord(word, candidates);
  return nearest.empty() ? "" : absl::StrCat("; did you mean '", nearest, "'?");
}

absl::StatusOr<absl::Duration> ParseDurationText(absl::string_view text) {
  const absl::Status refused = absl::InvalidArgumentError(
      absl::StrCat("expected a duration such as 500ms, 5s, 10m, 2h or 30d, found '", text, "'"));
  absl::Duration total;
  absl::string_view rest = text;
  if (rest.empty()) return refused;
  while (!rest.empty()) {
    size_t digits = 0;
    while (digits < rest.size() && absl::ascii_isdigit(rest[digits])) ++digits;
    int64_t value;
    if (digits > 9 || !absl::SimpleAtoi(rest.substr(0, digits), &value)) return refused;
    rest.remove_prefix(digits);
    size_t letters = 0;
    while (letters < rest.size() && absl::ascii_isalpha(rest[letters])) ++letters;
    const absl::string_view unit = rest.substr(0, letters);
    rest.remove_prefix(letters);
    if (unit == "ms") {
      total += absl::Milliseconds(value);
    } else if (unit == "s") {
      total += absl::Seconds(value);
    } else if (unit == "m") {
      total += absl::Minutes(value);
    } else if (unit == "h") {
      total += absl::Hours(value);
    } else if (unit == "d") {
      total += absl::Hours(24) * value;
    } else {
      return refused;
    }
  }
  return total;
}

absl::StatusOr<int64_t> ParseByteSize(absl::string_view text) {
  static constexpr std::pair<const char*, int64_t> kUnits[] = {
      {"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30},    {"TiB", 1LL << 40},
      {"kB", 1'000},      {"MB", 1'000'000},  {"GB", 1'000'000'000}, {"B", 1}};
  for (const auto& [suffix, factor] : kUnits) {
    if (!absl::EndsWith(text, suffix)) continue;
    const absl::string_view number = text.substr(0, text.size() - strlen(suffix));
    int64_t value;
    if (!number.empty() && absl::ascii_isdigit(number[0]) && absl::SimpleAtoi(number, &value) &&
        value <= (int64_t{1} << 62) / factor) {
      return value * factor;
    }
    break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("expected a size such as 512KiB, 64MiB or 1GiB, found '", text, "'"));
}

MapReader::MapReader(const YamlNode& node, std::string what, Problems& problems)
    : node_(node), what_(std::move(what)), problems_(problems) {
  if (node.kind != YamlNode::Kind::kMap && node.kind != YamlNode::Kind::kNull) {
    problems_.Add(node.place, absl::StrCat(what_, ": expected a map, found ", KindName(node)));
  }
}

const YamlNode::Entry* MapReader::Find(absl::string_view key) const {
  for (const YamlNode::Entry& entry : node_.entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

bool MapReader::Has(absl::string_view key) const { return Find(key) != nullptr; }

const Place& MapReader::PlaceOf(absl::string_view key) const {
  const YamlNode::Entry* entry = Find(key);
  return entry == nullptr ? node_.place : entry->value.place;
}

const YamlNode* MapReader::Child(absl::string_view key) {
  if (!absl::c_linear_search(known_, key)) known_.emplace_back(key);
  const YamlNode::Entry* entry = Find(key);
  if (entry == nullptr || entry->value.kind == YamlNode::Kind::kNull) return nullptr;
  return &entry->value;
}

const YamlNode* MapReader::Scalar(absl::string_view key, absl::string_view expected) {
  const YamlNode* node = Child(key);
  if (node == nullptr || node->kind == YamlNode::Kind::kScalar) return node;
  problems_.Add(node->place,
                absl::StrCat("'", key, "': expected ", expected, ", found ", KindName(*node)));
  return nullptr;
}

std::optional<std::string> MapReader::Text(absl::string_view key) {
  const YamlNode* node = Scalar(key, "text");
  if (node == nullptr) return std::nullopt;
  return node->scalar;
}

std::optional<int64_t> MapReader::Integer(absl::string_view key, int64_t min, int64_t max) {
  const YamlNode* node = Scalar(key, "a number");
  if (node == nullptr) return std::nullopt;
  int64_t value;
  if (!absl::SimpleAtoi(node->scalar, &value)) {
    problems_.Add(node->place,
                  absl::StrCat("'", key, "': expected a number, found '", node->scalar, "'"));
    return std::nullopt;
  }
  if (value < min || value > max) {
    problems_.Add(node->place, absl::StrCat("'", key, "': expected a number from ", min, " to ",
                                            max, ", found ", value));
    return std::nullopt;
  }
  return value;
}

std::optional<bool> MapReader::Bool(absl::string_view key) {
  const YamlNode* node = Scalar(key, "true or false");
  if (node == nullptr) return std::nullopt;
  if (node->scalar == "true" || node->scalar == "false") return node->scalar == "true";
  problems_.Add(node->place,
                absl::StrCat("'", key, "': expected true or false, found '", node->scalar, "'"));
  return std::nullopt;
}

std::optional<absl::Duration> MapReader::Duration(absl::string_view key) {
  const YamlNode* node = Scalar(key, "a duration such as 5s or 30d");
  if (node == nullptr) return std::nullopt;
  absl::StatusOr<absl::Duration> value = ParseDurationText(node->scalar);
  if (value.ok()) return *value;
  problems_.Add(node->place, absl::StrCat("'", key, "': ", value.status().message()));
  return std::nullopt;
}

std::optional<int64_t> MapReader::ByteSize(absl::string_view key) {
  const YamlNode* node = Scalar(key, "a size such as 64MiB");
  if (node == nullptr) return std::nullopt;
  absl::StatusOr<int64_t> value = ParseByteSize(node->scalar);
  if (value.ok()) return *value;
  problems_.Add(node->place, absl::StrCat("'", key, "': ", value.status().message()));
  return std::nullopt;
}

std::optional<std::vector<std::string>> MapReader::TextList(absl::string_view key) {
  const YamlNode* node = Child(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind == YamlNode::Kind::kScalar) return std::vector<std::string>{node->scalar};
  if (node->kind != YamlNode::Kind::kList) {
    problems_.Add(node->place, absl::StrCat("'", key, "': expected a list such as [a, b], found ",
                                            KindName(*node)));
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const YamlNode& item : node->items) {
    if (item.kind == YamlNode::Kind::kScalar) {
      texts.push_back(item.scalar);
    } else {
      problems_.Add(item.place, absl::StrCat("'", key, "': expected text, found ", KindName(item)));
    }
  }
  return texts;
}

std::optional<std::string> MapReader::Choice(absl::string_view key,
                                             absl::Span<const std::string> values,
                                             absl::Span<const std::string> later) {
  const YamlNode* node = Scalar(key, ListWords(values));
  if (node == nullptr) return std::nullopt;
  if (absl::c_linear_search(values, node->scalar)) return node->scalar;
  if (absl::c_linear_search(later, node->scalar)) {
    problems_.Add(node->place,
                  absl::StrCat("'", key, ": ", node->scalar, "' is not in this version; expected ",
                               ListWords(values)));
    return std::nullopt;
  }
  std::vector<std::string> all(values.begin(), values.end());
  all.insert(all.end(), later.begin(), later.end());
  problems_.Add(node->place, absl::StrCat("'", key, "': expected ", ListWords(values), ", found '",
                                          node->scalar, "'", DidYouMean(node->scalar, all)));
  return std::nullopt;
}

void MapReader::Later(absl::Span<const std::string> keys) {
  later_.insert(later_.end(), keys.begin(), keys.end());
}

void MapReader::Finish() {
  for (const YamlNode::Entry& entry : node_.entries) {
    if (absl::c_linear_search(known_, entry.key)) continue;
    if (absl::c_linear_search(later_, entry.key)) {
      problems_.Add(entry.place, absl::StrCat(what_, ": '", entry.key, "' is not in this version"));
      continue;
    }
    std::vector<std::string> candidates = known_;
    candidates.insert(candidates.end(), later_.begin(), later_.end());
    std::string hint = DidYouMean(entry.key, candidates);
    if (hint.empty()) hint = absl::StrCat("; known here: ", ListWords(known_));
    problems_.Add(entry.place, absl::StrCat(what_, ": unknown key '", entry.key, "'", hint));
  }
}

}  // namespace headwater
