// A Delta table in a folder of its own, for the tests of its committer.
#ifndef HEADWATER_TESTS_CONTRACT_DELTA_PLACE_H_
#define HEADWATER_TESTS_CONTRACT_DELTA_PLACE_H_

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/storage/local_store.h"
#include "coordinator/commit/delta/delta_committer.h"
#include "coordinator/commit/delta/delta_snapshot.h"
#include "tests/contract/committer_contract.h"
#include "tests/support/temp_folder.h"

namespace headwater {

class DeltaPlace : public CommitterPlace {
 public:
  explicit DeltaPlace(int64_t checkpoint_every = 50)
      : factory_(DeltaCommitterOptions{checkpoint_every, &Clock::Real()}) {}

  std::string root() const { return folder_.path() + "/lake/deals"; }
  std::unique_ptr<TableCommitter> Open(const std::string& ledger) override {
    return *factory_.Open({"deals", root(), ledger});
  }
  std::vector<StagedFile> Stage(const std::string& server, int64_t fence,
                                const std::string& name) override {
    StagedFile file;
    file.path = absl::StrCat("server_source=", server, "/hw-", fence, "-", name, ".parquet");
    std::filesystem::create_directories(root() + "/server_source=" + server);
    std::ofstream(root() + "/" + file.path) << name;
    file.size_bytes = static_cast<int64_t>(name.size());
    file.rows = 1;
    file.partition_values = {{"server_source", server}};
    file.stats_json = R"({"numRecords":1})";
    return {file};
  }
  std::map<std::string, std::vector<std::string>> Visible() override {
    std::map<std::string, std::vector<std::string>> visible;
    const auto snapshot = DeltaSnapshot::Load(*OpenLocalStore(root()));
    if (!snapshot.ok()) return {{"error", {std::string(snapshot.status().message())}}};
    for (const auto& [path, add] : snapshot->files()) {
      std::string name = path.substr(path.rfind('-') + 1);
      visible[add.partition_values.at("server_source").value()].push_back(
          name.substr(0, name.find('.')));
    }
    return visible;
  }

 private:
  TempFolder folder_;
  DeltaCommitterFactory factory_;
};

// An intent of that sequence and fence: one file for the piece [10 n, 10 n + 10) of server p1.
inline Intent Numbered(DeltaPlace& place, int64_t number) {
  const Range range{number * 10, number * 10 + 10};
  Replacement replacement;
  replacement.dataset = {"deals", "p1"};
  replacement.fence = number;
  replacement.extent.range = range;
  replacement.manifest.schema.columns = {{"id", {TypeKind::kLong}, true},
                                         {"at", {TypeKind::kTimestampNtz}, true}};
  replacement.manifest.pieces.push_back({{range, false},
                                         {1, {}},
                                         std::nullopt,
                                         false,
                                         place.Stage("p1", number, absl::StrCat("f", number))});
  Intent intent{"deals", number, "", {replacement}};
  intent.hash = IntentHash(intent);
  return intent;
}

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_DELTA_PLACE_H_
