#include "common/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <cstdlib>

namespace mxp::tools {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

namespace {
// EVP fails here only when memory is gone or the library is broken; neither can be served.
void require(bool good) {
  if (!good) std::abort();
}
}  // namespace

Sha256::Sha256() : state_(std::make_unique<State>()) {
  require(state_->context != nullptr && EVP_DigestInit_ex2(state_->context, EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) { require(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1); }

Sha256::Value Sha256::finish() {
  Value value{};
  unsigned length = 0;
  require(EVP_DigestFinal_ex(state_->context, value.data(), &length) == 1 && length == kSize);
  return value;
}

std::string to_hex(ByteView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace mxp::tools
