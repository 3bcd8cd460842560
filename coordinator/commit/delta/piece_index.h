// Which live file belongs to which piece of which dataset, read from the tags of `add` actions:
//
//   headwater.piece   "range:FROM:TO", "outside", "keyed" or "adopted"
//   headwater.rows    rows of the whole piece
//   headwater.sum     its fingerprint's sum, hex
//   headwater.fence   of the attempt that wrote it; "0" of files that another writer wrote
//   headwater.settled_to, headwater.spec               for `state heal`
//   headwater.bad_rows  of headwater.rows, those that are in the table's quarantine; absent: none
//
// and from the partition value server_source.
#ifndef HEADWATER_COORDINATOR_COMMIT_DELTA_PIECE_INDEX_H_
#define HEADWATER_COORDINATOR_COMMIT_DELTA_PIECE_INDEX_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/data/fingerprint.h"
#include "common/model/extent.h"
#include "coordinator/commit/committer.h"
#include "coordinator/commit/delta/delta_snapshot.h"

namespace headwater {

struct PieceTags {
  Extent extent;
  int64_t fence = 0;
  bool keyed = false;    // Of no piece: a keyed table's,
  bool adopted = false;  // or one that goes when everything is read.
};

// The tags of one piece of a replacement, and of a file that a keyed write staged.
std::map<std::string, std::string> TagsOf(const Replacement& replacement, const StagedPiece& piece);
std::map<std::string, std::string> TagsOf(const Replacement& replacement, const StagedFile& file);
// Those that a file of another writer gets when it is taken over: of no piece, or looked up by key.
std::map<std::string, std::string> ForeignTags(const std::string& server, bool keyed);
// Rows of a file, from its statistics; -1: they do not say.
int64_t RowsOf(const DeltaAdd& add);
// What they say of the piece that a file belongs to; what is missing is 0 or empty.
struct PieceFacts {
  Fingerprint fingerprint;
  int64_t bad_rows = 0;
  std::string spec_version;
  int64_t settled_to = INT64_MIN;
};
PieceFacts FactsOf(const DeltaAdd& add);
// Absent: the file was not written by this program.
std::optional<PieceTags> ParseTags(const DeltaAdd& add);

// Thread-compatible.
class PieceIndex {
 public:
  // Forgets everything and takes in the live files of `snapshot`.
  void Reset(const DeltaSnapshot& snapshot);

  // Takes in the version that comes next: its cost is that of the version, not of the table.
  void Apply(const DeltaVersion& actions);

  // Paths of the server's live files whose piece shares an instant with `extent`; and one whose
  // piece is not wholly inside it, if there is one.
  struct Hit {
    std::vector<std::string> paths;
    std::optional<Extent> straddling;
  };
  Hit Find(const std::string& server, const Extent& extent) const;
  // Only the files of just that piece.
  Hit FindExactly(const std::string& server, const Extent& extent) const;

  // Whether the live files of just that piece hold all rows of the attempt that published it.
  bool IsWhole(const PublishedPiece& piece) const;

  // The live files of a piece, as `snapshot` has them, without statistics; none when it is not
  // whole or another writer has left out what they hold. Requires: the snapshot that this was made
  // of.
  std::vector<StagedFile> FilesOf(const PublishedPiece& piece, const DeltaSnapshot& snapshot) const;

  // Whether `pieces` are whole, and all live files inside of `extent` theirs.
  bool HoldsJust(const std::string& server, const Extent& extent,
                 const std::vector<PublishedPiece>& pieces) const;

  // Of a keyed table, paths of all of the server's live files.
  std::vector<std::string> Keyed(const std::string& server) const;
  // Those files, as `snapshot` has them. Requires: as FilesOf().
  std::vector<StagedFile> KeyedFilesOf(const std::string& server,
                                       const DeltaSnapshot& snapshot) const;
  // Rows of all of them; -1: another writer has left out statistics.
  int64_t KeyedRows(const std::string& server) const;
  // Whether the server has files that belong to pieces.
  bool HasPieces(const std::string& server) const;

  // Paths of the server's files that were taken over from another writer: they belong to no piece,
  // and go when a replacement covers the whole dataset.
  std::vector<std::string> Adopted(const std::string& server) const;

  // Whose rows the file holds; empty: nothing says it.
  std::string ServerOf(const DeltaAdd& add) const;

  // A live file of the server without our tags, if there is one.
  std::optional<std::string> Untagged(const std::string& server) const;

 private:
  struct File {
    std::string server;
    std::optional<PieceTags> tags;
    int64_t rows = 0;  // -1: another writer has left out the statistics.
  };
  struct Server {
    std::map<int64_t, std::map<std::string, int64_t>> ranges;  // From -> path -> to.
    std::map<std::string, bool> outside;                       // By path.
    std::map<std::string, bool> untagged;
    std::map<std::string, bool> keyed;
    std::map<std::string, bool> adopted;
  };

  void TakeColumns(const std::optional<DeltaMetadata>& metadata);
  void Insert(const DeltaAdd& add);
  void Erase(const std::string& path);

  std::string server_column_ = "server_source";  // Empty: the table has none.
  std::map<std::string, File> files_;
  std::map<std::string, Server> servers_;
};

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_COMMIT_DELTA_PIECE_INDEX_H_
