// The Aead of primitives.h. For each message OpenSSL gets an IV, the associated data, the data and the tag. Cipher and
// key stay where the constructor put them.
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "crypto/algorithms.h"
#include "crypto/primitives.h"
#include "mxp/require.h"

namespace mxp {

void Aead::Free::operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }

Aead::Aead(Suite suite, const AeadKey& key) : context_(EVP_CIPHER_CTX_new()) {
  const EVP_CIPHER* cipher =
      suite == Suite::chacha20_poly1305 ? algorithms().chacha20_poly1305 : algorithms().aes_256_gcm;
  require(context_ && EVP_EncryptInit_ex2(context_.get(), cipher, key.data(), nullptr, nullptr) == 1);
}

Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

void Aead::seal(const AeadNonce& nonce, ByteView associated_data, MutableBytes data,
                std::span<std::uint8_t, kAeadTagSize> tag) {
  EVP_CIPHER_CTX* context = context_.get();
  int size = 0;
  bool ok = EVP_EncryptInit_ex2(context, nullptr, nullptr, nonce.data(), nullptr) == 1;
  // An update without bytes would end the associated data early in some versions of OpenSSL, so it is left out.
  if (!associated_data.empty())
    ok = ok && EVP_EncryptUpdate(context, nullptr, &size, associated_data.data(),
                                 static_cast<int>(associated_data.size())) == 1;
  if (!data.empty())
    ok = ok && EVP_EncryptUpdate(context, data.data(), &size, data.data(), static_cast<int>(data.size())) == 1;
  ok = ok && EVP_EncryptFinal_ex(context, tag.data(), &size) == 1;  // writes nothing: these are stream modes
  OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size()),
                         OSSL_PARAM_construct_end()};
  ok = ok && EVP_CIPHER_CTX_get_params(context, params) == 1;
  require(ok);  // a packet that may be in the clear must not be sent
}

bool Aead::open(const AeadNonce& nonce, ByteView associated_data, ByteView data, MutableBytes out,
                std::span<const std::uint8_t, kAeadTagSize> tag) {
  MXP_REQUIRE(out.size() == data.size());
  EVP_CIPHER_CTX* context = context_.get();
  int size = 0;
  // OSSL_PARAM has no const, but setting it only reads.
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, const_cast<std::uint8_t*>(tag.data()), tag.size()),
      OSSL_PARAM_construct_end()};
  bool ok = EVP_DecryptInit_ex2(context, nullptr, nullptr, nonce.data(), nullptr) == 1 &&
            EVP_CIPHER_CTX_set_params(context, params) == 1;
  if (!associated_data.empty())
    ok = ok && EVP_DecryptUpdate(context, nullptr, &size, associated_data.data(),
                                 static_cast<int>(associated_data.size())) == 1;
  if (!data.empty())
    ok = ok && EVP_DecryptUpdate(context, out.data(), &size, data.data(), static_cast<int>(data.size())) == 1;
  std::array<std::uint8_t, kAeadTagSize> nothing;
  ok = ok && EVP_DecryptFinal_ex(context, nothing.data(), &size) == 1;
  if (!ok) ERR_clear_error();  // OpenSSL's queue belongs to the thread, not to us
  return ok;
}

}  // namespace mxp
