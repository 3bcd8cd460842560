#include "common/data/openssl_digest.h"

#include <openssl/evp.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace headwater {

void OpensslDigest::Deleter::operator()(evp_md_st* digest) const { EVP_MD_free(digest); }
void OpensslDigest::Deleter::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

OpensslDigest::OpensslDigest(Digest digest, Context context)
    : digest_(std::move(digest)), context_(std::move(context)) {}

absl::StatusOr<OpensslDigest> OpensslDigest::Create(const char* name, absl::string_view doing) {
  Digest digest(EVP_MD_fetch(nullptr, name, nullptr));
  if (digest == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat(doing, ": this machine's OpenSSL has no ", name,
                     " (where only FIPS's algorithms are allowed it has no MD5)"));
  }
  Context context(EVP_MD_CTX_new());
  if (context == nullptr)
    return absl::ResourceExhaustedError(absl::StrCat(doing, ": OpenSSL: no memory"));
  return OpensslDigest(std::move(digest), std::move(context));
}

absl::Status OpensslDigest::Make(const void* bytes, size_t size, unsigned char* digest) {
  if (EVP_DigestInit_ex2(context_.get(), digest_.get(), nullptr) == 1 &&
      EVP_DigestUpdate(context_.get(), bytes, size) == 1 &&
      EVP_DigestFinal_ex(context_.get(), digest, nullptr) == 1) {
    return absl::OkStatus();
  }
  return absl::InternalError("OpenSSL made no digest of a row");
}

}  // namespace headwater
