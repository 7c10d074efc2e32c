// The text form of a public key. It needs no cryptography, so that URLs can be read without the crypto room.
#include "core/base64url.h"
#include "mxp/keys.h"

namespace mxp {

std::optional<PublicKey> PublicKey::parse(std::string_view base64url) {
  Bytes bytes;
  if (!base64url_decode(base64url, bytes)) return std::nullopt;
  return PublicKey(bytes);
}

std::string PublicKey::to_string() const { return base64url_encode(bytes_); }

}  // namespace mxp
