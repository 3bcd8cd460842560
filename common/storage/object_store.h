// Files under one root, by key. The one promise on which publication rests is PutIfAbsent: of any
// number of racing writers of one key exactly one succeeds, and readers see its bytes whole or not
// at all. tests/contract/object_store_contract.h says in code what every implementation must do.
#ifndef HEADWATER_COMMON_STORAGE_OBJECT_STORE_H_
#define HEADWATER_COMMON_STORAGE_OBJECT_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace headwater {

// One name inside a folder.
struct StoredEntry {
  std::string name;
  bool folder = false;
  int64_t size_bytes = 0;  // Of a file.
  absl::Time modified;     // When a file's bytes were last written, by the store's own clock.
};

// Keys are relative, '/'-separated, and never leave the root: `..`, empty parts and NUL are
// INVALID_ARGUMENT. Thread-safe.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // NOT_FOUND: no such key. A folder is no key.
  virtual absl::StatusOr<std::string> Read(absl::string_view key) const = 0;
  // Size in bytes; absent: no such key.
  virtual absl::StatusOr<std::optional<int64_t>> SizeOf(absl::string_view key) const = 0;
  // Names directly inside the folder `prefix` ("": the root), folders too, sorted; empty when it
  // does not exist. What is still being written has no name.
  virtual absl::StatusOr<std::vector<std::string>> List(absl::string_view prefix) const = 0;
  // The same with what is known of each. Left out is also what is neither a file nor a folder of
  // its own: a link leads to what is somebody else's.
  virtual absl::StatusOr<std::vector<StoredEntry>> ListEntries(absl::string_view prefix) const = 0;

  // Durable on return. ALREADY_EXISTS: the key is taken, its bytes are untouched.
  // RESOURCE_EXHAUSTED: no space; nothing is visible. UNKNOWN: look before trying again.
  virtual absl::Status PutIfAbsent(absl::string_view key, absl::string_view bytes) = 0;
  // Replaces or creates, whole. Durable on return.
  virtual absl::Status Put(absl::string_view key, absl::string_view bytes) = 0;
  // OK also when there was none.
  virtual absl::Status Delete(absl::string_view key) = 0;
  // Removes what writers of keys directly inside the folder `prefix` left unfinished before
  // `before`: they have died. Says how many they were.
  virtual absl::StatusOr<int64_t> DropUnfinished(absl::string_view prefix, absl::Time before) = 0;
  // Makes durable what stands under `key`: whoever put it may have died after it could be seen and
  // before that was so. NOT_FOUND: no such key.
  virtual absl::Status Persist(absl::string_view key) = 0;

  // For messages: the root as people know it.
  virtual const std::string& root() const = 0;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_STORAGE_OBJECT_STORE_H_
