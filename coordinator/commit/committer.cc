#include "coordinator/commit/committer.h"

#include <xxhash.h>

#include "common/data/fingerprint.h"
#include "common/model/model_proto.h"

namespace headwater {
namespace {

// Every field goes in with its length, so that no two intents share their bytes.
void Put(XXH3_state_t* state, absl::string_view bytes) {
  const uint64_t size = bytes.size();
  XXH3_128bits_update(state, &size, sizeof(size));
  XXH3_128bits_update(state, bytes.data(), bytes.size());
}

void Put(XXH3_state_t* state, int64_t number) {
  XXH3_128bits_update(state, &number, sizeof(number));
}

void Put(XXH3_state_t* state, const std::vector<StagedFile>& files) {
  Put(state, static_cast<int64_t>(files.size()));
  for (const StagedFile& file : files) {
    Put(state, file.path);
    Put(state, file.size_bytes);
    Put(state, file.rows);
  }
}

void Put(XXH3_state_t* state, const StagedPiece& piece) {
  Put(state, ToProto(piece.extent).SerializeAsString());
  Put(state, piece.fingerprint.rows);
  Put(state, static_cast<int64_t>(piece.fingerprint.sum.high));
  Put(state, static_cast<int64_t>(piece.fingerprint.sum.low));
  Put(state, piece.unchanged ? 1 : 0);
  Put(state, piece.files);
  Put(state, piece.bad_files);
}

}  // namespace

std::string IntentHash(const Intent& intent) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  XXH3_128bits_reset(state.get());
  Put(state.get(), intent.table);
  Put(state.get(), intent.sequence);
  for (const Replacement& replacement : intent.replacements) {
    Put(state.get(), replacement.dataset.server);
    Put(state.get(), replacement.fence);
    Put(state.get(), ToProto(replacement.extent).SerializeAsString());
    Put(state.get(), static_cast<int64_t>(replacement.manifest.pieces.size()));
    for (const StagedPiece& piece : replacement.manifest.pieces) Put(state.get(), piece);
    if (!replacement.manifest.keyed.has_value()) continue;
    for (const std::string& path : replacement.manifest.keyed->replaced) Put(state.get(), path);
    Put(state.get(), replacement.manifest.keyed->files);
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return HexOf({hash.high64, hash.low64});
}

}  // namespace headwater
