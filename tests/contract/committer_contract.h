// What every committer must do. A suite is instantiated with a factory of places: where a table
// lives, how rows are staged for it, and what outsiders see there.
#ifndef HEADWATER_TESTS_CONTRACT_COMMITTER_CONTRACT_H_
#define HEADWATER_TESTS_CONTRACT_COMMITTER_CONTRACT_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/commit/committer.h"
#include "gtest/gtest.h"

namespace headwater {

// A table "deals" of one column `id` (long), as far as these tests need one.
class CommitterPlace {
 public:
  virtual ~CommitterPlace() = default;
  // A committer as after a restart. `ledger` names who asks.
  virtual std::unique_ptr<TableCommitter> Open(const std::string& ledger = "ledger-a") = 0;
  // Files of one piece, staged where no reader looks.
  virtual std::vector<StagedFile> Stage(const std::string& server, int64_t fence,
                                        const std::string& name) = 0;
  // Names of the staged files that outsiders see, by server.
  virtual std::map<std::string, std::vector<std::string>> Visible() = 0;
};

struct CommitterKind {
  std::string name;
  std::function<std::unique_ptr<CommitterPlace>()> make_place;
  std::vector<std::string> failpoints;  // Every step of a commit, as name=occurrence.
  // Likewise every step of what may follow on a commit that is not the table's first: that commit
  // stands whatever becomes of them.
  std::vector<std::string> upkeep_failpoints;
};

class CommitterContract : public testing::TestWithParam<CommitterKind> {};

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_COMMITTER_CONTRACT_H_
