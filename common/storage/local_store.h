// A folder on a local disk as an object store. PutIfAbsent writes and syncs a temporary file beside
// the key, link()s it to its name (which fails if that exists) and syncs the folder.
#ifndef HEADWATER_COMMON_STORAGE_LOCAL_STORE_H_
#define HEADWATER_COMMON_STORAGE_LOCAL_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/storage/object_store.h"

namespace headwater {

// `root`: a path, or file://path. It need not exist; writing creates what is missing.
std::unique_ptr<ObjectStore> OpenLocalStore(absl::string_view root);

}  // namespace headwater

#endif  // HEADWATER_COMMON_STORAGE_LOCAL_STORE_H_
