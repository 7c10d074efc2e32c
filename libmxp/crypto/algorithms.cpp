#include "crypto/algorithms.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <cstdlib>

namespace mxp {

void require(bool condition) {
  if (!condition) std::abort();
}

const Algorithms& algorithms() {
  static const Algorithms fetched = [] {
    const Algorithms all{.sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr),
                         .hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr),
                         .chacha20_poly1305 = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr),
                         .aes_256_gcm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr),
                         .chacha20 = EVP_CIPHER_fetch(nullptr, "ChaCha20", nullptr),
                         .aes_256_ecb = EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr)};
    require(all.sha256 && all.hmac && all.chacha20_poly1305 && all.aes_256_gcm && all.chacha20 && all.aes_256_ecb);
    return all;
  }();
  return fetched;
}

MacContext new_hmac_context() {
  MacContext context(EVP_MAC_CTX_new(algorithms().hmac));
  require(context != nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  require(EVP_MAC_CTX_set_params(context.get(), params) == 1);
  return context;
}

}  // namespace mxp
