#include "crypto/mac1.h"

#include <algorithm>
#include <string_view>

#include "crypto/algorithms.h"
#include "crypto/primitives.h"

namespace mxp {

void Mac1Key::Free::operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }

Mac1Key::Mac1Key(const PublicKey& server) : context_(new_hmac_context().release()) {
  constexpr std::string_view kLabel = "mxp mac1";
  const auto key =
      hmac_sha256(ByteView(reinterpret_cast<const std::uint8_t*>(kLabel.data()), kLabel.size()), server.bytes());
  require(EVP_MAC_init(context_.get(), key.data(), key.kSize, nullptr) == 1);
}

Mac1Key::Mac Mac1Key::compute(ByteView before_mac1) const {
  Digest digest;
  std::size_t size = 0;
  // A null key means that the context starts again with the key it has.
  require(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1 &&
          EVP_MAC_update(context_.get(), before_mac1.data(), before_mac1.size()) == 1 &&
          EVP_MAC_final(context_.get(), digest.data(), &size, digest.size()) == 1);
  Mac mac;
  std::copy_n(digest.begin(), mac.size(), mac.begin());
  return mac;
}

bool Mac1Key::verify(ByteView datagram_with_mac1) const {
  if (datagram_with_mac1.size() < kSize) return false;
  const Mac expected = compute(datagram_with_mac1.first(datagram_with_mac1.size() - kSize));
  return constant_time_equal(expected, datagram_with_mac1.last(kSize));
}

}  // namespace mxp
