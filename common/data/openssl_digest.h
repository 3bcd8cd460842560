// Digests that OpenSSL makes, of many short texts one after the other.
#ifndef HEADWATER_COMMON_DATA_OPENSSL_DIGEST_H_
#define HEADWATER_COMMON_DATA_OPENSSL_DIGEST_H_

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_md_st;
struct evp_md_ctx_st;

namespace headwater {

// Confined to one thread: one context serves all texts.
class OpensslDigest {
 public:
  // `name` as OpenSSL has it: "MD5", "SHA256". `doing` begins messages. UNIMPLEMENTED: this
  // machine's OpenSSL does not have it, as MD5 where only FIPS's algorithms are allowed.
  static absl::StatusOr<OpensslDigest> Create(const char* name, absl::string_view doing);

  // Writes the digest of `size` bytes to `digest`, which has room for all of it: 16 bytes of MD5,
  // 32 of SHA-256. INTERNAL: OpenSSL says no.
  absl::Status Make(const void* bytes, size_t size, unsigned char* digest);

 private:
  struct Deleter {
    void operator()(evp_md_st* digest) const;
    void operator()(evp_md_ctx_st* context) const;
  };
  // Fetched once: looking it up costs more than the digest of a short text.
  using Digest = std::unique_ptr<evp_md_st, Deleter>;
  using Context = std::unique_ptr<evp_md_ctx_st, Deleter>;

  OpensslDigest(Digest digest, Context context);

  Digest digest_;
  Context context_;
};

}  // namespace headwater

#endif  // HEADWATER_COMMON_DATA_OPENSSL_DIGEST_H_
