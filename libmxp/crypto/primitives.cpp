#include "crypto/primitives.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <algorithm>

#include "crypto/algorithms.h"
#include "mxp/require.h"

namespace mxp {
namespace {

// HKDF-Expand's info has at most this many parts here; the block before and the counter come on top.
constexpr std::size_t kMaxInfoParts = 6;

SecretArray<32> hmac_over(ByteView key, std::span<const ByteView> parts) {
  // One context per thread saves its allocation and the look-up of the digest for each of a handshake's thirty HMACs.
  thread_local const MacContext context = new_hmac_context();
  static constexpr std::array<std::uint8_t, 32> kNoKey{};
  // A null key would mean "the key from before".
  require(EVP_MAC_init(context.get(), key.empty() ? kNoKey.data() : key.data(), key.size(), nullptr) == 1);
  for (const ByteView part : parts) require(EVP_MAC_update(context.get(), part.data(), part.size()) == 1);
  SecretArray<32> result;
  std::size_t size = 0;
  require(EVP_MAC_final(context.get(), result.bytes().data(), &size, SecretArray<32>::kSize) == 1);
  // The context outlives this call, so it must not keep the key.
  require(EVP_MAC_init(context.get(), kNoKey.data(), kNoKey.size(), nullptr) == 1);
  return result;
}

// OpenSSL leaves a record of each failure in a queue of the thread, where the next user of OpenSSL in this program
// would find it and take it for its own.
void forget_errors() { ERR_clear_error(); }

// X25519 keys as OpenSSL objects. If OpenSSL is given both halves, it does not compute the public one again.
Pkey private_pkey(const PrivateKey& key) {
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "X25519", nullptr));
  require(context && EVP_PKEY_fromdata_init(context.get()) == 1);
  // OSSL_PARAM has no const, but fromdata only reads.
  auto* secret = const_cast<std::uint8_t*>(key.secret().data());
  auto* shown = const_cast<std::uint8_t*>(key.public_key().bytes().data());
  OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, secret, PrivateKey::kSize),
                         OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, shown, PublicKey::kSize),
                         OSSL_PARAM_construct_end()};
  EVP_PKEY* pkey = nullptr;
  require(EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_KEYPAIR, params) == 1);
  return Pkey(pkey);
}

}  // namespace

Digest sha256(ByteView data) { return sha256({data}); }

Digest sha256(ByteViews parts) {
  thread_local const DigestContext context(EVP_MD_CTX_new());
  require(context && EVP_DigestInit_ex2(context.get(), algorithms().sha256, nullptr) == 1);
  for (const ByteView part : parts) require(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
  Digest digest;
  require(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  return digest;
}

SecretArray<32> hmac_sha256(ByteView key, ByteView data) { return hmac_over(key, std::span(&data, 1)); }
SecretArray<32> hmac_sha256(ByteView key, ByteViews parts) {
  return hmac_over(key, std::span(parts.begin(), parts.size()));
}

std::pair<SecretArray<32>, SecretArray<32>> noise_hkdf2(ByteView chaining_key, ByteView input_key_material) {
  static constexpr std::uint8_t kOne = 1, kTwo = 2;
  const auto temp_key = hmac_sha256(chaining_key, input_key_material);
  auto output1 = hmac_sha256(temp_key.view(), ByteView(&kOne, 1));
  auto output2 = hmac_sha256(temp_key.view(), {output1.view(), ByteView(&kTwo, 1)});
  return {std::move(output1), std::move(output2)};
}

SecretArray<32> hkdf_extract(ByteView salt, ByteView input_key_material) {
  return hmac_sha256(salt, input_key_material);
}

void hkdf_expand(ByteView pseudorandom_key, ByteViews info, MutableBytes out) {
  MXP_REQUIRE(info.size() <= kMaxInfoParts && out.size() <= 255 * SecretArray<32>::kSize);
  SecretArray<32> block;
  for (std::uint8_t counter = 1; !out.empty(); ++counter) {
    std::array<ByteView, kMaxInfoParts + 2> parts;
    std::size_t count = 0;
    if (counter > 1) parts[count++] = block.view();
    for (const ByteView part : info) parts[count++] = part;
    parts[count++] = ByteView(&counter, 1);
    block = hmac_over(pseudorandom_key, std::span(parts).first(count));
    const std::size_t taken = std::min(out.size(), block.kSize);
    std::copy_n(block.data(), taken, out.begin());
    out = out.subspan(taken);
  }
}

bool constant_time_equal(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::expected<SharedSecret, DhError> x25519(const PrivateKey& mine, const PublicKey& theirs) {
  const Pkey own = private_pkey(mine);
  const Pkey peer(EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, theirs.bytes().data(), PublicKey::kSize));
  require(peer != nullptr);
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own.get(), nullptr));
  require(context && EVP_PKEY_derive_init(context.get()) == 1 &&
          EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), /*validate_peer=*/0) == 1);
  SharedSecret shared;
  std::size_t size = SharedSecret::kSize;
  // OpenSSL itself refuses an all-zero result, but we do not depend on that.
  static const SharedSecret kZero;
  const bool derived = EVP_PKEY_derive(context.get(), shared.bytes().data(), &size) == 1 && size == SharedSecret::kSize;
  if (!derived || shared == kZero) {
    forget_errors();
    return std::unexpected(DhError::all_zero);
  }
  return shared;
}

PublicKey x25519_public(std::span<const std::uint8_t, 32> scalar) {
  const Pkey key(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, scalar.data(), scalar.size()));
  PublicKey::Bytes bytes;
  std::size_t size = bytes.size();
  require(key && EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &size) == 1 && size == bytes.size());
  return PublicKey(bytes);
}

}  // namespace mxp
