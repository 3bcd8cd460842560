// Writes a Delta table through the real staging writer and the real committer, and beside it what
// must be in it, for delta_readers_test.py to ask other engines about:
//
//   write_sample_table FOLDER full|plain
//
//   FOLDER/table/            the table: all types and partitions by day (full), or without
//                            timestamp_ntz and by server only (plain: protocol 1/2)
//   FOLDER/expected.jsonl    one live row a line: {"server", "fence", "row": [text or null, …]}
//   FOLDER/summary.json      app_id, last_sequence, versions, columns ([name, type], …)
//
// The expected rows are the texts from which the batches were made; they take no part in staging.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "coordinator/commit/delta/delta_committer.h"
#include "tests/support/fake_source.h"
#include "worker/stage/delta_staging_writer.h"

namespace headwater {
namespace {

constexpr char kTable[] = "sample";
constexpr char kLedger[] = "interop";
constexpr int kIntents = 72;  // Past the checkpoint of version 50.
constexpr int kDays = 6;
constexpr int kOutside = -1;  // As a day: the outside piece.
constexpr int64_t kDay = int64_t{86'400'000'000};
constexpr int64_t kFirstDay = 19'780 * kDay;  // 2024-02-27, two days before a leap day.

// Each column's texts; row k takes the k-th, round and round. "-" is NULL.
struct SampleColumn {
  Column column;
  std::vector<std::string> texts;
};

std::vector<SampleColumn> SampleColumns(bool full) {
  const std::string megabyte(1 << 20, 'm');
  std::vector<SampleColumn> columns;
  const auto add = [&](const char* name, ColumnType type, std::vector<std::string> texts) {
    SampleColumn& added = columns.emplace_back();
    added.column.name = name;
    added.column.type = type;
    added.texts = std::move(texts);
  };
  add("id", ColumnType{TypeKind::kLong},
      {"9223372036854775807", "-9223372036854775808", "0", "-", "9007199254740993", "-1"});
  add("flag", ColumnType{TypeKind::kBoolean}, {"true", "false", "-"});
  add("tiny", ColumnType{TypeKind::kByte}, {"127", "-128", "-", "0"});
  add("small", ColumnType{TypeKind::kShort}, {"32767", "-32768", "-", "0"});
  add("medium", ColumnType{TypeKind::kInteger}, {"2147483647", "-2147483648", "-", "16777217"});
  add("ratio", ColumnType{TypeKind::kFloat},
      {"-0.0", "nan", "3.4028235e38", "1e-45", "-", "0.1", "0.0", "-inf", "16777216"});
  add("score", ColumnType{TypeKind::kDouble},
      {"nan", "-0.0", "1.7976931348623157e308", "5e-324", "0.1", "-", "inf", "0.0",
       "-1.7976931348623157e308", "9007199254740993", "1e21"});
  add("amount", ColumnType{TypeKind::kDecimal, 38, 10},
      {"9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999",
       "0.0000000001", "-", "-0.0000000001", "1.0000000000", "12345678901234567.8901234567"});
  add("price", ColumnType{TypeKind::kDecimal, 18, 2},
      {"9999999999999999.99", "-9999999999999999.99", "0.01", "-", "100.00"});
  add("note", ColumnType{TypeKind::kString},
      {"", "-", "plain", "mit \" und ' und \\ und\nZeile", std::string("nul\0inside", 10),
       "æøå 東京 🚢", megabyte, std::string(40, 'z'), "\xf4\x8f\xbf\xbf", "a=b", "NULL"});
  add("raw", ColumnType{TypeKind::kBinary}, {"", "-", std::string("\0\1\2", 3), "bytes"});
  add("due", ColumnType{TypeKind::kDate},
      {"0001-01-01", "9999-12-31", "-", "1970-01-01", "1582-10-15", "1969-12-31", "2024-02-29"});
  add("seen", ColumnType{TypeKind::kTimestamp},
      {"0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "-", "1969-12-31 23:59:59.999999",
       "2024-02-29 12:34:56.123999", "2024-02-29 12:34:56.123001", "1970-01-01 00:00:00"});
  if (full) {
    add("wall", ColumnType{TypeKind::kTimestampNtz},
        {"9999-12-31 23:59:59.999999", "0001-01-01 00:00:00", "-", "1969-12-31 23:59:59.000999",
         "2024-03-31 02:30:00.555999"});
  }
  return columns;
}

// The whole run; any error ends the process.
class Sample {
 public:
  Sample(const std::string& folder, bool full)
      : folder_(folder), full_(full), columns_(SampleColumns(full)) {
    schema_.columns.push_back({"at", {TypeKind::kTimestamp}});
    for (const SampleColumn& column : columns_) schema_.columns.push_back(column.column);
    committer_ = Need(factory_.Open({kTable, folder + "/table", kLedger}), "opening the table");
  }

  void Write() {
    for (int i = 1; i <= kIntents; ++i) {
      Intent intent{kTable, i, "", {}};
      const std::string& server = servers_[i % servers_.size()];
      const int day = i / static_cast<int>(servers_.size()) % kDays;
      if (i % 8 == 1) {
        intent.replacements.push_back(Replace(server, day, day + 1, /*outside=*/true, -1));
      } else if (i % 9 == 0 && day + 2 <= kDays) {  // Two pieces; the first is read again as it is.
        intent.replacements.push_back(Replace(server, day, day + 2, false, /*same=*/day));
      } else {
        intent.replacements.push_back(Replace(server, day, day + 1, false, -1));
      }
      if (i % 4 == 0) {
        const std::string& other = servers_[(i + 1) % servers_.size()];
        intent.replacements.push_back(Replace(other, 0, 1, false, -1));
      }
      Commit(intent);
    }
    WriteExpected();
    WriteSummary();
  }

 private:
  struct Piece {
    std::vector<std::string> rows;  // JSON arrays.
    int64_t fence = 0;
    KnownPiece known;
  };
  using PieceKey = std::pair<std::string, int>;  // Server and day.

  template <typename T>
  static T Need(absl::StatusOr<T> result, absl::string_view doing) {
    if (!result.ok()) Die(absl::StrCat(doing, ": ", result.status().ToString()));
    return *std::move(result);
  }
  [[noreturn]] static void Die(const std::string& why) {
    std::fprintf(stderr, "write_sample_table: %s\n", why.c_str());
    std::exit(1);
  }

  std::string Row(const std::string& at) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
    const auto put = [&](const std::string& text) {
      text == "-" ? json.Null() : json.String(text.data(), text.size());
    };
    json.StartArray();
    put(at);
    for (const SampleColumn& column : columns_) put(column.texts[next_row_ % column.texts.size()]);
    json.EndArray();
    ++next_row_;
    return buffer.GetString();
  }

  std::vector<std::string> NewRows(int day) {
    std::vector<std::string> rows;
    if (day == kOutside) {
      rows.push_back(Row("-"));
      rows.push_back(Row("9999-12-31 22:59:59.999999"));
      return rows;
    }
    // None in some: an emptied range when there were rows before.
    const int count = next_count_++ % 7 == 6 ? 0 : 1 + next_count_ % 3;
    for (int i = 0; i < count; ++i) {
      const int date = day == 0 ? 27 : day == 1 ? 28 : day == 2 ? 29 : day - 2;
      rows.push_back(Row(absl::StrFormat("2024-%02d-%02d %02d:59:59.%03d999", day <= 2 ? 2 : 3,
                                         date, 23 - 11 * i, 999 - i)));
    }
    return rows;
  }

  StagingOptions OptionsFor(const std::string& server, int64_t fence, Extent extent) const {
    StagingOptions options;
    options.dataset.id = {kTable, server};
    options.dataset.server.name = server;
    options.dataset.server.timezone = "Europe/Oslo";
    options.dataset.cursor = "at";
    if (full_) options.dataset.partition_by = {Unit::Kind::kDay, 1};
    options.dataset.target_uri = folder_ + "/table";
    options.lease = {absl::StrCat("task", fence), fence};
    options.cursor_type = CursorType::kInstant;
    options.domain_end = kFirstDay + kDays * kDay;
    options.extent = extent;
    options.source_schema = schema_;
    options.loaded_at = absl::FromUnixMicros(1'700'000'000'123'999);
    return options;
  }

  // Reads days [from, to), and the outside rows if asked, of a server anew; the day `same` has the
  // rows it had.
  Replacement Replace(const std::string& server, int from, int to, bool outside, int same) {
    const int64_t fence = ++last_fence_;
    StagingOptions options =
        OptionsFor(server, fence, {Range{kFirstDay + from * kDay, kFirstDay + to * kDay}, outside});
    std::vector<int> days;
    for (int day = from; day < to; ++day) {
      if (day > from) options.cuts.push_back(kFirstDay + day * kDay);
      days.push_back(day);
    }
    if (outside) days.push_back(kOutside);
    std::vector<std::string> all;
    for (const int day : days) {
      Piece& piece = pieces_[{server, day}];
      if (piece.fence != 0) options.known.push_back(piece.known);
      if (day != same || piece.fence == 0) piece.rows = NewRows(day);
      all.insert(all.end(), piece.rows.begin(), piece.rows.end());
    }
    std::unique_ptr<StagingWriter> writer = Need(OpenParquetStaging(options), "opening staging");
    if (!all.empty()) {
      const auto batch = BatchOf(schema_, absl::StrCat("[", absl::StrJoin(all, ","), "]"));
      if (const absl::Status status = writer->Write(*batch); !status.ok()) Die(status.ToString());
    }
    Replacement replacement;
    replacement.dataset = options.dataset.id;
    replacement.fence = fence;
    replacement.partition_by = options.dataset.partition_by;
    replacement.extent = options.extent;
    replacement.manifest = Need(writer->Finish(), "staging");
    for (size_t i = 0; i < days.size(); ++i) {
      const StagedPiece& staged = replacement.manifest.pieces[i];
      Piece& piece = pieces_[{server, days[i]}];
      if (staged.unchanged != (days[i] == same && piece.fence != 0 && !piece.rows.empty())) {
        // Rows that were not meant to be the same are equal only when there are none.
        if (!piece.rows.empty()) Die("a piece is unchanged that should not be, or the reverse");
      }
      unchanged_ += staged.unchanged ? 1 : 0;
      if (!staged.unchanged) piece.fence = fence;
      piece.known = {staged.extent, staged.fingerprint, replacement.manifest.spec_version};
    }
    return replacement;
  }

  void Commit(Intent& intent) {
    intent.hash = IntentHash(intent);
    for (const absl::Status& status : Need(committer_->Check(intent.replacements), "checking")) {
      if (!status.ok()) Die(status.ToString());
    }
    const CommitResult result = Need(committer_->Commit(intent), "committing");
    if (result.version < 0) return;
    if (result.version != versions_) Die("versions are not counted up");
    ++versions_;
    last_sequence_ = intent.sequence;
  }

  void WriteExpected() const {
    std::ofstream out(folder_ + "/expected.jsonl");
    for (const auto& [key, piece] : pieces_) {
      rapidjson::StringBuffer server;
      rapidjson::Writer<rapidjson::StringBuffer>(server).String(key.first.c_str());
      for (const std::string& row : piece.rows) {
        out << "{\"server\":" << server.GetString() << ",\"fence\":" << piece.fence
            << ",\"row\":" << row << "}\n";
      }
    }
    if (!out.flush()) Die("cannot write the expected rows");
  }

  void WriteSummary() const {
    std::vector<std::string> columns;
    for (const Column& column : schema_.columns) {
      columns.push_back(
          absl::StrCat("[\"", column.name, "\",\"", TypeToString(column.type), "\"]"));
    }
    std::ofstream out(folder_ + "/summary.json");
    out << "{\"app_id\":\"headwater/" << kLedger << "/" << kTable
        << "\",\"last_sequence\":" << last_sequence_ << ",\"versions\":" << versions_
        << ",\"unchanged\":" << unchanged_ << ",\"columns\":[" << absl::StrJoin(columns, ",")
        << "]}\n";
    if (!out.flush()) Die("cannot write the summary");
  }

  const std::string folder_;
  const bool full_;
  const std::vector<SampleColumn> columns_;
  const std::vector<std::string> servers_ = {"p1", "north sea 100%", "o'brien \"x\"", "Ørsted/東京",
                                             "a=b"};
  Schema schema_;
  DeltaCommitterFactory factory_;
  std::unique_ptr<TableCommitter> committer_;
  std::map<PieceKey, Piece> pieces_;
  int next_row_ = 0;
  int next_count_ = 0;
  int64_t last_fence_ = 0;
  int64_t versions_ = 0;
  int64_t last_sequence_ = 0;
  int unchanged_ = 0;
};

}  // namespace
}  // namespace headwater

int main(int argc, char** argv) {
  const std::string kind = argc == 3 ? argv[2] : "";
  if (kind != "full" && kind != "plain") {
    std::fprintf(stderr, "usage: write_sample_table FOLDER full|plain\n");
    return 2;
  }
  std::filesystem::create_directories(argv[1]);
  headwater::Sample(argv[1], kind == "full").Write();
}
