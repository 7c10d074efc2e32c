#include "mxp-perf/baseline/tls_contexts.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>

namespace mxp::perf {

namespace {

struct TlsIdentity {
  std::unique_ptr<EVP_PKEY, FreeTls> key;
  std::unique_ptr<X509, FreeTls> certificate;
};

tools::ToolError tls_error(std::string_view what) {
  return {tools::ErrorKind::io, "--baseline tls: " + std::string(what) + ": " + tls_reason()};
}

// An Ed25519 key with a certificate that it signed itself, good for a day.
bool make_identity(TlsIdentity& identity) {
  identity.key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  identity.certificate.reset(X509_new());
  X509* const certificate = identity.certificate.get();
  if (!identity.key || certificate == nullptr) return false;
  X509_NAME* const name = X509_get_subject_name(certificate);
  const unsigned char text[] = "mxp-perf";
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600) != nullptr &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, identity.key.get()) == 1 &&
         X509_sign(certificate, identity.key.get(), nullptr) > 0;
}

bool set_up(SSL_CTX* context, const TlsIdentity& own, const TlsIdentity& other, const char* suite) {
  if (context == nullptr) return false;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
  return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 && SSL_CTX_set_ciphersuites(context, suite) == 1 &&
         SSL_CTX_set1_groups_list(context, "X25519") == 1 && SSL_CTX_set_num_tickets(context, 0) == 1 &&
         SSL_CTX_use_certificate(context, own.certificate.get()) == 1 &&
         SSL_CTX_use_PrivateKey(context, own.key.get()) == 1 &&
         X509_STORE_add_cert(SSL_CTX_get_cert_store(context), other.certificate.get()) == 1;
}

}  // namespace

std::string tls_reason() {
  const unsigned long code = ERR_get_error();
  if (code == 0) return "no reason given";
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

tools::Result<TlsContexts> make_tls_contexts(std::string_view suite) {
  const char* const name = suite == "chacha20" ? "TLS_CHACHA20_POLY1305_SHA256" : "TLS_AES_256_GCM_SHA384";
  TlsIdentity server, client;
  if (!make_identity(server) || !make_identity(client)) return std::unexpected(tls_error("a key and its certificate"));
  TlsContexts contexts{.server = TlsContext(SSL_CTX_new(TLS_server_method())),
                       .client = TlsContext(SSL_CTX_new(TLS_client_method()))};
  if (!set_up(contexts.server.get(), server, client, name) || !set_up(contexts.client.get(), client, server, name))
    return std::unexpected(tls_error("TLS 1.3 with " + std::string(name)));
  return contexts;
}

}  // namespace mxp::perf
