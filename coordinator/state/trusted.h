// What events hold, as our own types.
#ifndef HEADWATER_COORDINATOR_STATE_TRUSTED_H_
#define HEADWATER_COORDINATOR_STATE_TRUSTED_H_

#include <utility>

#include "common/base/check.h"
#include "common/model/model_proto.h"

namespace headwater {

// Events come from ourselves: what does not parse is a damaged log that its checksums did not show.
template <typename Proto>
auto Trusted(const Proto& proto) {
  auto parsed = FromProto(proto);
  HW_CHECK(parsed.ok());
  return *std::move(parsed);
}

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_STATE_TRUSTED_H_
