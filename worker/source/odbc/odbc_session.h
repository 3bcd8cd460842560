// A connection to an ODBC source as probes and readers use it.
#ifndef HEADWATER_WORKER_SOURCE_ODBC_ODBC_SESSION_H_
#define HEADWATER_WORKER_SOURCE_ODBC_ODBC_SESSION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/source/odbc/fetch_plan.h"
#include "worker/source/odbc/odbc_handles.h"
#include "worker/source/odbc/odbc_quirks.h"
#include "worker/source/source_session.h"

namespace headwater {

class OdbcSession : public SourceSession {
 public:
  // `connection_string` gets its driver's settings (odbc_quirks.h). UNAVAILABLE: the server cannot
  // be reached, or SQLite's file does not exist (nothing is created; the path is named).
  static absl::StatusOr<std::unique_ptr<OdbcSession>> Open(const std::string& connection_string);

  const Dialect& dialect() const override { return DialectOf(quirks_.dialect); }
  // A cancelled connection may still carry its cancellation.
  bool sound() const override { return !connection_->cancelled(); }
  const OdbcQuirks& quirks() const { return quirks_; }
  OdbcConnection& connection() { return *connection_; }

  absl::StatusOr<std::vector<SourceColumn>> Describe(const std::string& relation) override;
  absl::StatusOr<std::vector<TextRow>> Query(const std::string& sql) override;
  absl::Status Execute(const std::string& sql) override;
  // The reader that this driver's fetches can be trusted with (odbc_quirks.h).
  absl::StatusOr<std::unique_ptr<SourceReader>> OpenReader(const DatasetSpec& dataset,
                                                           const Extent& extent,
                                                           const ReadOptions& options) override;
  void Cancel() override { connection_->Cancel(); }

 private:
  OdbcSession(std::unique_ptr<OdbcConnection> connection, const OdbcQuirks& quirks)
      : connection_(std::move(connection)), quirks_(quirks) {}
  // Lets Cancel() stop queries over a connection of its own.
  absl::Status CancelOverAnother(const std::string& connection_string);
  absl::StatusOr<std::vector<SourceColumn>> DescribeSqlite(const std::string& relation);
  absl::StatusOr<std::vector<OdbcColumn>> DescribeByDriver(const std::string& relation);
  // Takes the catalogue's word for types where the driver's does not suffice (catalog_type.h).
  absl::Status RefineTypes(const std::string& relation, std::vector<OdbcColumn>& columns);
  // NOT_FOUND with the relations that there are; `status` if the driver cannot list them.
  absl::Status NoSuchRelation(const std::string& relation, const absl::Status& status);

  std::unique_ptr<OdbcConnection> connection_;
  const OdbcQuirks& quirks_;
};

}  // namespace headwater

#endif  // HEADWATER_WORKER_SOURCE_ODBC_ODBC_SESSION_H_
