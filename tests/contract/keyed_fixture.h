// What tests of keyed writes start from: a small table whose live files the test itself keeps, as a
// committer would.
#ifndef HEADWATER_TESTS_CONTRACT_KEYED_FIXTURE_H_
#define HEADWATER_TESTS_CONTRACT_KEYED_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/temp_folder.h"
#include "worker/change/keyed_writer.h"

namespace headwater {

// The table `planes` of server `ewr` in a folder of its own: a merge by the first column, of whole
// reads, until a test says otherwise. Each Load() is an attempt with a fence of its own.
class KeyedFixture : public ::testing::Test {
 protected:
  explicit KeyedFixture(Schema schema);

  // Reads by ranges of `cursor` from now on: [from, to), and what is outside of [.., domain_end).
  void ReadRange(const std::string& cursor, CursorType type, Range range, bool outside = false);

  // An attempt that reads these batches (as BatchOf() takes them), without publishing it.
  absl::StatusOr<Manifest> Stage(const std::vector<std::string>& batches);

  // Stages and publishes: what is replaced goes, from the disk too. Checks that the change goes
  // with the table: live files only are replaced, counts and names are right.
  KeyedChange LoadBatches(const std::vector<std::string>& batches);
  KeyedChange Load(const std::string& rows) { return LoadBatches({rows}); }
  // Replaces files as a commit does, with the checks of LoadBatches().
  void Publish(const KeyedChange& change);
  // The error of an attempt.
  absl::Status Fails(const std::string& rows) { return Stage({rows}).status(); }

  // All rows of the table, sorted: the values of `columns` with '|' between them, those of NULLs
  // empty; a column that a file lacks is '-'.
  std::vector<std::string> Rows(const std::vector<std::string>& columns) const;
  // Of one live file.
  std::vector<std::string> RowsOf(const StagedFile& file,
                                  const std::vector<std::string>& columns) const;

  const std::vector<StagedFile>& live() const { return options_.base->files; }
  std::string PathOf(const StagedFile& file) const { return root_ + "/" + file.path; }
  // Files in the table's folder, named or not yet.
  int CountFiles() const;

  TempFolder folder_;
  const std::string root_ = folder_.path() + "/planes";
  StagingOptions options_;
};

// "new 1 changed 2 same 3 deleted 4 duplicate 5"
std::string CountsOf(const KeyedChange& change);

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_KEYED_FIXTURE_H_
