#include "crypto/header_protection.h"

#include <openssl/evp.h>

#include <cstring>

#include "crypto/algorithms.h"
#include "mxp/require.h"

namespace mxp {

void HeaderProtector::Free::operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }

HeaderProtector::HeaderProtector(Suite suite, const SecretArray<32>& hp)
    : suite_(suite), context_(EVP_CIPHER_CTX_new()) {
  const EVP_CIPHER* cipher = suite == Suite::chacha20_poly1305 ? algorithms().chacha20 : algorithms().aes_256_ecb;
  require(context_ && EVP_EncryptInit_ex2(context_.get(), cipher, hp.data(), nullptr, nullptr) == 1);
  // Only for the block cipher: for ChaCha20, OpenSSL would repeat it with each new counter.
  if (suite == Suite::aes_256_gcm) require(EVP_CIPHER_CTX_set_padding(context_.get(), 0) == 1);
}

void HeaderProtector::masks(MutableBytes samples, std::span<Mask> masks) {
  MXP_REQUIRE(samples.size() == masks.size() * kSampleSize && masks.size() <= kMaxHeaderBatch);
  int size = 0;
  if (suite_ == Suite::chacha20_poly1305) {
    // RFC 9001 §5.4.4: the sample is counter and nonce, in the very order of OpenSSL's 16-byte IV.
    static constexpr Mask kZeros{};
    for (std::size_t i = 0; i < masks.size(); ++i) {
      require(EVP_EncryptInit_ex2(context_.get(), nullptr, nullptr, samples.data() + i * kSampleSize, nullptr) == 1 &&
              EVP_EncryptUpdate(context_.get(), masks[i].data(), &size, kZeros.data(),
                                static_cast<int>(kZeros.size())) == 1);
    }
    return;
  }
  if (masks.empty()) return;
  // RFC 9001 §5.4.3: each sample is one block, so many samples take one call.
  require(EVP_EncryptUpdate(context_.get(), samples.data(), &size, samples.data(), static_cast<int>(samples.size())) ==
          1);
  for (std::size_t i = 0; i < masks.size(); ++i)
    std::memcpy(masks[i].data(), samples.data() + i * kSampleSize, masks[i].size());
}

}  // namespace mxp
