// How a ledger makes a table its own that it did not make, or does not know any more: what the
// table's log says of the pieces in it, and the commit that takes it over. For `state heal` and
// `repair --adopt`, which run while nobody publishes (takeovers.h).
#ifndef HEADWATER_COORDINATOR_COMMIT_TAKEOVER_H_
#define HEADWATER_COORDINATOR_COMMIT_TAKEOVER_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/data/fingerprint.h"
#include "common/data/schema.h"
#include "common/model/extent.h"
#include "coordinator/commit/committer.h"

namespace headwater {

// A piece, by the tags of its live files.
struct SurveyedPiece {
  Extent extent;
  int64_t fence = 0;        // Of the newest of its attempts.
  Fingerprint fingerprint;  // As tagged: of the table's rows and the quarantine's.
  int64_t bad_rows = 0;     // Of those, as tagged, in the quarantine.
  std::string spec_version;
  int64_t settled_to = std::numeric_limits<int64_t>::min();  // Of its dataset, when it was written.
  int64_t live_rows = 0;      // In live files of the table; -1: another writer left statistics out.
  int64_t live_bad_rows = 0;  // In those of the quarantine, of the same attempt.
  bool one_attempt = true;    // All of its files are of one fence.

  // All that its attempt published is there.
  bool whole() const {
    return one_attempt && live_rows == fingerprint.rows - bad_rows && live_bad_rows == bad_rows;
  }
};

// What a table holds of one server.
struct SurveyedServer {
  std::vector<SurveyedPiece> pieces;  // Ranges ascending, the outside piece last.
  int64_t keyed_files = 0;            // Written by key: of no piece.
  int64_t keyed_rows = 0;             // -1: not known.
  std::vector<std::string> foreign;   // Files without our tags, as paths in the table's folder.
  int64_t adopted_files = 0;          // Foreign once, and taken over since.
};

struct TableSurvey {
  bool exists = false;
  int64_t version = -1;
  std::string owner;          // The ledger that it says it belongs to; empty: none.
  int64_t last_sequence = 0;  // The highest of any ledger's transactions.
  int64_t own_sequence = 0;   // Of the last commit of the location's ledger; 0: none.
  int64_t max_fence = 0;      // Of all commits ever made there.
  Schema schema;              // As readers see it.
  // By name; empty: files that nothing says the server of.
  std::map<std::string, SurveyedServer> servers;
};

struct TakeoverRequest {
  int64_t version = -1;  // That was surveyed: the takeover comes right after it.
  int64_t sequence = 0;  // Of its transaction; above all that the table has seen.
  // Of these servers all live files become adopted ones: of no piece, to go with the next read of
  // everything.
  std::set<std::string> adopted = {};
  // Likewise, where rows are looked up by key: foreign files become files of the dataset.
  std::set<std::string> adopted_by_key = {};
};

// Confined to one thread.
class TableTakeover {
 public:
  virtual ~TableTakeover() = default;

  // Reads the table and its quarantine. An absent one has exists = false. ALREADY_EXISTS: the
  // folder holds something else; UNIMPLEMENTED: the table asks of its writers what this program
  // does not do; DATA_LOSS: its log is damaged.
  virtual absl::StatusOr<TableSurvey> Survey() = 0;

  // One version, in which the table belongs to the location's ledger; no row changes. Its number.
  // Requires: the table exists. ABORTED: it has another version than was surveyed: nothing was
  // written, survey it again. Other errors: the store's.
  virtual absl::StatusOr<int64_t> Take(const TakeoverRequest& request) = 0;
};

class TakeoverFactory {
 public:
  virtual ~TakeoverFactory() = default;
  virtual absl::StatusOr<std::unique_ptr<TableTakeover>> Open(const TableLocation& location) = 0;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_TAKEOVER_H_
