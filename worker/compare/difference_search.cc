#include "worker/compare/difference_search.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/data/row_checksum.h"
#include "worker/source/checksum_query.h"
#include "worker/source/key_ranges.h"
#include "worker/stage/taken_rows.h"

namespace headwater {
namespace {

constexpr int kMostLevels = 6;
constexpr int64_t kSamplesPerPart = 16;
constexpr size_t kMostJoined = 20;
constexpr int64_t kPartsOfSmall = 64;

// A range whose sums differ.
struct Open {
  KeyRange range;
  std::string within;
  int64_t rows = 0;  // Of that side which has more.
  bool few = false;  // It is not divided again.
};

struct Border {
  KeyValue value;
  std::string text;
};

class Search {
 public:
  explicit Search(const DifferenceSearch& asked) : asked_(asked), table_(asked.table) {}

  absl::StatusOr<DifferingRows> Run() {
    ASSIGN_OR_RETURN(const bool can, Prepare());
    if (!can) return std::move(found_);
    std::vector<Open> open = {Open{}};
    for (const StagedFile& file : table_.files) open[0].rows += file.rows;
    few_rows_ = std::clamp<int64_t>(open[0].rows / kPartsOfSmall, 1, kFewRows);
    for (int level = 0; level < kMostLevels; ++level) {
      const bool done =
          level > 0 && std::all_of(open.begin(), open.end(), [](const Open& o) { return o.few; });
      if (done) break;
      absl::StatusOr<std::vector<Open>> divided = Divide(open);
      if (MakesNoChecksum(divided.status())) {
        found_.why = "the source cannot make the checksum of a row";
        return std::move(found_);
      }
      // As a server whose encoding lacks some of a text's characters does.
      if (absl::IsInvalidArgument(divided.status()) && key_type_.kind == TypeKind::kString) {
        found_.why = absl::StrCat("its key cannot be divided: ", divided.status().message());
        return std::move(found_);
      }
      RETURN_IF_ERROR(divided.status());
      open = *std::move(divided);
      if (level > 0) continue;
      int64_t differing = 0;
      for (const Open& one : open) differing += one.rows;
      if (differing > few_rows_ && differing > found_.source_rows / 4) {
        found_.why = "a quarter of its rows and more differ";
        return std::move(found_);
      }
    }
    found_.narrowed = true;
    for (Open& one : open) {
      found_.ranges.ranges.push_back(std::move(one.range));
      found_.within.push_back(std::move(one.within));
    }
    return std::move(found_);
  }

 private:
  // False: nothing can be told.
  absl::StatusOr<bool> Prepare() {
    const auto sums =
        asked_.source.Checksums(asked_.dataset, {}, asked_.read, asked_.checksum, asked_.stop);
    if (MakesNoChecksum(sums.status())) {
      found_.why = "the source makes no checksums";
      return false;
    }
    RETURN_IF_ERROR(sums.status());
    found_.columns = table_.columns = sums->columns;
    if (!sums->differing.empty()) {
      found_.why = absl::StrCat("the source's text of column '", sums->differing.front(),
                                "' may be another than that of rows that were read");
      return false;
    }
    ASSIGN_OR_RETURN(const DividingKey key,
                     asked_.source.KeyToDivideBy(asked_.dataset, asked_.read, asked_.stop));
    found_.unique = key.unique;
    found_.ranges.key = key.column;
    const int at = table_.columns.Find(key.column);
    if (key.column.empty() || at < 0) {
      found_.why = "no key divides its rows";
      return false;
    }
    key_type_ = table_.columns.columns[static_cast<size_t>(at)].type;
    return true;
  }

  // Of each open range the parts whose sums differ.
  absl::StatusOr<std::vector<Open>> Divide(const std::vector<Open>& open) {
    ASSIGN_OR_RETURN(const std::vector<std::vector<Border>> wanted, BordersOf(open));
    std::vector<PartChecksums> source;
    std::vector<std::vector<KeyValue>> inner;
    for (size_t i = 0; i < open.size(); ++i) {
      ReadOptions read = asked_.read;
      read.within = open[i].within;
      std::vector<std::string> texts;
      for (const Border& border : wanted[i]) texts.push_back(border.text);
      if (open[i].few) {
        source.emplace_back();
        inner.emplace_back();
        continue;
      }
      ASSIGN_OR_RETURN(PartChecksums sums, asked_.source.ChecksumParts(
                                               asked_.dataset, asked_.extent, read, asked_.checksum,
                                               found_.ranges.key, texts, asked_.stop));
      ASSIGN_OR_RETURN(std::vector<KeyValue> values, KeyValuesOf(key_type_, sums.borders));
      inner.push_back(std::move(values));
      source.push_back(std::move(sums));
    }
    ASSIGN_OR_RETURN(const std::vector<RowChecksum> table, SumTable(open, inner));
    std::vector<Open> next;
    size_t part = 0;
    for (size_t i = 0; i < open.size(); ++i) {
      if (open[i].few) {
        next.push_back(open[i]);
        ++part;
        continue;
      }
      Compare(open[i], inner[i], source[i], &table[part], next);
      part += source[i].parts.size();
    }
    return next;
  }

  void Compare(const Open& range, const std::vector<KeyValue>& inner, const PartChecksums& source,
               const RowChecksum* table, std::vector<Open>& next) {
    for (size_t i = 0; i < source.parts.size(); ++i) {
      if (range.within.empty()) found_.source_rows += source.parts[i].rows;
      if (source.parts[i] == table[i]) continue;
      Open& one = next.emplace_back();
      one.range.from = i == 0 ? range.range.from : std::optional(inner[i - 1]);
      one.range.to = i == inner.size() ? range.range.to : std::optional(inner[i]);
      one.within = source.within[i];
      one.rows = std::max(source.parts[i].rows, table[i].rows);
      // Without rows of the table nothing tells where to divide.
      one.few = one.rows <= few_rows_ || table[i].rows == 0 || inner.empty();
    }
  }

  static KeyRangeSet SetOf(const std::string& key, const std::vector<Open>& open) {
    KeyRangeSet set{key, {}};
    for (const Open& one : open) set.ranges.push_back(one.range);
    return set;
  }

  // Values of the table's rows that divide each range evenly.
  absl::StatusOr<std::vector<std::vector<Border>>> BordersOf(const std::vector<Open>& open) {
    TableRows keys = table_;
    keys.columns.columns = {
        table_.columns.columns[static_cast<size_t>(table_.columns.Find(found_.ranges.key))]};
    ASSIGN_OR_RETURN(KeyRangeIndex index,
                     KeyRangeIndex::Create(keys.columns, SetOf(found_.ranges.key, open)));
    std::vector<int64_t> every, seen(open.size());
    for (const Open& one : open)
      every.push_back(std::max<int64_t>(1, one.rows / (kSamplesPerPart * PartsOf(one))));
    std::vector<std::vector<std::string>> samples(open.size());
    std::vector<int> parts;
    RETURN_IF_ERROR(
        ForEachTableBatch(keys, asked_.stop, [&](const RowBatch& batch) -> absl::Status {
          RETURN_IF_ERROR(index.Take(batch, parts));
          const arrow::Array& column = *batch.arrow()->column(0);
          for (int64_t row = 0; row < batch.rows(); ++row) {
            const int part = parts[static_cast<size_t>(row)];
            if (part < 0 || column.IsNull(row)) continue;
            const auto at = static_cast<size_t>(part);
            if (open[at].few || ++seen[at] % every[at] != 0) continue;
            const auto value = column.GetScalar(row);
            if (!value.ok()) continue;
            std::optional<std::string> sample = (*value)->ToString();
            if (key_type_.kind == TypeKind::kString) sample = TextBorder(*sample);
            if (sample.has_value()) samples[at].push_back(*std::move(sample));
          }
          return absl::OkStatus();
        }));
    std::vector<std::vector<Border>> borders(open.size());
    for (size_t i = 0; i < open.size(); ++i) {
      ASSIGN_OR_RETURN(borders[i], Quantiles(open[i], std::move(samples[i])));
    }
    return borders;
  }

  int64_t PartsOf(const Open& range) const {
    return std::clamp<int64_t>(2 * range.rows / few_rows_, 2, kMaxKeyParts);
  }

  absl::StatusOr<std::vector<Border>> Quantiles(const Open& range,
                                                std::vector<std::string> samples) const {
    ASSIGN_OR_RETURN(std::vector<KeyValue> values, KeyValuesOf(key_type_, samples));
    std::vector<Border> all;
    for (size_t i = 0; i < values.size(); ++i)
      all.push_back({std::move(values[i]), std::move(samples[i])});
    std::sort(all.begin(), all.end(),
              [](const Border& a, const Border& b) { return a.value < b.value; });
    std::vector<Border> borders;
    const auto parts = static_cast<size_t>(PartsOf(range));
    for (size_t i = 1; i < parts && !all.empty(); ++i) {
      const Border& border = all[i * all.size() / parts];
      if (range.range.from.has_value() && !(*range.range.from < border.value)) continue;
      if (borders.empty() || borders.back().value < border.value) borders.push_back(border);
    }
    return borders;
  }

  absl::StatusOr<std::vector<RowChecksum>> SumTable(
      const std::vector<Open>& open, const std::vector<std::vector<KeyValue>>& inner) {
    ASSIGN_OR_RETURN(KeyRangeIndex index,
                     KeyRangeIndex::Create(table_.columns, SetOf(found_.ranges.key, open), inner));
    ASSIGN_OR_RETURN(const std::unique_ptr<RowChecksummer> checksummer,
                     RowChecksummer::Create(table_.columns));
    std::vector<RowChecksum> sums(static_cast<size_t>(index.count()));
    std::vector<int> parts;
    RETURN_IF_ERROR(
        ForEachTableBatch(table_, asked_.stop, [&](const RowBatch& batch) -> absl::Status {
          RETURN_IF_ERROR(index.Take(batch, parts));
          std::vector<int32_t> rows;
          std::vector<int> of_rows;
          for (size_t i = 0; i < parts.size(); ++i) {
            if (parts[i] < 0) continue;
            rows.push_back(static_cast<int32_t>(i));
            of_rows.push_back(parts[i]);
          }
          if (rows.empty()) return absl::OkStatus();
          if (rows.size() == parts.size()) return checksummer->AddByPart(batch, parts, sums);
          ASSIGN_OR_RETURN(auto taken, TakeRows(*batch.arrow(), rows));
          return checksummer->AddByPart(RowBatch(std::move(taken)), of_rows, sums);
        }));
    return sums;
  }

  const DifferenceSearch& asked_;
  TableRows table_;
  ColumnType key_type_;
  int64_t few_rows_ = kFewRows;
  DifferingRows found_;
};

}  // namespace

absl::StatusOr<DifferingRows> FindDifferingRows(const DifferenceSearch& search) {
  return Search(search).Run();
}

std::vector<std::string> JoinConditions(const std::vector<std::string>& within) {
  std::vector<std::string> joined;
  for (size_t i = 0; i < within.size(); ++i) {
    if (within[i].empty()) return {""};
    if (i % kMostJoined == 0) {
      joined.push_back(absl::StrCat("(", within[i], ")"));
    } else {
      absl::StrAppend(&joined.back(), " OR (", within[i], ")");
    }
  }
  return joined;
}

}  // namespace headwater
