#include "worker/source/postgres/copy_decoder.h"

#include <utility>

#include "absl/base/optimization.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace headwater {
namespace {

constexpr absl::string_view kSignature("PGCOPY\n\xff\r\n\0", 11);
constexpr size_t kHeaderBytes = kSignature.size() + 4 + 4;
constexpr int32_t kCriticalFlags = static_cast<int32_t>(0xFFFF0000);
constexpr int32_t kMaxExtensionBytes = 1 << 20;

}  // namespace

CopyDecoder::CopyDecoder(Schema schema, std::vector<WireShape> shapes, BadRowRules rules)
    : schema_(std::move(schema)),
      shapes_(std::move(shapes)),
      rules_(std::move(rules)),
      fields_(shapes_.size()),
      batch_(schema_) {
  for (const WireShape shape : shapes_) appenders_.push_back(AppenderOf(shape));
}

CopyDecoder::Taken CopyDecoder::Fail(absl::Status status) {
  error_ = std::move(status);
  return Taken::kError;
}

absl::Status CopyDecoder::Feed(absl::string_view bytes) {
  // The server sends a row per message, so bytes are copied only when a message was cut.
  const bool joined = !rest_.empty();
  if (joined) {
    rest_.append(bytes.data(), bytes.size());
    bytes = rest_;
  }
  while (!bytes.empty()) {
    if (state_ == State::kFinished) {
      return absl::DataLossError(absl::StrCat("COPY: ", bytes.size(), " bytes after the trailer"));
    }
    const Taken taken = state_ == State::kHeader ? TakeHeader(bytes) : TakeTuple(bytes);
    if (taken == Taken::kError) return error_;
    if (taken == Taken::kPart) break;
  }
  if (joined || !bytes.empty()) rest_ = std::string(bytes);
  return absl::OkStatus();
}

CopyDecoder::Taken CopyDecoder::TakeHeader(absl::string_view& bytes) {
  const size_t compared = std::min(bytes.size(), kSignature.size());
  if (bytes.substr(0, compared) != kSignature.substr(0, compared)) {
    return Fail(absl::DataLossError(
        absl::StrCat("COPY: expected the signature PGCOPY, found bytes ",
                     absl::BytesToHexString(bytes.substr(0, kSignature.size())))));
  }
  if (bytes.size() < kHeaderBytes) return Taken::kPart;
  const int32_t flags = BigEndian32(bytes.data() + kSignature.size());
  const int32_t extension = BigEndian32(bytes.data() + kSignature.size() + 4);
  if ((flags & kCriticalFlags) != 0 || extension < 0 || extension > kMaxExtensionBytes) {
    return Fail(absl::DataLossError(
        absl::StrCat("COPY: unknown header, flags ", flags, ", extension ", extension)));
  }
  const size_t size = kHeaderBytes + static_cast<size_t>(extension);
  if (bytes.size() < size) return Taken::kPart;
  bytes.remove_prefix(size);
  state_ = State::kTuples;
  return Taken::kWhole;
}

CopyDecoder::Taken CopyDecoder::TakeTuple(absl::string_view& bytes) {
  if (bytes.size() < 2) return Taken::kPart;
  const int16_t count = BigEndian16(bytes.data());
  if (count == -1) {
    bytes.remove_prefix(2);
    state_ = State::kFinished;
    return Taken::kWhole;
  }
  if (count < 0 || static_cast<size_t>(count) != shapes_.size()) {
    return Fail(absl::DataLossError(absl::StrCat("COPY: row ", rows_ + 1, " has ", count,
                                                 " fields; expected ", shapes_.size())));
  }
  const char* at = bytes.data() + 2;
  const char* const end = bytes.data() + bytes.size();
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (end - at < 4) return Taken::kPart;
    const int32_t size = BigEndian32(at);
    at += 4;
    if (ABSL_PREDICT_FALSE(size < 0)) {
      if (size < -1) {
        return Fail(
            absl::DataLossError(absl::StrCat("COPY: row ", rows_ + 1, ", column '",
                                             schema_.columns[i].name, "' has length ", size)));
      }
      fields_[i] = absl::string_view();
      continue;
    }
    if (end - at < size) return Taken::kPart;
    fields_[i] = absl::string_view(at, static_cast<size_t>(size));
    at += size;
  }
  bytes.remove_prefix(static_cast<size_t>(at - bytes.data()));
  return AppendTuple();
}

CopyDecoder::Taken CopyDecoder::AppendTuple() {
  ++rows_;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const int column = static_cast<int>(i);
    if (fields_[i].data() == nullptr) {
      batch_.AppendNull(column);
      continue;
    }
    const Column& declared = schema_.columns[i];
    const FieldResult result = appenders_[i](batch_, column, declared.type, fields_[i]);
    if (ABSL_PREDICT_TRUE(result == FieldResult::kAppended)) continue;
    if (result == FieldResult::kUnfit) return SetAside(i);
    return Fail(Malformed(i));
  }
  batch_.EndRow();
  return Taken::kWhole;
}

CopyDecoder::Taken CopyDecoder::SetAside(size_t column) {
  // Nothing behind the bad column has been decoded, and bytes that are no row are an error always.
  for (size_t i = column + 1; i < fields_.size(); ++i) {
    if (fields_[i].data() == nullptr) continue;
    const ColumnType& type = schema_.columns[i].type;
    if (appenders_[i](batch_, static_cast<int>(i), type, fields_[i]) == FieldResult::kMalformed) {
      return Fail(Malformed(i));
    }
  }
  std::optional<BadRow> bad = MakeBadRow(rules_, schema_, column, [&](size_t i) {
    if (fields_[i].data() == nullptr) return std::optional<std::string>();
    return std::optional(FieldValue(shapes_[i], schema_.columns[i].type, fields_[i]));
  });
  if (!bad.has_value()) return Fail(Unfit(column));
  batch_.SetAside(*std::move(bad));
  return Taken::kWhole;
}

absl::Status CopyDecoder::Malformed(size_t column) const {
  const Column& declared = schema_.columns[column];
  return absl::DataLossError(absl::StrCat("COPY: row ", rows_, ", column '", declared.name,
                                          "': ", fields_[column].size(), " bytes are not a ",
                                          TypeToString(declared.type)));
}

absl::Status CopyDecoder::Unfit(size_t column) const {
  std::string key;
  for (const int i : rules_.key) {
    const auto at = static_cast<size_t>(i);
    absl::StrAppend(&key, key.empty() ? "" : ", ", schema_.columns[at].name, "=",
                    fields_[at].data() == nullptr
                        ? "NULL"
                        : FieldText(shapes_[at], schema_.columns[at].type, fields_[at]));
  }
  const Column& bad = schema_.columns[column];
  const std::string text = FieldText(shapes_[column], bad.type, fields_[column]);
  return absl::InvalidArgumentError(
      absl::StrCat("column '", bad.name, "' holds '", text, "' in the row with ", key, "; ",
                   Expected(bad.type), AdviceFor(rules_, schema_, column, text)));
}

}  // namespace headwater
