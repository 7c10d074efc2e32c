// Private keys of mxp/keys.h: their life cycle and their PEM form. (The text form of public keys needs no cryptography
// and is core's.)
#include "mxp/keys.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <utility>

#include "crypto/algorithms.h"
#include "crypto/primitives.h"

namespace mxp {
namespace {

using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<PKCS8_PRIV_KEY_INFO_free>>;

// One block of a PEM file; what it held is wiped.
class PemBlock {
 public:
  PemBlock() = default;
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;
  ~PemBlock() { release(); }

  // False at the end of the file, or at a block that is not base64.
  bool read(BIO* file) {
    release();
    // Secure: OpenSSL wipes its own buffers for lines and text, which PEM_read_bio leaves in freed memory.
    return PEM_read_bio_ex(file, &name_, &header_, &data_, &size_, PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1;
  }
  std::string_view name() const { return name_; }
  const unsigned char* data() const { return data_; }
  long size() const { return size_; }

 private:
  void release() {
    OPENSSL_secure_free(std::exchange(name_, nullptr));
    OPENSSL_secure_free(std::exchange(header_, nullptr));
    OPENSSL_secure_clear_free(std::exchange(data_, nullptr), static_cast<std::size_t>(std::exchange(size_, 0)));
  }
  char* name_ = nullptr;
  char* header_ = nullptr;
  unsigned char* data_ = nullptr;
  long size_ = 0;
};

std::expected<SecretArray<32>, KeyFileError> scalar_from_pem(std::string_view pem) {
  const Bio file(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  require(file != nullptr);
  PemBlock block;
  do {
    // The queue must say why *this* read failed.
    ERR_clear_error();
    if (!block.read(file.get())) {
      const bool nothing_left = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      return std::unexpected(nothing_left ? KeyFileError::not_pem : KeyFileError::malformed);
    }
  } while (block.name() != PEM_STRING_PKCS8INF);

  const unsigned char* position = block.data();
  const Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &position, block.size()));
  if (!info || position != block.data() + block.size()) return std::unexpected(KeyFileError::malformed);
  const ASN1_OBJECT* algorithm = nullptr;
  if (PKCS8_pkey_get0(&algorithm, nullptr, nullptr, nullptr, info.get()) != 1)
    return std::unexpected(KeyFileError::malformed);
  if (OBJ_obj2nid(algorithm) != NID_X25519) return std::unexpected(KeyFileError::wrong_type);
  const Pkey key(EVP_PKCS82PKEY(info.get()));
  SecretArray<32> scalar;
  std::size_t size = scalar.kSize;
  if (!key || EVP_PKEY_get_raw_private_key(key.get(), scalar.bytes().data(), &size) != 1 || size != scalar.kSize)
    return std::unexpected(KeyFileError::malformed);
  return scalar;
}

}  // namespace

std::string_view to_string(KeyFileError error) {
  switch (error) {
    case KeyFileError::not_pem: return "no PRIVATE KEY block in PEM form";
    case KeyFileError::malformed: return "the PRIVATE KEY block is damaged";
    case KeyFileError::wrong_type: return "the private key is not an X25519 key";
  }
  return "unknown";
}

std::string_view to_string(Suite suite) {
  switch (suite) {
    case Suite::chacha20_poly1305: return "chacha20";
    case Suite::aes_256_gcm: return "aes256";
  }
  return "unknown";
}

PrivateKey PrivateKey::generate(Random& random) {
  SecretArray<kSize> scalar;
  random.fill(scalar.bytes());
  return from_bytes(scalar.view());
}

PrivateKey PrivateKey::from_bytes(std::span<const std::uint8_t, kSize> scalar) {
  PrivateKey key;
  std::copy(scalar.begin(), scalar.end(), key.scalar_.begin());
  key.public_key_ = x25519_public(scalar);
  return key;
}

std::expected<PrivateKey, KeyFileError> PrivateKey::from_pem(std::string_view pem) {
  const auto scalar = scalar_from_pem(pem);
  ERR_clear_error();
  if (!scalar) return std::unexpected(scalar.error());
  return from_bytes(scalar->view());
}

std::string PrivateKey::to_pem() const {
  const Pkey key(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, scalar_.data(), scalar_.size()));
  const Bio file(BIO_new(BIO_s_mem()));  // wipes its memory
  require(key && file &&
          PEM_write_bio_PKCS8PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(file.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

PrivateKey::PrivateKey(const PrivateKey& other) = default;
PrivateKey& PrivateKey::operator=(const PrivateKey& other) = default;
PrivateKey::PrivateKey(PrivateKey&& other) noexcept : scalar_(other.scalar_), public_key_(other.public_key_) {
  OPENSSL_cleanse(other.scalar_.data(), kSize);
}
PrivateKey& PrivateKey::operator=(PrivateKey&& other) noexcept {
  if (this != &other) {
    scalar_ = other.scalar_;
    public_key_ = other.public_key_;
    OPENSSL_cleanse(other.scalar_.data(), kSize);
  }
  return *this;
}
PrivateKey::~PrivateKey() { OPENSSL_cleanse(scalar_.data(), kSize); }

}  // namespace mxp
