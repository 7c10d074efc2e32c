// The OpenSSL algorithms of this room, fetched once per process. This header is private to `crypto`.
#pragma once

#include <openssl/evp.h>

#include <memory>

namespace mxp {

struct Algorithms {
  EVP_MD* sha256;
  EVP_MAC* hmac;
  EVP_CIPHER* chacha20_poly1305;
  EVP_CIPHER* aes_256_gcm;
  EVP_CIPHER* chacha20;
  EVP_CIPHER* aes_256_ecb;
};
// These are never freed: contexts in other static objects may outlive any order of destruction that we could choose.
const Algorithms& algorithms();

// For calls that fail only if OpenSSL lacks an algorithm or memory. There is no secure way to go on then, so the
// process stops. What a caller may have got wrong is checked with MXP_REQUIRE (mxp/require.h), which says what it was.
void require(bool condition);

// A deleter that calls OpenSSL's own free functions.
template <auto free_function>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    free_function(object);
  }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Freed<EVP_MAC_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Pkey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;

// An HMAC-SHA256 context that has its digest and no key yet.
MacContext new_hmac_context();

}  // namespace mxp
