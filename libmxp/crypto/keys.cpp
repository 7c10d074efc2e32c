// Private keys of mxp/keys.h: their life cycle and their PEM form. (The text form of public keys needs no cryptography
// and is in core.)
#include "mxp/keys.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "crypto/algorithms.h"
#include "crypto/primitives.h"

namespace mxp {
namespace {

using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<PKCS8_PRIV_KEY_INFO_free>>;

// The bytes of the first PRIVATE KEY block, which wipe themselves when they go. OpenSSL's own reader is not used,
// because it leaves the lines that it decodes in freed memory.
class KeyBlock {
 public:
  static std::expected<KeyBlock, KeyFileError> find(std::string_view pem) {
    constexpr std::string_view kBegin = "-----BEGIN PRIVATE KEY-----", kEnd = "-----END PRIVATE KEY-----";
    std::size_t begin = pem.find(kBegin);
    while (begin != pem.npos && begin != 0 && pem[begin - 1] != '\n') begin = pem.find(kBegin, begin + 1);
    if (begin == pem.npos) return std::unexpected(KeyFileError::not_pem);
    const std::string_view rest = pem.substr(begin + kBegin.size());
    const std::size_t end = rest.find(kEnd);
    if (end == rest.npos) return std::unexpected(KeyFileError::malformed);

    KeyBlock text(end), block(end);
    for (const char c : rest.substr(0, end))
      if (c != '\n' && c != '\r' && c != ' ' && c != '\t') text.bytes_[text.size_++] = static_cast<unsigned char>(c);
    if (text.size_ == 0 || text.size_ % 4 != 0) return std::unexpected(KeyFileError::malformed);
    const int size = EVP_DecodeBlock(block.bytes_.data(), text.bytes_.data(), static_cast<int>(text.size_));
    if (size <= 0) return std::unexpected(KeyFileError::malformed);
    std::size_t padding = 0;  // counted as if it were data
    while (padding < 2 && text.bytes_[text.size_ - 1 - padding] == '=') ++padding;
    block.size_ = static_cast<std::size_t>(size) - padding;
    return block;
  }
  KeyBlock(KeyBlock&&) = default;  // the buffer itself moves, so no copy stays behind
  KeyBlock& operator=(KeyBlock&&) = delete;
  ~KeyBlock() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  const unsigned char* data() const { return bytes_.data(); }
  std::size_t size() const { return size_; }

 private:
  explicit KeyBlock(std::size_t capacity) : bytes_(capacity) {}
  std::vector<unsigned char> bytes_;
  std::size_t size_ = 0;
};

std::expected<SecretArray<32>, KeyFileError> scalar_from_pem(std::string_view pem) {
  const auto block = KeyBlock::find(pem);
  if (!block) return std::unexpected(block.error());
  const unsigned char* position = block->data();
  const Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &position, static_cast<long>(block->size())));
  if (!info || position != block->data() + block->size()) return std::unexpected(KeyFileError::malformed);
  const ASN1_OBJECT* algorithm = nullptr;
  const unsigned char* inner = nullptr;
  int inner_size = 0;
  if (PKCS8_pkey_get0(&algorithm, &inner, &inner_size, nullptr, info.get()) != 1)
    return std::unexpected(KeyFileError::malformed);
  if (OBJ_obj2nid(algorithm) != NID_X25519) return std::unexpected(KeyFileError::wrong_type);
  // RFC 8410 §7: the scalar is an OCTET STRING inside the OCTET STRING. It is taken from there by hand because
  // EVP_PKCS82PKEY leaves copies in freed memory.
  SecretArray<32> scalar;
  constexpr std::array<unsigned char, 2> kOctetString = {0x04, scalar.kSize};
  if (inner_size != static_cast<int>(kOctetString.size() + scalar.kSize) ||
      !std::equal(kOctetString.begin(), kOctetString.end(), inner))
    return std::unexpected(KeyFileError::malformed);
  std::copy_n(inner + kOctetString.size(), scalar.kSize, scalar.bytes().begin());
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
