#include "worker/stage/bad_row_tally.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace headwater {
namespace {

constexpr size_t kNamed = 3;  // Rows that an error names: more do not help a person.

}  // namespace

absl::Status BadRowTally::Add(const BadRow& row) {
  const absl::MutexLock lock(&mutex_);
  ++rows_;
  if (first_.size() < kNamed) first_.push_back(Describe(row));
  if (limit_.percent > 0 || rows_ <= limit_.rows) return absl::OkStatus();
  return TooMany(absl::StrCat(rows_, " or more"), absl::StrCat(limit_.rows));
}

absl::Status BadRowTally::CheckShare(int64_t rows_read) const {
  const absl::MutexLock lock(&mutex_);
  const double allowed = limit_.percent / 100 * static_cast<double>(rows_read);
  if (limit_.percent == 0 || static_cast<double>(rows_) <= allowed) return absl::OkStatus();
  return TooMany(absl::StrCat(rows_, " of ", rows_read), absl::StrCat(limit_.percent, "%"));
}

absl::Status BadRowTally::TooMany(const std::string& found, const std::string& allowed) const {
  return absl::InvalidArgumentError(absl::StrCat(
      found, " rows do not fit, more than max_bad_rows: ", allowed,
      " lets go to the quarantine; the first: ", absl::StrJoin(first_, "; "),
      ". Mend the source, leave the column out (columns: exclude), or raise max_bad_rows"));
}

}  // namespace headwater
