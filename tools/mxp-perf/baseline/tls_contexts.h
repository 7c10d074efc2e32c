// The two ends of a TLS 1.3 connection that prove as much to each other as those of MXP do: each knows the other's
// certificate beforehand, and takes no other one. Keys are made anew for each run. No session is resumed.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string_view>

#include "common/tool_error.h"

namespace mxp::perf {

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTls>;

struct TlsContexts {
  TlsContext server, client;
};

// `suite` as MXP names it: "aes256" or "chacha20".
tools::Result<TlsContexts> make_tls_contexts(std::string_view suite);

// What OpenSSL says of its last failure.
std::string tls_reason();

}  // namespace mxp::perf
