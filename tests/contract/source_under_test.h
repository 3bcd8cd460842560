// A source of a test's own: a database that the test fills, and the Source that reads it.
#ifndef HEADWATER_TESTS_CONTRACT_SOURCE_UNDER_TEST_H_
#define HEADWATER_TESTS_CONTRACT_SOURCE_UNDER_TEST_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/data/schema.h"
#include "common/model/dataset_spec.h"
#include "gtest/gtest.h"
#include "worker/source/source_reader.h"

namespace headwater {

// One kind of source with a database of its own. Create() returns null when the database cannot be
// had here, and says why.
class SourceUnderTest {
 public:
  virtual ~SourceUnderTest() = default;
  virtual void Execute(const std::string& sql) = 0;
  virtual ServerSpec server() const = 0;
  virtual absl::StatusOr<std::unique_ptr<Source>> Open() const = 0;
  virtual std::string TypeName(TypeKind kind) const = 0;       // For CREATE TABLE.
  virtual std::string Blob(const std::string& hex) const = 0;  // A literal.
  virtual std::string SlowQuery() const = 0;  // Runs for minutes unless it is cancelled.
  // A text in an integer column, if the database lets one in; else empty.
  virtual std::string BadInteger() const { return ""; }
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_SOURCE_UNDER_TEST_H_
