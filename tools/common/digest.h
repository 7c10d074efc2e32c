// SHA-256 over what a file transfer carries, through OpenSSL's EVP (SHA extensions where the processor has them).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "mxp/bytes.h"

namespace mxp::tools {

class Sha256 {
 public:
  static constexpr std::size_t kSize = 32;
  using Value = std::array<std::uint8_t, kSize>;

  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ByteView bytes);
  // Ends the computation; the object is of no further use.
  Value finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string to_hex(ByteView bytes);

}  // namespace mxp::tools
