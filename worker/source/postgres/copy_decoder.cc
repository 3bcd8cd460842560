#include "worker/source/postgres/copy_decoder.h"

#include <utility>

#include "absl/base/optimization.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/source/postgres/copy_field.h"

namespace headwater {
namespace {

constexpr absl::string_view kSignature("PGCOPY\n\xff\r\n\0", 11);
constexpr size_t kHeaderBytes = kSignature.size() + 4 + 4;
constexpr int32_t kCriticalFlags = static_cast<int32_t>(0xFFFF0000);
constexpr int32_t kMaxExtensionBytes = 1 << 20;

FieldRules RulesOf(const Schema& schema, const std::vector<WireShape>& shapes) {
  FieldRules rules;
  rules.protocol = "COPY";
  std::vector<ColumnType> types;
  for (const Column& column : schema.columns) types.push_back(column.type);
  for (const WireShape shape : shapes) rules.appenders.push_back(AppenderOf(shape));
  rules.value = [shapes, types](size_t i, absl::string_view field) {
    return FieldValue(shapes[i], types[i], field);
  };
  rules.text = [shapes, types](size_t i, absl::string_view field) {
    return FieldText(shapes[i], types[i], field);
  };
  return rules;
}

}  // namespace

CopyDecoder::CopyDecoder(const Schema& schema, const std::vector<WireShape>& shapes,
                         BadRowRules rules)
    : rows_(schema, RulesOf(schema, shapes), std::move(rules)) {}

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
  std::vector<absl::string_view>& fields = rows_.fields();
  if (count < 0 || static_cast<size_t>(count) != fields.size()) {
    return Fail(absl::DataLossError(absl::StrCat("COPY: row ", rows_.rows() + 1, " has ", count,
                                                 " fields; expected ", fields.size())));
  }
  const char* at = bytes.data() + 2;
  const char* const end = bytes.data() + bytes.size();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (end - at < 4) return Taken::kPart;
    const int32_t size = BigEndian32(at);
    at += 4;
    if (ABSL_PREDICT_FALSE(size < 0)) {
      if (size < -1) {
        return Fail(absl::DataLossError(absl::StrCat("COPY: row ", rows_.rows() + 1, ", column '",
                                                     rows_.schema().columns[i].name,
                                                     "' has length ", size)));
      }
      fields[i] = absl::string_view();
      continue;
    }
    if (end - at < size) return Taken::kPart;
    fields[i] = absl::string_view(at, static_cast<size_t>(size));
    at += size;
  }
  bytes.remove_prefix(static_cast<size_t>(at - bytes.data()));
  absl::Status appended = rows_.Append();
  return appended.ok() ? Taken::kWhole : Fail(std::move(appended));
}

}  // namespace headwater
